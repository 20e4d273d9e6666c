//! Who a container runs as, and everybody its files, processes and jobs name.

use super::PlannedVolume;
use super::account::{Accounts, Wanted};
use super::carried::Carried;
use super::place::Place;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// The main process's user and group, and the accounts of the image.
pub(super) struct Identity {
    pub user: String,
    pub group: String,
    pub uid: u32,
    pub gid: u32,
    pub accounts: Accounts,
}

impl Identity {
    pub(super) fn new(
        workload: &Workload,
        carried: &Carried,
        volumes: &[PlannedVolume],
        place: &Place<'_>,
    ) -> Self {
        let (user, group) = names(workload, place);
        let accounts = Accounts::new(
            wanted(workload, (&user, &group), carried, volumes, place),
            place,
        );
        let (uid, gid) = accounts.numbers(&user, &group, place);
        Self {
            user,
            group,
            uid,
            gid,
            accounts,
        }
    }
}

/// User and group of the main process.
pub(super) fn names(workload: &Workload, place: &Place<'_>) -> (String, String) {
    let root = || ("root".to_owned(), "root".to_owned());
    if workload.services.is_empty() {
        return root();
    }
    let product = workload.product.as_ref();
    let as_root = matches!(workload.services.first(), Some(main) if main.user == "root" || main.user.is_empty());
    if as_root && product.is_some_and(|product| product.starts_as_root) {
        return root();
    }
    let own = product.and_then(|product| product.user.clone());
    let user = own
        .filter(|_| workload.user.is_empty() || workload.user == "root")
        .unwrap_or_else(|| workload.user.clone());
    if user.is_empty() || user == "root" {
        return root();
    }
    let primary = place
        .facts
        .user(&user)
        .and_then(|user| place.gid_name(user.gid));
    // A unit's group goes with the unit's user; where a pack names another user, the group is that user's own.
    let unit = workload
        .services
        .first()
        .filter(|service| service.user == user);
    let group = unit
        .map(|service| service.group.clone())
        .filter(|group| !group.is_empty());
    let group = group
        .or_else(|| primary.map(str::to_owned))
        .unwrap_or_else(|| user.clone());
    (user, group)
}

/// Owners of what is in a volume: of a queue or a spool, others than that of the directory itself.
fn owners(volume: &PlannedVolume, place: &Place<'_>) -> BTreeSet<(u32, u32)> {
    let tree = &place.facts.tree;
    let real = tree.resolve(&volume.path);
    let below = real.iter().flat_map(|real| tree.below(real));
    let owners = below.take(LOOKED_AT).map(|entry| (entry.uid, entry.gid));
    owners.collect()
}

/// Names of a volume whose owners are looked at.
const LOOKED_AT: usize = 10_000;

/// Everybody that the image's files, processes and jobs name.
fn wanted(
    workload: &Workload,
    (user, group): (&str, &str),
    carried: &Carried,
    volumes: &[PlannedVolume],
    place: &Place<'_>,
) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.users.insert(user.to_owned());
    wanted.groups.insert(group.to_owned());
    wanted.users.extend(
        workload
            .product
            .iter()
            .filter_map(|product| product.user.clone()),
    );
    wanted
        .users
        .extend(Some(workload.user.clone()).filter(|user| !user.is_empty()));
    for directory in workload
        .product
        .iter()
        .flat_map(|product| &product.directories)
    {
        wanted.users.insert(directory.user.clone());
        wanted.groups.insert(directory.group.clone());
    }
    for service in &workload.services {
        let directories = service
            .directories
            .iter()
            .filter(|made| made.user.is_empty());
        let tree = &place.facts.tree;
        let mut owned = directories.filter_map(|made| tree.get(&made.path).map(|entry| entry.uid));
        let number = owned.find(|uid| *uid != 0 && place.uid_name(*uid).is_none());
        if let (Some(uid), None) = (number, place.facts.user(&service.user)) {
            wanted.numbers.insert(service.user.clone(), uid);
        }
        let groups = service.supplementary_groups.iter();
        wanted
            .memberships
            .extend(groups.map(|group| (user.to_owned(), group.clone())));
    }
    wanted
        .users
        .extend(workload.jobs.iter().map(|job| job.user.clone()));
    let entries = carried.entries.iter().map(|entry| (entry.uid, entry.gid));
    let inside = volumes.iter().flat_map(|volume| owners(volume, place));
    let volumes = volumes.iter().map(|volume| (volume.uid, volume.gid));
    let secrets = carried
        .secrets
        .iter()
        .filter_map(|secret| secret.file.as_ref());
    let secrets = secrets.map(|file| (file.uid, file.gid));
    let owners: BTreeSet<(u32, u32)> = entries
        .chain(volumes)
        .chain(inside)
        .chain(secrets)
        .collect();
    for (uid, gid) in owners {
        wanted.users.extend(place.uid_name(uid).map(str::to_owned));
        wanted.groups.extend(place.gid_name(gid).map(str::to_owned));
    }
    wanted
}
