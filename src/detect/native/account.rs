//! passwd(5) and group(5). shadow is never opened.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, Group, User};
use std::collections::HashMap;

pub struct Accounts;

/// Groups of one user: each image that knows the user makes them all.
const MOST_GROUPS: usize = 1_024;

impl Detector for Accounts {
    fn id(&self) -> &'static str {
        "machine/accounts"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Users and groups",
            recognises: "every line of /etc/passwd and /etc/group",
            why: "carried data stays readable only where its owner keeps its number",
            cannot_see: "accounts of a directory (LDAP, SSSD); passwords are never read",
            references: &["passwd(5)", "group(5)"],
        }
    }

    fn interest(&self) -> Interest {
        let paths = vec!["/etc/passwd".into(), "/etc/group".into()];
        Interest {
            paths,
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let is_passwd = file.path.name() == "passwd";
        let mut memberships: HashMap<String, usize> = HashMap::new();
        for (number, line) in file.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let fact = if is_passwd {
                user(file, number, &fields)
            } else {
                group(file, number, &fields, &mut memberships)
            };
            sink.facts.extend(fact);
        }
        let crowded = memberships.into_iter().filter(|(_, of)| *of > MOST_GROUPS);
        if let Some((user, _)) = crowded.min() {
            let reason = format!(
                "{user} is in more than {MOST_GROUPS} groups; those beyond it were left out"
            );
            sink.unexamined(file.path, self.id(), reason);
        }
    }
}

fn user(file: &FileView<'_>, number: u32, fields: &[&str]) -> Option<Fact> {
    let [name, _, uid, gid, gecos, home, shell, ..] = fields else {
        return None;
    };
    Some(Fact::User(User {
        name: (*name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: (*gecos).to_owned(),
        home: (*home).to_owned(),
        shell: (*shell).to_owned(),
        // The password field may hold a hash on machines without shadow.
        evidence: file.evidence(
            number,
            &format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{shell}"),
        ),
    }))
}

fn group(
    file: &FileView<'_>,
    number: u32,
    fields: &[&str],
    memberships: &mut HashMap<String, usize>,
) -> Option<Fact> {
    let [name, _, gid, members, ..] = fields else {
        return None;
    };
    let gid = gid.parse().ok()?;
    let is_room = |member: &&str| {
        let of = memberships.entry((*member).to_owned()).or_default();
        *of += 1;
        *of <= MOST_GROUPS
    };
    Some(Fact::Group(Group {
        name: (*name).to_owned(),
        gid,
        members: members
            .split(',')
            .filter(|member| !member.is_empty())
            .filter(is_room)
            .map(str::to_owned)
            .collect(),
        evidence: file.evidence(number, &format!("{name}:x:{gid}:{members}")),
    }))
}
