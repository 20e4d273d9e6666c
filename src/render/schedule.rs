//! Job tables: the machine's lines, grouped by the variables in force.

use super::Error;
use super::templates::fill;
use super::value::Variable;
use crate::path::MachinePath;
use crate::plan::{Plan, PlannedJob};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub(in crate::render) struct Table {
    #[serde(skip)]
    pub path: MachinePath,
    environment: Vec<Variable>,
    jobs: Vec<Job>,
}

#[derive(Debug, Serialize)]
struct Job {
    schedule: String,
    user: String,
    command: String,
    from: String,
}

/// Whether something of it stands in the image as a file of our own making.
pub(super) fn makes_files(plan: &Plan) -> bool {
    plan.schedule.scheduler.is_some() || !tables(plan).is_empty()
}

/// The tables of a plan, in the order of their first jobs.
pub(in crate::render) fn tables(plan: &Plan) -> Vec<Table> {
    let Some(scheduler) = &plan.schedule.scheduler else {
        return Vec::new();
    };
    if scheduler.by_user {
        return by_user(plan, &scheduler.tables);
    }
    let mut tables: Vec<Table> = Vec::new();
    for job in plan.schedule.jobs.iter().filter(|job| job.secret.is_none()) {
        let environment = environment(plan, job);
        let line = line(job);
        let same = tables
            .iter_mut()
            .find(|table| table.environment == environment);
        if let Some(table) = same {
            table.jobs.push(line);
            continue;
        }
        let count = tables.len() + 1;
        let name = if count == 1 {
            plan.id.clone()
        } else {
            format!("{}-{count}", plan.id)
        };
        let path = scheduler.tables.join(name);
        tables.push(Table {
            path,
            environment,
            jobs: vec![line],
        });
    }
    tables
}

/// One table for each user, whose lines set their own variables.
fn by_user(plan: &Plan, folder: &MachinePath) -> Vec<Table> {
    let mut tables: BTreeMap<&str, Table> = BTreeMap::new();
    for job in plan.schedule.jobs.iter().filter(|job| job.secret.is_none()) {
        let table = tables.entry(&job.user).or_insert_with(|| Table {
            path: folder.join(&job.user),
            environment: Vec::new(),
            jobs: Vec::new(),
        });
        let variables = environment(plan, job);
        let exports = variables.iter().map(|variable| {
            let value = crate::quote::shell(&variable.value);
            format!("export {}={value}; ", variable.name)
        });
        let exports: String = exports.collect();
        table.jobs.push(Job {
            user: String::new(),
            command: format!("{exports}{}", job.command),
            ..line(job)
        });
    }
    tables.into_values().collect()
}

/// The variables in force at a job's line.
fn environment(plan: &Plan, job: &PlannedJob) -> Vec<Variable> {
    let mut environment: Vec<Variable> = job
        .environment
        .iter()
        .map(|(name, value)| Variable {
            name: name.clone(),
            value: value.clone(),
        })
        .collect();
    if let Some(locale) = plan
        .image
        .locale
        .as_ref()
        .filter(|_| !job.environment.iter().any(|(name, _)| name == "LANG"))
    {
        environment.push(Variable {
            name: "LANG".to_owned(),
            value: locale.clone(),
        });
    }
    environment
}

fn line(job: &PlannedJob) -> Job {
    Job {
        schedule: job.cron.clone(),
        user: job.user.clone(),
        command: job.command.clone(),
        from: job.evidence.place(),
    }
}

/// A table of one job alone: what is written for a job that holds a secret.
pub fn table(plan: &Plan, job: &PlannedJob) -> Result<String, Error> {
    let table = Table {
        path: MachinePath::root(),
        environment: environment(plan, job),
        jobs: vec![line(job)],
    };
    fill("table", &table)
}

/// Where the table of a job with a secret is put; cron skips names with dots.
pub(super) fn secret_table(plan: &Plan, secret: &str) -> Option<String> {
    let scheduler = plan.schedule.scheduler.as_ref()?;
    Some(
        scheduler
            .tables
            .join(secret.replace('.', "-"))
            .text()
            .into_owned(),
    )
}
