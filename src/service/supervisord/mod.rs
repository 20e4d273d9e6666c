//! Programs of supervisord (its manual, "Configuration File").

mod config;
mod expression;
mod program;

use super::managed::{self, Names, Wanted};
use super::manager::Manager;
use super::{GeneratedUnit, MOST_SERVICES, Service, Services};
use crate::fact::{Dialect, Facts};
use crate::path::MachinePath;
use crate::words::budget::{Budget, EXPANDED};
use config::Config;
use program::Master;
use std::collections::BTreeSet;

/// Where it looks where nothing is said, in its order; the first two as seen from the program.
const PLACES: &[&str] = &[
    "/usr/etc/supervisord.conf",
    "/usr/supervisord.conf",
    "/etc/supervisord.conf",
    "/etc/supervisor/supervisord.conf",
];

/// What the settings of all programs may become.
const OF_ALL: usize = 4 << 20;

pub(super) struct Supervisord;

impl Manager for Supervisord {
    fn id(&self) -> &'static str {
        "supervisord"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        let masters = masters(facts, found).into_iter();
        masters
            .map(|(_, file)| Wanted::file(&file, Dialect::Supervisor))
            .collect()
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        for (at, file) in masters(facts, found) {
            let (Some(config), Some(master)) =
                (Config::read(facts, &file), found.services.get(at).cloned())
            else {
                continue;
            };
            let budget = Budget::new(OF_ALL);
            let machine = Master {
                facts,
                config: &config,
                service: &master,
                budget: &budget,
            };
            let mut own = machine.programs();
            let room = MOST_SERVICES.saturating_sub(found.services.len());
            if own.len() > room || budget.is_spent() || machine.is_cut(&own) {
                own.truncate(room);
                found.leave_out(&file, self.id(), EXPANDED);
            }
            for service in &mut own {
                service.name = names.free(&service.name, self.id());
            }
            if let Some(service) = found.services.get_mut(at) {
                let started = own.iter().filter(|service| service.enabled);
                let started: Vec<String> = started.map(|service| service.name.clone()).collect();
                service.stays = Some(machine.handed_over(&started));
            }
            found.services.append(&mut own);
        }
    }
}

/// Services that are one, with the file that each reads; a file counts for the first.
fn masters(facts: &Facts, found: &Services) -> Vec<(usize, MachinePath)> {
    let mut files = BTreeSet::new();
    let services = found.services.iter().enumerate();
    let enabled = services.filter(|(_, service)| service.enabled && service.stays.is_none());
    let masters = enabled.filter_map(|(at, service)| {
        let args = managed::arguments(service, "supervisord")?;
        let file = file(facts, service, &args)?;
        files.insert(file.clone()).then_some((at, file))
    });
    masters.collect()
}

fn file(facts: &Facts, service: &Service, args: &[String]) -> Option<MachinePath> {
    let here = service.working_directory.clone();
    let here = here.unwrap_or_else(MachinePath::root);
    if let Some(named) = managed::option(args, "-c", &["--configuration"]) {
        return Some(here.join(&named));
    }
    let near = ["supervisord.conf", "etc/supervisord.conf"].map(|name| here.join(name));
    let places = PLACES.iter().map(MachinePath::new);
    let mut all = near.into_iter().chain(places);
    all.find(|path| {
        facts
            .tree
            .get(path)
            .is_some_and(crate::walk::Entry::is_file)
    })
}
