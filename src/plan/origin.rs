//! Where an image has its packages from: archives that are added to it, and packages whose files come from the disk, since no
//! build can install them.

use super::place::Place;
use crate::distribution::archive::{self, Obstacle, PlannedArchive, PlannedPin};
use crate::distribution::base::Base;
use crate::distribution::origin::{Found, Origin};
use crate::fact::archive::Archive;
use crate::fact::{Evidence, Package};
use crate::walk::glob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A package of an image that is not, or may not be, of the release's own archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedOrigin {
    pub package: String,
    pub version: String,
    /// An archive in words, `local` or `unknown`.
    pub from: String,
    pub means: Means,
    /// Why the build cannot have it from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
    pub evidence: Vec<Evidence>,
}

/// How an image comes by a package.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// It is installed from its archive, which is added to the image.
    Archive,
    /// Its files are taken from the disk.
    Files,
    /// It is asked for by name, whoever has it.
    Name,
}

/// What the packages of one image need beyond the base's own archive.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub archives: Vec<PlannedArchive>,
    pub pins: Vec<PlannedPin>,
    /// Further components of the base's own archive.
    pub components: BTreeSet<String>,
    pub origins: Vec<PlannedOrigin>,
    /// Streams of modules that they are of.
    pub modules: BTreeSet<String>,
    /// Packages whose files come from the disk.
    pub lifted: BTreeSet<String>,
    /// Nothing says which of several archives packages came from.
    pub open: bool,
}

/// For an image that installs these packages by name; no distribution has the makers' own.
pub(super) fn sources(
    names: &BTreeSet<String>,
    makers: &BTreeSet<&str>,
    place: &Place<'_>,
) -> Sources {
    let mut needed = Needed::new(place);
    let names = names.iter().map(String::as_str);
    if place.base.family.is_none() {
        // Nothing installs them: what the workload itself is made of comes from the disk, and a remark says that what it
        // needs beside that is missing. Every image has a shell, with what the shell needs.
        let base = shell(place);
        for name in names.filter(|name| !base.contains(name)) {
            let packages = place.facts.packages.iter().enumerate();
            for (at, package) in packages.filter(|(_, package)| package.name == name) {
                let why = "this version cannot install packages of this distribution";
                needed.lifted(at, package, Some(why.to_owned()));
            }
        }
        return needed.sources;
    }
    let all = place.installed.beyond_base_places(names);
    for at in &all {
        if let Some(package) = place.facts.packages.get(*at) {
            let is_makers = makers.contains(package.name.as_str());
            match place.origins.of(*at) {
                Origin::Own(None) if is_makers => {
                    let why = "no distribution has it, and no archive of its maker is configured on the machine";
                    needed.lifted(*at, package, Some(why.to_owned()));
                }
                _ => needed.package(*at, package),
            }
        }
    }
    needed.finish(&all)
}

/// The packages of the machine's shell and of all that it needs.
fn shell<'a>(place: &Place<'a>) -> BTreeSet<&'a str> {
    let shell = place.facts.tree.resolve(&"/bin/sh".into());
    let owner = shell.and_then(|path| place.facts.owner(&path));
    let all = place
        .installed
        .closure(owner.map(|owner| owner.name.as_str()));
    let packages = all.iter().filter_map(|at| place.facts.packages.get(*at));
    packages.map(|package| package.name.as_str()).collect()
}

struct Needed<'p, 'a> {
    place: &'p Place<'a>,
    sources: Sources,
    /// By address and suite, with the components that are needed.
    archives: BTreeMap<(String, String), PlannedArchive>,
    /// What each archive is good for, worked out once.
    usable: BTreeMap<usize, Result<PlannedArchive, Obstacle>>,
    /// Packages that may be from one of several archives.
    open: Vec<Package>,
}

/// Archives of one image, and packages named for each, where nothing says which is from where.
const CANDIDATES: usize = 100;
const NAMED: usize = 10;

/// Pins of one image.
const PINS: usize = 200;

