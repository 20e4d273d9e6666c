//! What a unit says of its process beyond the command: variables, directories, logs, limits, capabilities.

use super::account::Accounts;
use super::file::describe;
use super::locale;
use super::names::is_variable;
use super::place::Place;
use super::{PlannedDirectory, PlannedFile, PlannedVolume};
use crate::path::MachinePath;
use crate::product::Log;
use crate::secret::MASK;
use crate::service::{CREDENTIALS, CREDENTIALS_DIRECTORY};
use crate::walk::Entry;
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// systemd's own PATH for services (systemd.exec(5)); the scheduler's is in its tables.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables of the main process; what is set last stands.
pub(super) fn environment(
    workload: &Workload,
    user: &str,
    place: &Place<'_>,
    zone: Option<&str>,
    notes: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut set: BTreeMap<String, String> = BTreeMap::new();
    set.insert("PATH".to_owned(), PATH.to_owned());
    if let Some(locale) = place
        .facts
        .locale
        .as_deref()
        .filter(|locale| locale::is_locale(locale))
    {
        set.insert("LANG".to_owned(), locale.to_owned());
    }
    if let Some(zone) = zone {
        set.insert("TZ".to_owned(), zone.to_owned());
    }
    let user = place.facts.user(user).filter(|user| user.uid != 0);
    if let Some(user) = user {
        // What systemd.exec(5) gives a service that has a user.
        for (name, value) in [
            ("HOME", &user.home),
            ("LOGNAME", &user.name),
            ("USER", &user.name),
            ("SHELL", &user.shell),
        ] {
            set.insert(name.to_owned(), value.clone());
        }
    }
    let product = workload
        .product
        .iter()
        .flat_map(|product| &product.environment);
    for (name, value) in workload.environment.iter().chain(product) {
        if is_variable(name) && !value.contains('\0') {
            set.insert(name.clone(), value.clone());
        } else {
            notes.push(format!(
                "Variable {name} has a name that no shell can set; it was left out."
            ));
        }
    }
    // What a pack sets of a file's masked line is no value.
    set.retain(|_, value| !value.contains(MASK));
    for service in workload.services.iter().take(1) {
        if !service.credentials.is_empty() {
            let directory = MachinePath::new(CREDENTIALS).join(&service.name);
            let directory = directory.text().into_owned();
            set.insert(CREDENTIALS_DIRECTORY.to_owned(), directory);
        }
        for (name, _) in &service.environment.secrets {
            set.remove(name);
        }
    }
    set.into_iter().collect()
}

/// A zone's name, or nothing where it is what a container has anyway.
pub(super) fn time_zone(name: Option<&str>) -> Option<String> {
    let name = name?.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '/');
    let plain = matches!(
        name,
        "" | "UTC" | "Etc/UTC" | "Etc/UCT" | "Zulu" | "Universal"
    );
    let safe = name.len() <= 64 && name.chars().all(fits) && !name.starts_with(['/', '-']);
    (!plain && safe).then(|| name.to_owned())
}

/// Directories that must be there before the start, with the machine's owner and mode.
pub(super) fn directories(
    workload: &Workload,
    volumes: &[PlannedVolume],
    accounts: &Accounts,
    place: &Place<'_>,
) -> Vec<PlannedDirectory> {
    let mut made: BTreeMap<MachinePath, PlannedDirectory> = BTreeMap::new();
    let mut make = |path: &MachinePath, mode: u32, (uid, gid): (u32, u32)| {
        let path = made_at(path, place);
        let runtime = is_passing(&path);
        if is_shared_by_all(&path) || path.as_bytes().iter().any(u8::is_ascii_control) {
            return;
        }
        let directory = PlannedDirectory {
            path: path.clone(),
            mode: mode & 0o7777,
            uid,
            gid,
            runtime,
        };
        made.entry(path).or_insert(directory);
    };
    for directory in workload
        .product
        .iter()
        .flat_map(|product| &product.directories)
    {
        make(
            &directory.path,
            directory.mode,
            accounts.numbers(&directory.user, &directory.group, place),
        );
    }
    for service in &workload.services {
        for directory in &service.directories {
            // What is nobody's is the service's own.
            let or_own = |name: &'_ str, own: &'_ str| {
                if name.is_empty() {
                    own.to_owned()
                } else {
                    name.to_owned()
                }
            };
            let user = or_own(&directory.user, &service.user);
            let group = or_own(&directory.group, &service.group);
            let numbers = accounts.numbers(&user, &group, place);
            make(&directory.path, directory.mode, numbers);
        }
    }
    for volume in volumes {
        make(&volume.path, volume.mode, (volume.uid, volume.gid));
    }
    for entry in inner(workload, place) {
        make(&entry.path, entry.mode, (entry.uid, entry.gid));
    }
    let parents = log_paths(workload).into_iter().filter_map(|log| {
        let entry = place.facts.tree.get(&log);
        if entry.is_some_and(Entry::is_dir) {
            Some(log)
        } else {
            log.parent()
        }
    });
    for user in &accounts.users {
        home(user, place, &mut make);
    }
    for path in parents {
        if let Some(entry) = place.facts.tree.get(&path).filter(|entry| entry.is_dir()) {
            make(&path, entry.mode, (entry.uid, entry.gid));
        }
    }
    // What is loaded at the first start is loaded into an empty volume only.
    let loaded = |path: &MachinePath| {
        let mut all = volumes.iter().filter(|volume| volume.load);
        all.any(|volume| path != &volume.path && path.is_within(&volume.path))
    };
    made.into_values()
        .filter(|directory| !loaded(&directory.path))
        .collect()
}

