//! Libraries a program needs, found as the machine's own loader would find them (ld.so(8)).

mod lack;
mod load;
mod plug_in;
mod search;

pub use lack::{Asked, Lacks, Missing, lacks};
pub use plug_in::{Programs, above_searched, is_library};

use crate::fact::{Elf, Facts, Syntax};
use crate::path::MachinePath;
use std::collections::{BTreeMap, BTreeSet};

/// The loader's own directories; multiarch ones are in ld.so.conf.d, and named here for machines without it.
const DEFAULT: &[&str] = &["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Where glibc's loader is told of further ones, and in the files that this includes.
const CONFIGURATION: &str = "/etc/ld.so.conf";

/// The machine's loader: what its configuration says is worked out once, for many programs.
pub struct Loader<'a> {
    facts: &'a Facts,
    /// Directories of ld.so.conf and what it includes, in order.
    configured: Vec<MachinePath>,
    /// Directories of ld-musl-*.path, which stand in place of musl's own.
    of_musl: Vec<MachinePath>,
    /// The loader's cache by name; those for a processor's level behind those for all.
    cached: BTreeMap<&'a str, Vec<&'a MachinePath>>,
    /// Services that nsswitch.conf(5) names, without which the C library asks its own; `None` where there is no such file.
    services: Option<BTreeSet<String>>,
    /// What programs may open of their workloads' own.
    own: &'a Programs,
}

static NOTHING: Programs = Programs::new();

impl<'a> Loader<'a> {
    pub fn new(facts: &'a Facts) -> Self {
        Self::with(facts, &NOTHING)
    }

    /// One that knows what programs may open beside what all may.
    pub fn with(facts: &'a Facts, own: &'a Programs) -> Self {
        Self {
            facts,
            configured: listed(facts, CONFIGURATION),
            of_musl: listed(facts, "/etc/ld-musl-"),
            cached: cached(facts),
            services: services(facts),
            own,
        }
    }

    /// NEEDED entries, each with where it leads, if anywhere; links followed.
    pub fn libraries<'e>(
        &'e self,
        elf: &'e Elf,
    ) -> impl Iterator<Item = (&'e str, Option<MachinePath>)> {
        let names = elf.needed.iter().map(String::as_str);
        names.map(|name| (name, self.locate(elf, name)))
    }

    /// Where NEEDED entries lead, as far as they lead anywhere.
    pub fn needed(&self, elf: &Elf) -> Vec<MachinePath> {
        self.libraries(elf).filter_map(|(_, path)| path).collect()
    }

    /// Directories that its configuration names: nothing else but the cache leads there.
    pub fn is_configured(&self, directory: &MachinePath) -> bool {
        self.configured.contains(directory)
    }

    /// The files of its configuration that name a directory.
    pub fn listing(&self, directory: &MachinePath) -> Vec<MachinePath> {
        let names = |text: &str| {
            let mut all = text.split(':');
            all.any(|listed| MachinePath::new(listed) == *directory)
        };
        let documents = self.facts.documents.iter();
        let documents = documents.filter(|((path, syntax), document)| {
            *syntax == Syntax::Columns
                && path.text().starts_with(CONFIGURATION)
                && document.settings.iter().any(|setting| names(&setting.key))
        });
        documents.map(|((path, _), _)| path.clone()).collect()
    }

    /// NEEDED entries that lead nowhere on this machine.
    pub fn missing<'e>(&'e self, elf: &'e Elf) -> Vec<&'e str> {
        let lacking = self.libraries(elf).filter(|(_, path)| path.is_none());
        lacking.map(|(name, _)| name).collect()
    }

    /// Libraries that a string of a program can mean: a name or path as dlopen(3) takes it, or a pattern of printf(3) that
    /// is filled in at run time and then any of that shape.
    pub fn named(&self, elf: &Elf, text: &str) -> Vec<MachinePath> {
        if !text.contains('%') {
            return self.locate(elf, text).into_iter().collect();
        }
        let pattern = as_glob(text);
        // A name that is all made at run time could be any library, and is none that a machine could tell.
        let file = pattern.rsplit('/').next().unwrap_or_default();
        let known = file.split('*').next().unwrap_or_default();
        if known.trim_start_matches("lib").len() < 2 {
            return Vec::new();
        }
        let tree = &self.facts.tree;
        let directories = self.directories(elf);
        let patterns: Vec<String> = if pattern.contains('/') {
            vec![pattern]
        } else {
            let directories = directories.iter().map(|dir| dir.text().into_owned());
            directories.map(|dir| format!("{dir}/{pattern}")).collect()
        };
        let absolute = patterns.iter().filter(|pattern| pattern.starts_with('/'));
        let found = absolute.flat_map(|pattern| tree.find(pattern));
        let found = found.filter(|found| self.is_service(&found.named));
        let mut found: Vec<MachinePath> = found
            .filter_map(|found| tree.resolve(&found.named))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether the name service switch would open it; what is no module of the switch is not asked.
    fn is_service(&self, path: &MachinePath) -> bool {
        let name = path.name();
        let module = name
            .strip_prefix("libnss_")
            .and_then(|name| name.split_once(".so"));
        match (module, &self.services) {
            (Some((service, _)), Some(services)) => services.contains(service),
            _ => true,
        }
    }

    /// Whether a directory is one of those, without making them.
    fn is_common(&self, directory: &MachinePath, elf: &Elf) -> bool {
        let text = directory.text();
        let below = text.strip_prefix("/usr").unwrap_or(&text);
        let multiarch = below.strip_prefix("/lib/");
        let multiarch = multiarch.and_then(|name| name.strip_suffix("-linux-gnu"));
        multiarch == Some(&elf.machine)
            || DEFAULT.contains(&&*text)
            || self.configured.contains(directory)
    }

    /// The loader passes over libraries of another machine; one that was not looked into yet counts as fitting.
    fn fits(&self, path: &MachinePath, elf: &Elf) -> bool {
        let found = self.facts.elfs.get(path);
        found.is_none_or(|found| (found.bits, &found.machine) == (elf.bits, &elf.machine))
    }
}

