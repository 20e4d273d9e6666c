//! Scheduled jobs: the distribution's own upkeep stays behind, the machine's own jobs become scheduled workloads.

use super::cut::{self, PlacedJob, unique};
use super::reach::Reach;
use super::session::Session;
use super::{Mount, Workload, fill, loaded, mount, packages};
use crate::distribution::closure::Installed;
use crate::fact::{Evidence, Facts, Package, SecretRef};
use crate::path::MachinePath;
use crate::product::Disposition;
use crate::product::pack::Packs;
use crate::program;
use crate::service::{ScheduledJob, Service, Services, Starter};
use std::collections::{BTreeMap, BTreeSet};

/// Decides for every enabled job; `moved` are the workloads that services became.
pub fn place(
    facts: &Facts,
    services: &Services,
    packs: &Packs,
    moved: &Moved<'_>,
) -> Vec<PlacedJob> {
    services
        .jobs
        .iter()
        .map(|job| {
            let answer = facts.answers.get(&[&*job.name]);
            let fate = answer.and_then(|answer| answer.disposition.as_ref());
            let (disposition, reason, workload) = match fate {
                Some(fate) => (fate.value, super::place::as_answered(fate), None),
                None => decide(facts, packs, job, moved),
            };
            PlacedJob {
                job: job.clone(),
                disposition,
                reason,
                workload,
            }
        })
        .collect()
}

fn decide(
    facts: &Facts,
    packs: &Packs,
    job: &ScheduledJob,
    moved: &Moved<'_>,
) -> (Disposition, String, Option<String>) {
    let product = job
        .service
        .as_ref()
        .and_then(|service| packs.recognise(service, facts));
    let defined = job
        .service
        .as_ref()
        .and_then(|service| service.files.first())
        .unwrap_or(&job.evidence.path);
    let of_machine = job.manager == Starter::Cron && job.evidence.path.text() == "/etc/crontab";
    let owner = facts.owner(defined).filter(|_| !of_machine);
    let part = owner.and_then(|package| {
        let own = moved.workload(package);
        own.or_else(|| moved.renewed(package, packs))
    });
    let product = product.filter(|product| product.disposition != Disposition::Containerize);
    match (product, part) {
        // A package whose server moves has its upkeep there, whatever else the pack says of the machine's own.
        (_, Some((reason, workload))) => (Disposition::Platform, reason, Some(workload)),
        (Some(product), None) => (product.disposition, product.reason, None),
        (None, None) if job.command.contains("run-parts") => {
            let reason = "runs the scripts of a cron directory; they are listed by themselves";
            (Disposition::Platform, reason.to_owned(), None)
        }
        (None, None) if owner.is_none() => {
            let reason = "a job of the machine's own".to_owned();
            (Disposition::Containerize, reason, None)
        }
        (None, None) => {
            let name = owner.map_or("", |package| &package.name);
            let reason = format!("upkeep of package {name} on a machine");
            (Disposition::Platform, reason, None)
        }
    }
}

/// Which workload each package's upkeep belongs to.
pub struct Moved<'a> {
    /// By the package that has a service's unit or program.
    own: BTreeMap<&'a str, &'a str>,
    /// By what those packages ask for directly: a server's files in common, the rules it works by.
    needed: BTreeMap<&'a str, &'a str>,
    workloads: &'a [Workload],
}

impl<'a> Moved<'a> {
    /// `staying` are services of packages whose jobs are the machine's, whoever needs them.
    pub fn new(facts: &'a Facts, workloads: &'a [Workload], staying: &[&Service]) -> Self {
        let mut own: BTreeMap<&str, &str> = BTreeMap::new();
        let mut needed = BTreeMap::new();
        for workload in workloads {
            for package in workload.services.iter().flat_map(|s| behind(s, facts)) {
                own.entry(&package.name).or_insert(&workload.id);
                let first = package.depends.iter().filter_map(|group| group.first());
                for name in first {
                    needed.entry(name.as_str()).or_insert(workload.id.as_str());
                }
            }
        }
        for package in staying.iter().flat_map(|service| behind(service, facts)) {
            needed.remove(package.name.as_str());
        }
        Self {
            own,
            needed,
            workloads,
        }
    }

    /// The workload that a package's own service moves as, and what that means for its upkeep.
    fn workload(&self, package: &Package) -> Option<(String, String)> {
        let name = package.name.as_str();
        let needed = self.needed.get(name).filter(|_| !package.essential);
        let id = *self.own.get(name).or(needed)?;
        let reason = format!(
            "upkeep of package {name}, which moves as workload {id}: see whether something has to do it there"
        );
        Some((reason, id.to_owned()))
    }

    /// The workload that has files which a package's jobs renew.
    fn renewed(&self, package: &Package, packs: &Packs) -> Option<(String, String)> {
        let name = &package.name;
        packs.renewed(name).find_map(|directory| {
            let has = |workload: &&Workload| {
                let files = workload.configuration.iter().map(|file| &file.path);
                let mut all = files.chain(&workload.claims);
                all.any(|path| path.is_within(&directory))
            };
            let id = self.workloads.iter().find(has)?.id.clone();
            let reason = format!(
                "package {name} renews what workload {id} has of {directory}: nothing in its container does"
            );
            Some((reason, id))
        })
    }
}

