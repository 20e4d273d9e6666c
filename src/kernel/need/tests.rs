use super::*;
use crate::fact::{Elf, ElfKind, Facts};
use crate::path::MachinePath;
use std::collections::BTreeMap;

fn site(path: &str, offset: u64) -> Site {
    Site {
        path: path.into(),
        offset,
    }
}

fn elf(path: &str, imports: &[&str], needed: &[&str], runtime: Option<&str>) -> Elf {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Elf {
        path: path.into(),
        kind: ElfKind::Dynamic,
        imports: owned(imports),
        needed: owned(needed),
        runtime: runtime.map(str::to_owned),
        ..Elf::default()
    }
}

fn facts(elfs: Vec<Elf>) -> Facts {
    Facts {
        elfs: elfs
            .into_iter()
            .map(|elf| (elf.path.clone(), elf))
            .collect(),
        ..Facts::default()
    }
}

fn reach(calls: &[(&str, &str, u64)]) -> Reach {
    let mut found: BTreeMap<String, Vec<Site>> = BTreeMap::new();
    for (call, path, offset) in calls {
        found
            .entry((*call).to_owned())
            .or_default()
            .push(site(path, *offset));
    }
    Reach {
        architecture: "x86_64".into(),
        calls: found,
        ..Reach::default()
    }
}

fn asked(program: &str, reach: &Reach, facts: &Facts) -> Vec<String> {
    let found = need(&Program::new(&MachinePath::new(program), reach, facts));
    found
        .asked()
        .map(|ask| format!("{} {} {}", ask.what, ask.capability, ask.evidence.place()))
        .collect()
}

#[test]
fn own_code_that_has_no_other_use_asks() {
    let reach = reach(&[
        ("ioperm", "/srv/x", 0x10),
        ("init_module", "/srv/x", 0x20),
        ("read", "/srv/x", 0x30),
    ]);
    let found = asked(
        "/srv/x",
        &reach,
        &facts(vec![elf("/srv/x", &[], &[], None)]),
    );
    assert_eq!(
        found,
        [
            "init_module CAP_SYS_MODULE /srv/x@0x20",
            "ioperm CAP_SYS_RAWIO /srv/x@0x10"
        ]
    );
}

/// A library that a package owns: what it could do is not what the program asks for, unless the program calls it by name.
#[test]
fn a_librarys_reach_is_not_the_programs_wish() {
    let libc = "/lib/libc.so.6";
    let reach = reach(&[("mount", libc, 0x100)]);
    let mut facts = facts(vec![elf(
        "/usr/sbin/serve",
        &["socket"],
        &["libc.so.6"],
        None,
    )]);
    owned_by(
        &mut facts,
        &[("libc6", &[libc]), ("serve", &["/usr/sbin/serve"])],
    );
    assert!(asked("/usr/sbin/serve", &reach, &facts).is_empty());
    let all = need(&Program::new(&"/usr/sbin/serve".into(), &reach, &facts));
    assert_eq!(all.asks[0].degree, Degree::Reaches);
    let own = facts
        .elfs
        .get_mut(&MachinePath::new("/usr/sbin/serve"))
        .unwrap();
    own.imports.push("mount".into());
    assert_eq!(
        asked("/usr/sbin/serve", &reach, &facts),
        ["mount CAP_SYS_ADMIN /lib/libc.so.6@0x100"]
    );
}

fn owned_by(facts: &mut Facts, packages: &[(&str, &[&str])]) {
    let mut owners = Vec::new();
    for (at, (name, paths)) in (0..).zip(packages) {
        facts.packages.push(crate::fact::Package {
            name: (*name).to_owned(),
            source: (*name).to_owned(),
            version: "1".into(),
            arch: "amd64".into(),
            manual: true,
            ..crate::fact::Package::new(Evidence::file(&"/var/lib/dpkg/status".into()))
        });
        owners.extend(paths.iter().map(|path| (MachinePath::new(path), at)));
    }
    facts.ownership = crate::fact::Ownership::new(owners, Vec::new());
}

