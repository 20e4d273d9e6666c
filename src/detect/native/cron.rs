//! crontab(5), anacrontab(5), and the directories run-parts(8) runs.

use super::reference::{is_hidden, secret_names};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, Job, JobKind, Masking};
use crate::secret::MASK;
use crate::words::{self, budget::Budget};
use std::collections::BTreeSet;

pub struct Cron;

/// Jobs of one table.
const MOST_JOBS: usize = 2_000;

/// Variables of one table: each job keeps those above it.
const MOST_VARIABLES: usize = 64;

/// Bytes of variables that all jobs of a table keep.
const OF_ALL: usize = 4 << 20;

/// Lines that are no crontab's, each of them named.
const MOST_STRANGE: usize = 32;

impl Detector for Cron {
    fn id(&self) -> &'static str {
        "jobs/cron"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Scheduled jobs",
            recognises: "lines of crontabs and anacrontab, and scripts in /etc/cron.{hourly,daily,weekly,monthly}",
            why: "no cron runs in a container unless it is the container's purpose",
            cannot_see: "schedulers inside applications",
            references: &["crontab(5)", "anacrontab(5)", "run-parts(8)"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/etc/crontab".into(), "/etc/anacrontab".into()],
            globs: [
                "/etc/cron.d/*",
                "/var/spool/cron/crontabs/*",
                "/var/spool/cron/*",
                "/etc/cron.hourly/*",
                "/etc/cron.daily/*",
                "/etc/cron.weekly/*",
                "/etc/cron.monthly/*",
            ]
            .map(str::to_owned)
            .to_vec(),
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let path = file.path.text().into_owned();
        let directory = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let period = directory
            .strip_prefix("/etc/cron.")
            .filter(|period| *period != "d");
        // run-parts and cron pass over names with a dot (backups, package leftovers).
        if directory.starts_with("/etc/cron.") && !is_run_parts_name(&file.path.name()) {
            return;
        }
        if let Some(period) = period {
            if file.entry.is_executable() {
                let first = file.lines().next().map_or("", |(_, line)| line);
                sink.fact(Fact::Job(Job {
                    kind: JobKind::Directory,
                    schedule: period.to_owned(),
                    user: "root".into(),
                    command: path.clone(),
                    environment: Vec::new(),
                    secret: false,
                    evidence: file.evidence(1, &file.masking.redact_line(first).text),
                }));
            }
            return;
        }
        table(self.id(), file, directory, sink);
    }
}

/// The jobs of a crontab or of anacrontab.
fn table(id: &str, file: &FileView<'_>, directory: &str, sink: &mut Sink) {
    let kind = if file.path.as_bytes() == b"/etc/anacrontab" {
        JobKind::Anacron
    } else {
        JobKind::Cron
    };
    let owner = directory
        .starts_with("/var/spool/cron")
        .then(|| file.path.name().into_owned());
    let mut environment: Vec<(String, String)> = Vec::new();
    let mut hidden = false;
    let secrets = secrets(file);
    let (mut jobs, mut strange) = (0, 0);
    let budget = Budget::new(OF_ALL);
    for (number, line) in file.lines() {
        let line = words::trim(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, value)) = assignment(line) {
            let (value, is_secret) = masked(file.masking, &secrets, name, value);
            hidden |= is_secret;
            environment.retain(|(known, _)| known != name);
            if environment.len() >= MOST_VARIABLES {
                sink.unexamined(
                    file.path,
                    id,
                    format!(
                        "line {number}: more than {MOST_VARIABLES} variables; the rest was not read"
                    ),
                );
                return;
            }
            environment.push((name.to_owned(), value));
            continue;
        }
        let parsed = if kind == JobKind::Anacron {
            anacron(line)
        } else {
            cron(line, owner.as_deref())
        };
        let Some((schedule, user, command)) = parsed else {
            strange += 1;
            if strange > MOST_STRANGE {
                sink.unexamined(
                    file.path,
                    id,
                    format!("more lines are no crontab lines; not read from line {number} on"),
                );
                return;
            }
            sink.unexamined(file.path, id, format!("line {number} is no crontab line"));
            continue;
        };
        jobs += 1;
        let cost = environment
            .iter()
            .map(|(name, value)| name.len() + value.len());
        if jobs > MOST_JOBS || !budget.take(cost.sum()) {
            sink.unexamined(
                    file.path,
                    id,
                    format!("more than {MOST_JOBS} jobs, or too many variables for each; not read from line {number} on"),
                );
            return;
        }
        let command = file.masking.redact_line(&command);
        sink.fact(Fact::Job(Job {
            kind,
            schedule,
            user,
            secret: hidden || command.kind.is_some(),
            evidence: file.evidence(number, &file.masking.redact_line(line).text),
            command: command.text.into_owned(),
            environment: environment.clone(),
        }));
    }
}