/// Directories that an application expects to find in its data, as far as they are its own and not that of what was put in.
fn inner<'a>(
    workload: &'a Workload,
    place: &Place<'a>,
) -> impl Iterator<Item = &'a Entry> + use<'a> {
    let facts = place.facts;
    let data = workload.data.iter().filter(|data| data.is_inner);
    data.flat_map(move |data| {
        let depth = data.path.components().count();
        let below = facts.tree.below(&data.path).filter(|entry| entry.is_dir());
        let near =
            below.filter(move |entry| entry.path.components().count() <= depth + INNER_DEPTH);
        near.take(MOST_INNER)
    })
}

/// Levels and number of directories in data that an image makes: more are content.
const INNER_DEPTH: usize = 3;
const MOST_INNER: usize = 48;

/// Gone at every boot of the machine.
fn is_passing(path: &MachinePath) -> bool {
    let passing = ["/run", "/tmp", "/var/tmp"];
    passing
        .iter()
        .any(|dir| path.is_within(&MachinePath::from(*dir)))
}

/// Where a directory is made: what a link stands for is made where it leads.
fn made_at(path: &MachinePath, place: &Place<'_>) -> MachinePath {
    let named = crate::workload::place_of(place.facts, path);
    let path = match place.facts.tree.resolve(&named) {
        Some(_) => named,
        None => place.facts.tree.canonical(&named),
    };
    // /var/run is a link to /run wherever there is a /run.
    let below = path.text().strip_prefix("/var/run/").map(str::to_owned);
    below.map_or(path, |rest| MachinePath::from("/run").join(rest))
}

/// A home that no package brings.
fn home(
    user: &super::PlannedUser,
    place: &Place<'_>,
    make: &mut impl FnMut(&MachinePath, u32, (u32, u32)),
) {
    // Where the home is a link, what it leads to is made, and the link stays one.
    let path = MachinePath::new(&user.home);
    let path = place.facts.tree.resolve(&path).unwrap_or(path);
    let entry = place
        .facts
        .tree
        .get(&path)
        .filter(|entry| entry.is_dir() && entry.uid == user.uid);
    if let Some(entry) = entry.filter(|_| path.components().count() >= 2) {
        make(&path, entry.mode, (entry.uid, entry.gid));
    }
}

/// Directories of every image, whose owner and mode nobody may change.
fn is_shared_by_all(path: &MachinePath) -> bool {
    let depth = path.components().count();
    depth < 2
        || [
            "/var/log",
            "/var/lib",
            "/var/cache",
            "/var/tmp",
            "/var/spool",
            "/run/lock",
            "/usr/local",
            "/usr/share",
        ]
        .iter()
        .any(|shared| path.as_bytes() == shared.as_bytes())
}

fn log_paths(workload: &Workload) -> BTreeSet<MachinePath> {
    let product = workload.product.iter().flat_map(|product| &product.logs);
    let product = product.filter_map(|log| match log {
        Log::File { path, .. } => Some(path.clone()),
        Log::Syslog | Log::Stdout => None,
    });
    product.chain(workload.logs.iter().cloned()).collect()
}

/// Paths whose content is history, not part of an image.
pub(super) fn logs(workload: &Workload) -> Vec<MachinePath> {
    log_paths(workload).into_iter().collect()
}

/// Log files linked to the container's output, and those that must exist because the process may not create them.
pub(super) fn log_files(
    workload: &Workload,
    uid: u32,
    place: &Place<'_>,
) -> (Vec<(MachinePath, String)>, Vec<PlannedFile>) {
    let (mut links, mut files) = (Vec::new(), Vec::new());
    let linked = workload.product.iter().flat_map(|product| &product.logs);
    for log in linked {
        if let Log::File { path, stdout: true } = log {
            let name = path.name().to_lowercase();
            let to = if name.contains("err") {
                "/dev/stderr"
            } else {
                "/dev/stdout"
            };
            links.push((place.facts.tree.canonical(path), to.to_owned()));
        }
    }
    links.sort();
    links.dedup_by(|a, b| a.0 == b.0);
    for path in log_paths(workload) {
        let Some(entry) = place.facts.tree.get(&path).filter(|entry| entry.is_file()) else {
            continue;
        };
        let parent = entry
            .path
            .parent()
            .and_then(|dir| place.facts.tree.entry(&dir));
        let may_create = parent.is_some_and(|dir| dir.uid == uid);
        if !may_create && uid != 0 && !links.iter().any(|(link, _)| *link == entry.path) {
            files.push(PlannedFile {
                why: "log".to_owned(),
                ..describe(entry)
            });
        }
    }
    links.retain(|(path, _)| is_plain(path));
    files.retain(|file| is_plain(&file.path));
    (links, files)
}

fn is_plain(path: &MachinePath) -> bool {
    path.as_str()
        .is_some_and(|text| !text.chars().any(char::is_control))
}

/// Capabilities that the process holds although it is not root.
pub(super) fn capabilities(workload: &Workload) -> Vec<String> {
    let ambient = workload
        .services
        .iter()
        .take(1)
        .flat_map(|service| &service.privileges.ambient);
    let names = ambient.map(|name| name.to_uppercase()).filter(|name| {
        name.starts_with("CAP_") && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    });
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        assert_eq!(
            time_zone(Some("Europe/Berlin")).as_deref(),
            Some("Europe/Berlin")
        );
        assert_eq!(time_zone(Some("Etc/UTC")), None);
        assert_eq!(time_zone(Some("$(reboot)")), None);
    }
}
