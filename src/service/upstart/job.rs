//! One job: its stanzas, later ones in the place of earlier ones, and the service that they make.

use crate::fact::{Evidence, Facts, Managed, UnitEntry, VARIABLES};
use crate::path::MachinePath;
use crate::service::managed::{group_of, user_of};
use crate::service::script::{Script, lines_of};
use crate::service::{Command, Environment, Limit, Service, ServiceType};
use crate::words;
use crate::words::sh::word::text;

/// What stands in the place of the job's own process.
#[derive(Debug, Clone)]
enum Process {
    /// `exec LINE`.
    Line(String, Evidence),
    /// `script` … `end script`, and where it begins.
    Script(String, MachinePath, Evidence),
}

pub(super) struct Job {
    pub path: MachinePath,
    pub files: Vec<MachinePath>,
    pub start_on: Option<(String, Evidence)>,
    pub instance: Option<String>,
    pub emits: Vec<String>,
    pub is_task: bool,
    process: Option<Process>,
    settings: Vec<(String, String, Evidence)>,
    variables: Vec<(String, String, Evidence)>,
}

impl Job {
    pub(super) fn of(file: &Managed) -> Self {
        let mut job = Self {
            path: file.path.clone(),
            files: Vec::new(),
            start_on: None,
            instance: None,
            emits: Vec::new(),
            is_task: false,
            process: None,
            settings: Vec::new(),
            variables: Vec::new(),
        };
        job.add(file);
        job
    }

    /// Takes a file's stanzas over what was said before.
    pub(super) fn add(&mut self, file: &Managed) {
        self.files.push(file.path.clone());
        for entry in file.entries.iter().filter(|entry| entry.section.is_empty()) {
            let evidence = || file.evidence(entry);
            match (entry.key.as_str(), entry.value.as_str()) {
                ("start", rest) => {
                    let expression = rest.strip_prefix("on").unwrap_or(rest);
                    self.start_on = Some((words::trim(expression).to_owned(), evidence()));
                }
                // It starts when somebody starts it.
                ("manual", _) => self.start_on = None,
                ("task", _) => self.is_task = true,
                ("instance", name) => self.instance = Some(name.to_owned()),
                ("emits", events) => self.emits.extend(words::parts(events).map(str::to_owned)),
                ("exec", line) => self.process = Some(Process::Line(line.to_owned(), evidence())),
                (VARIABLES, words) => {
                    for word in words::split(words) {
                        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                        self.variables.retain(|(known, ..)| known != name);
                        self.variables
                            .push((name.to_owned(), value.to_owned(), evidence()));
                    }
                }
                (key, value) => {
                    // `kill timeout` and `kill signal` are two.
                    let of = |value: &str| words::parts(value).next().map(str::to_owned);
                    let is_again = |known: &str, before: &str| {
                        let is_one_of_several = matches!(key, "kill" | "limit" | "respawn");
                        known == key && (!is_one_of_several || of(before) == of(value))
                    };
                    self.settings
                        .retain(|(known, before, _)| !is_again(known, before));
                    self.settings
                        .push((key.to_owned(), value.to_owned(), evidence()));
                }
            }
        }
        if let Some(script) = script(file, "script") {
            self.process = Some(script);
        }
    }

    fn setting(&self, key: &str) -> Option<(&str, &Evidence)> {
        let mut settings = self.settings.iter();
        let (_, value, evidence) = settings.rfind(|(known, ..)| known == key)?;
        Some((value, evidence))
    }