/// The packages of a service: that of its unit, and those of its program.
fn behind<'a>(service: &Service, facts: &'a Facts) -> impl Iterator<Item = &'a Package> {
    let commands = service.commands.start.iter();
    let programs = commands.flat_map(|command| program::of(&command.argv, facts).files);
    let all: Vec<MachinePath> = service.files.iter().cloned().chain(programs).collect();
    let owners = all.into_iter().filter_map(|path| facts.owner(&path));
    owners.filter(|package| !package.essential)
}

/// What a machine's jobs are looked up in.
pub struct Machine<'a> {
    pub facts: &'a Facts,
    pub packs: &'a Packs,
    pub installed: &'a Installed<'a>,
    pub mounts: &'a [Mount],
}

impl Machine<'_> {
    /// One workload for each user with jobs of the machine's own.
    pub fn workloads(
        &self,
        placed: &mut [PlacedJob],
        taken: &mut BTreeSet<String>,
        (room, left_out): (usize, &mut Vec<Evidence>),
    ) -> Vec<Workload> {
        let mut by_user: BTreeMap<String, Vec<&mut PlacedJob>> = BTreeMap::new();
        let moved = placed
            .iter_mut()
            .filter(|item| item.disposition == Disposition::Containerize);
        for item in moved {
            by_user.entry(item.job.user.clone()).or_default().push(item);
        }
        let mut found = Vec::new();
        for (user, items) in by_user {
            if found.len() >= room {
                for item in items {
                    (item.disposition, item.reason) = (Disposition::Keep, cut::too_many());
                    left_out.push(item.job.evidence.clone());
                }
                continue;
            }
            let id = unique(&crate::service::id_of(&format!("jobs-{user}")), taken);
            let mut jobs = Vec::new();
            for item in items {
                item.workload = Some(id.clone());
                jobs.push(item.job.clone());
            }
            found.push(self.workload(id, &user, jobs));
        }
        found
    }

    fn workload(&self, id: String, user: &str, jobs: Vec<ScheduledJob>) -> Workload {
        let facts = self.facts;
        let session = Session::of(facts);
        let jobs: Vec<ScheduledJob> = jobs.into_iter().map(|job| session.given(job)).collect();
        let mut reach = Reach::of(facts, &jobs);
        reach.named.extend(session.secret);
        let (configuration, claims) = reach.files(facts);
        reach.keep(facts, &claims);
        let tools = self.packs.tools(&reach.words, facts);
        let commands = reach.commands.clone();
        let commands = commands.into_iter().chain(reach.links.iter().cloned());
        let commands = commands.collect();
        reach.commands.sort();
        reach.commands.dedup();
        let schedules: Vec<String> = jobs.iter().map(|job| job.schedule.clone()).collect();
        let mut workload = Workload {
            title: format!("Scheduled jobs of {user}"),
            kind: "scheduled".into(),
            services: Vec::new(),
            product: None,
            packages: Vec::new(),
            executables: reach.commands,
            listens: Vec::new(),
            connects: reach.connects,
            user: user.to_owned(),
            group: group(facts, user),
            environment: Vec::new(),
            configuration,
            claims,
            data: reach.kept,
            mounts: Vec::new(),
            logs: Vec::new(),
            schedule: Some(schedules.join("; ")),
            secrets: Vec::new(),
            clients_of: self.packs.called(&reach.words),
            calls: reach.calls,
            needs: Vec::new(),
            answer: facts.answers.get(&[&*id]).cloned().unwrap_or_default(),
            id,
            jobs,
        };
        let named = [reach.named, workload.claims.clone()].concat();
        mount::take(&mut workload, facts, self.mounts, &named);
        fill::take_answer(&mut workload, facts);
        loaded::take(&mut workload, facts);
        let claims = &workload.claims;
        workload.packages = packages::of_paths(facts, self.installed, commands, claims, tools);
        workload.secrets = secrets(&workload, facts);
        workload
    }
}

/// Those of the services that timers start, and those on the jobs' own lines.
fn secrets(workload: &Workload, facts: &Facts) -> Vec<SecretRef> {
    let timed = workload.jobs.iter();
    let timed = timed.filter_map(|job| job.service.as_deref().cloned());
    let as_services = Workload {
        services: timed.collect(),
        ..workload.clone()
    };
    let mut found = fill::secrets(&as_services, facts);
    let lines = workload.jobs.iter();
    let lines = lines.filter(|job| job.secret && job.service.is_none());
    found.extend(lines.map(|job| SecretRef {
        kind: "command".into(),
        key: String::new(),
        evidence: job.evidence.clone(),
    }));
    found
}

fn group(facts: &Facts, user: &str) -> String {
    let gid = facts.user(user).map(|user| user.gid);
    let group = gid.and_then(|gid| facts.group_of(gid));
    group.map_or_else(|| user.to_owned(), |group| group.name.clone())
}
