//! Jobs of `@reboot` that stay: a line that puts its program behind, or keeps it in a session, starts a service.

use crate::fact::{Facts, Job};
use crate::path::MachinePath;
use crate::service::managed::{at_home, group_of, supervisors};
use crate::service::{Command, Commands, Environment, Service, Starter};
use crate::walk::glob;
use crate::words;

/// Programs that only put another one behind.
const BEHIND: &[&str] = &["nohup", "setsid", "disown", "exec", "daemonize"];

/// Programs that keep another one in a terminal of its own, their options that take a word, and commands of their own.
const SESSIONS: &[(&str, &[&str], &[&str])] = &[
    ("screen", &["-S", "-dmS", "-c", "-s", "-t", "-h"], &[]),
    (
        "tmux",
        &["-s", "-n", "-c", "-t", "-L", "-S", "-f"],
        &["new", "new-session"],
    ),
];

/// Arguments that only who stays is given.
const OF_SERVERS: &[&str] = &["--port", "--listen", "--bind", "--daemon", "--serve"];

/// The service that a job starts; `None` for what may be over when it is done, which is a job like any other.
pub(super) fn service(facts: &Facts, job: &Job, name: &str) -> Option<Service> {
    let line = first_line(&job.command);
    let mut read = Line::new(facts, job);
    read.take(&line);
    if !read.stays {
        return None;
    }
    let environment = read.environment;
    let mut argv = read.argv;
    if let Some(first) = argv.first_mut() {
        *first = located(facts, first, &environment);
    }
    let start = vec![Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: job.evidence.clone(),
    }];
    let directory = read.directory;
    let directory = directory.or_else(|| at_home(facts, &read.home, &start));
    Some(Service {
        enabled: true,
        enabled_by: Some(job.evidence.clone()),
        commands: Commands {
            start,
            ..Commands::default()
        },
        group: group_of(facts, &job.user),
        user: job.user.clone(),
        environment,
        working_directory: directory,
        output: read.output,
        ..Service::new(name.to_owned(), Starter::Cron, job.evidence.clone())
    })
}

/// What the shell is handed: up to a bare `%`, `\%` being the character itself.
fn first_line(command: &str) -> String {
    let mut out = String::with_capacity(command.len());
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next_if_eq(&'%').is_some() => out.push('%'),
            '%' => break,
            c => out.push(c),
        }
    }
    out
}

/// A line of shell, as far as it only says what to run, where, with what, and where the output goes.
struct Line<'a> {
    facts: &'a Facts,
    home: MachinePath,
    argv: Vec<String>,
    environment: Environment,
    directory: Option<MachinePath>,
    output: Vec<MachinePath>,
    stays: bool,
    job: &'a Job,
}

impl<'a> Line<'a> {
    fn new(facts: &'a Facts, job: &'a Job) -> Self {
        let mut environment = Environment::default();
        for (name, value) in job.environment.iter().filter(|(name, _)| name != "MAILTO") {
            environment.put(name, value.clone(), job.evidence.clone());
        }
        let user = facts.user(&job.user);
        let home = MachinePath::new(user.map_or("/", |user| user.home.as_str()));
        Self {
            facts,
            directory: None,
            home,
            argv: Vec::new(),
            environment,
            output: Vec::new(),
            stays: false,
            job,
        }
    }

    fn take(&mut self, line: &str) {
        let line = words::trim(line);
        let body = line.strip_suffix('&').filter(|rest| !rest.ends_with('&'));
        self.stays = body.is_some();
        let body = words::trim(body.unwrap_or(line));
        let mut rest = body;
        while let Some((first, after)) = parted(rest) {
            if !self.prepares(words::trim(first)) {
                break;
            }
            rest = words::trim(after);
        }
        let plain = self.without_output(rest);
        let is_simple =
            !plain.contains(['|', ';', '&', '<', '>', '`', '(', ')', '$', '*', '?', '~']);
        if is_simple {
            self.command(words::shell(&plain));
        } else {
            self.shell(rest);
        }
    }

    /// What comes before the program: waiting for the boot, a directory, a variable.
    fn prepares(&mut self, part: &str) -> bool {
        let words = words::shell(part);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["sleep", _] | [] => true,
            ["cd"] => {
                self.directory = Some(self.home.clone());
                true
            }
            ["cd", directory] if !directory.contains('$') => {
                let directory = directory.strip_prefix("~/").unwrap_or(directory);
                self.directory = Some(self.home.join(directory));
                true
            }
            ["export", assignments @ ..] | assignments
                if assignments.iter().all(|word| is_assignment(word)) =>
            {
                self.assign(assignments);
                true
            }
            _ => false,
        }
    }

    fn assign(&mut self, words: &[&str]) {
        for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
            let redacted = self.facts.masking.redact(Some(name), value);
            let value = redacted.text.into_owned();
            self.environment.put(name, value, self.job.evidence.clone());
        }
    }

    /// The line without where its output goes, which is kept.
    fn without_output(&mut self, line: &str) -> String {
        let mut kept = String::with_capacity(line.len());
        let mut words = words::parts(line);
        while let Some(word) = words.next() {
            let trimmed = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
            let target = trimmed
                .strip_prefix(">>")
                .or_else(|| trimmed.strip_prefix('>'));
            let target = target.or_else(|| trimmed.strip_prefix('<'));
            let Some(target) = target else {
                kept.push_str(word);
                kept.push(' ');
                continue;
            };
            let target = if target.is_empty() {
                words.next().unwrap_or_default()
            } else {
                target
            };
            let is_file = !trimmed.starts_with('<') && !target.starts_with(['&', '$', '"', '\'']);
            if is_file && target != "/dev/null" && !target.is_empty() {
                let here = self.directory.clone().unwrap_or_else(|| self.home.clone());
                self.output.push(here.join(target));
            }
        }
        self.output.dedup();
        kept
    }

    fn command(&mut self, words: Vec<String>) {
        let mut words: Vec<String> = words;
        while let Some(first) = words.first() {
            let base = base(first);
            if is_assignment(first) {
                let word = words.remove(0);
                self.assign(&[&word]);
            } else if BEHIND.contains(&base) {
                self.stays |= base != "exec";
                words.remove(0);
                while words.first().is_some_and(|word| word.starts_with('-')) {
                    words.remove(0);
                }
            } else if let Some(inner) = in_session(&words) {
                self.stays = true;
                words = inner;
            } else {
                break;
            }
        }
        let mut all = words.iter();
        self.stays |= all.any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            OF_SERVERS.contains(&name)
        });
        let program = words.first().map(|word| base(word)).unwrap_or_default();
        self.stays |= supervisors().any(|name| glob::matches(name, program));
        self.stays &= !words.is_empty();
        self.argv = words;
    }

    /// What only a shell understands stays its.
    fn shell(&mut self, line: &str) {
        let mut words = words::parts(line);
        self.stays |= words.any(|word| BEHIND.contains(&word) && word != "exec");
        let line = line.trim_start_matches("nohup ");
        self.argv = ["/bin/sh", "-c", line].map(str::to_owned).to_vec();
    }
}

