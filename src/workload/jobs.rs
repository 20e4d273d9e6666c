//! Scheduled jobs: the distribution's own upkeep stays behind, the machine's own jobs become scheduled workloads.

use super::cut::{PlacedJob, unique};
use super::{Configuration, Workload, claims, connect, fill, packages};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::product::pack::Packs;
use crate::product::{Connect, Disposition};
use crate::program;
use crate::service::{Manager, ScheduledJob, Services};
use crate::words::script::script_words;
use std::collections::{BTreeMap, BTreeSet};

/// Decides for every enabled job.
pub fn place(facts: &Facts, services: &Services, packs: &Packs) -> Vec<PlacedJob> {
    services
        .jobs
        .iter()
        .map(|job| {
            let (disposition, reason) = decide(facts, packs, job);
            PlacedJob {
                job: job.clone(),
                disposition,
                reason,
                workload: None,
            }
        })
        .collect()
}

fn decide(facts: &Facts, packs: &Packs, job: &ScheduledJob) -> (Disposition, String) {
    let product = job
        .service
        .as_ref()
        .and_then(|service| packs.recognise(service, facts));
    if let Some(product) =
        product.filter(|product| product.disposition != Disposition::Containerize)
    {
        return (product.disposition, product.reason);
    }
    let defined = job
        .service
        .as_ref()
        .and_then(|service| service.files.first())
        .unwrap_or(&job.evidence.path);
    if job.command.contains("run-parts") {
        return (
            Disposition::Platform,
            "runs the scripts of a cron directory; they are listed by themselves".into(),
        );
    }
    match facts.owner(defined) {
        Some(package)
            if job.manager != Manager::Cron || job.evidence.path.text() != "/etc/crontab" =>
        {
            (
                Disposition::Platform,
                format!("upkeep of package {} on a machine", package.name),
            )
        }
        _ => (
            Disposition::Containerize,
            "a job of the machine's own".into(),
        ),
    }
}

/// One workload for each user with jobs of the machine's own.
pub fn workloads(
    facts: &Facts,
    packs: &Packs,
    placed: &mut [PlacedJob],
    taken: &mut BTreeSet<String>,
) -> Vec<Workload> {
    let mut by_user: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, item) in placed.iter().enumerate() {
        if item.disposition == Disposition::Containerize {
            by_user
                .entry(item.job.user.clone())
                .or_default()
                .push(index);
        }
    }
    let mut found = Vec::new();
    for (user, indices) in by_user {
        let id = unique(&super::cut::id_of(&format!("jobs-{user}")), taken);
        let jobs: Vec<ScheduledJob> = indices
            .iter()
            .filter_map(|i| placed.get(*i))
            .map(|item| item.job.clone())
            .collect();
        for index in indices {
            if let Some(item) = placed.get_mut(index) {
                item.workload = Some(id.clone());
            }
        }
        found.push(workload(facts, packs, id, &user, jobs));
    }
    found
}

/// What jobs run, name, and connect to.
#[derive(Default)]
struct Reach {
    commands: Vec<MachinePath>,
    named: Vec<MachinePath>,
    connects: Vec<Connect>,
    /// Commands as they are called.
    words: Vec<String>,
}

impl Reach {
    fn of(facts: &Facts, jobs: &[ScheduledJob]) -> Self {
        let mut reach = Self::default();
        for job in jobs {
            for word in script_words(&job.command) {
                reach.word(facts, &word);
            }
            if let Some(service) = &job.service {
                reach.named.extend(
                    service
                        .environment_files
                        .iter()
                        .map(|(path, _)| path.clone()),
                );
                reach.named.extend(service.working_directory.clone());
                reach.connects.extend(connect::of_service(service));
                for command in &service.exec {
                    for arg in command
                        .argv
                        .iter()
                        .filter(|arg| arg.contains(char::is_whitespace))
                    {
                        // What a shell is handed with -c is a command line of its own.
                        for word in script_words(arg) {
                            reach.word(facts, &word);
                        }
                    }
                    reach
                        .commands
                        .extend(program::of(&command.argv, facts).files);
                }
            }
            let at = |_: &str| job.evidence.clone();
            reach
                .connects
                .extend(connect::of_variables(&job.environment, &at));
        }
        // What an unowned script names is the job's too; a script of a package is its own affair.
        for script in reach
            .commands
            .clone()
            .iter()
            .filter_map(|path| facts.scripts.get(path))
        {
            if facts.owner(&script.path).is_none() {
                for reference in &script.references {
                    reach.word(facts, &reference.word);
                }
            }
        }
        reach.connects.sort();
        reach
            .connects
            .dedup_by(|a, b| a.to == b.to && a.via == b.via);
        reach
    }

    fn word(&mut self, facts: &Facts, word: &str) {
        self.commands.extend(packages::executable(facts, word));
        self.words
            .push(word.rsplit('/').next().unwrap_or(word).to_owned());
        self.named
            .extend(word.starts_with('/').then(|| MachinePath::new(word)));
    }
}

fn workload(
    facts: &Facts,
    packs: &Packs,
    id: String,
    user: &str,
    jobs: Vec<ScheduledJob>,
) -> Workload {
    let etc = MachinePath::new("/etc");
    let Reach {
        mut commands,
        named,
        connects,
        words,
    } = Reach::of(facts, &jobs);
    let (inside, outside): (Vec<_>, Vec<_>) = named
        .iter()
        .chain(&commands)
        .cloned()
        .partition(|path| path.is_within(&etc));
    let files = inside.into_iter().filter(|path| {
        facts
            .tree
            .get(path)
            .is_some_and(crate::walk::Entry::is_file)
    });
    let configuration: BTreeSet<MachinePath> = files.collect();
    let claims = claims::outermost(
        outside
            .iter()
            .filter_map(|path| claims::topmost(facts, path))
            .collect(),
    );
    let packages = packages::of_paths(facts, commands.clone(), &claims, packs.tools(&words, facts));
    commands.sort();
    commands.dedup();
    let schedules: Vec<String> = jobs.iter().map(|job| job.schedule.clone()).collect();
    let mut workload = Workload {
        title: format!("Scheduled jobs of {user}"),
        kind: "scheduled".into(),
        services: Vec::new(),
        product: None,
        packages,
        executables: commands,
        listens: Vec::new(),
        connects,
        user: user.to_owned(),
        group: group(facts, user),
        environment: Vec::new(),
        configuration: configuration
            .into_iter()
            .map(|path| Configuration {
                state: facts.state(&path),
                path,
            })
            .collect(),
        claims,
        data: Vec::new(),
        logs: Vec::new(),
        schedule: Some(schedules.join("; ")),
        secrets: Vec::new(),
        clients_of: packs.called(&words),
        needs: Vec::new(),
        id,
        jobs,
    };
    let timed: Vec<_> = workload
        .jobs
        .iter()
        .filter_map(|job| job.service.as_deref().cloned())
        .collect();
    workload.secrets = fill::secrets(
        &Workload {
            services: timed,
            ..workload.clone()
        },
        facts,
    );
    for job in workload
        .jobs
        .iter()
        .filter(|job| job.secret && job.service.is_none())
    {
        let evidence: Evidence = job.evidence.clone();
        workload.secrets.push(crate::fact::SecretRef {
            kind: "command".into(),
            key: String::new(),
            evidence,
        });
    }
    workload
}

fn group(facts: &Facts, user: &str) -> String {
    let gid = facts.user(user).map(|user| user.gid);
    let group = facts.groups.iter().find(|group| Some(group.gid) == gid);
    group.map_or_else(|| user.to_owned(), |group| group.name.clone())
}
