//! The databases of fixtures/packages, which rpm, Berkeley DB and SQLite wrote.

use super::*;
use crate::walk::Entry;
use proptest::prelude::*;

const SQLITE_FILE: &[u8] = include_bytes!("../../../../../fixtures/packages/rpmdb.sqlite");
const LOG: &[u8] = include_bytes!("../../../../../fixtures/packages/rpmdb.sqlite-wal");
const SMALL: &[u8] = include_bytes!("../../../../../fixtures/packages/Packages-512-le");
const BIG_ENDIAN: &[u8] = include_bytes!("../../../../../fixtures/packages/Packages-16384-be");
const SLOTS: &[u8] = include_bytes!("../../../../../fixtures/packages/Packages.db");

/// Each with the name that its form has.
const FORMS: [(&str, &[u8]); 4] = [
    (SQLITE, SQLITE_FILE),
    (BDB, SMALL),
    (BDB, BIG_ENDIAN),
    (NDB, SLOTS),
];

fn look(name: &str, bytes: &[u8], log: &[u8], context: &str) -> Sink {
    let path = MachinePath::new(format!("/var/lib/rpm/{name}"));
    let entry = Entry {
        size: bytes.len() as u64,
        ..Entry::file(&path, 0o644)
    };
    let purpose = Purpose {
        context: context.to_owned(),
        ..Purpose::default()
    };
    let beside = [("-wal", log.to_vec())];
    let view = FileView::new(&path, &entry, bytes, &purpose).with_beside(&beside);
    let mut sink = Sink::default();
    Headers.inspect(&view, &mut sink);
    sink
}

fn packages(sink: &Sink) -> Vec<&Package> {
    let facts = sink.facts.iter();
    let packages = facts.filter_map(|fact| match fact {
        Fact::Package(package) => Some(package),
        _ => None,
    });
    packages.collect()
}

fn is_damaged(sink: &Sink) -> bool {
    let mut facts = sink.facts.iter();
    let said = facts.any(|fact| matches!(fact, Fact::DamagedDatabase(..)));
    assert_eq!(said, !sink.unexamined.is_empty());
    said
}

#[test]
fn each_form_has_the_same_packages() {
    for (name, bytes) in FORMS {
        let sink = look(name, bytes, LOG, "");
        let found: Vec<String> = packages(&sink).iter().map(|p| p.identity()).collect();
        let expected = [
            "alpha=2:1.0-1.el9:noarch",
            "beta=0~rc1-1.el9:noarch",
            "gamma+x=1.0^20240101git-1.el9:noarch",
            "kernel=5.1-1.el9:noarch",
            "kernel=5.2-1.el9:noarch",
        ];
        assert_eq!(found, expected, "{name}");
        assert!(!is_damaged(&sink), "{name}");
    }
}

#[test]
fn what_is_only_in_the_log_counts_up_to_the_last_change_that_was_finished() {
    assert_eq!(packages(&look(SQLITE, SQLITE_FILE, &[], "")).len(), 4);
    // The last page of the change is cut, or not as it was summed up: SQLite would not read it either.
    let cut = LOG.get(..LOG.len() - 1).unwrap();
    assert_eq!(packages(&look(SQLITE, SQLITE_FILE, cut, "")).len(), 4);
    let mut changed = LOG.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(packages(&look(SQLITE, SQLITE_FILE, &changed, "")).len(), 4);
    assert!(is_damaged(&look(SQLITE, SQLITE_FILE, b"no log", "")));
}

