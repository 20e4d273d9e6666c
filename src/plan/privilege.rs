//! Whether anything in a container gains privileges by being started.

use super::Plan;
use super::contract::Seen;
use crate::distribution::closure::Installed;
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::walk::Entry;

/// Modes of files that run as their owner, or in their group (inode(7)).
pub(super) const SET_UID: u32 = 0o4000;
pub(super) const SET_GID: u32 = 0o2000;

impl<'a> Seen<'a> {
    pub(super) fn set_user_id(&self) -> Option<&'a MachinePath> {
        let mut all = self.privileged.iter();
        all.find(|(_, root)| *root).map(|(path, _)| *path)
    }

    /// Nothing in the container gains privileges by being started: the unit forbids it, or no file could give any.
    pub(super) fn gains_nothing(&self) -> bool {
        let main = self.workload.services.first();
        let forbids =
            main.is_some_and(|main| main.user != "root" && main.privileges.walled.is_some());
        forbids || (self.privileged.is_empty() && self.file_capabilities().next().is_none())
    }
}

/// Set-user-id and set-group-id files that the image gets beyond its base, and whether each makes root of its process.
pub(super) fn privileged<'a>(
    plan: &'a Plan,
    facts: &'a Facts,
    installed: &Installed<'a>,
) -> Vec<(&'a MachinePath, bool)> {
    let packages = plan.image.packages.iter();
    let closure = installed.beyond_base(packages.map(|package| package.name.as_str()));
    let is_set = |entry: &&'a Entry| entry.is_file() && entry.mode & (SET_UID | SET_GID) != 0;
    let brought = |entry: &&'a Entry| {
        let owner = facts.owner(&entry.path);
        owner.is_some_and(|owner| closure.contains(owner.name.as_str()))
    };
    let of_packages = facts.tree.entries().iter().filter(is_set).filter(brought);
    let carried = plan.image.entries.iter().filter(is_set);
    let all = of_packages.chain(carried);
    all.map(|entry| (&entry.path, entry.uid == 0 && entry.mode & SET_UID != 0))
        .collect()
}
