//! Views: what each template is given, complete and typed. A view decides layout; the plan has decided everything else.

use crate::plan::{HealthCheck, Plan};
use serde::Serialize;

/// The file of a workload's system calls.
pub(super) const PROFILE: &str = "seccomp.json";

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Variable {
    pub name: String,
    pub value: String,
}

/// A health check as both files say it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Health {
    pub command: Vec<String>,
    pub interval: u32,
    pub timeout: u32,
    pub start_period: u32,
    pub retries: u32,
}

/// Empty or one: strict templates have no other way to leave something out.
pub(super) fn health(check: Option<&HealthCheck>) -> Vec<Health> {
    let view = |check: &HealthCheck| Health {
        command: check.command.clone(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        retries: check.retries,
    };
    check.into_iter().map(view).collect()
}

/// Variables that an image can hold, and those whose values have several lines.
pub(super) fn environment(plan: &Plan) -> (Vec<Variable>, Vec<Variable>) {
    let all = plan.process.environment.iter();
    let all = all.map(|(name, value)| Variable {
        name: name.clone(),
        value: value.clone(),
    });
    all.partition(|variable| crate::quote::dockerfile_word(&variable.value).is_some())
}

/// The working directory, as an image can hold it, or else for the entry point; neither for the root.
pub(super) fn working_directory(plan: &Plan) -> (Option<String>, Option<String>) {
    let path = plan.process.working_directory.as_ref();
    let text = path
        .map(|path| path.text().into_owned())
        .filter(|text| text != "/");
    match text {
        Some(text) if crate::quote::dockerfile_word(&text).is_none() => (None, Some(text)),
        other => (other, None),
    }
}

/// Where secrets are mounted.
pub(super) fn secret_mount(name: &str) -> String {
    format!("/run/secrets/{name}")
}

/// Where the archive of a volume's data is mounted.
pub(super) fn archive_mount(volume: &str) -> String {
    format!("/run/transvase/{volume}.tar")
}

pub(super) fn octal(mode: u32) -> String {
    format!("{:04o}", mode & 0o7777)
}