#[test]
fn a_header_is_read_whole() {
    let sink = look(BDB, SMALL, &[], "");
    let alpha = packages(&sink)[0];
    assert_eq!(
        (alpha.source.as_str(), alpha.vendor.as_str()),
        ("alpha", "Acme")
    );
    assert_eq!(
        alpha.depends,
        [
            vec!["/bin/sh".to_owned()],
            vec!["beta".into(), "gamma".into()]
        ]
    );
    assert_eq!(alpha.provides, ["server"]);
    assert!(alpha.installed.is_some());
    let conffiles: Vec<_> = alpha
        .conffiles
        .iter()
        .map(|c| (c.path.text(), c.digest.len()))
        .collect();
    assert_eq!(conffiles, [("/etc/alpha.conf".into(), 64)]);
    let ghosts: Vec<_> = alpha.ghosts.iter().map(MachinePath::text).collect();
    assert_eq!(ghosts, ["/etc/alpha.key"]);
    let owned = sink.facts.iter().find_map(|fact| match fact {
        Fact::Owns { package, paths } if package.starts_with("alpha=") => Some(paths),
        _ => None,
    });
    let owned: Vec<_> = owned.unwrap().iter().map(MachinePath::text).collect();
    // Documents were left out when it was installed.
    let expected = [
        "/bin/alpha-tool",
        "/etc/alpha-missing.conf",
        "/etc/alpha.conf",
        "/etc/alpha.link",
    ];
    assert_eq!(owned, expected);
}

#[test]
fn digests_outside_etc_come_when_they_are_asked_for() {
    let paths = |sink: Sink| -> Vec<String> {
        let facts = sink.facts.into_iter();
        let digests = facts.filter_map(|fact| match fact {
            Fact::Recorded { digests, .. } => Some(digests),
            _ => None,
        });
        digests
            .flatten()
            .map(|(path, _)| path.to_string())
            .collect()
    };
    let first = paths(look(NDB, SLOTS, &[], ""));
    assert!(
        !first.contains(&"/bin/alpha-tool".to_owned())
            && first.contains(&"/etc/alpha.conf".to_owned())
    );
    let again = paths(look(
        NDB,
        SLOTS,
        &[],
        "beta=1:noarch\nalpha=2:1.0-1.el9:noarch",
    ));
    assert!(again.contains(&"/bin/alpha-tool".to_owned()));
    assert_eq!(
        paths(look(NDB, SLOTS, &[], "beta=0~rc1-1.el9:noarch")).len(),
        0
    );
}

#[test]
fn a_database_that_is_cut_short_or_is_none_is_told() {
    for (name, bytes) in FORMS {
        for length in [3, 100, bytes.len() / 2, bytes.len() - 600] {
            let sink = look(name, bytes.get(..length).unwrap(), &[], "");
            assert!(is_damaged(&sink), "{name} of {length} bytes");
            assert!(packages(&sink).len() < 5);
        }
        assert!(is_damaged(&look(name, &[b'x'; 5000], &[], "")), "{name}");
    }
}

#[test]
fn one_damaged_header_costs_only_itself() {
    let mut bytes = SLOTS.to_vec();
    // The count of entries of the first package.
    let at = 4096 + 16;
    bytes.get_mut(at..at + 4).unwrap().fill(0xff);
    let sink = look(NDB, &bytes, &[], "");
    assert_eq!(packages(&sink).len(), 4);
    assert!(is_damaged(&sink));
}

#[test]
fn conditions_on_what_else_is_installed_are_not_followed() {
    let of = package::rich;
    assert_eq!(of("(a >= 1 or b)"), ["a", "b"]);
    assert!(of("(a if b)").is_empty() && of("((a or b) and c)").is_empty() && of("(").is_empty());
}

proptest! {
    #[test]
    fn any_bytes_survive(form in 0_usize..4, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (name, _) = FORMS[form];
        look(name, &bytes, &bytes, "");
        if let Some(header) = Header::parse(&bytes) {
            Kind::of(&header, &MachinePath::root(), &mut Budget::new());
        }
    }

    #[test]
    fn changed_databases_survive(
        form in 0_usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        of_log in any::<prop::sample::Index>(),
    ) {
        let (name, bytes) = FORMS[form];
        let mut bytes = bytes.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut log = LOG.to_vec();
        let at = of_log.index(log.len());
        log[at] ^= 0x55;
        look(name, &bytes, &log, "");
    }
}
