//! The name of an operating system, for people: os-release(5), and what there was before it.
//!
//! Pure functions over text. What a scan concludes from is read by a detector, with evidence.

/// Files that name a release outright, the better first. The second is of the Linux Standard Base.
pub(super) const NAMED: [(&str, &str); 3] = [
    ("/etc/os-release", "PRETTY_NAME"),
    ("/usr/lib/os-release", "PRETTY_NAME"),
    ("/etc/lsb-release", "DISTRIB_DESCRIPTION"),
];

/// Longest file that is read for a name, in bytes.
pub(super) const LIMIT: u64 = 64 << 10;

/// How long a name may be, in characters.
const MOST: usize = 120;

/// The value of a key in a file of shell assignments, else of NAME.
pub(super) fn value(text: &str, key: &str) -> Option<String> {
    let of = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
        let (_, value) = lines.find(|(name, _)| *name == key)?;
        cut(value.trim().trim_matches(['"', '\'']))
    };
    of(key).or_else(|| of("NAME"))
}

/// Whether a file of `/etc` named so holds the release in its first line, as those of the 2000s do:
/// `WHATEVER-release`, `WHATEVER_version`. The better first.
pub(super) fn rank(name: &[u8]) -> Option<usize> {
    let endings: [&[u8]; 3] = [b"-release", b"_version", b"-version"];
    let known = [&b"os-release"[..], b"lsb-release"];
    if known.contains(&name) {
        return None;
    }
    endings.iter().position(|ending| name.ends_with(ending))
}

/// The first line that says something.
pub(super) fn line(text: &str) -> Option<String> {
    text.lines().find_map(cut)
}

/// The name of the machine, from hostname(5).
pub(super) fn host(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    cut(lines.find(|line| !line.is_empty() && !line.starts_with('#'))?)
}

fn cut(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(MOST).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_releases() {
        let text = "NAME=\"Some Linux\"\nPRETTY_NAME='Some Linux 12 (x)'\n";
        assert_eq!(value(text, "PRETTY_NAME").unwrap(), "Some Linux 12 (x)");
        assert_eq!(value("NAME=Other\n", "PRETTY_NAME").unwrap(), "Other");
        assert_eq!(value("# nothing\n", "PRETTY_NAME"), None);
        assert_eq!(line("\n  5.0.1 \n").unwrap(), "5.0.1");
        assert_eq!(host("# by hand\nshop-1\n").unwrap(), "shop-1");
        assert!(rank(b"some-release") < rank(b"some_version"));
        assert_eq!(rank(b"os-release"), None);
        assert_eq!(rank(b"hosts"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_short_name_or_none(text in "(?s).{0,400}") {
            for name in [value(&text, "PRETTY_NAME"), line(&text), host(&text)].into_iter().flatten() {
                proptest::prop_assert!(!name.is_empty() && name.chars().count() <= MOST);
            }
        }
    }
}
