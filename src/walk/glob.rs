//! Shell patterns over names and paths: `*`, `?`, `[a-z]`, `[!…]`, and `**` for any number of components.
//!
//! Our own, since packs, includes of configuration files, and interests all mean the shell's dialect (glob(7)), and none
//! of the crates below us matches names that were never on this file system.

/// Whether a component needs matching at all.
pub fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// One name against one component's pattern; linear in both (no exponential backtracking).
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => class(&pattern, p, name.get(n).copied()),
            Some(c) if Some(c) == name.get(n) => Some(p + 1),
            _ => None,
        };
        match (step, star) {
            (Some(next), _) => {
                p = next;
                n += 1;
            }
            (None, Some((at, seen))) => {
                star = Some((at, seen + 1));
                p = at + 1;
                n = seen + 1;
            }
            (None, None) => return false,
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|c| *c == '*')
}

/// A bracket expression at `p`: the position after it where `c` is in it.
fn class(pattern: &[char], p: usize, c: Option<char>) -> Option<usize> {
    let c = c?;
    let negated = matches!(pattern.get(p + 1), Some('!' | '^'));
    let start = p + 1 + usize::from(negated);
    // A `]` right at the start is a member, as in glob(7).
    let length = pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let end = start + 1 + length;
    let members = pattern.get(start..end)?;
    let mut found = false;
    let mut i = 0;
    while let Some(low) = members.get(i) {
        if let (Some('-'), Some(high)) = (members.get(i + 1), members.get(i + 2)) {
            found |= (*low..=*high).contains(&c);
            i += 3;
        } else {
            found |= *low == c;
            i += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

/// A path against a pattern, component by component; leading slashes do not count.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Dynamic programming over components, so that several `**` stay cheap.
    let mut reached = vec![false; path.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        let mut seen = false;
        for (i, slot) in next.iter_mut().enumerate() {
            let here = reached.get(i).copied().unwrap_or_default();
            let before = i
                .checked_sub(1)
                .and_then(|j| reached.get(j))
                .copied()
                .unwrap_or_default();
            seen |= here;
            *slot = if part == "**" {
                seen
            } else {
                before
                    && i.checked_sub(1)
                        .and_then(|j| path.get(j))
                        .is_some_and(|name| matches(part, name))
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
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
        assert!(!matches("[", "["));
    }

    #[test]
    fn paths() {
        assert!(matches_path("/etc/**/x", "/etc/x") && matches_path("/etc/**/x", "/etc/a/b/x"));
        assert!(!matches_path("/etc/*/x", "/etc/a/b/x") && matches_path("**", "/a/b"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(pattern in ".{0,20}", name in ".{0,20}") {
            matches(&pattern, &name);
            matches_path(&pattern, &name);
        }
    }
}
