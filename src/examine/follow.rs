//! What facts ask for: the files that only show themselves once others were read. Pure.

use super::changed::Changed;
use crate::detect::native::{
    Certificates, Code, Content, Digest, Executable, MachineCode, Managers, NamedListeners, Units,
    package, syntax, system,
};
use crate::detect::{Purpose, Want};
use crate::fact::{Elf, Facts, Syntax};
use crate::path::MachinePath;
use crate::plan;
use crate::product::pack::Packs;
use crate::program::closure::Closure;
use crate::program::configured;
use crate::program::libraries::Loader;
use crate::program::libraries::Programs;
use crate::program::modules;
use crate::program::{self, Around};

use crate::service::Services;
use crate::service::managed::Reading;
use crate::service::manager::MANAGERS;
use crate::study::outline::Outline;
use crate::walk::{Entry, literal};
use crate::workload::{self, claims};
use std::collections::BTreeSet;

/// What services, jobs, packs and packages ask for; what was read already the engine leaves out.
pub fn named(facts: &Facts, services: &Services, packs: &Packs) -> Vec<Want> {
    let mut wants: Vec<Want> = system::CONFIGURATION
        .iter()
        .map(|(pattern, syntax)| syntax::want(*syntax, pattern))
        .collect();
    wants.extend(packs.wants(facts, &services.services));
    wants.extend(environment_files(services));
    let scripts = MANAGERS.iter().flat_map(|manager| manager.scripts());
    let scripts = scripts.map(MachinePath::new);
    wants.extend(scripts.map(|path| Want::file(&path, Executable::ID)));
    let managers = MANAGERS.iter();
    let managed = managers.flat_map(|manager| manager.wants(facts, services));
    wants.extend(managed.map(|wanted| match wanted.reading {
        Reading::Managed(dialect) => Managers::want(&wanted.pattern, dialect),
        Reading::Unit => Want {
            pattern: wanted.pattern,
            purpose: Purpose {
                detector: Units::ID.into(),
                context: String::new(),
            },
        },
        Reading::Environment => syntax::want(Syntax::Environment, &wanted.pattern),
    }));
    wants.extend(executables(facts, services));
    wants.extend(needed(facts));
    let changed = Changed::find(facts);
    wants.extend(changed.wants());
    wants.extend(compared(facts, &changed));
    wants
}

/// What the workloads would carry is looked into: for secrets, and for programs among what no package brought. Worked out
/// once nothing is named any more, since every plan of a half-read machine is thrown away.
pub fn carried(facts: &Facts, outline: &Outline) -> Vec<Want> {
    let mut wants = Vec::new();
    for plan in &outline.plans {
        let copied = plan.image.entries.iter().filter(|entry| entry.is_file());
        let copied = copied.filter(|entry| entry.size > 0 && entry.size <= Content::LIMIT);
        wants.extend(copied.map(|entry| Want::file(&entry.path, Content::ID)));
        let handed = plan.state.secret_entries.iter();
        let all = plan.image.entries.iter().chain(handed);
        let certificates = all.filter(|entry| is_certificate(entry));
        wants.extend(certificates.map(|entry| Want::file(&entry.path, Certificates::ID)));
    }
    let code = plan::lifted_code(&outline.plans, facts);
    wants.extend(code.iter().map(|path| Want::file(path, Executable::ID)));
    for workload in &outline.cut.workloads {
        let settings = workload::settings::files(workload, facts);
        wants.extend(
            settings
                .iter()
                .map(|(path, syntax)| syntax::want(*syntax, &literal(path))),
        );
        let unsaid = workload.listens.is_empty() && !workload.services.is_empty();
        if unsaid || workload.product.is_none() {
            // A hint that is not read is nothing that was not examined.
            let is_small = |path: &&MachinePath| {
                let entry = facts.tree.get(path);
                entry.is_some_and(|entry| entry.size <= NamedListeners::LIMIT)
            };
            let own = workload.executables.iter();
            let own = own.filter(|path| facts.owner(path).is_none());
            let own = own.filter(|path| !facts.elfs.contains_key(*path));
            let files = workload::configuration_of(workload, facts).chain(own);
            let files = files.filter(is_small);
            wants.extend(files.map(|path| Want::file(path, NamedListeners::ID)));
        }
        for claim in &workload.claims {
            let programs =
                claims::files(facts, claim).filter(|entry| claims::may_be_program(entry));
            wants.extend(programs.map(|entry| Want::file(&entry.path, Executable::ID)));
            let code = claims::files(facts, claim).filter(|entry| is_code(entry));
            wants.extend(code.map(|entry| Want::file(&entry.path, Code::ID)));
        }
        let scripts = workload.executables.iter();
        let scripts = scripts.filter(|path| facts.owner(path).is_none());
        let scripts = scripts.filter_map(|path| facts.tree.entry(path));
        let scripts = scripts.filter(|entry| is_code(entry));
        wants.extend(scripts.map(|entry| Want::file(&entry.path, Code::ID)));
    }
    wants
}

