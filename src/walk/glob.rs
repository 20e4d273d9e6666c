//! Shell patterns over names and paths: `*`, `?`, `[a-z]`, `[!…]`, and `**` for any number of components.
//!
//! Our own, since packs, includes of configuration files, and interests all mean the shell's dialect (glob(7)), and none
//! of the crates below us matches names that were never on this file system. A pattern is parsed once and then matches
//! bytes: an interest meets tens of thousands of names.

/// Whether a component needs matching at all.
pub fn is_pattern(part: &str) -> bool {
    part.bytes().any(|b| matches!(b, b'*' | b'?' | b'['))
}

/// One name against one component's pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    Glob::new(pattern).matches(name.as_bytes())
}

/// A path against a pattern, component by component; leading slashes do not count.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let mut own = pattern.split('/').filter(|part| !part.is_empty());
    let mut names = components(path.as_bytes());
    // Tens of thousands of paths meet a few patterns, and nearly all differ in a plain name: those cost no memory.
    while let Some(part) = own.clone().next().filter(|part| !is_pattern(part)) {
        if names.next() != Some(part.as_bytes()) {
            return false;
        }
        own.next();
    }
    if let Some(last) = own.clone().next_back().filter(|part| !is_pattern(part))
        && names.clone().next_back() != Some(last.as_bytes())
    {
        return false;
    }
    let names: Vec<&[u8]> = names.collect();
    let own: Vec<Part> = own.map(Part::new).collect();
    matches_parts(&own, &names)
}

/// The names in a path.
pub(super) fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

/// One component of a path's pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Exactly this name.
    Name(Box<[u8]>),
    Glob(Glob),
    /// `**`: any number of components, none included.
    Any,
}

impl Part {
    fn new(part: &str) -> Self {
        match part {
            "**" => Self::Any,
            part if is_pattern(part) => Self::Glob(Glob::new(part)),
            part => Self::Name(part.as_bytes().into()),
        }
    }

    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(own) => **own == *name,
            Self::Glob(glob) => glob.matches(name),
            Self::Any => true,
        }
    }
}

/// A path's pattern, parsed.
pub(super) fn parts(pattern: &str) -> Vec<Part> {
    let parts = pattern.split('/').filter(|part| !part.is_empty());
    parts.map(Part::new).collect()
}

/// Names against the components of a pattern.
pub(super) fn matches_parts(parts: &[Part], path: &[&[u8]]) -> bool {
    // Most paths already fail at their last name.
    if let (Some(part), Some(name)) = (parts.last(), path.last())
        && !part.matches(name)
    {
        return false;
    }
    // Dynamic programming over components, so that several `**` stay cheap.
    let mut reached = vec![false; path.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in parts {
        let mut next = vec![false; path.len() + 1];
        if *part == Part::Any {
            let from = reached.iter().position(|here| *here);
            next.iter_mut()
                .skip(from.unwrap_or(usize::MAX))
                .for_each(|slot| *slot = true);
        } else {
            let steps = reached
                .iter()
                .zip(path)
                .map(|(here, name)| *here && part.matches(name));
            for (slot, step) in next.iter_mut().skip(1).zip(steps) {
                *slot = step;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A parsed pattern for one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let pattern: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::new();
        let mut rest = pattern.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            match first {
                '*' if tokens.last() == Some(&Token::Many) => {}
                '*' => tokens.push(Token::Many),
                '?' => tokens.push(Token::One),
                '[' => match class(behind) {
                    Some((token, behind)) => {
                        tokens.push(token);
                        rest = behind;
                    }
                    // As in fnmatch(3), a bracket that nothing closes is itself.
                    None => tokens.push(Token::Char('[')),
                },
                other => tokens.push(Token::Char(*other)),
            }
        }
        Self { tokens }
    }

    /// Whether a wildcard stands where a hidden file's dot would.
    pub(super) fn starts_wild(&self) -> bool {
        !matches!(self.tokens.first(), Some(Token::Char(_)))
    }

    /// Linear in the name for each `*`: only the last one is ever tried again.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let (mut at, mut rest) = (0, name);
        let mut star: Option<(usize, &[u8])> = None;
        while let Some((c, behind)) = next_char(rest) {
            let fits = match self.tokens.get(at) {
                Some(Token::Many) => {
                    at += 1;
                    star = Some((at, rest));
                    continue;
                }
                Some(token) => token.fits(c),
                None => false,
            };
            if fits {
                at += 1;
                rest = behind;
            } else if let Some((behind_star, seen)) = star {
                let Some((_, later)) = next_char(seen) else {
                    return false;
                };
                at = behind_star;
                rest = later;
                star = Some((behind_star, later));
            } else {
                return false;
            }
        }
        let left = self.tokens.get(at..).unwrap_or_default();
        left.iter().all(|token| *token == Token::Many)
    }
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Many => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
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

/// A bracket expression behind its `[`, and what follows its `]`.
fn class(pattern: &[char]) -> Option<(Token, &[char])> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let members = pattern.get(usize::from(negated)..)?;
    // A `]` right at the start is a member, as in glob(7).
    let end = members.iter().skip(1).position(|c| *c == ']')? + 1;
    let (mut inside, behind) = members.split_at_checked(end)?;
    let mut ranges = Vec::new();
    while let Some(low) = inside.first() {
        if let (Some('-'), Some(high)) = (inside.get(1), inside.get(2)) {
            ranges.push((*low, *high));
            inside = inside.get(3..).unwrap_or_default();
        } else {
            ranges.push((*low, *low));
            inside = inside.get(1..).unwrap_or_default();
        }
    }
    Some((Token::Class { negated, ranges }, behind.get(1..)?))
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
        assert!(Glob::new("?").matches(b"\xff") && Glob::new("a*b").matches(b"a\xc3\xffb"));
        assert!(!Glob::new("a?b").matches(b"a\xff\xffb"));
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

    proptest::proptest! {
        #[test]
        fn never_panics(pattern in ".{0,20}", name in ".{0,20}") {
            matches(&pattern, &name);
            matches_path(&pattern, &name);
        }

        #[test]
        fn the_short_way_says_the_same(pattern in "(/|\\*\\*/|[ab*]/){0,4}[ab*]?", path in "(/[ab]{1,2}){0,4}/?") {
            let names: Vec<&[u8]> = components(path.as_bytes()).collect();
            let whole = matches_parts(&parts(&pattern), &names);
            proptest::prop_assert_eq!(matches_path(&pattern, &path), whole);
        }

        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?ö]{0,8}", name in "[abö]{0,8}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            proptest::prop_assert_eq!(matches(&pattern, &name), slow(&p, &n));
        }
    }
}
