//! Jobs of cron and anacron.

use super::manager::Manager;
use super::systemd::calendar;
use super::{GeneratedUnit, ScheduledJob, Services, Starter};
use crate::fact::{Facts, Job, JobKind};

pub(super) struct Cron;

impl Manager for Cron {
    fn id(&self) -> &'static str {
        "cron"
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let jobs = facts.jobs.iter().map(|job| cron_job(facts, job));
        found.jobs.extend(jobs);
    }
}

fn cron_job(facts: &Facts, job: &Job) -> ScheduledJob {
    let manager = match job.kind {
        JobKind::Anacron => Starter::Anacron,
        JobKind::Cron | JobKind::Directory => Starter::Cron,
    };
    let cron = match job.kind {
        JobKind::Directory => directory_schedule(facts, &job.schedule),
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

/// When /etc/crontab has run-parts run the directory; the time Debian ships where it does not say.
fn directory_schedule(facts: &Facts, period: &str) -> Option<String> {
    let directory = format!("/etc/cron.{period}");
    let line = facts
        .jobs
        .iter()
        .find(|job| job.kind == JobKind::Cron && job.command.contains(&directory));
    line.map(|job| job.schedule.clone())
        .or_else(|| calendar::to_cron(period))
}
