//! Shell patterns over names and paths: `*`, `?`, `[a-z]`, `[!…]`, and `**` for any number of components.
//!
//! Our own, since packs, includes of configuration files, and interests all mean the shell's dialect (glob(7)), and none
//! of the crates below us matches names that were never on this file system. Patterns are matched as they are written:
//! tens of thousands of names meet each of them, and nothing here takes memory.

/// Whether a component needs matching at all.
pub fn is_pattern(part: &str) -> bool {
    part.bytes().any(|b| matches!(b, b'*' | b'?' | b'['))
}

/// One name against one component's pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    matches_name(pattern, name.as_bytes())
}

/// A path against a pattern, component by component; leading slashes do not count.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    matches_names(parts(pattern), components(path.as_bytes()))
}

/// The names in a path.
pub(super) fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

/// The components of a path's pattern.
pub(super) fn parts(pattern: &str) -> impl DoubleEndedIterator<Item = &str> + Clone {
    pattern.split('/').filter(|part| !part.is_empty())
}

/// Names against the components of a pattern. For each `**` linear in the names: only the last one is ever tried again.
pub(super) fn matches_names<'p, 'n>(
    pattern: impl DoubleEndedIterator<Item = &'p str> + Clone,
    names: impl DoubleEndedIterator<Item = &'n [u8]> + Clone,
) -> bool {
    // Most paths already fail at their last name.
    if let (Some(part), Some(name)) = (pattern.clone().next_back(), names.clone().next_back())
        && part != "**"
        && !matches_name(part, name)
    {
        return false;
    }
    let (mut own, mut rest) = (pattern, names);
    let mut any = None;
    loop {
        let (mut parts, mut names) = (own.clone(), rest.clone());
        let Some(name) = names.next() else {
            return own.all(|part| part == "**");
        };
        match parts.next() {
            Some("**") => {
                any = Some((parts.clone(), rest.clone()));
                own = parts;
            }
            Some(part) if matches_name(part, name) => (own, rest) = (parts, names),
            _ => {
                let Some((behind, seen)) = &mut any else {
                    return false;
                };
                seen.next();
                (own, rest) = (behind.clone(), seen.clone());
            }
        }
    }
}

/// One name, as bytes, against one component's pattern. For each `*` linear in the name.
pub fn matches_name(pattern: &str, name: &[u8]) -> bool {
    if !is_pattern(pattern) {
        return pattern.as_bytes() == name;
    }
    let (mut own, mut rest) = (pattern, name);
    let mut star = None;
    while let Some((c, behind)) = next_char(rest) {
        match next_token(own) {
            Some((Token::Many, after)) => {
                star = Some((after, rest));
                own = after;
            }
            Some((token, after)) if token.fits(c) => (own, rest) = (after, behind),
            _ => {
                let Some((after, seen)) = star else {
                    return false;
                };
                let Some((_, later)) = next_char(seen) else {
                    return false;
                };
                star = Some((after, later));
                (own, rest) = (after, later);
            }
        }
    }
    own.bytes().all(|b| b == b'*')
}

/// Whether a wildcard stands where a hidden file's dot would.
pub(super) fn starts_wild(pattern: &str) -> bool {
    !matches!(next_token(pattern), Some((Token::Char(_), _)))
}

/// What one character is compared with.
enum Token<'p> {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// What stands between brackets, ranges included.
    Class {
        negated: bool,
        members: &'p str,
    },
}

impl Token<'_> {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Many => true,
            Self::Class { negated, members } => has(members, c) != *negated,
        }
    }
}

/// Whether a character is among the members of a class: `a-z0_`.
fn has(members: &str, c: char) -> bool {
    let mut rest = members.chars();
    while let Some(low) = rest.next() {
        let mut ahead = rest.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) => {
                rest = ahead;
                high
            }
            _ => low,
        };
        if (low..=high).contains(&c) {
            return true;
        }
    }
    false
}

/// The first token of a pattern, and what is behind it.
fn next_token(pattern: &str) -> Option<(Token<'_>, &str)> {
    let mut chars = pattern.chars();
    let first = chars.next()?;
    let behind = chars.as_str();
    Some(match first {
        '*' => (Token::Many, behind),
        '?' => (Token::One, behind),
        // As in fnmatch(3), a bracket that nothing closes is itself.
        '[' => class(behind).unwrap_or((Token::Char('['), behind)),
        other => (Token::Char(other), behind),
    })
}

