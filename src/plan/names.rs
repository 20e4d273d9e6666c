//! Names that plans give: of secrets, volumes and variables, from the machine's names, made safe and unique.

use std::collections::BTreeSet;

/// Longest name, in bytes; engines allow more, readers do not.
const LONGEST: usize = 80;

/// `[a-z0-9._-]`, neither empty nor starting with a dot or dash.
pub(super) fn slug(text: &[u8]) -> String {
    let mut slug = String::new();
    for byte in text {
        let c = char::from(*byte).to_ascii_lowercase();
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    let from = slug.len().saturating_sub(LONGEST);
    let tail = slug
        .get(from..)
        .unwrap_or_default()
        .trim_matches(['-', '.']);
    if tail.is_empty() {
        "unnamed".to_owned()
    } else {
        tail.to_owned()
    }
}

/// `name`, or `name-2`, `name-3`, … where that is taken.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut count = 2u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}-{count}");
        count = count.saturating_add(1);
    }
    candidate
}

/// Whether a shell and a unit file both take it as a variable's name.
pub(super) fn is_variable(name: &str) -> bool {
    name.len() <= 256
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_and_unique() {
        assert_eq!(slug(b"/srv/My App/.env"), "srv-my-app-.env");
        assert_eq!(slug(b"/\n../.."), "unnamed");
        let mut taken = BTreeSet::new();
        assert_eq!(unique("a", &mut taken), "a");
        assert_eq!(unique("a", &mut taken), "a-2");
        assert!(
            is_variable("A_1") && !is_variable("1A") && !is_variable("A-B") && !is_variable("")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_make_a_name(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let slug = slug(&bytes);
            proptest::prop_assert!(!slug.is_empty() && slug.len() <= LONGEST);
            proptest::prop_assert!(!slug.starts_with(['.', '-']));
            proptest::prop_assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
        }
    }
}
