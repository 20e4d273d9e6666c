//! Scheduled jobs: the machine's own lines, for the same kind of scheduler.

use super::account::is_account_name;
use super::names::is_variable;
use super::place::Place;
use super::secret::{self, Taken};
use super::{PlannedCommand, PlannedRemoval, PlannedSecret};
use crate::fact::Evidence;
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::service::{ScheduledJob, Starter};
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedJob {
    pub name: String,
    /// Five cron fields, or `@reboot`.
    pub cron: String,
    pub user: String,
    pub command: String,
    pub environment: Vec<(String, String)>,
    /// The line holds a secret: `command` is redacted, and the line itself is a secret of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub evidence: Evidence,
}

/// Where the schedule's lines go, and where their output comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedScheduler {
    /// Directory of job tables.
    pub tables: MachinePath,
    /// The program that is handed the jobs' output as mail, where the scheduler does not print it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailer: Option<MachinePath>,
    /// Tables are named by users, and their lines name none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_user: bool,
}

/// What a scheduled workload adds to its plan.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    pub jobs: Vec<PlannedJob>,
    pub secrets: Vec<PlannedSecret>,
    pub removals: Vec<PlannedRemoval>,
    pub notes: Vec<String>,
}

pub(super) fn schedule(workload: &Workload, place: &Place<'_>, taken: &mut Taken) -> Schedule {
    let mut schedule = Schedule::default();
    for job in &workload.jobs {
        let cron = match line_of(job) {
            Ok(cron) => cron,
            Err(why) => {
                schedule.notes.push(why);
                continue;
            }
        };
        let environment = job.environment.iter();
        let is_table = matches!(job.manager, Starter::Cron | Starter::Anacron);
        let timed = job.service.as_deref().filter(|_| !is_table);
        let timed =
            timed.map(|service| secret::of_job(workload, service, &job.command, place, taken));
        let mut planned = PlannedJob {
            name: job.name.clone(),
            cron,
            user: job.user.clone(),
            // In a table, a bare `%` is a newline.
            command: match &timed {
                Some(timed) => timed.command.replace('%', "\\%"),
                None => job.command.clone(),
            },
            // Mail goes to the container's output whatever the address.
            environment: environment
                .filter(|(name, value)| {
                    is_variable(name)
                        && name != "MAILTO"
                        && !value.contains(['\n', '\r', '\0'])
                        && (is_table || !value.contains(MASK))
                })
                .cloned()
                .collect(),
            secret: None,
            evidence: job.evidence.clone(),
        };
        if job.secret && is_table && place.scheduler.by_user {
            schedule.notes.push(format!("Job {} holds a secret, and the scheduler's tables have one file a user: put its line into {}/{} by hand.", job.name, place.scheduler.tables, job.user));
            continue;
        }
        if job.secret && is_table {
            let secret = secret::line(workload, &planned, taken);
            planned.secret = Some(secret.name.clone());
            schedule.secrets.push(secret);
        }
        schedule
            .secrets
            .extend(timed.into_iter().flat_map(|timed| timed.secrets));
        schedule.jobs.push(planned);
    }
    let scheduler = &place.scheduler;
    let why = "housekeeping of the image's own packages".to_owned();
    let removal = |path: &String, content| PlannedRemoval {
        path: MachinePath::new(path),
        content,
        why: why.clone(),
    };
    schedule.removals = scheduler
        .removals
        .iter()
        .map(|path| removal(path, false))
        .collect();
    schedule.removals.push(removal(&scheduler.tables, true));
    schedule
}

/// When a job runs, if a line of a job table can say it; else why none can.
fn line_of(job: &ScheduledJob) -> Result<String, String> {
    let Some(cron) = job.cron.clone().filter(|cron| is_schedule(cron)) else {
        return Err(format!(
            "Job {} runs at `{}`, which no cron line can say: start it by other means ({}).",
            job.name,
            job.schedule,
            job.evidence.place()
        ));
    };
    // The table's next field begins at a blank, and the next line at a newline.
    if !is_account_name(&job.user) {
        return Err(format!(
            "Job {} runs as `{}`, which is no name that a job table can hold: start it by other means ({}).",
            job.name,
            job.user,
            job.evidence.place()
        ));
    }
    if job.command.contains(['\n', '\r', '\0']) {
        return Err(format!(
            "Job {} has a command of several lines, which no cron line can say.",
            job.name
        ));
    }
    Ok(cron)
}

/// The scheduler in the foreground.
pub(super) fn command(workload: &Workload, place: &Place<'_>) -> PlannedCommand {
    let first = workload.jobs.first().map(|job| job.evidence.clone());
    PlannedCommand {
        argv: place.scheduler.command.clone(),
        ignore_failure: false,
        evidence: first
            .unwrap_or_else(|| Evidence::file(&MachinePath::new(&place.scheduler.tables))),
    }
}

/// Where its tables are, and how it hands over output.
pub(super) fn scheduler(place: &Place<'_>) -> PlannedScheduler {
    let scheduler = &place.scheduler;
    PlannedScheduler {
        tables: MachinePath::new(&scheduler.tables),
        mailer: Some(&scheduler.mailer)
            .filter(|mailer| !mailer.is_empty())
            .map(MachinePath::new),
        by_user: scheduler.by_user,
    }
}

/// Five fields of crontab(5), or one of its names.
fn is_schedule(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '/' | ',' | '-');
    if let Some(name) = text.strip_prefix('@') {
        return !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    fields.len() == 5 && fields.iter().all(|field| field.chars().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        assert!(is_schedule("*/15 0-6 1,15 * mon-fri") && is_schedule("@reboot"));
        assert!(!is_schedule("* * * *") && !is_schedule("@") && !is_schedule("* * * * $(x)"));
    }
}