    /// Goes through what the job runs, with its variables and those that it is started with.
    pub(super) fn run<'a>(&self, facts: &'a Facts, given: &[(String, String)]) -> Script<'a> {
        let mut run = Script::new(facts, &self.path, vec!["sh".to_owned()]);
        for (name, value, evidence) in &self.variables {
            run.give_exported(name, value, evidence.clone());
        }
        for (name, value) in given {
            run.give_exported(name, value, Evidence::file(&self.path));
        }
        match &self.process {
            Some(Process::Line(line, evidence)) => {
                run.line(evidence.line.unwrap_or(1), &format!("exec {line}"));
            }
            Some(Process::Script(script, path, _)) => run.text(path, script),
            None => {}
        }
        run
    }

    /// What an instance is called by; `None` where a variable of the name is not given.
    pub(super) fn instance_of(
        &self,
        facts: &Facts,
        instance: &str,
        given: &[(String, String)],
    ) -> Option<String> {
        let mut run = Script::new(facts, &self.path, Vec::new());
        for (name, value, evidence) in &self.variables {
            run.give(name, value, evidence.clone());
        }
        for (name, value) in given {
            run.give(name, value, Evidence::file(&self.path));
        }
        let name = text(instance, &mut run);
        (!name.is_empty() && !name.contains('$')).then_some(name)
    }

    pub(super) fn service(
        &self,
        facts: &Facts,
        name: String,
        given: &[(String, String)],
        enabled: Option<Evidence>,
    ) -> Service {
        let run = self.run(facts, given);
        let mut service = super::service_of(name, &self.path);
        if let Some(started) = run.best() {
            service = service.starting(started, facts);
        } else if let Some(Process::Script(text, _, evidence)) = &self.process
            && run.asked.is_empty()
            && !self.is_task
        {
            // What cannot be told apart is run as it is.
            let argv = ["/bin/sh", "-e", "-c", text.as_str()].map(str::to_owned);
            service.commands.start = vec![Command {
                argv: argv.to_vec(),
                ignore_failure: false,
                privileged: false,
                evidence: evidence.clone(),
            }];
        }
        self.account(facts, &mut service);
        self.surroundings(&mut service, given);
        service.enabled = enabled.is_some();
        service.enabled_by = enabled;
        service.files.clone_from(&self.files);
        service.description = self.description(facts, given);
        service.kind = match self.setting("expect").map(|(value, _)| value) {
            Some("fork" | "daemon") => ServiceType::Forking,
            _ if self.is_task => ServiceType::Oneshot,
            _ => ServiceType::Simple,
        };
        if self.setting("respawn").is_some() {
            "always".clone_into(&mut service.restart);
        }
        service
    }

    fn description(&self, facts: &Facts, given: &[(String, String)]) -> String {
        let Some((written, _)) = self.setting("description") else {
            return String::new();
        };
        let mut run = Script::new(facts, &self.path, Vec::new());
        for (name, value) in given {
            run.give(name, value, Evidence::file(&self.path));
        }
        text(written, &mut run)
    }

    /// setuid and setgid: of the whole job, and what its script changes to counts after them.
    fn account(&self, facts: &Facts, service: &mut Service) {
        let user = self.setting("setuid").map(|(user, _)| user_of(facts, user));
        if let Some(user) = user.filter(|_| service.user == "root") {
            service.group = group_of(facts, &user);
            service.user = user;
        }
        if let Some((group, _)) = self.setting("setgid") {
            group.clone_into(&mut service.group);
        }
    }

    fn surroundings(&self, service: &mut Service, given: &[(String, String)]) {
        if let Some((directory, _)) = self.setting("chdir") {
            let directory = MachinePath::new(directory);
            service.working_directory.get_or_insert(directory);
        }
        if let Some((mask, _)) = self.setting("umask") {
            service.umask = u32::from_str_radix(mask, 8).ok().or(service.umask);
        }
        for (key, value, evidence) in &self.settings {
            let mut words = words::parts(value);
            match (key.as_str(), words.next(), words.next(), words.next()) {
                ("limit", Some(name), Some(soft), hard) => {
                    let word = |word: &str| {
                        if word == "unlimited" {
                            "infinity".to_owned()
                        } else {
                            word.to_owned()
                        }
                    };
                    let value = match hard {
                        Some(hard) => format!("{}:{}", word(soft), word(hard)),
                        None => word(soft),
                    };
                    let name = name.to_ascii_uppercase();
                    service.limits.retain(|limit| limit.name != name);
                    service.limits.push(Limit {
                        name,
                        value,
                        evidence: evidence.clone(),
                    });
                }
                ("kill", Some("timeout"), Some(seconds), _) => {
                    service.stop_timeout = seconds.parse().ok().or(service.stop_timeout);
                }
                ("kill", Some("signal"), Some(signal), _) => {
                    let signal = signal.trim_start_matches("SIG");
                    service.kill_signal = format!("SIG{signal}");
                }
                _ => {}
            }
        }
        let mut environment = Environment::default();
        for (name, value, evidence) in &self.variables {
            environment.put(name, value.clone(), evidence.clone());
        }
        for (name, value) in given {
            environment.put(name, value.clone(), service.evidence.clone());
        }
        for (name, value) in std::mem::take(&mut service.environment.variables) {
            let evidence = service.environment.set_by.get(&name);
            let evidence = evidence.unwrap_or(&service.evidence).clone();
            environment.put(&name, value, evidence);
        }
        service.environment = environment;
    }
}

/// The lines of a section, where they stand.
fn script(file: &Managed, section: &str) -> Option<Process> {
    let is_own = |entry: &&UnitEntry| entry.section == section && entry.key == "line";
    let entries = file.entries.iter().filter(is_own);
    let first = entries.clone().next()?;
    let text = lines_of(entries.map(|entry| (entry.line, entry.value.as_str())));
    Some(Process::Script(
        text,
        file.path.clone(),
        file.evidence(first),
    ))
}