#[test]
fn interpreters_and_runtimes_ask_for_nothing_themselves() {
    let calls = reach(&[
        ("clock_settime", "/usr/bin/python3.11", 1),
        ("mount", "/usr/bin/python3.11", 2),
    ]);
    let python = facts(vec![elf(
        "/usr/bin/python3.11",
        &["clock_settime"],
        &[],
        None,
    )]);
    assert!(asked("/usr/bin/python3.11", &calls, &python).is_empty());
    let calls = reach(&[
        ("mount", "/srv/go", 1),
        ("quotactl", "/srv/go", 2),
        ("swapon", "/srv/go", 3),
    ]);
    let go = facts(vec![elf("/srv/go", &[], &[], Some("go"))]);
    assert!(asked("/srv/go", &calls, &go).is_empty());
}

#[test]
fn a_librarys_purpose_is_the_programs() {
    let mut facts = facts(vec![elf(
        "/usr/sbin/x",
        &["kmod_module_insert_module"],
        &["libkmod.so.2"],
        None,
    )]);
    owned_by(
        &mut facts,
        &[
            ("libkmod2", &["/lib/libkmod.so.2"]),
            ("x", &["/usr/sbin/x"]),
        ],
    );
    let reach = reach(&[("finit_module", "/lib/libkmod.so.2", 7)]);
    assert_eq!(
        asked("/usr/sbin/x", &reach, &facts),
        ["finit_module CAP_SYS_MODULE /lib/libkmod.so.2@0x7"]
    );
}

#[test]
fn arguments_decide_together() {
    let value = |call: &str, index: u8, value: Option<u64>, offset: u64| Argument {
        call: call.into(),
        index,
        value,
        site: site("/srv/x", offset),
    };
    let asked = |arguments: Vec<Argument>| {
        let reach = Reach {
            arguments,
            ..Reach::default()
        };
        asked(
            "/srv/x",
            &reach,
            &facts(vec![elf("/srv/x", &[], &[], None)]),
        )
    };
    // AF_NETLINK, SOCK_RAW.
    assert!(
        asked(vec![
            value("socket", 0, Some(16), 1),
            value("socket", 1, Some(3), 1)
        ])
        .is_empty()
    );
    // AF_INET, SOCK_RAW | SOCK_CLOEXEC.
    let raw = asked(vec![
        value("socket", 0, Some(2), 1),
        value("socket", 1, Some(0o2_000_003), 1),
    ]);
    assert_eq!(raw, ["socket(SOCK_RAW) CAP_NET_RAW /srv/x@0x1"]);
    // A family that the code computes, and one that it computes from nothing known.
    assert!(
        asked(vec![
            value("socket", 0, None, 1),
            value("socket", 1, Some(3), 1)
        ])
        .is_empty()
    );
    assert_eq!(
        asked(vec![value("ioctl", 1, Some(0x8914), 9)]),
        ["ioctl(an interface, address or route) CAP_NET_ADMIN /srv/x@0x9"]
    );
    assert!(
        asked(vec![value("ioctl", 1, Some(0x8913), 9)]).is_empty(),
        "SIOCGIFFLAGS only asks"
    );
}

#[test]
fn strings_name_devices_settings_and_loaders() {
    let reference = |text: &str, offset: u64| Reference {
        text: text.into(),
        site: site("/srv/x", offset),
    };
    let reach = Reach {
        references: vec![
            reference("/dev/mem", 1),
            reference("/dev/null", 2),
            reference("/dev/odd", 3),
            reference("/proc/sys/net/ipv4/ip_forward", 4),
            reference("/sbin/modprobe", 5),
            reference("modprobe", 6),
            reference("insmod %s", 7),
        ],
        ..Reach::default()
    };
    let facts = facts(vec![elf("/srv/x", &[], &[], None)]);
    let found = need(&Program::new(&"/srv/x".into(), &reach, &facts));
    let all: Vec<(Kind, &str, Degree)> = found
        .asks
        .iter()
        .map(|ask| (ask.kind, ask.what.as_str(), ask.degree))
        .collect();
    assert_eq!(
        all,
        [
            (Kind::Device, "/dev/mem", Degree::Asks),
            (Kind::Device, "/dev/odd", Degree::Reaches),
            (Kind::Sysctl, "net.ipv4.ip_forward", Degree::Reaches),
            (Kind::Module, "/sbin/modprobe", Degree::Asks),
            (Kind::Module, "insmod %s", Degree::Asks),
        ]
    );
}
