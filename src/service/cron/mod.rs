//! Jobs of cron and anacron.

mod reboot;

use super::managed::Names;
use super::manager::Manager;
use super::systemd::calendar;
use super::{GeneratedUnit, MOST_JOBS, MOST_SERVICES, ScheduledJob, Service, Services, Starter};
use crate::fact::{Facts, Job, JobKind};
use std::collections::BTreeMap;

pub(super) struct Cron;

impl Manager for Cron {
    fn id(&self) -> &'static str {
        "cron"
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        if let Some(job) = facts.jobs.get(MOST_JOBS) {
            let reason = format!(
                "more than {MOST_JOBS} jobs; from line {} on they were left out",
                job.evidence.line.unwrap_or(1)
            );
            found.leave_out(&job.evidence.path, self.id(), reason);
        }
        let directories = Directories::new(facts);
        let mut names = Names::of(found);
        for job in facts.jobs.iter().take(MOST_JOBS) {
            let planned = cron_job(&directories, job);
            // A package's own is upkeep, whatever it starts.
            let is_own = facts.owner(&job.evidence.path).is_none();
            let at_boot = job.kind == JobKind::Cron && job.schedule == "@reboot" && is_own;
            let room = at_boot && found.services.len() < MOST_SERVICES;
            match Some(job)
                .filter(|_| room)
                .and_then(|job| reboot::service(facts, job, &planned.name))
            {
                Some(service) => {
                    let name = names.free(&service.name, "cron");
                    found.services.push(Service { name, ..service });
                }
                None => found.jobs.push(planned),
            }
        }
    }
}

fn cron_job(directories: &Directories, job: &Job) -> ScheduledJob {
    let manager = match job.kind {
        JobKind::Anacron => Starter::Anacron,
        JobKind::Cron | JobKind::Directory => Starter::Cron,
    };
    let cron = match job.kind {
        JobKind::Directory => directories.schedule(&job.schedule),
        JobKind::Anacron => calendar::to_cron(&job.schedule),
        JobKind::Cron if job.schedule == "@reboot" => Some(job.schedule.clone()),
        JobKind::Cron => match job.schedule.strip_prefix('@') {
            Some(word) => calendar::to_cron(word).map(|fields| {
                if word == "weekly" {
                    "0 0 * * 0".into()
                } else {
                    fields
                }
            }),
            None => Some(job.schedule.clone()),
        },
    };
    ScheduledJob {
        name: format!("{}: {}", job.evidence.path, job.command),
        manager,
        enabled: true,
        schedule: job.schedule.clone(),
        cron,
        user: job.user.clone(),
        command: job.command.clone(),
        environment: job.environment.clone(),
        secret: job.secret,
        service: None,
        evidence: job.evidence.clone(),
    }
}

/// When /etc/crontab has run-parts run the directories, by period; the time Debian ships where it does not say.
struct Directories(BTreeMap<&'static str, String>);

impl Directories {
    fn new(facts: &Facts) -> Self {
        let mut found = BTreeMap::new();
        let named = |job: &&Job| job.kind == JobKind::Cron && job.command.contains("/etc/cron.");
        for job in facts.jobs.iter().filter(named) {
            for period in ["hourly", "daily", "weekly", "monthly"] {
                if job.command.contains(&format!("/etc/cron.{period}")) {
                    found.entry(period).or_insert_with(|| job.schedule.clone());
                }
            }
        }
        Self(found)
    }

    fn schedule(&self, period: &str) -> Option<String> {
        let said = self.0.get(period).cloned();
        said.or_else(|| calendar::to_cron(period))
    }
}