/// The command that a terminal of its own is given.
fn in_session(words: &[String]) -> Option<Vec<String>> {
    let (first, rest) = words.split_first()?;
    let (_, takes, own) = SESSIONS.iter().find(|(name, ..)| *name == base(first))?;
    let mut rest = rest.iter().peekable();
    while let Some(word) =
        rest.next_if(|word| word.starts_with('-') || own.contains(&word.as_str()))
    {
        if takes.contains(&word.as_str()) {
            rest.next();
        }
    }
    let inner: Vec<String> = rest.cloned().collect();
    match inner.as_slice() {
        [] => None,
        // One word is a line.
        [line] => Some(words::shell(line)),
        _ => Some(inner),
    }
}

/// A command and what follows it.
fn parted(line: &str) -> Option<(&str, &str)> {
    let and = line.split_once("&&");
    let then = line.split_once(';');
    match (and, then) {
        (Some(and), Some(then)) if then.0.len() < and.0.len() => Some(then),
        (Some(and), _) => Some(and),
        (None, then) => then,
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(words::expand::is_name)
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// A program that only its table's PATH leads to.
fn located(facts: &Facts, name: &str, environment: &Environment) -> String {
    let mut variables = environment.variables.iter();
    let path = variables.rfind(|(known, _)| known == "PATH");
    let directories = path.iter().flat_map(|(_, path)| path.split(':'));
    let mut places = directories.map(|dir| MachinePath::new(dir).join(name));
    let found = places.find(|path| !name.contains('/') && facts.tree.exists(path));
    found.map_or_else(|| name.to_owned(), |path| path.text().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Evidence, JobKind};

    fn of(command: &str) -> Option<Service> {
        let job = Job {
            kind: JobKind::Cron,
            schedule: "@reboot".into(),
            user: "app".into(),
            command: command.into(),
            environment: vec![("A".into(), "1".into()), ("MAILTO".into(), "x".into())],
            secret: false,
            evidence: Evidence::file(&"/etc/cron.d/x".into()),
        };
        service(&Facts::default(), &job, "x")
    }

    fn line(command: &str) -> String {
        of(command).map_or_else(String::new, |s| s.commands.start[0].argv.join(" "))
    }

    #[test]
    fn what_is_put_behind_stays() {
        for (command, wanted) in [
            (
                "sleep 30 && cd /srv && nohup /usr/bin/python3 serve.py --port 80 >> /srv/log 2>&1 &",
                "/usr/bin/python3 serve.py --port 80",
            ),
            ("/opt/a -x 1\\%2 &", "/opt/a -x 1%2"),
            ("setsid -f /opt/a > /dev/null 2>&1 < /dev/null", "/opt/a"),
            ("screen -dmS name /opt/a -b", "/opt/a -b"),
            ("tmux new-session -d -s n '/opt/a -b'", "/opt/a -b"),
            ("/opt/a --listen=:80", "/opt/a --listen=:80"),
            ("B=2 /opt/a &", "/opt/a"),
            ("/opt/a | /opt/b &", "/bin/sh -c /opt/a | /opt/b"),
            ("supervisord -c /etc/s.conf", "supervisord -c /etc/s.conf"),
        ] {
            assert_eq!(line(command), wanted, "{command}");
        }
    }

    #[test]
    fn what_may_be_over_is_a_job() {
        for command in [
            "/usr/local/bin/fix-modes",
            "cd /srv && ./clean.sh",
            "rm -rf /tmp/x",
            "&",
            "",
        ] {
            assert!(of(command).is_none(), "{command}");
        }
    }

    #[test]
    fn directory_output_and_variables_are_kept() {
        let found = of("cd /srv/etl; export B=2; C=3 ./run >> out/log 2>&1 &").unwrap();
        assert_eq!(found.working_directory, Some("/srv/etl".into()));
        assert_eq!(found.output, ["/srv/etl/out/log".into()]);
        let names: Vec<&str> = found
            .environment
            .variables
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["A", "B", "C"]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in "[ -~é]{0,100}") {
            let _ = of(&line);
        }
    }
}
