//! A pack's questions asked of one service.

use super::file::PackFile;
use super::reach::{connects, listens};
use super::run::{command, directories, environment, limits, probe};
use super::settings::Configured;
use super::{Pack, instance, place, rules};
use crate::fact::{Evidence, Facts, Package, Unexamined};
use crate::path::MachinePath;
use crate::product::{Disposition, program_of};
use crate::product::{Log, Product, Says};
use crate::program;
use crate::service::{Service, Starter};
use crate::walk::glob;
use crate::words::budget::EXPANDED;
use std::borrow::Cow;

/// Where administrators put units.
const UNITS_BY_HAND: [&str; 2] = ["/etc/systemd/system/", "/usr/local/lib/systemd/system/"];

/// Where they put what other managers start, beside what packages put there.
const SCRIPTS: [&str; 3] = ["/etc/init.d/", "/etc/rc.d/init.d/", "/etc/init/"];

/// One service as packs look at it: what it is called, what it runs, and who owns that. Worked out once for all packs.
pub(super) struct Candidate<'a> {
    names: Vec<Cow<'a, str>>,
    argv: &'a [String],
    program: program::Program,
    owners: Vec<&'a str>,
    /// An administrator wrote its unit, and no package has what it runs.
    by_hand: bool,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(service: &'a Service, facts: &'a Facts) -> Self {
        let argv = service.commands.start.first();
        let argv = argv.map_or(&[][..], |command| command.argv.as_slice());
        let program = program_of(service, facts);
        let files = program.files.iter().chain(service.files.first());
        let owners = files.filter_map(|path| facts.owner(path));
        let aliases = service.aliases.iter().map(String::as_str);
        let own = service.files.first().is_some_and(|unit| {
            let text = unit.text();
            // Without packages nobody knows whose a script is.
            let scripts = SCRIPTS.iter().filter(|_| !facts.packages.is_empty());
            let mut places = UNITS_BY_HAND.iter().chain(scripts);
            places.any(|place| text.starts_with(place))
        });
        let names = std::iter::once(service.name.as_str()).chain(aliases);
        // A unit and an init script of one product have one name.
        let is_script = matches!(
            service.manager,
            Starter::Sysv | Starter::Upstart | Starter::Openrc
        );
        let unit = is_script.then(|| Cow::Owned(format!("{}.service", service.name)));
        let mut known = program.files.iter().chain(service.files.first());
        let by_hand = own && !known.any(|path| facts.owner(path).is_some());
        Self {
            by_hand,
            owners: owners.map(|package| package.name.as_str()).collect(),
            names: names.map(Cow::Borrowed).chain(unit).collect(),
            argv,
            program,
        }
    }

    /// Whether a pack recognises it: every list that the pack gives must hold a hit.
    pub(super) fn is(&self, pack: &Pack) -> bool {
        let Some(recognise) = &pack.file.recognise else {
            return false;
        };
        let executables = &recognise.executables;
        // What belongs to the machine by a pattern of its name is the distribution's; a name of one's own may be alike.
        let stays = pack.file.disposition != Some(Disposition::Containerize);
        let exact = |name: &str| recognise.units.iter().any(|unit| unit == name);
        let is_alike = !recognise.units.is_empty() && !self.names.iter().any(|name| exact(name));
        if stays && self.by_hand && is_alike {
            return false;
        }
        any(&recognise.units, self.names.iter().map(AsRef::as_ref))
            && (executables.is_empty()
                || executables.iter().any(|pattern| self.program.is(pattern)))
            && any(&recognise.arguments, self.argv.iter().map(String::as_str))
            && any(&recognise.packages, self.owners.iter().copied())
    }
}

/// No pattern asks for nothing; otherwise one name must match one of them.
fn any<'a>(patterns: &[String], mut names: impl Iterator<Item = &'a str>) -> bool {
    patterns.is_empty()
        || names.any(|name| patterns.iter().any(|pattern| glob::matches(pattern, name)))
}

/// Whether it runs somebody's application.
fn hosts_application(file: &PackFile, facts: &Facts) -> bool {
    let with = &file.hosts_application_with;
    let names = facts.packages.iter().map(|package| package.name.as_str());
    file.hosts_application || (!with.is_empty() && any(with, names))
}

