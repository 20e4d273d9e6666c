//! Timers and cron jobs as one list of scheduled jobs.

use super::resolve::{Reached, triggered};
use super::unit::{Unit, UnitPath};
use super::{Manager, ScheduledJob, build, calendar};
use crate::fact::{Evidence, Facts, Job, JobKind};

/// Enabled timers, with the service each starts.
pub(super) fn timers(facts: &Facts, path: &UnitPath<'_>, reached: &Reached) -> Vec<ScheduledJob> {
    let timers = reached
        .units
        .values()
        .filter(|unit| unit.name.ends_with(".timer"));
    timers
        .filter_map(|unit| timer(facts, path, reached, unit))
        .collect()
}

fn timer(
    facts: &Facts,
    path: &UnitPath<'_>,
    reached: &Reached,
    unit: &Unit,
) -> Option<ScheduledJob> {
    let target = triggered(unit, "Timer", "Unit");
    let service = path.load(&target).filter(|unit| !unit.masked)?;
    let service = build::service(facts, &service, None);
    let (schedule, cron) = schedule(unit)?;
    let commands: Vec<String> = service
        .exec
        .iter()
        .map(|command| shell(&command.argv))
        .collect();
    let at = unit
        .list("Timer", "OnCalendar")
        .into_iter()
        .chain(unit.list("Timer", "OnUnitActiveSec"))
        .next();
    let evidence = match at {
        Some((path, entry)) => {
            Evidence::line(path, entry.line, &format!("{}={}", entry.key, entry.value))
        }
        None => reached
            .by
            .get(&unit.name)
            .cloned()
            .or_else(|| unit.files.first().map(Evidence::file))?,
    };
    Some(ScheduledJob {
        name: unit.name.clone(),
        manager: Manager::Timer,
        enabled: true,
        schedule,
        cron,
        user: service.user.clone(),
        command: commands.join(" && "),
        environment: service.environment.clone(),
        secret: !service.secret_environment.is_empty(),
        service: Some(Box::new(service)),
        evidence,
    })
}

/// The schedule as written, and as cron fields.
fn schedule(unit: &Unit) -> Option<(String, Option<String>)> {
    let values = |key: &str| -> Vec<String> {
        unit.list("Timer", key)
            .iter()
            .map(|(_, entry)| entry.value.clone())
            .collect()
    };
    let events = values("OnCalendar");
    match events.as_slice() {
        [one] => return Some((one.clone(), calendar::to_cron(one))),
        [] => {}
        several => return Some((several.join("; "), None)),
    }
    let spans = ["OnUnitActiveSec", "OnUnitInactiveSec"]
        .into_iter()
        .flat_map(values)
        .collect::<Vec<_>>();
    if let Some(span) = spans.first() {
        let cron = calendar::span(span).and_then(calendar::every);
        return Some((format!("every {span}"), cron));
    }
    let boot = ["OnBootSec", "OnStartupSec", "OnActiveSec"]
        .into_iter()
        .flat_map(values)
        .next()?;
    Some((format!("{boot} after start"), Some("@reboot".into())))
}

/// A command line a shell reads back as the same words.
pub(super) fn shell(argv: &[String]) -> String {
    let word = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Jobs of cron and anacron.
pub(super) fn cron(facts: &Facts) -> Vec<ScheduledJob> {
    facts.jobs.iter().map(|job| cron_job(facts, job)).collect()
}

fn cron_job(facts: &Facts, job: &Job) -> ScheduledJob {
    let manager = match job.kind {
        JobKind::Anacron => Manager::Anacron,
        JobKind::At => Manager::At,
        JobKind::Cron | JobKind::Directory => Manager::Cron,
    };
    let cron = match job.kind {
        JobKind::Directory => directory_schedule(facts, &job.schedule),
        JobKind::Anacron | JobKind::At => calendar::to_cron(&job.schedule),
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
