//! What the commands of jobs lead to: programs, files, servers, and what they write.

use super::called::{self, Call};
use super::data::is_passing;
use super::{Configuration, Data, claims, connect, packages};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::product::Connect;
use crate::program;
use crate::service::{ScheduledJob, Service};
use crate::walk::Entry;
use crate::words::script::{script_words, written};
use std::collections::BTreeSet;

/// What jobs run, name, and connect to.
#[derive(Default)]
pub(super) struct Reach {
    pub commands: Vec<MachinePath>,
    /// Names of commands that lead to others.
    pub links: Vec<MachinePath>,
    pub named: Vec<MachinePath>,
    pub connects: Vec<Connect>,
    /// Commands as they are called.
    pub words: Vec<String>,
    /// Commands that mean something in a container.
    pub calls: Vec<Call>,
    /// Where the jobs write.
    pub kept: Vec<Data>,
}

/// Whose job it is, and where its line stands.
struct Caller<'a> {
    job: &'a str,
    /// The caller's home.
    home: Option<&'a str>,
    /// Where bare names are looked up first.
    path: Option<&'a str>,
    evidence: &'a Evidence,
}

impl Reach {
    pub fn of(facts: &Facts, jobs: &[ScheduledJob]) -> Self {
        let mut reach = Self::default();
        for job in jobs {
            let user = facts.user(&job.user);
            let mut variables = job.environment.iter();
            let path = variables.find(|(name, _)| name == "PATH");
            let caller = Caller {
                job: &job.name,
                home: user.map(|user| user.home.as_str()),
                path: path.map(|(_, value)| value.as_str()),
                evidence: &job.evidence,
            };
            reach.line(facts, &caller, &job.command);
            if let Some(service) = &job.service {
                reach.service(facts, &caller, service);
            }
            reach.mail(job);
            reach.own_scripts(facts, &caller);
            let at = |_: &str| job.evidence.clone();
            let connects = connect::of_variables(&job.environment, &at);
            reach.connects.extend(connects);
        }
        reach.calls.sort();
        reach.calls.dedup();
        reach.connects.sort();
        reach
            .connects
            .dedup_by(|a, b| a.to == b.to && a.via == b.via);
        reach
    }

    /// The service that a timer starts.
    fn service(&mut self, facts: &Facts, caller: &Caller<'_>, service: &Service) {
        let files = service.environment.files.iter();
        self.named.extend(files.map(|(path, _)| path.clone()));
        self.named.extend(service.working_directory.clone());
        self.connects.extend(connect::of_service(service));
        for command in &service.commands.start {
            // What a shell is handed with -c is a command line of its own.
            let lines = command.argv.iter();
            for line in lines.filter(|arg| arg.contains(char::is_whitespace)) {
                self.line(facts, caller, line);
            }
            let program = program::of(&command.argv, facts);
            let names = program.names.iter().filter(|name| name.starts_with('/'));
            self.links.extend(names.map(MachinePath::new));
            self.commands.extend(program.files);
        }
    }

    /// What an unowned script names is the job's too; a script of a package is its own affair.
    fn own_scripts(&mut self, facts: &Facts, caller: &Caller<'_>) {
        let fresh: Vec<MachinePath> = self.commands.clone();
        let scripts = fresh.iter().filter_map(|path| facts.scripts.get(path));
        for script in scripts.filter(|script| facts.owner(&script.path).is_none()) {
            for reference in &script.references {
                let evidence = Evidence::line(&script.path, reference.line, "");
                let caller = Caller {
                    evidence: &evidence,
                    ..*caller
                };
                self.word(facts, &caller, &reference.word);
            }
        }
    }

    /// A command line of a shell.
    fn line(&mut self, facts: &Facts, caller: &Caller<'_>, line: &str) {
        for word in script_words(line) {
            self.word(facts, caller, &word);
        }
        let outputs = written(line).into_iter();
        self.kept.extend(outputs.map(|path| Data {
            path: MachinePath::new(path),
            bytes: 0,
            link: None,
            is_inner: false,
            is_supposed: false,
            why: format!("{} writes there", caller.job),
            evidence: caller.evidence.clone(),
        }));
    }

