//! Vassals: a server that is told to be an emperor runs one of itself for each configuration in a directory.

use super::managed::{self, Names, group_of, user_of};
use super::manager::Manager;
use super::{
    Command, Commands, GeneratedUnit, MOST_SERVICES, Service, ServiceType, Services, Starter,
};
use crate::fact::{Evidence, Facts, Syntax};
use crate::path::MachinePath;
use crate::walk::{Entry, glob};

/// Configurations of vassals by their ending, and the option that has one read.
const KINDS: &[(&str, &str)] = &[
    (".ini", "--ini"),
    (".xml", "--xml"),
    (".yml", "--yaml"),
    (".yaml", "--yaml"),
    (".json", "--json"),
    (".js", "--json"),
];

pub(super) struct Emperor;

impl Manager for Emperor {
    fn id(&self) -> &'static str {
        "emperor"
    }

    fn find(&self, facts: &Facts, _: &[GeneratedUnit], found: &mut Services) {
        let mut names = Names::of(found);
        for at in 0..found.services.len() {
            let Some(service) = found.services.get(at).cloned() else {
                continue;
            };
            let is_free = service.enabled && service.stays.is_none();
            let Some(emperor) = of(facts, &service).filter(|_| is_free) else {
                continue;
            };
            let mut own = emperor.vassals(facts);
            let room = MOST_SERVICES.saturating_sub(found.services.len());
            if own.len() > room {
                own.truncate(room);
                found.leave_out(
                    &service.evidence.path,
                    self.id(),
                    "more services than the limit",
                );
            }
            for vassal in &mut own {
                vassal.name = names.free(&vassal.name, self.id());
            }
            let started: Vec<String> = own.iter().map(|vassal| vassal.name.clone()).collect();
            let master = found.services.get_mut(at).filter(|_| !own.is_empty());
            if let Some(master) = master {
                master.stays = Some(managed::handed_over(&started));
            }
            found.services.append(&mut own);
        }
    }
}

/// A service that is one.
struct Ruling<'a> {
    service: &'a Service,
    program: String,
    /// Directories, files and patterns.
    patterns: Vec<String>,
    /// Each vassal runs as whoever owns its configuration.
    is_tyrant: bool,
    /// What it becomes itself once it has started.
    user: Option<String>,
    /// Settings that each vassal gets.
    sets: Vec<String>,
}

fn of<'a>(facts: &Facts, service: &'a Service) -> Option<Ruling<'a>> {
    let args = managed::arguments(service, "emperor")?;
    let argv = &service.commands.start.first()?.argv;
    let program = argv.get(argv.len().checked_sub(args.len() + 1)?)?.clone();
    let option = |name: &str| managed::option(&args, "", &[name]);
    let mut found = Ruling {
        service,
        program,
        patterns: option("--emperor").into_iter().collect(),
        is_tyrant: args.iter().any(|word| word == "--emperor-tyrant"),
        user: option("--uid"),
        sets: option("--vassal-set").into_iter().collect(),
    };
    // Its own configuration may say so.
    let named = args.iter().filter(|word| word.ends_with(".ini"));
    for path in named.map(|word| word.strip_prefix("--ini=").unwrap_or(word)) {
        let key = (MachinePath::new(path), Syntax::Ini);
        let document = facts.documents.get(&key);
        for setting in document.into_iter().flat_map(|document| &document.settings) {
            let value = setting.args.first().cloned().unwrap_or_default();
            match setting.key.rsplit('/').next().unwrap_or_default() {
                "emperor" => found.patterns.push(value),
                "emperor-tyrant" => found.is_tyrant |= value != "false",
                "uid" => found.user = Some(value),
                "vassal-set" => found.sets.push(value),
                _ => {}
            }
        }
    }
    (!found.patterns.is_empty()).then_some(found)
}

impl Ruling<'_> {
    fn vassals(&self, facts: &Facts) -> Vec<Service> {
        let files = self
            .patterns
            .iter()
            .flat_map(|pattern| named(facts, pattern));
        let mut files: Vec<MachinePath> = files.collect();
        files.sort();
        files.dedup();
        let vassals = files.iter().take(MOST_SERVICES);
        vassals
            .filter_map(|file| self.vassal(facts, file))
            .collect()
    }

    fn vassal(&self, facts: &Facts, file: &MachinePath) -> Option<Service> {
        let name = file.name().into_owned();
        let (_, option) = KINDS.iter().find(|(end, _)| name.ends_with(end))?;
        let mut argv = vec![self.program.clone()];
        for set in &self.sets {
            argv.extend(["--set".to_owned(), set.clone()]);
        }
        argv.extend([(*option).to_owned(), file.text().into_owned()]);
        let owner = facts
            .tree
            .get(file)
            .and_then(|entry| facts.user_of(entry.uid));
        let owner = owner
            .map(|user| user.name.clone())
            .filter(|_| self.is_tyrant);
        let own = self.user.as_ref().map(|user| user_of(facts, user));
        let user = owner.or(own).unwrap_or_else(|| self.service.user.clone());
        let evidence = Evidence::file(file);
        let command = Command {
            argv,
            ignore_failure: false,
            privileged: false,
            evidence: evidence.clone(),
        };
        Some(Service {
            enabled: true,
            enabled_by: Some(self.service.evidence.clone()),
            kind: ServiceType::Simple,
            commands: Commands {
                start: vec![command],
                ..Commands::default()
            },
            group: group_of(facts, &user),
            user,
            environment: self.service.environment.clone(),
            working_directory: self.service.working_directory.clone(),
            restart: "always".to_owned(),
            ..Service::new(name, Starter::Emperor, evidence)
        })
    }
}

/// Configurations that a directory holds, or a pattern or a path names.
fn named(facts: &Facts, pattern: &str) -> Vec<MachinePath> {
    let is_kind = |path: &MachinePath| {
        let name = path.name();
        !name.starts_with('.') && KINDS.iter().any(|(end, _)| name.ends_with(end))
    };
    let is_file = |path: &MachinePath| facts.tree.get(path).is_some_and(Entry::is_file);
    if !pattern.starts_with('/') {
        return Vec::new();
    }
    let found: Vec<MachinePath> = if glob::is_pattern(pattern) {
        let entries = facts.tree.glob(pattern).into_iter();
        entries.map(|entry| entry.path.clone()).collect()
    } else {
        vec![MachinePath::new(pattern)]
    };
    let files = found
        .into_iter()
        .flat_map(|path| match facts.tree.resolve(&path) {
            Some(real) if facts.tree.entry(&real).is_some_and(Entry::is_dir) => {
                let inside = facts.tree.children(&real).into_iter();
                inside
                    .map(|entry| path.join(entry.path.file_name()))
                    .collect()
            }
            _ => vec![path],
        });
    files
        .filter(|path| is_kind(path) && is_file(path))
        .collect()
}
