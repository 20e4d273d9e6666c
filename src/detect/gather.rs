//! Gathers what detectors emitted into [`Facts`], and joins what several files say of one thing.

use super::{Sink, Want};
use crate::detect::native::system::is_zone;
use crate::detect::shade::shade;
use crate::fact::{Fact, Facts, OsRelease, Ownership, Unexamined};
use crate::path::MachinePath;
use crate::walk::Tree;
use foldhash::HashMap;
use std::collections::BTreeSet;

pub(super) struct Gather {
    facts: Facts,
    owns: Vec<(String, Vec<MachinePath>)>,
    recorded: Vec<(MachinePath, String)>,
    /// `None` where no package database says who was installed by hand.
    automatic: Option<BTreeSet<String>>,
    /// The same of who says who was asked for.
    manual: Option<BTreeSet<String>>,
    /// Packages or what is said of them came in since the last join.
    is_stale: bool,
}

impl Gather {
    /// `known` is what is known before anything is read.
    pub(super) fn new(tree: Tree, unexamined: Vec<Unexamined>, known: Vec<Fact>) -> Self {
        let facts = Facts {
            tree,
            unexamined,
            ..Facts::default()
        };
        let mut gather = Self {
            facts,
            owns: Vec::new(),
            recorded: Vec::new(),
            automatic: None,
            manual: None,
            is_stale: false,
        };
        for fact in known {
            gather.add(fact);
        }
        gather
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// More of the machine was looked into.
    pub(super) fn see(&mut self, tree: Tree) {
        self.facts.revision += 1;
        self.facts.tree = tree;
    }

    pub(super) fn note(&mut self, problems: &mut Vec<Unexamined>) {
        self.facts.unexamined.append(problems);
    }

    /// Takes a round's facts; returns what was asked for.
    pub(super) fn take(&mut self, sinks: Vec<(Sink, u64)>) -> Vec<Want> {
        let mut wants = Vec::new();
        for (sink, bytes) in sinks {
            self.facts.bytes_read = self.facts.bytes_read.saturating_add(bytes);
            self.facts.unexamined.extend(sink.unexamined);
            wants.extend(sink.wants);
            for fact in sink.facts {
                self.add(fact);
            }
        }
        if std::mem::take(&mut self.is_stale) {
            self.join();
        }
        self.settle();
        wants
    }

    fn add(&mut self, fact: Fact) {
        let is_of_packages = match &fact {
            Fact::Code(_) => true,
            Fact::Elf(elf) => self.facts.owner(&elf.path).is_some(),
            _ => false,
        };
        let facts = &mut self.facts;
        facts.revision += u64::from(!is_of_packages);
        match fact {
            Fact::Answers(answers) => facts.answers = answers,
            // /etc/os-release sorts before /usr/lib/os-release, and is the one that counts. Here as below the first
            // stands, whatever a later round brings.
            Fact::Os(os) => {
                facts.os.get_or_insert(os);
            }
            Fact::FormerRelease(rank, os) => {
                facts.former = Some(better(facts.former.take(), (rank, os)));
            }
            Fact::Hostname(name, evidence) => {
                facts.hostname.get_or_insert((name, evidence));
            }
            Fact::Timezone(zone) => {
                facts.timezone.get_or_insert(zone);
            }
            Fact::Locale(locale) => {
                facts.locale.get_or_insert(locale);
            }
            Fact::Digest { path, digests } => facts.note_digests(&path, digests),
            // Looked up in the search path, whose directories are the real ones.
            Fact::Unit(mut unit) => {
                unit.path = facts.tree.canonical(&unit.path);
                facts.units.push(unit);
            }
            Fact::InitScript(script) => facts.init_scripts.push(script),
            Fact::User(user) => facts.users.push(user),
            Fact::Group(group) => facts.groups.push(group),
            Fact::Job(job) => facts.jobs.push(job),
            Fact::Managed(file) => {
                let key = (file.path.clone(), file.dialect);
                facts.managed.entry(key).or_insert(file);
            }
            Fact::Document(document) => {
                let key = (document.path.clone(), document.syntax);
                facts.documents.entry(key).or_insert(document);
            }
            Fact::Elf(elf) => {
                facts.elfs.entry(elf.path.clone()).or_insert(elf);
            }
            Fact::Code(code) => {
                facts.codes.entry(code.path.clone()).or_insert(*code);
            }
            Fact::Cached(entries) => facts.cached = entries,
            Fact::Script(script) => {
                facts.scripts.entry(script.path.clone()).or_insert(script);
            }
            Fact::Imports(imports) => {
                facts.imports.insert(imports.path.clone(), imports);
            }
            Fact::Secret(secret) => facts.secrets.push(secret),
            Fact::Archive(one) => {
                let is_full = !facts.archives.add(one);
                facts.unexamined.extend(is_full.then(too_many_archives));
            }
            Fact::Peer(peer) => facts.peers.push(peer),
            Fact::Certificate(found) => facts.certificates.push(found),
            Fact::Named(named) => facts.named.push(named),
            Fact::Hit(hit) => facts.hits.push(hit),
            Fact::PackageDatabase(_) | Fact::EmptyDatabase(..) | Fact::DamagedDatabase(..) => {
                facts.note_database(fact);
            }
            Fact::Package(_)
            | Fact::Owns { .. }
            | Fact::Automatic(_)
            | Fact::Manual(_)
            | Fact::Recorded { .. } => {
                self.is_stale = true;
                self.add_package(fact);
            }
        }
    }

    fn add_package(&mut self, fact: Fact) {
        match fact {
            Fact::Package(package) => self.facts.packages.push(package),
            Fact::Owns { package, paths } => self.owns.push((package, paths)),
            Fact::Recorded { digests, .. } => self.recorded.extend(digests),
            Fact::Manual(names) => self.manual.get_or_insert_default().extend(names),
            Fact::Automatic(names) => self.automatic.get_or_insert_default().extend(names),
            _ => {}
        }
    }

    /// Joins packages with what their databases say elsewhere: owned paths, recorded digests, how they came.
    fn join(&mut self) {
        let packages = &mut self.facts.packages;
        packages
            .sort_by(|a, b| (&a.name, &a.arch, &a.version).cmp(&(&b.name, &b.arch, &b.version)));
        // A database may say a package twice, after an installation that was cut off or because it has two names.
        packages.dedup_by(|later, first| {
            (&later.name, &later.arch, &later.version) == (&first.name, &first.arch, &first.version)
        });
        for package in packages {
            if let Some(automatic) = &self.automatic {
                package.manual = !automatic.contains(&package.name);
            }
            if let Some(manual) = &self.manual {
                package.manual = manual.contains(&package.name);
            }
        }
        let database = self.facts.package_database.as_deref();
        super::brought::mark(&mut self.facts.packages, database);
        self.facts.ownership = self.ownership();
    }

    fn ownership(&self) -> Ownership {
        let mut names: HashMap<String, u32> = HashMap::default();
        for (at, package) in (0..).zip(&self.facts.packages) {
            names.entry(package.name.clone()).or_insert(at);
            names.insert(format!("{}:{}", package.name, package.arch), at);
            names.insert(format!("{}={}", package.name, package.version), at);
            names.insert(package.identity(), at);
        }
        let mut places = Places::new(&self.facts.tree);
        let mut owners = Vec::new();
        for (package, paths) in &self.owns {
            // A list that outlived its package owns nothing.
            if let Some(at) = names.get(package) {
                owners.extend(paths.iter().map(|path| (places.canonical(path), *at)));
            }
        }
        let conffiles = self
            .facts
            .packages
            .iter()
            .flat_map(|package| &package.conffiles);
        let conffiles = conffiles.map(|file| (&file.path, &file.digest));
        let recorded = self.recorded.iter().map(|(path, digest)| (path, digest));
        let recorded = recorded
            .chain(conffiles)
            .map(|(path, digest)| (places.canonical(path), digest.clone()));
        Ownership::new(owners, recorded.collect())
    }

    /// Sorts everything, so that facts do not depend on the order of rounds.
    fn settle(&mut self) {
        let facts = &mut self.facts;
        // Every file that names a release is read in the first round.
        let former = || facts.former.clone().map(|(_, os)| os);
        facts.os = facts.os.take().or_else(former);
        // The link is what programs read; /etc/timezone is a note beside it, which newer releases no longer keep.
        let zone = linked_zone(&facts.tree);
        facts.timezone = zone.or_else(|| facts.timezone.take());
        facts.units.sort_by(|a, b| a.path.cmp(&b.path));
        facts
            .units
            .dedup_by(|later, first| later.path == first.path);
        facts.init_scripts.sort_by(|a, b| a.path.cmp(&b.path));
        facts
            .users
            .sort_by(|a, b| (a.uid, &a.name, &a.evidence).cmp(&(b.uid, &b.name, &b.evidence)));
        facts
            .groups
            .sort_by(|a, b| (a.gid, &a.name, &a.evidence).cmp(&(b.gid, &b.name, &b.evidence)));
        facts.index();
        facts.jobs.sort_by(|a, b| a.evidence.cmp(&b.evidence));
        shade(facts);
        facts.archives.settle();
        facts.certificates.sort();
        facts.certificates.dedup();
        facts.peers.sort();
        facts.peers.dedup();
        facts.secrets.sort();
        facts.secrets.dedup();
        facts.hits.sort_by(|a, b| {
            (&a.pack, &a.matcher, &a.evidence).cmp(&(&b.pack, &b.matcher, &b.evidence))
        });
    }

    /// The facts, with what was not examined in order.
    pub(super) fn finish(mut self) -> Facts {
        self.settle();
        let mut facts = self.facts;
        facts.unexamined.sort();
        facts.unexamined.dedup();
        facts
    }
}

/// The release that the better of two files names.
fn better(known: Option<(u8, OsRelease)>, more: (u8, OsRelease)) -> (u8, OsRelease) {
    match known {
        Some(known) if known.0 <= more.0 => known,
        _ => more,
    }
}

/// The zone that /etc/localtime leads to: what stands behind `zoneinfo/` in its target.
fn linked_zone(tree: &Tree) -> Option<String> {
    let link = tree.entry(&MachinePath::from("/etc/localtime"))?;
    let target = String::from_utf8_lossy(link.target.as_deref()?).into_owned();
    let (_, zone) = target.rsplit_once("zoneinfo/")?;
    is_zone(zone).then(|| zone.to_owned())
}

/// Canonical places of many paths. Most are in the tree under their own name; of the others the directories repeat, and
/// each is resolved once.
struct Places<'a> {
    tree: &'a Tree,
    directories: HashMap<MachinePath, Option<MachinePath>>,
}

impl<'a> Places<'a> {
    fn new(tree: &'a Tree) -> Self {
        let directories = HashMap::default();
        Self { tree, directories }
    }

    fn canonical(&mut self, path: &MachinePath) -> MachinePath {
        if let Some(entry) = self.tree.entry(path) {
            // The tree's own copy of the name, so that the list's can go.
            return entry.path.clone();
        }
        let Some(parent) = path.parent() else {
            return path.clone();
        };
        let tree = self.tree;
        let real = self.directories.entry(parent);
        match real.or_insert_with_key(|dir| tree.resolve(dir)) {
            Some(dir) => dir.join(path.file_name()),
            None => path.clone(),
        }
    }
}

fn too_many_archives() -> Unexamined {
    let reason = "archives of packages have more files than are kept of one machine";
    super::engine::engine(&MachinePath::root(), reason)
}
