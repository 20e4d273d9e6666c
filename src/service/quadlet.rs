//! Containers that systemd makes units of at boot: each file of a container is a service. How the command is called is
//! data, `detectors/quadlet.toml`.

use super::managed::{Names, Reading, Wanted, group_of};
use super::manager::Manager;
use super::{Command, Commands, GeneratedUnit, MOST_SERVICES, Service, Services, Starter, systemd};
use crate::fact::unit::QUADLETS;
use crate::fact::{Evidence, Facts, UnitFile, User};
use crate::path::MachinePath;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(super) struct Quadlet;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Vec<Kind>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    ending: String,
    section: String,
    program: Vec<String>,
    /// Its value ends the command; a file without it is none. Without a key the section is enough.
    #[serde(default)]
    key: String,
    #[serde(default)]
    suffix: String,
    options: BTreeMap<String, String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/quadlet.toml")).unwrap_or_default()
});

/// Values of one file that become words of a command.
const MOST_WORDS: usize = 256;

/// Users whose files are read.
const MOST_USERS: usize = 200;

/// Where users have theirs, below their homes; and where the machine has some for each user, or for one by number.
const OF_HOME: &str = ".config/containers/systemd";
const FOR_USERS: &str = "/etc/containers/systemd/users";

impl Manager for Quadlet {
    fn id(&self) -> &'static str {
        "quadlet"
    }

    fn wants(&self, facts: &Facts, _: &Services) -> Vec<Wanted> {
        let places = places(facts).into_iter();
        let endings = |place: Place| {
            let directory = crate::walk::literal(&place.directory);
            let kinds = TABLE.kind.iter();
            kinds.flat_map(move |kind| {
                ["*", "*/*"].map(|inside| format!("{directory}/{inside}{}", kind.ending))
            })
        };
        let wanted = places.flat_map(endings).map(|pattern| Wanted {
            pattern,
            reading: Reading::Unit,
        });
        wanted.collect()
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        for place in places(facts) {
            let files = facts.units.iter();
            let files = files.filter(|file| file.path.is_within(&place.directory));
            for file in files {
                // Those of users are no system's.
                let of_users = file.path.is_within(&MachinePath::new(FOR_USERS));
                if place.user.is_none() && of_users {
                    continue;
                }
                let Some(mut service) = service(file, place.user) else {
                    continue;
                };
                if found.services.len() >= MOST_SERVICES {
                    found.leave_out(&file.path, self.id(), "more services than the limit");
                    return;
                }
                let owner = place.user.map_or(self.id(), |user| user.name.as_str());
                service.name = names.free(&service.name, owner);
                if let Some(user) = place.user {
                    service.user.clone_from(&user.name);
                    service.group = group_of(facts, &user.name);
                    settle(&mut service, user, place.lingers);
                }
                found.services.push(service);
            }
        }
    }
}

/// A user's manager runs from boot on where he lingers.
fn settle(service: &mut Service, user: &User, lingers: bool) {
    if !lingers {
        let name = &user.name;
        service.enabled = false;
        service.stays = Some(format!(
            "starts while {name} is logged in, who does not linger"
        ));
    }
}

/// A directory of such files, and whose manager reads it; the machine's own where it is nobody's.
struct Place<'a> {
    directory: MachinePath,
    user: Option<&'a User>,
    lingers: bool,
}

fn places(facts: &Facts) -> Vec<Place<'_>> {
    let of_system = QUADLETS.iter().map(|directory| Place {
        directory: MachinePath::new(directory),
        user: None,
        lingers: false,
    });
    let mut found: Vec<Place<'_>> = of_system.collect();
    let mut seen = BTreeSet::new();
    let users = facts.users.iter().filter(|user| user.home.starts_with('/'));
    for user in users.take(MOST_USERS) {
        let own = MachinePath::new(&user.home).join(OF_HOME);
        let numbered = MachinePath::new(FOR_USERS).join(user.uid.to_string());
        for directory in [own, numbered] {
            if facts.tree.exists(&directory) && seen.insert(directory.clone()) {
                found.push(Place {
                    directory,
                    user: Some(user),
                    lingers: systemd::lingers(facts, user).is_some(),
                });
            }
        }
    }
    found
}

fn kind_of(path: &MachinePath) -> Option<&'static Kind> {
    let name = path.name();
    let mut kinds = TABLE.kind.iter();
    kinds.find(|kind| name.ends_with(&kind.ending))
}

fn service(file: &UnitFile, user: Option<&User>) -> Option<Service> {
    let kind = kind_of(&file.path)?;
    let own = |section: &'static str| file.entries.iter().filter(move |e| e.section == section);
    let entries = file.entries.iter();
    let mut section = entries.filter(|entry| entry.section == kind.section);
    let named = section.clone().find(|entry| entry.key == "ServiceName");
    let (image, first) = if kind.key.is_empty() {
        (None, section.clone().next())
    } else {
        let image = section.clone().rfind(|entry| entry.key == kind.key)?;
        (Some(image), Some(image))
    };
    let name = file.path.name();
    let stem = format!("{}{}", name.strip_suffix(&kind.ending)?, kind.suffix);
    let stem = named.map_or(stem, |entry| entry.value.clone());
    let options = section.by_ref().filter_map(|entry| {
        let option = kind.options.get(&entry.key)?;
        Some([option.clone(), entry.value.clone()])
    });
    let mut argv = kind.program.clone();
    argv.extend(options.take(MOST_WORDS).flatten());
    argv.extend(image.map(|image| image.value.clone()));
    let evidence = first.map_or_else(
        || Evidence::file(&file.path),
        |entry| {
            let text = format!("{}={}", entry.key, entry.value);
            Evidence::line(&file.path, entry.line, &text)
        },
    );
    let mut install = own("Install").filter(|entry| {
        matches!(entry.key.as_str(), "WantedBy" | "RequiredBy" | "UpheldBy")
            && !entry.value.is_empty()
    });
    let enabled_by = install.next().map(|entry| {
        Evidence::line(
            &file.path,
            entry.line,
            &format!("{}={}", entry.key, entry.value),
        )
    });
    let command = Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: evidence.clone(),
    };
    let description = own("Unit").rfind(|entry| entry.key == "Description");
    Some(Service {
        enabled: enabled_by.is_some(),
        enabled_by,
        description: description.map_or_else(String::new, |entry| entry.value.clone()),
        commands: Commands {
            start: vec![command],
            ..Commands::default()
        },
        user: user.map_or_else(|| "root".to_owned(), |user| user.name.clone()),
        files: vec![file.path.clone()],
        ..Service::new(format!("{stem}.service"), Starter::Systemd, evidence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let kind = |path: &str| kind_of(&path.into()).map(|kind| kind.section.as_str());
        assert_eq!(
            kind("/etc/containers/systemd/a/web.container"),
            Some("Container")
        );
        assert_eq!(kind("/etc/containers/systemd/a.kube"), Some("Kube"));
        assert_eq!(kind("/etc/systemd/system/web.service"), None);
    }
}
