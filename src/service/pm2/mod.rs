//! Programs of PM2 (its manual, "Startup Hook", "Ecosystem File"): those that it saved and brings back at boot, those of a file
//! that it is told to start, and those that stand on its own command line.

mod line;
mod program;

use super::managed::{self, Names, Wanted};
use super::manager::Manager;
use super::{GeneratedUnit, MOST_SERVICES, Services};
use crate::fact::{Dialect, Facts};
use line::{Started, masters};
use program::Machine;

pub(super) struct Pm2;

impl Manager for Pm2 {
    fn id(&self) -> &'static str {
        "pm2"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        let masters = masters(facts, found).into_iter();
        let files = masters.filter_map(|(_, started)| match started {
            Started::Listed { file, .. } => Some(Wanted::file(&file, Dialect::ProcessList)),
            Started::Named(_) => None,
        });
        files.collect()
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        for (at, started) in masters(facts, found) {
            let Some(master) = found.services.get(at).cloned() else {
                continue;
            };
            let named;
            let (list, only, with) = match &started {
                Started::Named(list) => {
                    named = list.clone();
                    (&named, None, None)
                }
                Started::Listed { file, only, with } => {
                    let key = (file.clone(), Dialect::ProcessList);
                    let Some(list) = facts.managed.get(&key) else {
                        continue;
                    };
                    (list, only.as_deref(), with.as_deref())
                }
            };
            let machine = Machine {
                facts,
                list,
                master: &master,
                with,
            };
            let mut own = machine.programs();
            own.retain(|service| {
                only.is_none_or(|only| only.split(',').any(|n| n == service.name))
            });
            let room = MOST_SERVICES.saturating_sub(found.services.len());
            if own.len() > room {
                own.truncate(room);
                found.leave_out(&list.path, self.id(), "more services than the limit");
            }
            if own.is_empty() {
                continue;
            }
            for service in &mut own {
                service.name = names.free(&service.name, &master.user);
            }
            let started: Vec<String> = own
                .iter()
                .filter(|s| s.enabled)
                .map(|s| s.name.clone())
                .collect();
            if let Some(service) = found.services.get_mut(at) {
                service.stays = Some(managed::handed_over(&started));
            }
            found.services.append(&mut own);
        }
    }
}