/// Directories that files of a loader's configuration list, in order.
fn listed(facts: &Facts, files: &str) -> Vec<MachinePath> {
    let documents = facts
        .documents
        .iter()
        .filter(|((path, syntax), _)| *syntax == Syntax::Columns && path.text().starts_with(files));
    let settings = documents.flat_map(|(_, document)| &document.settings);
    let keys = settings.flat_map(|setting| setting.key.split(':'));
    let directories = keys.filter(|key| key.starts_with('/'));
    directories.map(MachinePath::new).collect()
}

fn cached(facts: &Facts) -> BTreeMap<&str, Vec<&MachinePath>> {
    let mut found: BTreeMap<&str, Vec<&MachinePath>> = BTreeMap::new();
    let (levels, all): (Vec<_>, Vec<_>) = facts.cached.iter().partition(|entry| entry.processor);
    for entry in all.into_iter().chain(levels) {
        found.entry(&entry.name).or_default().push(&entry.path);
    }
    found
}

/// What the switch is set to ask, and what it asks where a database is not named.
fn services(facts: &Facts) -> Option<BTreeSet<String>> {
    let path = MachinePath::from("/etc/nsswitch.conf");
    let document = facts.documents.get(&(path, Syntax::Columns))?;
    let mut found = BTreeSet::from(["files".to_owned(), "dns".to_owned()]);
    if !document
        .settings
        .iter()
        .any(|setting| setting.key == "passwd:")
    {
        found.insert("compat".to_owned());
    }
    let words = document.settings.iter().flat_map(|setting| &setting.args);
    found.extend(words.cloned());
    Some(found)
}

