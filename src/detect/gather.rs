//! Gathers what detectors emitted into [`Facts`], and wants into the next round's work.

use super::dispatch::{Work, by_pattern};
use super::{Purpose, Sink, Want};
use crate::fact::{Fact, Facts, Ownership, Unexamined};
use crate::path::MachinePath;
use crate::walk::Tree;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Files one pattern may name; a pattern over everything is somebody's mistake or attack.
const MATCHES: usize = 20_000;

pub(super) struct Gather {
    facts: Facts,
    owns: Vec<(String, Vec<MachinePath>)>,
    recorded: Vec<(MachinePath, String)>,
    automatic: BTreeSet<String>,
    has_automatic: bool,
}

impl Gather {
    pub(super) fn new(tree: Tree, unexamined: Vec<Unexamined>) -> Self {
        let facts = Facts {
            tree,
            unexamined,
            ..Facts::default()
        };
        Self {
            facts,
            owns: Vec::new(),
            recorded: Vec::new(),
            automatic: BTreeSet::new(),
            has_automatic: false,
        }
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn note(&mut self, path: &MachinePath, detector: &str, reason: &str) {
        let (detector, reason) = (detector.to_owned(), reason.to_owned());
        self.facts.unexamined.push(Unexamined {
            path: path.clone(),
            detector,
            reason,
        });
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
        self.join();
        wants
    }

    fn add(&mut self, fact: Fact) {
        let facts = &mut self.facts;
        match fact {
            // /etc/os-release sorts before /usr/lib/os-release, and is the one that counts.
            Fact::Os(os) => {
                facts.os.get_or_insert(os);
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
            Fact::Package(package) => facts.packages.push(package),
            Fact::Owns { package, paths } => self.owns.push((package, paths)),
            Fact::Automatic(names) => {
                self.has_automatic = true;
                self.automatic.extend(names);
            }
            Fact::Digest { path, md5 } => {
                let path = facts.tree.canonical(&path);
                facts.digests.insert(path, md5);
            }
            Fact::Recorded { digests, .. } => self.recorded.extend(digests),
            Fact::Unit(unit) => facts.units.push(unit),
            Fact::InitScript(script) => facts.init_scripts.push(script),
            Fact::User(user) => facts.users.push(user),
            Fact::Group(group) => facts.groups.push(group),
            Fact::Job(job) => facts.jobs.push(job),
            Fact::Document(document) => {
                facts
                    .documents
                    .insert((document.path.clone(), document.syntax), document);
            }
            Fact::Elf(elf) => {
                facts.elfs.insert(elf.path.clone(), elf);
            }
            Fact::Script(script) => {
                facts.scripts.insert(script.path.clone(), script);
            }
            Fact::Secret(secret) => facts.secrets.push(secret),
            Fact::Hit(hit) => facts.hits.push(hit),
        }
    }

    /// Joins packages with what their databases say elsewhere: owned paths, recorded digests, how they came.
    fn join(&mut self) {
        if !self.owns.is_empty() || !self.recorded.is_empty() {
            self.facts
                .packages
                .sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
            let ownership = self.ownership();
            self.facts.ownership = ownership;
            self.owns.clear();
            self.recorded.clear();
        }
        if self.has_automatic {
            for package in &mut self.facts.packages {
                package.manual = !self.automatic.contains(&package.name);
            }
            self.has_automatic = false;
        }
    }

    fn ownership(&mut self) -> Ownership {
        let mut directories = Directories {
            tree: &self.facts.tree,
            known: HashMap::new(),
        };
        let mut index: HashMap<String, u32> = HashMap::new();
        for (i, package) in (0u32..).zip(&self.facts.packages) {
            index.entry(package.name.clone()).or_insert(i);
            index.insert(format!("{}:{}", package.name, package.arch), i);
        }
        let mut owners = Vec::new();
        for (package, paths) in self.owns.drain(..) {
            let Some(i) = index.get(&package) else {
                continue;
            };
            owners.extend(paths.iter().map(|path| (directories.canonical(path), *i)));
        }
        let mut recorded: Vec<(MachinePath, String)> = Vec::new();
        for (path, md5) in self.recorded.drain(..) {
            recorded.push((directories.canonical(&path), md5));
        }
        for package in &self.facts.packages {
            let conffiles = package.conffiles.iter();
            recorded.extend(
                conffiles.map(|file| (directories.canonical(&file.path), file.md5.clone())),
            );
        }
        Ownership::new(owners, recorded)
    }

    /// The next round: files not yet shown for that purpose.
    pub(super) fn work(
        &self,
        wants: Vec<Want>,
        index: &BTreeMap<&str, usize>,
        asked: &mut BTreeSet<Want>,
        shown: &mut BTreeSet<(MachinePath, Purpose)>,
    ) -> Vec<Work> {
        let mut work: BTreeMap<MachinePath, Vec<(usize, Purpose)>> = BTreeMap::new();
        for want in wants {
            if !asked.insert(want.clone()) {
                continue;
            }
            let Some(detector) = index.get(want.purpose.detector.as_ref()) else {
                continue;
            };
            for path in by_pattern(&self.facts.tree, &want.pattern)
                .into_iter()
                .take(MATCHES)
            {
                if shown.insert((path.clone(), want.purpose.clone())) {
                    work.entry(path)
                        .or_default()
                        .push((*detector, want.purpose.clone()));
                }
            }
        }
        work.into_iter()
            .map(|(path, shown)| Work { path, shown })
            .collect()
    }

    /// Sorts everything, so that facts do not depend on the order of rounds.
    pub(super) fn finish(mut self) -> Facts {
        let facts = &mut self.facts;
        facts.units.sort_by(|a, b| a.path.cmp(&b.path));
        facts.init_scripts.sort_by(|a, b| a.path.cmp(&b.path));
        facts
            .users
            .sort_by(|a, b| (a.uid, &a.name).cmp(&(b.uid, &b.name)));
        facts
            .groups
            .sort_by(|a, b| (a.gid, &a.name).cmp(&(b.gid, &b.name)));
        facts.jobs.sort_by(|a, b| a.evidence.cmp(&b.evidence));
        facts.secrets.sort();
        facts.secrets.dedup();
        facts.hits.sort_by(|a, b| {
            (&a.pack, &a.matcher, &a.evidence).cmp(&(&b.pack, &b.matcher, &b.evidence))
        });
        facts.unexamined.sort();
        facts.unexamined.dedup();
        self.facts
    }
}

/// Directories repeat: of 23,000 owned paths some 2,500 differ, so each is resolved once.
struct Directories<'a> {
    tree: &'a Tree,
    known: HashMap<MachinePath, Option<MachinePath>>,
}

impl Directories<'_> {
    fn canonical(&mut self, path: &MachinePath) -> MachinePath {
        let Some(parent) = path.parent() else {
            return path.clone();
        };
        let tree = self.tree;
        let resolved = self
            .known
            .entry(parent)
            .or_insert_with_key(|dir| tree.resolve(dir));
        match resolved {
            Some(dir) => dir.join(path.file_name()),
            None => path.clone(),
        }
    }
}