/// Everything the pack says of the service.
pub(super) fn product(pack: &Pack, service: &Service, facts: &Facts) -> Product {
    let mut asked = Configured::new(pack, service, facts);
    let file = &pack.file;
    asked.is_supposed.set(false);
    let listens = at_most(listens(&asked), &asked);
    let listens_supposed = asked.is_supposed.get().then(|| asked.unread());
    // What comes first is what templates mean by the port and the address.
    if let Some(first) = listens.iter().find(|listen| listen.port != 0) {
        asked
            .variables
            .insert("port".into(), first.port.to_string());
        let reachable = if matches!(first.address.as_str(), "0.0.0.0" | "::") {
            "127.0.0.1"
        } else {
            &first.address
        };
        asked
            .variables
            .insert("address".into(), reachable.to_owned());
    }
    if let Some(socket) = listens.iter().find(|listen| listen.protocol == "unix") {
        asked
            .variables
            .insert("socket".into(), socket.address.clone());
    }
    let data = place::data(&asked);
    if let Some((path, ..)) = data.first() {
        asked
            .variables
            .insert("data".into(), path.text().into_owned());
    }
    if let Some(path) = asked.main.first() {
        asked
            .variables
            .insert("config".into(), path.text().into_owned());
    }
    let mut configuration = asked.files.clone();
    configuration.extend(below(&asked));
    let (disposition, reason) = disposition(&asked);
    let becomes = becomes(&asked);
    Product {
        pack: file.id.clone(),
        title: file.title.clone(),
        kind: file.kind.clone(),
        disposition,
        reason,
        connects: at_most(connects(&asked), &asked),
        logs: logs(&asked),
        claims: claims(&asked),
        says: Says {
            listeners: !file.listen.is_empty(),
            state: !hosts_application(file, facts),
        },
        listens_supposed,
        locales: named(&asked, &file.locale),
        hosts: at_most(named(&asked, &file.host), &asked),
        paths: at_most(named(&asked, &file.path), &asked),
        opens_files_of_clients: file.opens_files_of_clients,
        companions: companions(&asked),
        makers: file.makers.clone(),
        optional: file.optional.clone(),
        command: command(&asked),
        starts_as_root: file.run.starts_as_root || becomes.is_some(),
        user: becomes.or_else(|| file.run.user.clone()),
        workers: workers(&asked),
        stop_signal: file.run.stop_signal.clone(),
        capabilities: file.run.capabilities.clone(),
        probe: probe(&asked, &listens),
        directories: [directories(&asked), place::made(&asked)].concat(),
        environment: environment(&asked),
        limits: limits(&asked),
        concerns: rules::product(&asked),
        unexamined: unexamined(&asked),
        configuration,
        listens,
        data,
    }
}

/// Addresses of one service. Each is compared with each of every other's.
const MOST_ADDRESSES: usize = 1_024;

fn at_most<T>(mut addresses: Vec<T>, asked: &Configured<'_>) -> Vec<T> {
    if addresses.len() > MOST_ADDRESSES {
        asked.is_cut.set(true);
    }
    addresses.truncate(MOST_ADDRESSES);
    addresses
}

/// That there was more of the configuration than was read.
fn unexamined(asked: &Configured<'_>) -> Vec<Unexamined> {
    let path = asked.main.first().unwrap_or(&asked.service.evidence.path);
    let cut = asked.is_cut.get().then(|| Unexamined {
        path: path.clone(),
        detector: format!("packs/{}", asked.pack.file.id),
        reason: format!("{}: {EXPANDED}", asked.service.name),
    });
    cut.into_iter().collect()
}

/// The user that the product's own configuration names, by name.
fn becomes(asked: &Configured<'_>) -> Option<String> {
    let source = asked.pack.file.run.user_from.as_ref()?;
    let text = asked.values(source).pop()?.text;
    let uid = text.parse().ok();
    let numbered = uid.and_then(|uid| asked.facts.user_of(uid));
    Some(numbered.map_or(text, |user| user.name.clone()))
}

fn named(asked: &Configured<'_>, settings: &[super::file::Named]) -> Vec<String> {
    let sources = settings.iter().map(|setting| &setting.from);
    let values = sources.flat_map(|source| asked.values(source));
    values.map(|value| value.text).collect()
}

fn workers(asked: &Configured<'_>) -> Vec<String> {
    let source = asked.pack.file.run.workers.iter();
    let values = source.flat_map(|source| asked.values(source));
    values.map(|value| value.text).collect()
}

/// The pack's disposition, unless the machine's own configuration asks for another.
fn disposition(asked: &Configured<'_>) -> (Disposition, String) {
    let file = &asked.pack.file;
    let other = rules::otherwise(asked);
    match other {
        Some(other) => (other.disposition, other.why.clone()),
        None => (
            file.disposition.unwrap_or(Disposition::Containerize),
            file.why.clone(),
        ),
    }
}