/// Whether a certificate may be in it, by its name.
fn is_certificate(entry: &Entry) -> bool {
    const ENDS: [&str; 5] = [".pem", ".crt", ".cer", ".cert", ".chain"];
    let name = entry.path.name().to_ascii_lowercase();
    entry.is_file()
        && entry.size <= Certificates::LIMIT
        && ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether modules may be named in it.
fn is_code(entry: &Entry) -> bool {
    let is_one = entry.is_executable() || modules::is_code(&entry.path.name());
    let is_small = entry.size > 0 && entry.size <= Code::LIMIT;
    is_one && is_small && !modules::is_brought_along(&entry.path)
}

/// What these programs ask for, last, since libraries name libraries: the headers and the code of all that they can load,
/// and the configuration that says which plug-ins are opened. Larger libraries are left out, and their programs' answer says so.
pub fn loadable(facts: &Facts, programs: &Programs, largest: u64) -> Vec<Want> {
    let is_read = |path: &&MachinePath| {
        let size = facts.tree.get(path).map_or(0, |entry| entry.size);
        size <= largest || programs.contains_key(*path)
    };
    let both = |path: &MachinePath| {
        [
            Want::file(path, Executable::ID),
            Want::file(path, MachineCode::ID),
        ]
    };
    let files = Closure::new(facts, programs).files(programs.keys());
    let configuration = configuration(&files);
    let read = files.iter().filter(is_read).flat_map(both);
    read.chain(configuration).collect()
}

/// The configuration that says which of these files are opened.
pub fn configuration(files: &BTreeSet<MachinePath>) -> impl Iterator<Item = Want> {
    let patterns = configured::configuration(files).into_iter();
    patterns.map(|pattern| syntax::want(Syntax::Columns, pattern))
}

fn environment_files(services: &Services) -> Vec<Want> {
    let of_jobs = services
        .jobs
        .iter()
        .filter_map(|job| job.service.as_deref());
    let files = services
        .services
        .iter()
        .chain(of_jobs)
        .flat_map(|service| &service.environment.files);
    files
        .map(|(path, _)| syntax::want(Syntax::Environment, &path.text()))
        .collect()
}

/// Programs of enabled services and jobs; of scripts also what they name.
fn executables(facts: &Facts, services: &Services) -> Vec<Want> {
    let mut found = Vec::new();
    let enabled = services.services.iter().filter(|service| service.enabled);
    let of_jobs = services
        .jobs
        .iter()
        .filter_map(|job| job.service.as_deref());
    for service in enabled.chain(of_jobs) {
        for command in service
            .commands
            .start
            .iter()
            .chain(&service.commands.before)
        {
            let around = Around {
                directory: service.working_directory.as_ref(),
                variables: &service.environment.variables,
                home: facts.user(&service.user).map(|user| user.home.as_str()),
            };
            let program = program::of_in(&command.argv, around, facts);
            let asks = program.asks.iter();
            let is_there = |path: &MachinePath| facts.tree.exists(path);
            let asks = asks.filter(|(path, _)| is_there(path));
            found.extend(asks.map(|(path, syntax)| syntax::want(*syntax, &literal(path))));
            found.extend(
                program
                    .files
                    .iter()
                    .map(|path| Want::file(path, Executable::ID)),
            );
        }
    }
    for job in &services.jobs {
        for word in crate::words::script::script_words(&job.command) {
            if let Some(path) =
                program::locate(&word, facts).and_then(|path| facts.tree.resolve(&path))
            {
                found.push(Want::file(&path, Executable::ID));
            }
        }
    }
    for script in facts
        .scripts
        .values()
        .filter(|script| facts.owner(&script.path).is_none())
    {
        let words = script
            .references
            .iter()
            .map(|reference| &reference.word)
            .chain(script.interpreter.first());
        for path in words.filter_map(|word| program::locate(word, facts)) {
            let real = facts.tree.resolve(&path);
            let program = real.filter(|path| {
                facts
                    .tree
                    .entry(path)
                    .is_some_and(crate::walk::Entry::is_executable)
            });
            found.extend(program.map(|path| Want::file(&path, Executable::ID)));
        }
    }
    found
}

/// Libraries that unowned programs need; what a package owns brings its own.
fn needed(facts: &Facts) -> Vec<Want> {
    let unowned = facts
        .elfs
        .values()
        .filter(|elf| facts.owner(&elf.path).is_none());
    let loader = Loader::new(facts);
    let libraries = unowned.flat_map(|elf: &Elf| loader.needed(elf));
    libraries
        .map(|path| Want::file(&path, Executable::ID))
        .collect()
}

/// Files whose package recorded a digest: configuration, and what looks changed.
fn compared(facts: &Facts, changed: &Changed) -> Vec<Want> {
    let conffiles = facts
        .packages
        .iter()
        .flat_map(|package| &package.conffiles)
        .map(|conffile| facts.tree.canonical(&conffile.path));
    let recorded = facts
        .ownership
        .recorded_paths()
        .filter(|path| package::is_compared(&path.text()) || changed.files.contains(*path));
    conffiles
        .chain(recorded.cloned())
        .filter(|path| {
            facts
                .tree
                .entry(path)
                .is_some_and(crate::walk::Entry::is_file)
        })
        .map(|path| Digest::want(&path, facts.ownership.recorded(&path)))
        .collect()
}
