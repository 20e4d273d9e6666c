//! What an image takes from the machine's tree, and what follows from it: removals, secrets, more packages.

use super::file::{Carrier, is_live};
use super::place::{Brought, Place};
use super::secret::{self, Taken};
use super::{
    PlannedFile, PlannedRemoval, PlannedSecret, PlannedVolume, bind, configuration, service, volume,
};
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::product::program_of;
use crate::secret::is_packed;
use crate::service::Content;
use crate::walk::Entry;
use crate::workload::Workload;
use crate::workload::named::named_paths;
use std::collections::BTreeSet;

pub(super) struct Carried {
    pub files: Vec<PlannedFile>,
    pub entries: Vec<Entry>,
    pub removals: Vec<PlannedRemoval>,
    pub secrets: Vec<PlannedSecret>,
    pub secret_entries: Vec<Entry>,
    /// Packages that own what a carried link leads to.
    pub packages: BTreeSet<String>,
    /// Places that are no part of the image.
    pub left_out: Vec<MachinePath>,
    pub notes: Vec<String>,
}

/// Packed files that a note names; the others are counted.
const NAMED: usize = 5;

impl Carried {
    /// What goes into the image though nothing looked into it.
    pub(super) fn remark(&self) -> Option<String> {
        let files = self.entries.iter().filter(|entry| entry.is_file());
        let packed: Vec<&MachinePath> = files
            .filter(|entry| is_packed(&entry.path.name()))
            .map(|entry| &entry.path)
            .collect();
        let named: Vec<String> = packed.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match packed.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!packed.is_empty()).then(|| {
            format!(
                "Packed files go into the image as they are; nothing in them was searched for secrets: {}{more}.",
                named.join(", ")
            )
        })
    }
}

/// Packages of an image.
#[derive(Clone, Copy)]
pub(super) struct OfImage<'a> {
    /// Asked for by name.
    pub names: &'a BTreeSet<String>,
    /// Of which no build can have more than the machine's files.
    pub lifted: &'a BTreeSet<String>,
    /// Places of those whose files are the whole image; nothing else brings anything then.
    pub disk: Option<&'a BTreeSet<usize>>,
}

/// What of a package no program reads: it is not taken from the disk.
const FOR_PEOPLE: &[&str] = &[
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/info",
    "/usr/share/lintian",
];

/// The machine's own files of these packages.
fn files_of(lifted: &BTreeSet<String>, carrier: &mut Carrier<'_, '_>, place: &Place<'_>) {
    if lifted.is_empty() {
        return;
    }
    let packages = place.facts.packages.iter().enumerate();
    let places: BTreeSet<usize> = packages
        .filter(|(_, package)| lifted.contains(&package.name))
        .map(|(at, _)| at)
        .collect();
    let left_out: Vec<MachinePath> = FOR_PEOPLE.iter().map(MachinePath::new).collect();
    for (path, owner) in place.facts.ownership.owned() {
        if places.contains(&owner) && !left_out.iter().any(|out| path.is_within(out)) {
            carrier.of_package(path);
        }
    }
}

/// Where programs keep what nobody misses: not carried for a package's sake.
const PASSING: &[&str] = &["/var/log", "/var/cache", "/var/tmp", "/var/lock"];

/// Files that the image's packages only name. Nothing but the machine has what is in them.
fn ghosts(image: OfImage<'_>, carrier: &mut Carrier<'_, '_>, place: &Place<'_>) {
    let passing: Vec<MachinePath> = PASSING.iter().map(MachinePath::new).collect();
    let names = image.names.union(image.lifted);
    let named = names.filter_map(|name| place.facts.package(name));
    let disk = image.disk.into_iter().flatten();
    let packages = named.chain(disk.filter_map(|at| place.facts.packages.get(*at)));
    for ghost in packages.flat_map(|package| &package.ghosts) {
        let path = place.facts.tree.canonical(ghost);
        let entry = place.facts.tree.entry(&path);
        let is_file = entry.is_some_and(|entry| entry.is_file() && entry.size > 0);
        if is_file && !is_live(&path) && !passing.iter().any(|out| path.is_within(out)) {
            carrier.carry(
                &path,
                "its package names it only: its content is the machine's",
            );
        }
    }
}

