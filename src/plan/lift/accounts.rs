//! The accounts of a lifted image: those of the machine's system, of who owns a file in it, and of the plan. Passwords stay behind.

use super::{Written, WrittenFile};
use crate::fact::{Facts, Group, User};
use crate::plan::{Image, PlannedGroup, PlannedUser};
use crate::walk::Entry;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Below this number accounts are the system's, on every distribution of the last ten years.
const SYSTEM: u32 = 1000;
/// `nobody`, and on older systems a number of a few digits more.
const NOBODY: u32 = 65_534;

/// passwd(5) and group(5).
pub(super) fn files<'e>(
    image: &Image,
    entries: impl Iterator<Item = &'e Entry>,
    facts: &Facts,
) -> [WrittenFile; 2] {
    let (mut uids, mut gids) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        uids.insert(entry.uid);
        gids.insert(entry.gid);
    }
    let is_system = |id: u32| !(SYSTEM..NOBODY).contains(&id);
    let users: Vec<&User> = (facts.users.iter())
        .filter(|user| is_system(user.uid) || uids.contains(&user.uid))
        .filter(|user| !image.users.iter().any(|own| own.name == user.name))
        .collect();
    gids.extend(users.iter().map(|user| user.gid));
    gids.extend(image.users.iter().map(|user| user.gid));
    let groups: Vec<&Group> = (facts.groups.iter())
        .filter(|group| is_system(group.gid) || gids.contains(&group.gid))
        .filter(|group| !image.groups.iter().any(|own| own.name == group.name))
        .collect();
    let known: BTreeSet<&str> = (users.iter().map(|user| user.name.as_str()))
        .chain(image.users.iter().map(|user| user.name.as_str()))
        .collect();
    [
        file("/etc/passwd", passwd(&users, &image.users)),
        file("/etc/group", group(&groups, image, &known)),
    ]
}

fn file(path: &str, text: String) -> WrittenFile {
    WrittenFile {
        path: path.into(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        what: Written::Text(text),
    }
}

/// One field: nothing ends it or the line before its time.
fn field(text: &str) -> String {
    let fits = |c: &char| !c.is_control() && *c != ':';
    text.chars().filter(fits).collect()
}

fn passwd(machine: &[&User], planned: &[PlannedUser]) -> String {
    let machine = machine.iter();
    let machine = machine.map(|user| (&user.name, user.uid, user.gid, &user.home, &user.shell));
    let planned = planned.iter();
    let planned = planned.map(|user| (&user.name, user.uid, user.gid, &user.home, &user.shell));
    let mut all: Vec<_> = machine.chain(planned).collect();
    all.sort_by_key(|(name, uid, ..)| (*uid, *name));
    let mut text = String::new();
    for (name, uid, gid, home, shell) in all {
        let (name, home, shell) = (field(name), field(home), field(shell));
        let _ = writeln!(text, "{name}:x:{uid}:{gid}::{home}:{shell}");
    }
    text
}

fn group(machine: &[&Group], image: &Image, known: &BTreeSet<&str>) -> String {
    let members = |name: &str, own: &[String]| -> String {
        let own = own.iter().map(String::as_str);
        let planned = image.users.iter();
        let planned = planned.filter(|user| user.groups.iter().any(|group| group == name));
        let added = image.memberships.iter().filter(|(_, group)| group == name);
        let all: BTreeSet<&str> = own
            .chain(planned.map(|user| user.name.as_str()))
            .chain(added.map(|(user, _)| user.as_str()))
            .filter(|name| known.contains(name))
            .collect();
        let all: Vec<String> = all.into_iter().map(field).collect();
        all.join(",")
    };
    let machine = machine.iter();
    let machine =
        machine.map(|group| (&group.name, group.gid, members(&group.name, &group.members)));
    let planned: &[PlannedGroup] = &image.groups;
    let planned = planned.iter();
    let planned = planned.map(|group| (&group.name, group.gid, members(&group.name, &[])));
    let mut all: Vec<_> = machine.chain(planned).collect();
    all.sort_by_key(|(name, gid, _)| (*gid, *name));
    let mut text = String::new();
    for (name, gid, members) in all {
        let _ = writeln!(text, "{}:x:{gid}:{members}", field(name));
    }
    text
}