/// A value as a path of the machine; relative ones start at the working directory.
pub(super) fn path(asked: &Configured<'_>, text: &str) -> Option<MachinePath> {
    let text = text.trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("file:").unwrap_or(text);
    if text.is_empty() || text.contains(['$', '|']) {
        return None;
    }
    let has_base = asked.service.working_directory.is_some() || asked.has_root();
    let beside = asked.main.first().filter(|_| !has_base);
    let base = beside.and_then(MachinePath::parent);
    Some(base.unwrap_or_else(|| asked.base()).join(text))
}

fn logs(asked: &Configured<'_>) -> Vec<Log> {
    let mut found = Vec::new();
    for log in &asked.pack.file.log {
        for value in asked.values(&log.from) {
            match value.text.as_str() {
                "" | "off" | "none" | "/dev/null" => {}
                "stdout" | "stderr" | "/dev/stdout" | "/dev/stderr" | "-" => {
                    found.push(Log::Stdout);
                }
                text if text.starts_with("syslog") => found.push(Log::Syslog),
                text => found.extend(path(asked, text).map(|path| Log::File {
                    path,
                    stdout: log.stdout,
                })),
            }
        }
    }
    found.dedup();
    found
}

fn claims(asked: &Configured<'_>) -> Vec<(MachinePath, Evidence)> {
    let mut found: Vec<(MachinePath, Evidence)> = Vec::new();
    for claim in &asked.pack.file.claim {
        for value in asked.values(&claim.from) {
            // A path, perhaps behind the sign that says "what is in it", or a command line that begins with one.
            let text = value.text.trim_start_matches('<');
            let words = text.split_whitespace().next();
            let texts = std::iter::once(text).chain(words);
            let mut paths = texts.filter_map(|text| path(asked, text));
            let one = paths.find(|path| asked.facts.tree.exists(path));
            for path in one.into_iter().chain(tables(asked, text)) {
                if !found.iter().any(|(known, _)| *known == path) {
                    found.push((path, value.evidence.clone()));
                }
            }
        }
    }
    found
}

/// Tables of a kind (`hash:/etc/aliases, pcre:/etc/x`), each with what was made of it.
fn tables(asked: &Configured<'_>, text: &str) -> Vec<MachinePath> {
    const MADE: [&str; 3] = ["", ".db", ".lmdb"];
    let words = text
        .split([',', ' '])
        .filter_map(|word| word.split_once(":/"));
    let named = words.filter(|(kind, _)| {
        !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == ':')
    });
    let files =
        named.flat_map(|(_, path)| MADE.map(|end| MachinePath::new(format!("/{path}{end}"))));
    files.filter(|path| asked.facts.tree.exists(path)).collect()
}

/// Files below the configuration directories that are not read as settings: maps, keys, snippets, links that enable.
fn below(asked: &Configured<'_>) -> Vec<MachinePath> {
    let config = asked.pack.file.config.iter();
    let directories = config
        .flat_map(|config| &config.directories)
        .map(|dir| instance::fill(dir, &asked.variables));
    let mut found = Vec::new();
    let found_directories = directories.flat_map(|pattern| asked.facts.tree.find(&pattern));
    for directory in found_directories {
        let Some(directory) = asked.facts.tree.resolve(&directory.named) else {
            continue;
        };
        let entries = asked
            .facts
            .tree
            .below(&directory)
            .filter(|entry| !entry.is_dir());
        found.extend(
            entries
                .map(|entry| entry.path.clone())
                .filter(|path| !asked.files.contains(path)),
        );
    }
    found
}

fn companions(asked: &Configured<'_>) -> Vec<String> {
    let pack = &asked.pack.file;
    let filled = |patterns: &[String]| -> Vec<String> {
        patterns
            .iter()
            .map(|pattern| instance::fill(pattern, &asked.variables))
            .collect()
    };
    let (any, manual) = (filled(&pack.companions), filled(&pack.companions_manual));
    let hit = |patterns: &[String], name: &str| {
        patterns.iter().any(|pattern| glob::matches(pattern, name))
    };
    let wanted = |package: &&Package| {
        hit(&any, &package.name) || (package.manual && hit(&manual, &package.name))
    };
    let packages = asked.facts.packages.iter().filter(wanted);
    packages.map(|package| package.name.clone()).collect()
}
