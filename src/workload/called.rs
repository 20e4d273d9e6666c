//! What commands bring with them beside their program. The table is data: `detectors/commands.toml`.

use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::walk::Entry;
use serde::Deserialize;
use std::sync::LazyLock;

/// One row: commands, and what all of them bring.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    names: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    detail: String,
    #[serde(default = "yes")]
    installs: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mailed: Option<Mailed>,
    command: Vec<Command>,
}

/// What it means that the scheduler mails what a job prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mailed {
    rule: String,
    detail: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/commands.toml")).unwrap_or_default()
});

/// A command that a job calls and that means something in a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub rule: &'static str,
    pub detail: String,
    /// The job's line, or the script's.
    pub evidence: Evidence,
}

fn rows(command: &str) -> impl Iterator<Item = &'static Command> {
    let name = command.rsplit('/').next().unwrap_or(command).to_owned();
    let all = TABLE.command.iter();
    all.filter(move |row| row.names.contains(&name))
}

/// Whether a command's program has a use in a container.
pub(super) fn is_installed(command: &str) -> bool {
    rows(command).all(|row| row.installs)
}

/// The files that a command reads of the home of whoever calls it, those that are there.
pub(super) fn files(command: &str, home: Option<&str>, facts: &Facts) -> Vec<MachinePath> {
    let patterns = rows(command).flat_map(|row| &row.files);
    let absolute = patterns.filter_map(|pattern| match pattern.strip_prefix("~/") {
        Some(below) => Some(format!("{}/{below}", home?.trim_end_matches('/'))),
        None => Some(pattern.clone()),
    });
    let found = absolute.flat_map(|pattern| facts.tree.find(&pattern));
    let files = found.filter(|found| facts.tree.get(&found.named).is_some_and(Entry::is_file));
    files.map(|found| found.named).collect()
}

/// What a call of a command means.
pub(super) fn call(job: &str, command: &str, evidence: &Evidence) -> Option<Call> {
    let row = rows(command).find(|row| row.rule.is_some())?;
    Some(Call {
        rule: row.rule.as_deref()?,
        detail: format!("{job} calls {command}: it {}", row.detail),
        evidence: evidence.clone(),
    })
}

/// What a job prints goes to an address.
pub(super) fn mailed(job: &str, to: &str, evidence: &Evidence) -> Option<Call> {
    let mailed = TABLE.mailed.as_ref()?;
    Some(Call {
        rule: &mailed.rule,
        detail: format!("what {job} prints was mailed to {to}: {}", mailed.detail),
        evidence: evidence.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::catalogue;

    #[test]
    fn the_table_is_read_and_names_rules_that_are_there() {
        assert!(TABLE.command.len() > 10);
        let mailed = TABLE.mailed.as_ref().map(|mailed| &*mailed.rule);
        assert!(mailed.is_some_and(|rule| catalogue::rule(rule).is_some()));
        for row in &TABLE.command {
            let rule = row.rule.as_deref();
            assert!(
                rule.is_none_or(|rule| catalogue::rule(rule).is_some()),
                "{:?}",
                row.names
            );
            assert_eq!(rule.is_some(), !row.detail.is_empty(), "{:?}", row.names);
        }
        assert!(!is_installed("/usr/bin/systemctl") && is_installed("rsync"));
    }
}