    /// What the scheduler mails is the container's output.
    fn mail(&mut self, job: &ScheduledJob) {
        let mut variables = job.environment.iter();
        let to = variables.find(|(name, value)| name == "MAILTO" && !value.trim().is_empty());
        self.calls
            .extend(to.and_then(|(_, to)| called::mailed(&job.name, to, &job.evidence)));
    }

    /// Of what is written, the directories that are nobody's application and no package's.
    pub fn keep(&mut self, facts: &Facts, claims: &[MachinePath]) {
        let mut found: Vec<Data> = Vec::new();
        for written in std::mem::take(&mut self.kept) {
            let Some(path) = written.path.parent() else {
                continue;
            };
            let is_there = facts.tree.get(&path).is_some_and(Entry::is_dir);
            let of_others = facts.owner(&path).is_some() || claims::is_shelf(&path);
            let is_backup = path.text() == BACKUPS;
            let holds_code = claims.iter().any(|claim| claim.is_within(&path));
            let is_known = found.iter().any(|known| known.path == path);
            if is_there
                && !holds_code
                && !is_known
                && (is_backup || !of_others)
                && !is_passing(&path)
            {
                found.push(Data {
                    bytes: claims::files(facts, &path).map(|entry| entry.size).sum(),
                    path,
                    ..written
                });
            }
        }
        self.kept = found;
    }

    /// Paths under /etc are configuration where they are files; unowned ones elsewhere are claims.
    pub fn files(&self, facts: &Facts) -> (Vec<Configuration>, Vec<MachinePath>) {
        let etc = MachinePath::new("/etc");
        let paths = self.named.iter().chain(&self.commands);
        let (inside, outside): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_within(&etc));
        let is_file = |path: &MachinePath| facts.tree.get(path).is_some_and(Entry::is_file);
        let files: BTreeSet<&MachinePath> =
            inside.into_iter().filter(|path| is_file(path)).collect();
        let configuration = files.into_iter().map(|path| Configuration {
            state: facts.state(path),
            path: path.clone(),
        });
        let claims = outside.into_iter();
        let claims = claims.filter_map(|path| {
            let top = claims::topmost(facts, path)?;
            // A hidden directory is a person's: of it only what is named.
            let hidden = top != *path && top.file_name().starts_with(b".");
            Some(if hidden { path.clone() } else { top })
        });
        (configuration.collect(), claims::outermost(claims.collect()))
    }

    fn word(&mut self, facts: &Facts, caller: &Caller<'_>, word: &str) {
        let called = located(facts, caller, word);
        self.calls
            .extend(called::call(caller.job, word, caller.evidence));
        let home = caller.home;
        self.named.extend(called::files(word, home, facts));
        if called::is_installed(word) {
            self.commands.extend(packages::executable(facts, &called));
            self.links.extend(packages::link(facts, &called));
        }
        self.words
            .push(word.rsplit('/').next().unwrap_or(word).to_owned());
        self.named
            .extend(called.starts_with('/').then(|| MachinePath::new(&called)));
    }
}

/// Where an administrator's backups go, though it is a package's directory.
const BACKUPS: &str = "/var/backups";

/// A bare name in the directories of the job's own PATH; anything else as it is.
fn located(facts: &Facts, caller: &Caller<'_>, word: &str) -> String {
    if word.contains('/') {
        return word.to_owned();
    }
    let directories = caller.path.into_iter().flat_map(|path| path.split(':'));
    let mut candidates = directories
        .filter(|dir| dir.starts_with('/'))
        .map(|dir| MachinePath::new(dir).join(word));
    let found = candidates.find(|path| facts.tree.get(path).is_some_and(Entry::is_file));
    found.map_or_else(|| word.to_owned(), |path| path.text().into_owned())
}
