//! Versions: what they look like, which is newer, and what is asked for in the place of one.

use crate::distribution::base::Moving;
use crate::walk::glob;
use std::cmp::Ordering;

pub(super) fn is_version(version: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~' | ':');
    version.len() <= 256 && version.chars().all(fits)
}

pub(super) fn pin(source: &str, version: &str, moving: &[Moving]) -> String {
    if version.is_empty() {
        return "*".to_owned();
    }
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (format!("{epoch}:"), rest),
        None => (String::new(), version),
    };
    let (upstream, revision) = rest
        .rsplit_once('-')
        .map_or((rest, None), |(u, r)| (u, Some(r)));
    let known = moving.iter().find(|m| glob::matches(&m.source, source));
    let keep = match (known, revision) {
        (Some(known), _) => Some(known.keep),
        // A whole new upstream version was let into the stable release once: it may happen again.
        (None, Some(revision)) if revision.starts_with("0+deb") => {
            Some(upstream.split('.').count().saturating_sub(1).max(1))
        }
        _ => None,
    };
    match (keep, revision) {
        (Some(0), _) => "*".to_owned(),
        (Some(keep), _) if keep < upstream.split('.').count() => {
            let parts: Vec<&str> = upstream.split('.').take(keep).collect();
            format!("{epoch}{}.*", parts.join("."))
        }
        (_, Some(_)) => format!("{epoch}{upstream}-*"),
        (_, None) => format!("{epoch}{}*", without_update(upstream)),
    }
}

/// A native version without the mark of a stable update: `1.2+deb12u3` is `1.2`.
fn without_update(version: &str) -> &str {
    let marks = ["+deb", "~deb", "~bpo", "+bpo", "+nmu"];
    let cut = marks.iter().filter_map(|mark| version.find(mark)).min();
    cut.and_then(|at| version.get(..at)).unwrap_or(version)
}

/// Marks that others put into their versions, and the archive of newer versions beside the release; the release's own never
/// look like that.
pub(super) fn is_doubtful(version: &str) -> bool {
    let revision = version
        .rsplit_once('-')
        .map_or("", |(_, revision)| revision);
    version.contains(".pgdg")
        || version.contains("~bpo")
        || version.contains("nodesource")
        || version.contains(".gbp")
        || version.contains("+maria~")
        || version.contains("ppa")
        || version.contains("~debian.")
        || version.contains("~ubuntu.")
        // `1.26.2-1~bookworm`: a code name, where the release itself writes `~deb12u1`.
        || revision.rsplit_once('~').is_some_and(|(_, mark)| {
            mark.len() > 3 && mark.chars().all(|c| c.is_ascii_lowercase())
        })
}

/// As dpkg orders them: by epoch, upstream version and revision.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let epoch = epoch.parse().unwrap_or(0u64);
        (epoch, upstream.to_owned(), revision.to_owned())
    };
    let ((epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b)) =
        (parts(a), parts(b));
    epoch_a
        .cmp(&epoch_b)
        .then_with(|| part(upstream_a.as_bytes(), upstream_b.as_bytes()))
        .then_with(|| part(revision_a.as_bytes(), revision_b.as_bytes()))
}

/// Runs of other signs and of digits in turn. A tilde sorts before the end, letters before other signs.
fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let weight = |sign: Option<&u8>| match sign {
        None => 0,
        Some(b'~') => -1,
        Some(sign) if sign.is_ascii_digit() => 0,
        Some(sign) if sign.is_ascii_alphabetic() => i32::from(*sign),
        Some(sign) => i32::from(*sign) + 256,
    };
    let is_sign = |rest: &[u8]| rest.first().is_some_and(|sign| !sign.is_ascii_digit());
    while !a.is_empty() || !b.is_empty() {
        while is_sign(a) || is_sign(b) {
            let order = weight(a.first()).cmp(&weight(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (
                a.get(1..).unwrap_or_default(),
                b.get(1..).unwrap_or_default(),
            );
        }
        let (number_a, rest_a) = number(a);
        let (number_b, rest_b) = number(b);
        let order = (number_a.len().cmp(&number_b.len())).then_with(|| number_a.cmp(number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// Its digits without zeros in front, and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let zeros = text.iter().take_while(|sign| **sign == b'0').count();
    let text = text.get(zeros..).unwrap_or_default();
    let digits = text.iter().take_while(|sign| sign.is_ascii_digit()).count();
    text.split_at(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving() -> Vec<Moving> {
        let table = |source: &str, keep| Moving {
            source: source.into(),
            keep,
        };
        vec![
            table("postgresql-[0-9]*", 1),
            table("tzdata", 0),
            table("php[0-9]*", 2),
        ]
    }

    #[test]
    fn pins_let_a_security_update_in() {
        let cases = [
            ("nginx", "1.22.1-9+deb12u2", "1.22.1-*"),
            ("redis", "5:7.0.15-1~deb12u5", "5:7.0.15-*"),
            ("adduser", "3.134", "3.134*"),
            ("dash", "1.2.3+deb12u1", "1.2.3*"),
            ("postgresql-15", "15.8-0+deb12u1", "15.*"),
            ("postgresql-15", "15.1-1", "15.*"),
            ("php8.2", "8.2.20-1~deb12u1", "8.2.*"),
            ("tzdata", "2024a-0+deb12u1", "*"),
            ("git", "1:2.39.5-0+deb12u1", "1:2.39.*"),
            ("oddity", "7-0+deb12u1", "7-*"),
            ("a", "1.0-rc1-2", "1.0-rc1-*"),
            ("a", "", "*"),
        ];
        for (source, version, expected) in cases {
            assert_eq!(
                pin(source, version, &moving()),
                expected,
                "{source} {version}"
            );
        }
    }

    #[test]
    fn versions_are_in_order() {
        let order = [
            "1.0~rc1-1",
            "1.0-1~deb12u1",
            "1.0-1",
            "1.0-1+deb12u1",
            "1.0-1.1",
            "1.0-2",
            "1.0a-1",
            "1.0+b-1",
            "1.2",
            "1.09",
            "1.10",
            "1:0.1",
            "1:0.1-0ubuntu1",
        ];
        for pair in order.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("0:1.0-0", "1.00-0"), Ordering::Equal);
    }

    #[test]
    fn third_party_versions_raise_a_doubt() {
        for version in [
            "15.8-1.pgdg120+1",
            "1.26.2-1~bookworm",
            "18.20.4-1nodesource1",
            "1.2-3~bpo12+1",
        ] {
            assert!(is_doubtful(version), "{version}");
        }
        for version in [
            "1.22.1-9+deb12u2",
            "8.2.20-1~deb12u1",
            "2.4.52-1ubuntu4.9",
            "1.2-3~exp1",
        ] {
            assert!(!is_doubtful(version), "{version}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_version_has_a_pin(source in ".{0,12}", version in ".{0,24}") {
            proptest::prop_assert!(pin(&source, &version, &moving()).ends_with('*'));
        }

        #[test]
        fn the_order_is_one(a in "[0-9a~+.:-]{0,8}", b in "[0-9a~+.:-]{0,8}") {
            proptest::prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            proptest::prop_assert_eq!(compare(&a, &a), Ordering::Equal);
        }
    }
}
