//! From a process of a list to the service that runs for it.

use super::line::directory;
use crate::fact::{Evidence, Facts, Managed, UnitEntry, VARIABLES};
use crate::path::MachinePath;
use crate::service::managed::{group_of, user_of};
use crate::service::{Command, Commands, Environment, Remark, RemarkKind, Service, Starter};
use crate::words;

/// Interpreters of programs whose file does not say itself, by its ending.
const INTERPRETERS: &[(&str, &str)] = &[
    (".js", "node"),
    (".cjs", "node"),
    (".mjs", "node"),
    (".py", "python3"),
    (".sh", "bash"),
    (".rb", "ruby"),
    (".php", "php"),
    (".pl", "perl"),
];

/// Variables of the session that somebody was in when he saved, and the manager's own.
const OF_THE_SESSION: &[&str] = &[
    "_",
    "COLORTERM",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "LESSCLOSE",
    "LESSOPEN",
    "LS_COLORS",
    "MAIL",
    "MOTD_SHOWN",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_UID",
    "SUDO_USER",
    "unique_id",
    "vizion_running",
];
const PREFIXES: &[&str] = &["PM2_", "SSH_", "XDG_SESSION_", "axm_", "pm_"];

pub(super) struct Machine<'a> {
    pub facts: &'a Facts,
    pub list: &'a Managed,
    pub master: &'a Service,
    pub with: Option<&'a str>,
}

/// Settings of one process.
struct Process<'a> {
    section: &'a str,
    entries: Vec<&'a UnitEntry>,
}

impl Process<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        let mut entries = self.entries.iter();
        let entry = entries.rfind(|entry| entry.key == key)?;
        Some(entry.value.as_str()).filter(|value| !value.is_empty())
    }

    fn words(&self, key: &str) -> Vec<String> {
        self.value(key).map(words::split).unwrap_or_default()
    }

    fn is_computed(&self, key: &str) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.key == "computed" && entry.value == key)
    }
}