impl<'p, 'a> Needed<'p, 'a> {
    fn new(place: &'p Place<'a>) -> Self {
        Self {
            place,
            sources: Sources::default(),
            archives: BTreeMap::new(),
            usable: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    fn package(&mut self, at: usize, package: &Package) {
        match self.place.origins.of(at) {
            Origin::Own(Some(found)) => self.own(found),
            Origin::Own(None) => self.supposed(package),
            Origin::Foreign(found) => self.foreign(at, found, package),
            Origin::Local(_) => self.lifted(at, package, None),
            Origin::Unknown => {
                let why = "no archive is configured on the machine, and the version does not look like the release's own";
                self.lifted(at, package, Some(why.to_owned()));
            }
            Origin::Open => self.open.push(package.clone()),
        }
    }

    /// A part of the release's own archive that the base does not install from.
    fn own(&mut self, found: &Found) {
        let Some(archive) = self.place.origins.archive(found.archive) else {
            return;
        };
        if !archive.id.is_empty() {
            return self.named(archive);
        }
        let said = archive::described(&self.place.facts.archives, archive);
        let codename = said.map(|said| said.codename.as_str());
        let suite = codename.filter(|name| !name.is_empty());
        self.part(
            suite.unwrap_or(&archive.suite),
            &found.component,
            &archive.evidence,
        );
    }

    /// An archive that the image has, and has switched off.
    fn named(&mut self, archive: &Archive) {
        let base = self.place.base;
        let mut known = base.distribution.archive.components.iter();
        if known.any(|name| *name == archive.id) && !base.has_component(&archive.id) {
            self.sources.components.insert(archive.id.clone());
        }
    }

    fn part(&mut self, suite: &str, component: &str, evidence: &Evidence) {
        let base = self.place.base;
        let known = &base.distribution.archive.components;
        if base.codename.is_empty() || !known.iter().any(|name| name == component) {
            return;
        }
        if base.has_suite(suite) {
            if !base.has_component(component) {
                self.sources.components.insert(component.to_owned());
            }
            return;
        }
        // Archives for customers only have suites of their own; their packages are asked for by name.
        if !base.is_suite(suite) {
            return;
        }
        let uri = moved(base).unwrap_or(&base.distribution.archive.uri);
        self.add(PlannedArchive {
            uri: uri.to_owned(),
            suite: suite.to_owned(),
            components: vec![component.to_owned()],
            key: None,
            evidence: evidence.clone(),
        });
    }

    /// No list is left: the section names the component, and what the machine configures of its own distribution's the suites.
    fn supposed(&mut self, package: &Package) {
        let base = self.place.base;
        if let Some((component, _)) = package.section.split_once('/')
            && base
                .distribution
                .archive
                .components
                .iter()
                .any(|name| name == component)
        {
            let codename = base.codename.clone();
            self.part(&codename, component, &package.evidence);
        }
        // Which of those with names it is from, nothing says.
        let own: Vec<&Archive> = self
            .place
            .origins
            .own()
            .filter(|own| !own.id.is_empty())
            .collect();
        for archive in own {
            self.named(archive);
        }
        let family = base
            .family
            .filter(|family| family.is_doubtful(&package.version));
        if family.is_none() {
            return;
        }
        let own: Vec<&Archive> = self.place.origins.own().collect();
        for archive in own {
            for component in &archive.components {
                self.part(&archive.suite, component, &archive.evidence);
            }
        }
    }

    fn foreign(&mut self, at: usize, found: &Found, package: &Package) {
        let place = self.place;
        let Some(archive) = place.origins.archive(found.archive) else {
            return;
        };
        let known = self.usable.entry(found.archive);
        let known = known.or_insert_with(|| archive::usable(place.facts, archive, place.base));
        match known.clone() {
            Ok(planned) => {
                self.add(planned);
                self.note(at, package, Means::Archive, None);
            }
            Err(obstacle) => self.lifted(at, package, Some(obstacle.says().to_owned())),
        }
    }

    fn lifted(&mut self, at: usize, package: &Package, obstacle: Option<String>) {
        self.sources.lifted.insert(package.name.clone());
        self.note(at, package, Means::Files, obstacle);
    }

    /// Every archive that packages may be from is added, and the installer finds them by their versions.
    fn opened(&mut self) {
        let place = self.place;
        let open = std::mem::take(&mut self.open);
        self.sources.open = !open.is_empty();
        let candidates = place.origins.candidates().iter().take(CANDIDATES);
        for at in candidates.filter(|_| !open.is_empty()) {
            let Some(archive) = place.origins.archive(*at) else {
                continue;
            };
            let obstacle = match archive::usable(place.facts, archive, place.base) {
                Ok(planned) => {
                    self.add(planned);
                    continue;
                }
                Err(obstacle) => obstacle,
            };
            let named = open.iter().take(NAMED);
            let origins = named.map(|package| PlannedOrigin {
                package: package.name.clone(),
                version: package.version.clone(),
                from: archive::label(archive, &archive.components.join(" ")),
                means: Means::Name,
                obstacle: Some(obstacle.says().to_owned()),
                evidence: vec![package.evidence.clone(), archive.evidence.clone()],
            });
            self.sources.origins.extend(origins);
        }
    }

    fn note(&mut self, at: usize, package: &Package, means: Means, obstacle: Option<String>) {
        let (from, mut evidence) = self.place.origins.says(at);
        evidence.insert(0, package.evidence.clone());
        self.sources.origins.push(PlannedOrigin {
            package: package.name.clone(),
            version: package.version.clone(),
            from,
            means,
            obstacle,
            evidence,
        });
    }

    fn add(&mut self, planned: PlannedArchive) {
        let key = (planned.uri.clone(), planned.suite.clone());
        let known = self.archives.entry(key).or_insert_with(|| planned.clone());
        for component in planned.components {
            if !known.components.contains(&component) {
                known.components.push(component);
            }
        }
        known.components.sort();
    }

    fn finish(mut self, all: &BTreeSet<usize>) -> Sources {
        self.opened();
        let packages = all
            .iter()
            .filter_map(|at| self.place.facts.packages.get(*at));
        let installed = packages.filter(|package| !self.sources.lifted.contains(&package.name));
        let modules = installed.map(|package| &package.module);
        self.sources.modules = modules.filter(|name| is_stream(name)).cloned().collect();
        self.sources.archives = self.archives.into_values().collect();
        if self
            .sources
            .archives
            .iter()
            .all(|archive| archive.key.is_none())
        {
            return self.sources;
        }
        let packages = all
            .iter()
            .filter_map(|at| self.place.facts.packages.get(*at));
        let names: BTreeSet<&str> = packages.map(|package| package.name.as_str()).collect();
        let pins = self.place.facts.archives.pins.iter();
        // A pattern may be a regular expression between slashes; those are passed on as they are.
        let matters = |pattern: &String| {
            pattern.starts_with('/')
                || names.contains(pattern.as_str())
                || glob::is_pattern(pattern)
                    && names.iter().any(|name| glob::matches(pattern, name))
        };
        let pins = pins.filter(|pin| pin.packages.iter().any(matters));
        let pins = pins.take(PINS).map(|pin| PlannedPin {
            packages: pin.packages.clone(),
            pin: pin.pin.clone(),
            priority: pin.priority,
            evidence: pin.evidence.clone(),
        });
        self.sources.pins = pins.collect();
        self.sources
    }
}

/// `php:8.1`; anything else is damage.
fn is_stream(text: &str) -> bool {
    let is_word = |word: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(fits)
    };
    let parts = text.split_once(':');
    text.len() <= 128 && parts.is_some_and(|(name, stream)| is_word(name) && is_word(stream))
}

/// The address that a release's archive has moved to.
fn moved(base: &Base) -> Option<&str> {
    let line = base.moved.first()?;
    line.split_whitespace().find(|word| word.contains("://"))
}
