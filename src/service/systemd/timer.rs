//! Timers and cron jobs as one list of scheduled jobs.

use super::build::{self, Limits};
use super::calendar;
use super::resolve::{Reached, triggered};
use super::search::UnitPath;
use super::unit::{self, Unit};
use crate::fact::{Evidence, Facts, UnitEntry};
use crate::path::MachinePath;
use crate::service::{ScheduledJob, Starter};

/// Enabled timers, with the service each starts.
pub(super) fn timers(
    facts: &Facts,
    path: &UnitPath<'_>,
    reached: &Reached,
    limits: &mut Limits<'_>,
) -> Vec<ScheduledJob> {
    let timers = reached
        .units
        .values()
        .filter(|unit| unit.name.ends_with(".timer"));
    timers
        .filter_map(|unit| timer(facts, path, unit, limits))
        .collect()
}

fn timer(
    facts: &Facts,
    path: &UnitPath<'_>,
    unit: &Unit,
    limits: &mut Limits<'_>,
) -> Option<ScheduledJob> {
    let target = triggered(unit, "Timer", "Unit");
    let service = path.load(&target).filter(|unit| !unit.masked)?;
    let service = build::service(facts, &service, None, limits);
    let (schedule, cron, evidence) = schedule(unit)?;
    let commands: Vec<String> = service
        .commands
        .start
        .iter()
        .map(|command| shell(&command.argv))
        .collect();
    Some(ScheduledJob {
        name: unit.name.clone(),
        manager: Starter::Timer,
        enabled: true,
        schedule,
        cron,
        user: service.user.clone(),
        command: commands.join(" && "),
        environment: service.environment.variables.clone(),
        secret: !service.environment.secrets.is_empty(),
        service: Some(Box::new(service)),
        evidence,
    })
}

/// Settings that say when. An empty assignment of any of them drops all that were said before (systemd.timer(5)).
const WHEN: &[&str] = &[
    "OnCalendar",
    "OnUnitActiveSec",
    "OnUnitInactiveSec",
    "OnBootSec",
    "OnStartupSec",
    "OnActiveSec",
];

/// Everything that says when, in merge order.
fn moments(unit: &Unit) -> Vec<&(MachinePath, UnitEntry)> {
    let mut found: Vec<&(MachinePath, UnitEntry)> = Vec::new();
    for item in &unit.entries {
        let (_, entry) = item;
        if entry.section != "Timer" || !WHEN.contains(&entry.key.as_str()) {
            continue;
        }
        if entry.value.is_empty() {
            found.clear();
        } else if found
            .iter()
            .all(|(_, known)| (&known.key, &known.value) != (&entry.key, &entry.value))
        {
            found.push(item);
        }
    }
    found
}

/// The schedule as written, and as cron fields, with what says so.
fn schedule(timer: &Unit) -> Option<(String, Option<String>, Evidence)> {
    let moments = moments(timer);
    let of = |keys: &[&str]| -> Vec<&(MachinePath, UnitEntry)> {
        let ours = |(_, entry): &&&(MachinePath, UnitEntry)| keys.contains(&entry.key.as_str());
        moments.iter().filter(ours).copied().collect()
    };
    let evidence = |(path, entry): &(MachinePath, UnitEntry)| unit::evidence(path, entry);
    let events = of(&["OnCalendar"]);
    if let [first, rest @ ..] = events.as_slice() {
        let values: Vec<&str> = events.iter().map(|(_, e)| e.value.as_str()).collect();
        let cron = if rest.is_empty() {
            calendar::to_cron(&first.1.value)
        } else {
            None
        };
        return Some((values.join("; "), cron, evidence(first)));
    }
    if let [first, ..] = of(&["OnUnitActiveSec", "OnUnitInactiveSec"]).as_slice() {
        let span = &first.1.value;
        let cron = calendar::span(span).and_then(calendar::every);
        return Some((format!("every {span}"), cron, evidence(first)));
    }
    let first = *of(&["OnBootSec", "OnStartupSec", "OnActiveSec"]).first()?;
    let schedule = format!("{} after start", first.1.value);
    Some((schedule, Some("@reboot".into()), evidence(first)))
}

/// A command line a shell reads back as the same words.
fn shell(argv: &[String]) -> String {
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
