//! Users and groups of an image, with the machine's own numbers, so that carried data stays readable.

use super::place::Place;
use crate::distribution::account::{PlannedGroup, PlannedUser};
use crate::fact::User;
use std::collections::{BTreeMap, BTreeSet};

/// The same number on every machine and in every image, like the static ones.
const NOBODY: u32 = 65534;
/// First of the numbers that service managers give to accounts made at the start (systemd: 61184 to 65519).
const DYNAMIC: u32 = 61184;

/// Who an image needs to know.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub users: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    /// User and group, beyond what the group file says.
    pub memberships: BTreeSet<(String, String)>,
    /// Numbers that users who are in no file have on the disk: those of their state.
    pub numbers: BTreeMap<String, u32>,
}

/// The accounts to make.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub users: Vec<PlannedUser>,
    pub groups: Vec<PlannedGroup>,
    /// Accounts of the base that hold one of the numbers.
    pub displaced: Vec<String>,
    /// Of accounts that are not made here: user and group.
    pub memberships: Vec<(String, String)>,
    /// Numbers of users that are not in the machine's own files.
    made: BTreeMap<String, u32>,
    pub notes: Vec<String>,
}

impl Accounts {
    pub(super) fn new(wanted: Wanted, place: &Place<'_>) -> Self {
        let mut accounts = Self::default();
        let Wanted {
            users,
            mut groups,
            memberships,
            numbers,
        } = wanted;
        groups.extend(memberships.iter().map(|(_, group)| group.clone()));
        for name in users.iter().filter(|name| is_account_name(name)) {
            match place.facts.user(name) {
                Some(user) => accounts.user(user, place, &mut groups),
                None => accounts.stranger(name, numbers.get(name).copied()),
            }
        }
        for name in groups.iter().filter(|name| is_account_name(name)) {
            match place.facts.group(name) {
                Some(group) if is_static(group.gid, place) => {}
                Some(group) => accounts.groups.push(PlannedGroup {
                    name: name.clone(),
                    gid: group.gid,
                }),
                None if accounts.groups.iter().any(|group| group.name == *name) => {}
                None => accounts.notes.push(format!(
                    "Group {name} is not on the machine; the packages may bring it."
                )),
            }
        }
        for (user, group) in memberships
            .into_iter()
            .filter(|(user, group)| is_account_name(user) && is_account_name(group))
        {
            match accounts.users.iter_mut().find(|made| made.name == user) {
                Some(made) => made.groups.push(group),
                None => accounts.memberships.push((user, group)),
            }
        }
        accounts.settle();
        accounts.displace(place);
        accounts
    }

    /// Sorts everything, names each thing once, and drops memberships in groups that say nothing new.
    fn settle(&mut self) {
        for user in &mut self.users {
            user.groups.sort();
            user.groups.dedup();
        }
        self.groups.sort();
        self.groups.dedup();
        self.users.sort();
        self.memberships.sort();
        self.memberships.dedup();
        self.memberships.retain(|(user, _)| user != "root");
    }

    /// Whether a user belongs to groups beside its own.
    pub(super) fn has_memberships(&self, name: &str) -> bool {
        self.users
            .iter()
            .any(|user| user.name == name && !user.groups.is_empty())
            || self.memberships.iter().any(|(user, _)| user == name)
    }

    fn user(&mut self, user: &User, place: &Place<'_>, groups: &mut BTreeSet<String>) {
        let of = place.facts.groups_with(&user.name);
        let of: Vec<String> = of
            .into_iter()
            .map(|group| group.name.clone())
            .filter(|name| is_account_name(name))
            .collect();
        if let Some(primary) = place.gid_name(user.gid) {
            groups.insert(primary.to_owned());
        } else if !is_static(user.gid, place) {
            self.groups.push(PlannedGroup {
                name: format!("group{}", user.gid),
                gid: user.gid,
            });
        }
        groups.extend(of.iter().cloned());
        let brought = &place.base.accounts;
        let is_brought = brought.contains(&(user.name.clone(), user.uid));
        if is_static(user.uid, place) || is_brought && place.base.family.is_some() {
            self.memberships
                .extend(of.into_iter().map(|group| (user.name.clone(), group)));
            return;
        }
        self.users.push(PlannedUser {
            name: user.name.clone(),
            uid: user.uid,
            gid: user.gid,
            home: line(&user.home),
            shell: line(&user.shell),
            groups: of,
        });
    }

    /// A name that a unit uses and the machine's files do not know: made at the start, or kept in a directory service.
    /// What it owned on the machine it owns here.
    fn stranger(&mut self, name: &str, number: Option<u32>) {
        let made = || DYNAMIC.saturating_add(u32::try_from(self.made.len()).unwrap_or_default());
        let uid = number.unwrap_or_else(made);
        self.made.insert(name.to_owned(), uid);
        self.notes.push(format!(
            "User {name} is not in the machine's passwd file (made by the service manager at the start, or kept in a directory service); the image gives it the number {uid}."
        ));
        self.groups.push(PlannedGroup {
            name: name.to_owned(),
            gid: uid,
        });
        self.users.push(PlannedUser {
            name: name.to_owned(),
            uid,
            gid: uid,
            home: "/nonexistent".to_owned(),
            shell: "/usr/sbin/nologin".to_owned(),
            groups: Vec::new(),
        });
    }

    fn displace(&mut self, place: &Place<'_>) {
        for (name, uid) in &place.base.accounts {
            let is_own = |user: &User| user.uid == *uid;
            let own = self.users.iter().any(|user| user.name == *name)
                || place.facts.user(name).is_some_and(is_own);
            let taken = self.users.iter().any(|user| user.uid == *uid)
                || self.groups.iter().any(|group| group.gid == *uid);
            if taken && !own {
                self.displaced.push(name.clone());
            }
        }
    }

    /// The numbers of a user and a group by name.
    pub(super) fn numbers(&self, user: &str, group: &str, place: &Place<'_>) -> (u32, u32) {
        let known = place.facts.user(user);
        let uid = known
            .map(|user| user.uid)
            .or_else(|| self.made.get(user).copied())
            .or_else(|| user.parse().ok())
            .unwrap_or_default();
        let gid = place
            .facts
            .group(group)
            .map(|group| group.gid)
            .or_else(|| group.parse().ok())
            .or_else(|| known.map(|user| user.gid))
            .unwrap_or(uid);
        (uid, gid)
    }
}

fn is_static(id: u32, place: &Place<'_>) -> bool {
    id <= place.base.distribution.static_accounts || id == NOBODY
}

/// What passwd(5) and group(5) take, and no option, number or field separator in disguise.
pub(super) fn is_account_name(name: &str) -> bool {
    let fits =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ':' | ',' | '/' | '\\');
    !name.is_empty()
        && name.len() <= 32
        && !name.starts_with(['-', '+', '~'])
        && !name.chars().all(|c| c.is_ascii_digit())
        && name.chars().all(fits)
}

fn line(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != ':')
        .collect()
}
