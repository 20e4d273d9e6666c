//! Jobs of upstart: /etc/init/NAME.conf and what NAME.override changes of it; a job starts when its `start on` comes true at
//! boot, or when another job's script starts it (init(5), upstart-events(7)).

mod event;
mod job;

use super::managed::{Names, Reading, Wanted};
use super::manager::Manager;
use super::script::{self, Asked, Script};
use super::sysv::{Levels, is_systemd};
use super::{GeneratedUnit, MOST_SERVICES, Service, Services, Starter};
use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use event::World;
use job::Job;
use std::collections::BTreeMap;

/// Where jobs are.
const PLACE: &str = "/etc/init";

pub(super) struct Upstart;

/// Whether the machine starts with upstart: it has jobs, and another first process does not stand in the way.
pub(super) fn is_here(facts: &Facts, found: &Services) -> bool {
    let place = MachinePath::new(PLACE);
    let mut files = facts.tree.children(&place).into_iter();
    files.any(|entry| entry.path.name().ends_with(".conf")) && !is_systemd(facts, found)
}

impl Manager for Upstart {
    fn id(&self) -> &'static str {
        "upstart"
    }

    fn wants(&self, facts: &Facts, found: &Services) -> Vec<Wanted> {
        if !is_here(facts, found) {
            return Vec::new();
        }
        let patterns = ["*.conf", "*.override", "*/*.conf", "*/*.override"];
        let mut wanted: Vec<Wanted> = patterns
            .iter()
            .map(|pattern| Wanted {
                pattern: format!("{PLACE}/{pattern}"),
                reading: Reading::Managed(Dialect::Upstart),
            })
            .collect();
        for job in jobs(facts).values() {
            let run = job.run(facts, &[]);
            wanted.extend(run.sources.iter().map(script::wanted));
        }
        wanted
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        if !is_here(facts, found) {
            return;
        }
        let jobs = jobs(facts);
        let levels = Levels::of(facts, found);
        let world = World::new(&jobs, &levels);
        let asked = asked(facts, &jobs, &world);
        let mut names = Names::of(found);
        for (name, job) in &jobs {
            if found.services.len() >= MOST_SERVICES {
                found.leave_out(&job.path, self.id(), "more services than the limit");
                break;
            }
            let starts = world.starts(name);
            let instances: Vec<&Asked> = asked.iter().filter(|asked| asked.name == *name).collect();
            let Some(instance) = &job.instance else {
                let by = instances.first().map(|asked| asked.evidence.clone());
                let enabled = starts.or(by);
                found
                    .services
                    .push(job.service(facts, names.free(name, "upstart"), &[], enabled));
                continue;
            };
            if instances.is_empty() {
                found
                    .services
                    .push(job.service(facts, names.free(name, "upstart"), &[], None));
            }
            for asked in instances {
                let room = found.services.len() < MOST_SERVICES;
                if let Some(of) = job
                    .instance_of(facts, instance, &asked.variables)
                    .filter(|_| room)
                {
                    let name = names.free(&format!("{name} ({of})"), "upstart");
                    let enabled = Some(asked.evidence.clone());
                    found
                        .services
                        .push(job.service(facts, name, &asked.variables, enabled));
                }
            }
        }
    }
}

fn jobs(facts: &Facts) -> BTreeMap<String, Job> {
    let mut found: BTreeMap<String, Job> = BTreeMap::new();
    for ending in [".conf", ".override"] {
        let files = facts
            .managed
            .values()
            .filter(|file| file.dialect == Dialect::Upstart);
        for file in files {
            let path = file.path.text().into_owned();
            let name = path
                .strip_prefix(PLACE)
                .and_then(|name| name.strip_suffix(ending));
            let Some(name) = name.map(|name| name.trim_start_matches('/').to_owned()) else {
                continue;
            };
            if ending == ".conf" {
                found.insert(name, Job::of(file));
            } else if let Some(job) = found.get_mut(&name) {
                job.add(file);
            }
        }
    }
    found
}

/// Jobs that the scripts of those that start have started by name.
fn asked(facts: &Facts, jobs: &BTreeMap<String, Job>, world: &World<'_>) -> Vec<Asked> {
    let mut found: Vec<Asked> = Vec::new();
    for (name, job) in jobs {
        if world.starts(name).is_some() && job.instance.is_none() {
            let run: Script<'_> = job.run(facts, &[]);
            for asked in run.asked {
                if !found.contains(&asked) && found.len() < MOST_SERVICES {
                    found.push(asked);
                }
            }
        }
    }
    found
}

/// A job as it is before anything of it is known.
fn service_of(name: String, path: &MachinePath) -> Service {
    Service::new(name, Starter::Upstart, Evidence::file(path))
}