/// A bracket expression behind its `[`, and what follows its `]`.
fn class(pattern: &str) -> Option<(Token<'_>, &str)> {
    let members = pattern.strip_prefix(['!', '^']);
    let negated = members.is_some();
    let members = members.unwrap_or(pattern);
    // A `]` right at the start is a member, as in glob(7).
    let mut later = members.char_indices().skip(1);
    let (end, _) = later.find(|(_, c)| *c == ']')?;
    let (members, behind) = members.split_at_checked(end)?;
    Some((Token::Class { negated, members }, behind.get(1..)?))
}

/// The first character; what is not UTF-8 becomes U+FFFD in the same pieces as in `String::from_utf8_lossy`.
fn next_char(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (first, behind) = bytes.split_first()?;
    if first.is_ascii() {
        return Some((char::from(*first), behind));
    }
    let head = bytes.get(..4).unwrap_or(bytes);
    let chunk = head.utf8_chunks().next()?;
    if let Some(c) = chunk.valid().chars().next() {
        return Some((c, bytes.get(c.len_utf8()..)?));
    }
    let behind = bytes.get(chunk.invalid().len()..).unwrap_or(behind);
    Some((char::REPLACEMENT_CHARACTER, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(matches("*.conf", "a.conf") && !matches("*.conf", "a.config"));
        assert!(matches("S[0-9][0-9]*", "S01nginx") && !matches("S[0-9][0-9]*", "K01nginx"));
        assert!(matches("[!a]x", "bx") && !matches("[!a]x", "ax") && matches("a]", "a]"));
        assert!(matches("*a*b*", "xxaxxbxx") && !matches("*a*b", "ab-"));
        assert!(matches("[]a]", "]") && matches("[]a]", "a") && matches("[a-]", "-"));
        assert!(matches("[", "[") && matches("a[b", "a[b") && !matches("[", "a"));
        assert!(matches("?ä*", "öäü") && !matches("?", "öä") && matches("**", "a"));
        assert!(matches("", "") && !matches("", "a") && !matches("?", ""));
    }

    #[test]
    fn names_that_are_no_text() {
        assert!(matches_name("?", b"\xff") && matches_name("a*b", b"a\xc3\xffb"));
        assert!(!matches_name("a?b", b"a\xff\xffb"));
    }

    #[test]
    fn paths() {
        assert!(matches_path("/etc/**/x", "/etc/x") && matches_path("/etc/**/x", "/etc/a/b/x"));
        assert!(!matches_path("/etc/*/x", "/etc/a/b/x") && matches_path("**", "/a/b"));
        assert!(matches_path("/a/**/b/**", "/a/b") && matches_path("/a/**/b/**", "/a/x/b/c/d"));
        assert!(!matches_path("/a/**/b/**", "/a/x/c") && !matches_path("/a", "/a/b"));
        assert!(!matches_path("/a/b", "/a") && matches_path("/", "/"));
        assert!(matches_path("/a/b", "a//b/") && !matches_path("/a/*/c", "/a/c"));
        assert!(matches_path("**/c", "/c") && !matches_path("/a/**/c", "/a"));
    }

    /// The definition, without regard for time.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|at| slow(rest, &name[at..])),
            Some(('?', rest)) => !name.is_empty() && slow(rest, &name[1..]),
            Some((c, rest)) => name.first() == Some(c) && slow(rest, &name[1..]),
        }
    }

    fn slow_path(pattern: &[&str], names: &[&[u8]]) -> bool {
        match pattern.split_first() {
            None => names.is_empty(),
            Some((&"**", rest)) => (0..=names.len()).any(|at| slow_path(rest, &names[at..])),
            Some((part, rest)) => names
                .split_first()
                .is_some_and(|(name, names)| matches_name(part, name) && slow_path(rest, names)),
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(pattern in ".{0,20}", name in ".{0,20}") {
            matches(&pattern, &name);
            matches_path(&pattern, &name);
        }

        #[test]
        fn paths_agree_with_the_definition(pattern in "(\\*\\*/|[ab*]/){0,4}[ab*]?", path in "(/[ab]{1,2}){0,4}/?") {
            let own: Vec<&str> = parts(&pattern).collect();
            let names: Vec<&[u8]> = components(path.as_bytes()).collect();
            proptest::prop_assert_eq!(matches_path(&pattern, &path), slow_path(&own, &names));
        }

        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?ö]{0,8}", name in "[abö]{0,8}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            proptest::prop_assert_eq!(matches(&pattern, &name), slow(&p, &n));
        }
    }
}