/// A pattern of printf(3) as one of the shell.
fn as_glob(text: &str) -> String {
    let mut glob = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '%' {
            let conversion = chars.find(char::is_ascii_alphabetic);
            glob.push_str(if conversion.is_some() { "*" } else { "" });
        } else {
            glob.push(c);
        }
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Document, ElfKind, Setting};
    use crate::source::Root;
    use std::collections::BTreeMap;

    fn elf(path: &str, bits: u8, runpath: &[&str], rpath: &[&str]) -> Elf {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Elf {
            path: path.into(),
            kind: ElfKind::Dynamic,
            bits,
            little_endian: true,
            machine: if bits == 64 { "x86_64" } else { "i386" }.into(),
            interpreter: None,
            soname: None,
            needed: owned(&["liba.so", "libnone.so"]),
            rpath: owned(rpath),
            runpath: owned(runpath),
            ..Elf::default()
        }
    }

    fn facts(files: &[&str]) -> Facts {
        let texts = files.iter().map(|path| {
            let (path, text) = path.split_once(' ').unwrap_or((path, ""));
            (path.to_owned(), text.to_owned())
        });
        let root = Root::memory(&texts.collect::<BTreeMap<_, _>>());
        let path = MachinePath::new("/etc/ld.so.conf.d/x.conf");
        let setting = |key: &str| Setting {
            key: key.into(),
            args: Vec::new(),
            block: 0,
            line: 1,
            conditions: Vec::new(),
            secret: false,
        };
        let document = Document {
            path: path.clone(),
            syntax: Syntax::Columns,
            settings: vec![setting("include"), setting("/opt/conf")],
            includes: Vec::new(),
        };
        Facts {
            tree: root.walk().0,
            documents: BTreeMap::from([((path, Syntax::Columns), document)]),
            ..Facts::default()
        }
    }

    fn found(facts: &Facts, elf: &Elf) -> Vec<String> {
        let found = Loader::new(facts).needed(elf);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_loaders_order() {
        let all = [
            "/srv/app/lib/liba.so",
            "/srv/old/liba.so",
            "/opt/conf/liba.so",
            "/usr/lib/x86_64-linux-gnu/liba.so -> liba.so.1",
            "/usr/lib/x86_64-linux-gnu/liba.so.1",
            "/lib -> usr/lib",
        ];
        let program = |runpath: &[&str], rpath: &[&str]| elf("/srv/app/bin/x", 64, runpath, rpath);
        let both = program(&["", "lib", "${ORIGIN}/../lib"], &["/srv/old"]);
        assert_eq!(found(&facts(&all), &both), ["/srv/app/lib/liba.so"]);
        let old = program(&[], &["/srv/old"]);
        assert_eq!(found(&facts(&all), &old), ["/srv/old/liba.so"]);
        let none = program(&["/nowhere"], &["/srv/old"]);
        assert_eq!(found(&facts(&all), &none), ["/opt/conf/liba.so"]);
        assert_eq!(
            found(&facts(&all[3..]), &none),
            ["/usr/lib/x86_64-linux-gnu/liba.so.1"]
        );
        assert_eq!(Loader::new(&facts(&all)).missing(&none), ["libnone.so"]);
    }

    #[test]
    fn the_cache_comes_before_directories_and_after_the_files_own() {
        let all = [
            "/opt/cached/liba.so",
            "/opt/conf/liba.so",
            "/srv/own/liba.so",
        ];
        let mut facts = facts(&all);
        let entry = |path: &str, processor: bool| crate::fact::Cached {
            name: "liba.so".into(),
            path: path.into(),
            processor,
        };
        facts.cached = vec![
            entry("/opt/conf/liba.so", true),
            entry("/opt/cached/liba.so", false),
        ];
        assert_eq!(
            found(&facts, &elf("/srv/x", 64, &[], &[])),
            ["/opt/cached/liba.so"]
        );
        assert_eq!(
            found(&facts, &elf("/srv/x", 64, &["/srv/own"], &[])),
            ["/srv/own/liba.so"]
        );
    }

    #[test]
    fn a_library_that_only_some_processors_take_is_found_last() {
        let only = "/usr/lib/glibc-hwcaps/x86-64-v3/liba.so";
        assert_eq!(found(&facts(&[only]), &elf("/srv/x", 64, &[], &[])), [only]);
    }

    #[test]
    fn libraries_of_another_machine_are_passed_over() {
        let mut facts = facts(&["/opt/conf/liba.so", "/usr/lib/liba.so"]);
        let program = elf("/srv/x", 32, &[], &[]);
        assert_eq!(found(&facts, &program), ["/opt/conf/liba.so"]);
        let wide = elf("/opt/conf/liba.so", 64, &[], &[]);
        facts.elfs.insert(wide.path.clone(), wide);
        assert_eq!(found(&facts, &program), ["/usr/lib/liba.so"]);
    }
}
