//! Users, groups and packages by name and number. A machine may have a hundred thousand of each, and each workload asks for
//! some: going through the list every time would take the square of that.

use super::{Facts, Group, Package, User};
use foldhash::HashMap;

/// Places in the lists of [`Facts`]; of several with one name the first counts, as it does to the C library.
#[derive(Default)]
pub struct Index {
    users: Named,
    groups: Named,
    packages: Named,
    /// Groups that a user is named in.
    memberships: HashMap<String, Vec<usize>>,
}

#[derive(Default)]
struct Named {
    /// How long the list was.
    of: usize,
    by_name: HashMap<String, usize>,
    by_number: HashMap<u32, usize>,
}

/// It says nothing that the lists do not, and its own order is another one each time.
impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Index")
    }
}

impl Named {
    fn new<'a>(entries: impl Iterator<Item = (&'a str, Option<u32>)>) -> Self {
        let mut named = Self::default();
        for (at, (name, number)) in entries.enumerate() {
            named.of = at + 1;
            named.by_name.entry(name.to_owned()).or_insert(at);
            if let Some(number) = number {
                named.by_number.entry(number).or_insert(at);
            }
        }
        named
    }

    /// By name, in the list that this was made of; any other list is gone through.
    fn find<'a, T>(&self, list: &'a [T], name: &str, is: impl Fn(&T) -> bool) -> Option<&'a T> {
        if self.of != list.len() {
            return list.iter().find(|entry| is(entry));
        }
        list.get(*self.by_name.get(name)?)
    }

    fn numbered<'a, T>(
        &self,
        list: &'a [T],
        number: u32,
        is: impl Fn(&T) -> bool,
    ) -> Option<&'a T> {
        if self.of != list.len() {
            return list.iter().find(|entry| is(entry));
        }
        list.get(*self.by_number.get(&number)?)
    }
}

impl Facts {
    /// Makes the lists of accounts and packages quick to ask; to be called when they have changed.
    pub fn index(&mut self) {
        let users = self.users.iter();
        let groups = self.groups.iter();
        let packages = self.packages.iter();
        let mut memberships: HashMap<String, Vec<usize>> = HashMap::default();
        for (at, group) in self.groups.iter().enumerate() {
            for member in &group.members {
                let of = memberships.entry(member.clone()).or_default();
                if of.last() != Some(&at) {
                    of.push(at);
                }
            }
        }
        self.index = Index {
            users: Named::new(users.map(|user| (user.name.as_str(), Some(user.uid)))),
            groups: Named::new(groups.map(|group| (group.name.as_str(), Some(group.gid)))),
            packages: Named::new(packages.map(|package| (package.name.as_str(), None))),
            memberships,
        };
    }

    /// An installed package by name, whatever its architecture.
    pub fn package(&self, name: &str) -> Option<&Package> {
        let index = &self.index.packages;
        index.find(&self.packages, name, |package| package.name == name)
    }

    pub fn user(&self, name: &str) -> Option<&User> {
        let index = &self.index.users;
        index.find(&self.users, name, |user| user.name == name)
    }

    pub fn user_of(&self, uid: u32) -> Option<&User> {
        let index = &self.index.users;
        index.numbered(&self.users, uid, |user| user.uid == uid)
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        let index = &self.index.groups;
        index.find(&self.groups, name, |group| group.name == name)
    }

    pub fn group_of(&self, gid: u32) -> Option<&Group> {
        let index = &self.index.groups;
        index.numbered(&self.groups, gid, |group| group.gid == gid)
    }

    /// Groups that name a user as their member, in the list's order.
    pub fn groups_with(&self, user: &str) -> Vec<&Group> {
        if self.index.groups.of != self.groups.len() {
            let is_member = |group: &&Group| group.members.iter().any(|member| member == user);
            return self.groups.iter().filter(is_member).collect();
        }
        let places = self.index.memberships.get(user).into_iter().flatten();
        places.filter_map(|at| self.groups.get(*at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    fn group(name: &str, gid: u32, members: &[&str]) -> Group {
        Group {
            name: name.into(),
            gid,
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            evidence: Evidence::file(&"/etc/group".into()),
        }
    }

    #[test]
    fn the_first_counts_with_an_index_and_without() {
        let mut facts = Facts {
            groups: vec![
                group("a", 1, &["x"]),
                group("a", 2, &["x", "x"]),
                group("b", 1, &[]),
            ],
            ..Facts::default()
        };
        let seen = |facts: &Facts| {
            let by_name = facts.group("a").map(|group| group.gid);
            let by_number = facts.group_of(1).map(|group| group.name.clone());
            (
                by_name,
                by_number,
                facts.groups_with("x").len(),
                facts.group("c").is_none(),
            )
        };
        let expected = (Some(1), Some("a".to_owned()), 2, true);
        assert_eq!(seen(&facts), expected);
        facts.index();
        assert_eq!(seen(&facts), expected);
        facts.groups.push(group("c", 3, &[]));
        assert!(facts.group("c").is_some(), "a list that has grown since");
    }
}
