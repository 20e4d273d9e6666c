//! From a section to the service that runs for it.

use super::config::Config;
use super::expression::expand;
use crate::fact::{Evidence, Facts, Managed, UnitEntry};
use crate::path::MachinePath;
use crate::service::managed::{self, group_of, user_of};
use crate::service::{
    Command, Commands, Environment, MOST_SERVICES, Service, Socket, SocketKind, Starter,
};
use crate::words;
use crate::words::budget::{Budget, WORDS};
use std::collections::{BTreeMap, BTreeSet};

/// Processes of one program that have a command line each.
const MOST_PROCESSES: u32 = 64;

/// A supervisord, and what it reads.
pub(super) struct Master<'a> {
    pub facts: &'a Facts,
    pub config: &'a Config<'a>,
    pub service: &'a Service,
    pub budget: &'a Budget,
}

/// Kinds of sections that are programs.
const KINDS: &[&str] = &["program:", "fcgi-program:", "eventlistener:"];

impl Master<'_> {
    pub(super) fn programs(&self) -> Vec<Service> {
        let mut found = Vec::new();
        for section in self.config.sections.keys() {
            let name = KINDS.iter().find_map(|kind| section.strip_prefix(kind));
            if let Some(name) = name.filter(|_| found.len() <= MOST_SERVICES) {
                found.extend(self.program(section, name));
            }
        }
        found
    }

    /// More processes than get a service each.
    pub(super) fn is_cut(&self, own: &[Service]) -> bool {
        own.len() > MOST_SERVICES
            || self.config.sections.keys().any(|section| {
                KINDS.iter().any(|kind| section.starts_with(kind))
                    && self.processes(section) > MOST_PROCESSES
                    && self.is_each_its_own(section)
            })
    }

    /// What stays behind of it.
    pub(super) fn handed_over(&self, programs: &[String]) -> String {
        let reason = managed::handed_over(programs);
        let control = self.config.value("inet_http_server", "port");
        match control {
            Some((_, entry)) => format!(
                "{reason}; nobody answers at its control port {} any more",
                entry.value
            ),
            None => reason,
        }
    }

    fn processes(&self, section: &str) -> u32 {
        let number = self.config.value(section, "numprocs");
        let number = number.and_then(|(_, entry)| entry.value.parse().ok());
        number.unwrap_or(1)
    }

    /// Whether its processes differ in more than their names.
    fn is_each_its_own(&self, section: &str) -> bool {
        let entries = self.config.sections.get(section).into_iter().flatten();
        let mut entries = entries.filter(|(_, entry)| entry.key != "process_name");
        entries.any(|(_, entry)| entry.value.contains("%(process_num)"))
    }

    /// A program: one service, or one for each process where the number makes a difference.
    fn program(&self, section: &str, name: &str) -> Vec<Service> {
        let number = self.processes(section);
        let first = self.config.value(section, "numprocs_start");
        let first = first.and_then(|(_, entry)| entry.value.parse().ok());
        let first: u32 = first.unwrap_or(0);
        if number > 1 && self.is_each_its_own(section) {
            let last = first.saturating_add(number.min(MOST_PROCESSES));
            let each = (first..last).filter_map(|number| self.process(section, name, number));
            return each
                .map(|service| Service {
                    // Its own name among those of the program.
                    name: service.aliases.last().cloned().unwrap_or(service.name),
                    aliases: Vec::new(),
                    ..service
                })
                .collect();
        }
        let service = self.process(section, name, first);
        let service = service.map(|service| Service {
            processes: number,
            ..service
        });
        service.into_iter().collect()
    }

    fn process(&self, section: &str, name: &str, number: u32) -> Option<Service> {
        let group = self.config.groups.get(name).map_or(name, String::as_str);
        let (file, written) = self.config.value(section, "command")?;
        let evidence = file.evidence(written);
        let mut known = self.expansions(name, group, number);
        let mut environment = self.environment(&known);
        self.set(&mut environment, section, &mut known);
        let of = |key: &str| {
            let (file, entry) = self.config.value(section, key)?;
            let value = self.expand(&entry.value, &known, file);
            Some(words::trim(&value).to_owned()).filter(|value| !value.is_empty())
        };
        let process = of("process_name").unwrap_or_else(|| name.to_owned());
        let own_user = self.config.value("supervisord", "user");
        let own_user = own_user.map(|(_, entry)| entry.value.clone());
        let user = of("user").or(own_user);
        let user = user.map_or_else(|| self.service.user.clone(), |u| user_of(self.facts, &u));
        let is = |key: &str, default: bool| of(key).map_or(default, |value| is_true(&value));
        let restart = of("autorestart").unwrap_or_else(|| "unexpected".to_owned());
        let signal = of("stopsignal").unwrap_or_else(|| "TERM".to_owned());
        let is_listener = section.starts_with("eventlistener:");
        let starts = is("autostart", true);
        Some(Service {
            enabled: starts,
            enabled_by: starts.then(|| evidence.clone()),
            commands: Commands {
                start: vec![self.command(&known, (file, written), &evidence)],
                ..Commands::default()
            },
            group: group_of(self.facts, &user),
            user,
            environment,
            working_directory: self.directory(of("directory")),
            output: [of("stdout_logfile"), of("stderr_logfile")]
                .into_iter()
                .flatten()
                .filter(|path| path.starts_with('/') && !path.starts_with("/dev/"))
                .map(MachinePath::new)
                .collect(),
            umask: of("umask").and_then(|mask| u32::from_str_radix(&mask, 8).ok()),
            kill_signal: format!("SIG{}", signal.to_uppercase().trim_start_matches("SIG")),
            stop_timeout: Some(of("stopwaitsecs").map_or(10, |s| s.parse().unwrap_or(10))),
            restart: match restart.as_str() {
                "unexpected" => "on-failure".to_owned(),
                value if is_true(value) => "always".to_owned(),
                _ => "no".to_owned(),
            },
            sockets: of("socket")
                .map(|at| socket(&at, &evidence))
                .into_iter()
                .collect(),
            stays: is_listener.then(|| {
                "listens to the events of its supervisor, which nobody sends in a container"
                    .to_owned()
            }),
            aliases: aliases(name, group, &process),
            files: self.files(section),
            ..Service::new(name.to_owned(), Starter::Supervisord, evidence.clone())
        })
    }

    /// What expressions stand for before a program's own variables are in.
    fn expansions(&self, name: &str, group: &str, number: u32) -> BTreeMap<String, String> {
        let host = self.facts.hostname.as_ref();
        let host = host.map(|(name, _)| name.clone()).unwrap_or_default();
        BTreeMap::from([
            ("program_name".to_owned(), name.to_owned()),
            ("group_name".to_owned(), group.to_owned()),
            ("process_num".to_owned(), number.to_string()),
            ("host_node_name".to_owned(), host),
        ])
    }

    /// What every program of it is given: what it has itself, and what it is told to add.
    fn environment(&self, known: &BTreeMap<String, String>) -> Environment {
        let mut own = self.service.environment.clone();
        let mut known = known.clone();
        known.extend(of_environment(&own));
        self.set(&mut own, "supervisord", &mut known);
        own
    }

    /// Adds the `environment=` of a section, and makes all that is set known as `ENV_NAME`.
    fn set(
        &self,
        environment: &mut Environment,
        section: &str,
        known: &mut BTreeMap<String, String>,
    ) {
        known.extend(of_environment(environment));
        for (file, entry) in self.config.variables(section) {
            for word in words::split(&entry.value) {
                if let Some((name, value)) = word.split_once('=') {
                    let value = self.expand(value, known, file);
                    environment.put(name, value, file.evidence(entry));
                }
            }
        }
        known.extend(of_environment(environment));
    }

    fn expand(&self, text: &str, known: &BTreeMap<String, String>, file: &Managed) -> String {
        let here = file.path.parent().unwrap_or_else(MachinePath::root);
        expand(text, &here.text(), known, self.budget)
    }

    /// A line that Python's shlex parts into words. What variables brought may be secrets on it.
    fn command(
        &self,
        known: &BTreeMap<String, String>,
        (file, written): (&Managed, &UnitEntry),
        evidence: &Evidence,
    ) -> Command {
        let line = self.expand(&written.value, known, file);
        let line = self.facts.masking.redact_line(&line);
        let mut argv = words::shell(&line.text);
        if argv.len() > WORDS {
            argv.truncate(WORDS);
            self.budget.refuse();
        }
        Command {
            argv,
            ignore_failure: false,
            privileged: false,
            evidence: evidence.clone(),
        }
    }

    /// Programs start where their supervisor does, unless told.
    fn directory(&self, said: Option<String>) -> Option<MachinePath> {
        let own = || {
            let (_, entry) = self.config.value("supervisord", "directory")?;
            Some(entry.value.clone())
        };
        let said = said.or_else(own).filter(|path| path.starts_with('/'));
        said.map(MachinePath::new)
            .or_else(|| self.service.working_directory.clone())
    }

    /// Files that define a program.
    fn files(&self, section: &str) -> Vec<MachinePath> {
        let entries = self.config.sections.get(section).into_iter().flatten();
        let files: BTreeSet<&MachinePath> = entries.map(|(file, _)| &file.path).collect();
        files.into_iter().cloned().collect()
    }
}

fn of_environment(environment: &Environment) -> impl Iterator<Item = (String, String)> + '_ {
    let variables = environment.variables.iter();
    variables.map(|(name, value)| (format!("ENV_{name}"), value.clone()))
}

/// Other names that it answers to: `group:process`.
fn aliases(name: &str, group: &str, process: &str) -> Vec<String> {
    let full = format!("{group}:{process}");
    let is_plain = group == name && process == name;
    (!is_plain).then_some(full).into_iter().collect()
}

/// `unix:///run/x.sock`, `tcp://host:port`: handed over as the standard input.
fn socket(written: &str, evidence: &Evidence) -> Socket {
    let address = written
        .strip_prefix("unix://")
        .or_else(|| written.strip_prefix("tcp://"));
    Socket {
        address: address.unwrap_or(written).to_owned(),
        kind: SocketKind::Stream,
        is_accepting: false,
        is_input: true,
        name: None,
        evidence: evidence.clone(),
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "true" | "yes" | "on" | "1")
}
