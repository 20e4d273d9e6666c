//! Values of secrets, read from the machine again where the user asked for them. The only place that holds one.

use super::Machine;
use crate::fact::SecretRef;
use crate::plan::secret::{ARGUMENT, VARIABLE};
use crate::plan::{Plan, PlannedJob, PlannedSecret};
use crate::quote::shell;
use crate::secret::MASK;
use crate::walk::Entry;
use crate::words;
use std::fmt::Write;

/// Largest file a value is looked for in, in bytes.
const LIMIT: u64 = 4 << 20;

/// The content of a secret's file, or why there is none.
pub(super) fn value(
    secret: &PlannedSecret,
    plan: &Plan,
    machine: &Machine<'_>,
) -> Result<Vec<u8>, String> {
    if let Some(file) = secret.file.as_ref().filter(|_| secret.variables.is_empty()) {
        let entry = plan
            .state
            .secret_entries
            .iter()
            .find(|entry| entry.path == file.path);
        return read(entry.ok_or("it is not in the tree")?, machine);
    }
    if let Some(job) = plan
        .schedule
        .jobs
        .iter()
        .find(|job| job.secret.as_ref() == Some(&secret.name))
    {
        return Ok(table(job, &text(&job.evidence.path, machine)?)?.into_bytes());
    }
    let mut assignments = String::new();
    for held in &secret.holds {
        let value = held_value(held, machine)?;
        // Writing to a String cannot fail.
        let _ = writeln!(assignments, "{}={}", held.key, shell(&value));
    }
    Ok(assignments.into_bytes())
}

fn read(entry: &Entry, machine: &Machine<'_>) -> Result<Vec<u8>, String> {
    if entry.size > LIMIT {
        return Err(format!("it is larger than {LIMIT} bytes"));
    }
    let mut bytes = vec![0; usize::try_from(entry.size).map_err(|error| error.to_string())?];
    let mut filled = 0;
    while let Some(piece) = bytes.get_mut(filled..).filter(|piece| !piece.is_empty()) {
        match machine.content.read_at(entry, filled as u64, piece)? {
            0 => break,
            got => filled += got,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn text(path: &crate::path::MachinePath, machine: &Machine<'_>) -> Result<String, String> {
    let entry = machine.tree.get(path).filter(|entry| entry.is_file());
    let bytes = read(
        entry.ok_or_else(|| format!("{path} is not in the tree"))?,
        machine,
    )?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn held_value(held: &SecretRef, machine: &Machine<'_>) -> Result<String, String> {
    let place = held.evidence.place();
    let text = text(&held.evidence.path, machine)?;
    let line = logical_line(&text, held.evidence.line.unwrap_or(1));
    let found = match held.kind.as_str() {
        VARIABLE => variable(&line, &held.key),
        ARGUMENT => argument(&line, &held.key),
        _ => None,
    };
    found.ok_or_else(|| format!("{} was not found again at {place}", held.key))
}

/// A line with those that a backslash at its end joins to it, each parted by a blank as systemd.syntax(7) has it.
fn logical_line(text: &str, number: u32) -> String {
    let start = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut joined = String::new();
    for line in text.lines().skip(start) {
        let Some(more) = line.strip_suffix('\\') else {
            joined.push_str(line);
            break;
        };
        joined.push_str(more);
        joined.push(' ');
    }
    joined.trim().to_owned()
}

/// The value of a variable in an `Environment=` directive or a line of an environment file.
fn variable(line: &str, name: &str) -> Option<String> {
    if let Some(list) = directive(line, "Environment") {
        let words = words::split(list).into_iter().rev();
        let mut values = words.filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            (key == name).then(|| value.replace("%%", "%"))
        });
        return values.next();
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    (key.trim() == name).then(|| words::assigned(value))
}

/// Word N of a command line, `key` being `ARGUMENT_N`.
fn argument(line: &str, key: &str) -> Option<String> {
    let at: usize = key.rsplit('_').next()?.parse().ok()?;
    let (_, command) = line.split_once('=')?;
    let word = words::split(command).into_iter().nth(at)?;
    Some(word.replace("%%", "%").replace("$$", "$"))
}

fn directive<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let (found, value) = line.split_once('=')?;
    (found.trim() == key).then_some(value)
}

/// A job table of its own: the assignments in force, and the line, with its user.
fn table(job: &PlannedJob, text: &str) -> Result<String, String> {
    let number =
        usize::try_from(job.evidence.line.unwrap_or(1)).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().take(number).collect();
    let line = lines.last().map(|line| line.trim()).unwrap_or_default();
    let mut table = String::new();
    for (name, value) in &job.environment {
        let value = if value.contains(MASK) {
            let raw = lines.iter().rev().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim())
            });
            raw.ok_or_else(|| format!("{name} was not found again"))?
        } else {
            value
        };
        let _ = writeln!(table, "{name}={value}");
    }
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let path = job.evidence.path.text();
    let with_user = path == "/etc/crontab" || path.starts_with("/etc/cron.d/");
    let (schedule, rest) = cut(line, fields).ok_or("its line is too short")?;
    if with_user {
        let _ = writeln!(table, "{schedule} {rest}");
    } else {
        let _ = writeln!(table, "{schedule} {} {rest}", job.user);
    }
    Ok(table)
}

/// The first `count` fields, and what follows them as it stands.
fn cut(line: &str, count: usize) -> Option<(&str, &str)> {
    let mut rest = line;
    for _ in 0..count {
        let end = rest.find([' ', '\t'])?;
        rest = rest.get(end..)?.trim_start();
    }
    let head = line.get(..line.len().checked_sub(rest.len())?)?;
    (!rest.is_empty()).then_some((head.trim_end(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_again() {
        assert_eq!(
            variable("Environment=A=1 \"KEY=a b%%\"", "KEY").as_deref(),
            Some("a b%")
        );
        assert_eq!(variable("export KEY='x y'", "KEY").as_deref(), Some("x y"));
        assert_eq!(variable("KEY=a#b c", "KEY").as_deref(), Some("a#b c"));
        assert_eq!(variable("OTHER=1", "KEY"), None);
        assert_eq!(
            argument("ExecStart=/bin/a --x 'b c'", "ARGUMENT_2").as_deref(),
            Some("b c")
        );
        assert_eq!(logical_line("x\nA=1 \\\n  B=2\nC", 2), "A=1    B=2");
    }

    #[test]
    fn a_job_keeps_its_line() {
        assert_eq!(
            cut("*/5 * * * *  me  run  it", 5),
            Some(("*/5 * * * *", "me  run  it"))
        );
        assert_eq!(cut("@daily x", 1), Some(("@daily", "x")));
        assert_eq!(cut("* * *", 5), None);
    }
}