/// Files that a service is handed as credentials: it has them as such, and nowhere else.
fn credentials(workload: &Workload) -> impl Iterator<Item = MachinePath> {
    let services = workload.services.iter();
    let credentials = services.flat_map(|service| &service.credentials);
    credentials.filter_map(|credential| match &credential.content {
        Content::File(path) => Some(path.clone()),
        Content::Text(_) => None,
    })
}

/// Names by which the workload calls what it uses.
fn names(workload: &Workload, place: &Place<'_>) -> BTreeSet<MachinePath> {
    let services = workload.services.iter();
    let named =
        services.flat_map(|service| named_paths(service, &program_of(service, place.facts)));
    let users = workload.services.iter().map(|service| &service.user);
    let users = users.chain([&workload.user]);
    let homes = users.filter_map(|user| place.facts.user(user));
    let homes = homes.map(|user| MachinePath::new(&user.home));
    let files = workload.configuration.iter().map(|file| file.path.clone());
    let product = workload.product.iter();
    let product = product.flat_map(|product| {
        let claims = product.claims.iter().map(|(path, _)| path.clone());
        claims.chain(product.configuration.iter().cloned())
    });
    named.chain(homes).chain(files).chain(product).collect()
}

pub(super) fn carried(
    workload: &Workload,
    (volumes, others): (&[PlannedVolume], &[MachinePath]),
    image: OfImage<'_>,
    place: &Place<'_>,
    taken: &mut Taken,
) -> Carried {
    let mut left_out: Vec<MachinePath> = volumes.iter().map(|volume| volume.path.clone()).collect();
    left_out.extend(others.iter().cloned());
    left_out.extend(service::logs(workload));
    left_out.extend(workload.mounts.iter().map(|mount| mount.path.clone()));
    left_out.extend(credentials(workload));
    let binds = bind::binds(workload, volumes, place);
    left_out.extend(binds.links.iter().map(|bind| bind.place.clone()));
    let brought = if let Some(disk) = image.disk {
        let packages = disk.iter().filter_map(|at| place.facts.packages.get(*at));
        Brought {
            packages: packages.map(|package| package.name.as_str()).collect(),
            base: false,
        }
    } else {
        let names = image.names.iter().map(String::as_str);
        let mut packages = place.installed.beyond_base(names);
        packages.retain(|name| !image.lifted.contains(*name));
        Brought {
            packages,
            base: true,
        }
    };
    let mut carrier = Carrier::new(place, brought, left_out.clone());
    let mut removals = configuration::carry(workload, place, &mut carrier);
    files_of(image.lifted, &mut carrier, place);
    ghosts(image, &mut carrier, place);
    for claim in &workload.claims {
        carrier.carry(claim, "no package owns it");
    }
    for file in volume::single_files(workload, place) {
        carrier.carry(
            &file,
            "data in a directory that is not its own: its changes are lost with the container",
        );
    }
    for data in &workload.data {
        let link = data.link.as_ref().unwrap_or(&data.path);
        carrier.links(link, "leads to the data");
    }
    for path in names(workload, place) {
        carrier.way(&path);
    }
    for bind in &binds.links {
        carrier.bind(bind);
    }
    let secrets = secret::files(workload, &carrier.secrets, place, taken);
    let secret_entries = carrier.secrets.values().cloned().collect();
    let packages = carrier.packages.clone();
    let (files, entries) = carrier.finish();
    // A link cannot be copied over a directory that a package makes.
    let links = entries
        .iter()
        .filter(|entry| entry.kind == FileKind::Symlink);
    let over = links.filter(|link| place.facts.owner(&link.path).is_some());
    removals.extend(over.map(|link| PlannedRemoval {
        path: link.path.clone(),
        content: false,
        why: "a link on the machine".to_owned(),
    }));
    Carried {
        files,
        entries,
        removals,
        secrets,
        secret_entries,
        packages,
        left_out,
        notes: binds.notes,
    }
}
