//! Directories of Unix sockets that members of a pod share: each becomes a volume that all of them mount.

use super::PlannedVolume;
use super::account::Accounts;
use super::place::Place;
use super::volume::{self, Names};
use crate::path::MachinePath;
use crate::product::Connect;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// The volumes that one member of a pod needs for its sockets and for those it connects to.
pub(super) fn volumes(
    workload: &Workload,
    pod: &str,
    members: &[&Workload],
    names: &mut Names,
    place: &Place<'_>,
) -> Vec<PlannedVolume> {
    let mut directories = BTreeSet::new();
    for client in members {
        for server in members.iter().filter(|server| server.id != client.id) {
            if client.id == workload.id || server.id == workload.id {
                directories.extend(between(client, server, place));
            }
        }
    }
    let shaped = |directory: &MachinePath| {
        let mut volume = volume::socket(pod, directory, names, place);
        if let Some((mode, uid, gid)) = shape(directory, members, place) {
            (volume.mode, volume.uid, volume.gid) = (mode, uid, gid);
        }
        volume
    };
    directories.iter().map(shaped).collect()
}

/// Directories of the server's sockets that the client opens.
fn between(client: &Workload, server: &Workload, place: &Place<'_>) -> BTreeSet<MachinePath> {
    let sockets = server
        .listens
        .iter()
        .filter(|listen| listen.protocol == "unix");
    let paths = sockets.map(|listen| socket_path(&listen.address, place));
    let to = |connect: &Connect| socket_path(&connect.to, place);
    let used = paths.filter(|path| {
        // A client may name the directory alone.
        let mut opened = client.connects.iter().map(to);
        opened.any(|to| to.components().count() >= 2 && path.is_within(&to))
    });
    let directories = used.filter_map(|path| path.parent());
    directories
        .filter(|directory| directory.components().count() >= 2)
        .collect()
}

/// Mode and owner as the product or the unit that makes the directory says.
fn shape(
    directory: &MachinePath,
    members: &[&Workload],
    place: &Place<'_>,
) -> Option<(u32, u32, u32)> {
    let numbers = Accounts::default();
    for member in members {
        for made in member
            .product
            .iter()
            .flat_map(|product| &product.directories)
        {
            if socket_path(&made.path.text(), place) == *directory {
                let (uid, gid) = numbers.numbers(&made.user, &made.group, place);
                return Some((made.mode, uid, gid));
            }
        }
        for service in &member.services {
            let made = service.directories.iter();
            let mut made = made.filter(|made| socket_path(&made.path.text(), place) == *directory);
            if let Some(made) = made.next() {
                let user = if made.user.is_empty() {
                    &service.user
                } else {
                    &made.user
                };
                let group = if made.group.is_empty() {
                    &service.group
                } else {
                    &made.group
                };
                let (uid, gid) = numbers.numbers(user, group, place);
                return Some((made.mode, uid, gid));
            }
        }
    }
    None
}

/// A socket's path with the customary link followed.
fn socket_path(address: &str, place: &Place<'_>) -> MachinePath {
    let path = place.facts.tree.canonical(&MachinePath::new(address));
    let moved = path
        .text()
        .strip_prefix("/var/run/")
        .map(|rest| MachinePath::from("/run").join(rest));
    moved.unwrap_or(path)
}