/// A variable's value as it may be shown, and whether it had something to hide.
fn masked(masking: Masking, secrets: &BTreeSet<String>, name: &str, value: &str) -> (String, bool) {
    if is_hidden(secrets, name, value) {
        return (MASK.to_owned(), true);
    }
    let value = masking.redact(Some(name), value);
    (value.text.into_owned(), value.kind.is_some())
}

/// Variables that some line of the table uses as a secret.
fn secrets(file: &FileView<'_>) -> BTreeSet<String> {
    if file.masking == Masking::Disclosed {
        return BTreeSet::new();
    }
    let lines = file.lines().map(|(_, line)| words::trim(line));
    let said = lines.filter(|line| !line.starts_with('#'));
    said.flat_map(|line| secret_names(None, line)).collect()
}

/// Names run-parts accepts without options: letters, digits, underscores and hyphens.
fn is_run_parts_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// `NAME = value`, quotes around the value taken off.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = words::trim(name).trim_matches(['"', '\'']);
    let is_name = name
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name, words::trim(value).trim_matches(['"', '\''])))
}

/// Schedule, user, and command of a crontab line; `owner` for crontabs without a user column.
fn cron(line: &str, owner: Option<&str>) -> Option<(String, String, String)> {
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let (schedule, mut rest) = take(line, fields)?;
    let user = if let Some(owner) = owner {
        owner.to_owned()
    } else {
        let (user, after) = take(rest, 1)?;
        rest = after;
        // FreeBSD and some cronies allow `user:group`.
        user.split(':').next().unwrap_or_default().to_owned()
    };
    (!rest.is_empty()).then(|| (schedule, user, rest.to_owned()))
}

/// Period in days (or @monthly), delay, job identifier, command.
fn anacron(line: &str) -> Option<(String, String, String)> {
    let (period, rest) = take(line, 1)?;
    let (_, command) = take(rest, 2)?;
    let schedule = match period.as_str() {
        "1" | "@daily" => "daily".to_owned(),
        "7" | "@weekly" => "weekly".to_owned(),
        "@monthly" => "monthly".to_owned(),
        days => format!("every {days} days"),
    };
    (!command.is_empty()).then(|| (schedule, "root".to_owned(), command.to_owned()))
}

/// The first `count` fields joined by single spaces, and what follows them.
fn take(line: &str, count: usize) -> Option<(String, &str)> {
    let mut rest = line.trim_start_matches(words::is_blank);
    let mut fields = Vec::with_capacity(count);
    for _ in 0..count {
        let end = rest.find(words::is_blank)?;
        let (field, after) = rest.split_at_checked(end)?;
        fields.push(field);
        rest = after.trim_start_matches(words::is_blank);
    }
    Some((fields.join(" "), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_part_fields() {
        let line = "1 2 3 4 5 ro\u{2028}ot /bin/x\u{a0}y";
        let wanted = (
            "1 2 3 4 5".into(),
            "ro\u{2028}ot".into(),
            "/bin/x\u{a0}y".into(),
        );
        assert_eq!(cron(line, None).unwrap(), wanted);
    }

    #[test]
    fn lines() {
        let of = |line: &str, owner| cron(line, owner).unwrap();
        assert_eq!(
            of("*/5 *\t* * * shop /srv/x  a | b", None),
            ("*/5 * * * *".into(), "shop".into(), "/srv/x  a | b".into())
        );
        assert_eq!(
            of("@daily root x y", None),
            ("@daily".into(), "root".into(), "x y".into())
        );
        assert_eq!(
            of("0 4 * * 1 x y", Some("bob")),
            ("0 4 * * 1".into(), "bob".into(), "x y".into())
        );
        assert_eq!(cron("* * * *", None), None);
        assert_eq!(
            anacron("7\t10\tcron.weekly\trun-parts /x").unwrap().0,
            "weekly"
        );
    }

    #[test]
    fn assignments_and_names() {
        assert_eq!(assignment("MAILTO=\"\""), Some(("MAILTO", "")));
        assert_eq!(
            assignment("PATH = /bin:/usr/bin"),
            Some(("PATH", "/bin:/usr/bin"))
        );
        assert_eq!(assignment("* * * * * root A=1 x"), None);
        assert!(is_run_parts_name("e2scrub_all") && !is_run_parts_name("x.dpkg-old"));
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in ".{0,200}") {
            let _ = (cron(&line, None), anacron(&line), assignment(&line));
        }
    }
}
