//! Containers that systemd makes units of at boot: each file of a container is a service. How the command is called is
//! data, `detectors/quadlet.toml`.

use super::managed::Names;
use super::manager::Manager;
use super::{Command, Commands, GeneratedUnit, MOST_SERVICES, Service, Services, Starter};
use crate::fact::unit::QUADLETS;
use crate::fact::{Evidence, Facts, UnitFile};
use crate::path::MachinePath;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) struct Quadlet;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    program: Vec<String>,
    image: Image,
    options: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    section: String,
    key: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/quadlet.toml")).unwrap_or_default()
});

/// Values of one file that become words of a command.
const MOST_WORDS: usize = 256;

impl Manager for Quadlet {
    fn id(&self) -> &'static str {
        "quadlet"
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        let files = facts.units.iter().filter(|file| is_container(&file.path));
        for file in files {
            if found.services.len() >= MOST_SERVICES {
                found.leave_out(&file.path, self.id(), "more services than the limit");
                return;
            }
            if let Some(mut service) = service(file) {
                service.name = names.free(&service.name, self.id());
                found.services.push(service);
            }
        }
    }
}

fn is_container(path: &MachinePath) -> bool {
    let mut directories = QUADLETS.iter();
    path.file_name().ends_with(b".container")
        && directories.any(|directory| path.is_within(&MachinePath::new(*directory)))
}

fn service(file: &UnitFile) -> Option<Service> {
    let table = &*TABLE;
    let own = |section: &'static str| file.entries.iter().filter(move |e| e.section == section);
    let entries = file.entries.iter();
    let container = entries.filter(|entry| entry.section == table.image.section);
    let image = container
        .clone()
        .rfind(|entry| entry.key == table.image.key)?;
    let name = file.path.name();
    let stem = name.strip_suffix(".container")?;
    let named = own("Container").rfind(|entry| entry.key == "ServiceName");
    let stem = named.map_or(stem, |entry| entry.value.as_str());
    let options = container.filter_map(|entry| {
        let option = table.options.get(&entry.key)?;
        Some([option.clone(), entry.value.clone()])
    });
    let mut argv = table.program.clone();
    argv.extend(options.take(MOST_WORDS).flatten());
    argv.push(image.value.clone());
    let evidence = Evidence::line(
        &file.path,
        image.line,
        &format!("{}={}", image.key, image.value),
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
        user: "root".to_owned(),
        files: vec![file.path.clone()],
        ..Service::new(format!("{stem}.service"), Starter::Systemd, evidence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        assert!(!TABLE.program.is_empty() && !TABLE.options.is_empty());
        assert!(is_container(
            &"/etc/containers/systemd/a/web.container".into()
        ));
        assert!(!is_container(&"/etc/systemd/system/web.container".into()));
    }
}