impl Machine<'_> {
    /// One service for each name: of a program that runs several times every process may be listed.
    pub(super) fn programs(&self) -> Vec<Service> {
        let mut sections: Vec<&str> = Vec::new();
        for entry in &self.list.entries {
            let section = entry.section.split('/').next().unwrap_or_default();
            if sections.last() != Some(&section) {
                sections.push(section);
            }
        }
        let mut found: Vec<Service> = Vec::new();
        for section in sections {
            let entries = self
                .list
                .entries
                .iter()
                .filter(|entry| entry.section == section);
            let process = Process {
                section,
                entries: entries.collect(),
            };
            let service = self.program(&process);
            let same = found.iter_mut().find(|known| {
                known.name == service.name
                    && known.enabled == service.enabled
                    && argv(known) == argv(&service)
            });
            match same {
                Some(known) => known.processes = known.processes.saturating_add(service.processes),
                None => found.push(service),
            }
        }
        found
    }

    fn program(&self, process: &Process<'_>) -> Service {
        let evidence = self.evidence(process);
        let here = directory(self.master);
        let here = self
            .list
            .path
            .parent()
            .filter(|_| !self.is_line())
            .unwrap_or(here);
        let directory = process
            .value("cwd")
            .map_or_else(|| here.clone(), |cwd| here.join(cwd));
        let environment = self.environment(process);
        let user = process.value("user").map(|user| user_of(self.facts, user));
        let user = user.unwrap_or_else(|| self.master.user.clone());
        let is_unread = ["script", "cwd", "args", "node_args", "interpreter"];
        let is_unread = is_unread.iter().any(|key| process.is_computed(key));
        let argv = self.argv(process, &directory, &environment);
        let argv = argv.filter(|_| !is_unread);
        let name = process.value("name").map(str::to_owned);
        let name = name.unwrap_or_else(|| stem(process.value("script").unwrap_or("program")));
        let is_stopped = matches!(process.value("status"), Some("stopped" | "errored"));
        let output = process.entries.iter().filter(|entry| entry.key == "output");
        let output =
            output.filter(|entry| entry.value.starts_with('/') && entry.value != "/dev/null");
        Service {
            enabled: !is_stopped,
            enabled_by: (!is_stopped).then(|| evidence.clone()),
            commands: Commands {
                start: argv
                    .into_iter()
                    .map(|argv| Command {
                        argv,
                        ignore_failure: false,
                        privileged: false,
                        evidence: evidence.clone(),
                    })
                    .collect(),
                ..Commands::default()
            },
            group: group_of(self.facts, &user),
            user,
            environment,
            working_directory: Some(directory),
            output: output.map(|entry| MachinePath::new(&entry.value)).collect(),
            kill_signal: "SIGINT".to_owned(),
            stop_timeout: Some(patience(process.value("kill_timeout"))),
            restart: match process.value("autorestart") {
                Some("false") => "no".to_owned(),
                _ => "always".to_owned(),
            },
            processes: process
                .value("instances")
                .and_then(|n| n.parse().ok())
                .unwrap_or(1)
                .max(1),
            remarks: remarks(process, &evidence),
            ..Service::new(name, Starter::Pm2, evidence.clone())
        }
    }

    /// Whether the list is a command line, whose words are relative to where it is run.
    fn is_line(&self) -> bool {
        self.master.files.contains(&self.list.path)
    }

    /// The line with its program.
    fn evidence(&self, process: &Process<'_>) -> Evidence {
        let mut entries = process.entries.iter();
        let script = entries.find(|entry| entry.key == "script");
        let shown = script.or(process.entries.first());
        shown.map_or_else(
            || Evidence::file(&self.list.path),
            |entry| self.list.evidence(entry),
        )
    }

    fn environment(&self, process: &Process<'_>) -> Environment {
        let mut found = self.master.environment.clone();
        let of = self
            .with
            .map(|with| format!("{}/env_{with}", process.section));
        let more = self.list.entries.iter();
        let more = more.filter(|entry| of.as_deref() == Some(entry.section.as_str()));
        let own = process.entries.iter().copied();
        for entry in own.chain(more).filter(|entry| entry.key == VARIABLES) {
            for word in words::split(&entry.value) {
                if let Some((name, value)) = word.split_once('=') {
                    found.put(name, value.to_owned(), self.list.evidence(entry));
                }
            }
        }
        let is_own = |name: &str| {
            !OF_THE_SESSION.contains(&name) && !PREFIXES.iter().any(|start| name.starts_with(start))
        };
        found.variables.retain(|(name, _)| is_own(name));
        found.secrets.retain(|(name, _)| is_own(name));
        found
    }

    fn argv(
        &self,
        process: &Process<'_>,
        directory: &MachinePath,
        environment: &Environment,
    ) -> Option<Vec<String>> {
        let script = process.value("script")?;
        let is_bare = !script.contains('/') && !self.facts.tree.exists(&directory.join(script));
        let path = if is_bare {
            self.located(script, environment)
        } else {
            directory.join(script).text().into_owned()
        };
        let by_name = INTERPRETERS.iter().find(|(end, _)| script.ends_with(end));
        let by_name = by_name.map(|(_, interpreter)| *interpreter);
        let interpreter = process.value("interpreter").or(by_name);
        let interpreter = interpreter.filter(|name| *name != "none");
        let mut argv = Vec::new();
        if let Some(name) = interpreter {
            argv.push(self.located(name, environment));
            argv.extend(process.words("node_args"));
        }
        argv.push(path);
        argv.extend(process.words("args"));
        Some(argv)
    }

    /// A program that is nowhere but in the directories of the process's own PATH.
    fn located(&self, name: &str, environment: &Environment) -> String {
        let path = environment
            .variables
            .iter()
            .rfind(|(known, _)| known == "PATH");
        let directories = path.iter().flat_map(|(_, path)| path.split(':'));
        let mut places = directories.map(|dir| MachinePath::new(dir).join(name));
        let found = places.find(|path| self.facts.tree.exists(path));
        let found = found.filter(|_| !name.contains('/'));
        found.map_or_else(|| name.to_owned(), |path| path.text().into_owned())
    }
}

fn argv(service: &Service) -> Option<&[String]> {
    let command = service.commands.start.first()?;
    Some(&command.argv)
}

/// Seconds of what is said in milliseconds; 1.6 seconds where nothing is.
fn patience(said: Option<&str>) -> u64 {
    let said: Option<u64> = said.and_then(|said| said.parse().ok());
    said.unwrap_or(1_600).div_ceil(1_000)
}

/// `/srv/app/server.js` → `server`.
fn stem(script: &str) -> String {
    let name = script.rsplit('/').next().unwrap_or(script);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.to_owned()
}

fn remarks(process: &Process<'_>, evidence: &Evidence) -> Vec<Remark> {
    let computed = process
        .entries
        .iter()
        .filter(|entry| entry.key == "computed");
    let computed = computed.map(|entry| {
        format!(
            "{} is computed when the list of programs is read: see what it has to be",
            entry.value
        )
    });
    let restarts = process.value("cron_restart");
    let restarts = restarts.map(|when| format!("its manager starts it anew at {when}"));
    let all = computed.chain(restarts).map(|text| Remark {
        kind: RemarkKind::OfTheManager,
        text,
        evidence: evidence.clone(),
    });
    all.collect()
}
