//! Fills a workload in: packages, configuration, claims, data, addresses, secrets.

use super::cut::Placed;
use super::libraries::Loader;
use super::service::{DirectoryKind, Service};
use super::{Configuration, Connect, Data, Listen, Product, Workload, claims, connect};
use crate::detect::native::secret::MASK;
use crate::detect::native::syntax;
use crate::detect::pack::address::{self, Address};
use crate::detect::pack::file::Form;
use crate::detect::pack::program::{self, Program};
use crate::fact::{Evidence, Facts, SecretRef};
use crate::path::MachinePath;
use crate::workload::product::Log;
use std::collections::BTreeSet;

/// Flags and variables that name a listener where no pack does.
const LISTEN_FLAGS: &[&str] = &[
    "--bind",
    "-b",
    "--listen",
    "--port",
    "-p",
    "--http-port",
    "--addr",
    "--address",
    "--listen-address",
    "--web.listen-address",
];
const LISTEN_VARIABLES: &[&str] = &[
    "PORT",
    "HTTP_PORT",
    "LISTEN",
    "LISTEN_ADDR",
    "LISTEN_ADDRESS",
    "BIND",
    "BIND_ADDR",
];

/// The workload of one service.
pub fn of_service(id: String, placed: &Placed, facts: &Facts) -> Workload {
    let service = &placed.service;
    let product = placed.product.as_ref();
    let argv = service
        .exec
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let program = program::of(argv, facts);
    let data = data(service, product, facts);
    let mut named = named_paths(service, &program);
    named.extend(named_by_scripts(&program, facts));
    let is_data = |path: &MachinePath| data.iter().any(|data| path.is_within(&data.path));
    let (configuration, claims) = split(facts, product, service, named, &is_data);
    let title = match product {
        Some(product) => product.title.clone(),
        None if service.description.is_empty() => service.name.clone(),
        None => service.description.clone(),
    };
    let mut workload = Workload {
        kind: product.map_or_else(|| "application".to_owned(), |product| product.kind.clone()),
        listens: listens(service, product, &program),
        connects: connects(service, product),
        user: product
            .and_then(|product| product.user.clone())
            .filter(|_| service.user == "root")
            .unwrap_or_else(|| service.user.clone()),
        group: service.group.clone(),
        environment: service
            .environment
            .iter()
            .filter(|(_, value)| !value.contains(MASK))
            .cloned()
            .collect(),
        executables: program.files.clone(),
        logs: logs(service, product),
        product: product.cloned(),
        services: vec![service.clone()],
        jobs: Vec::new(),
        packages: Vec::new(),
        schedule: None,
        secrets: Vec::new(),
        needs: Vec::new(),
        id,
        title,
        configuration,
        claims,
        data,
    };
    workload.packages = packages(&workload, service, &program, facts);
    workload.secrets = secrets(&workload, facts);
    workload.connects.extend(named_peers(&workload, facts));
    workload
}

/// What the files of an application say it connects to; its own listeners are no peers.
pub fn named_peers(workload: &Workload, facts: &Facts) -> Vec<Connect> {
    let mut found: Vec<Connect> = Vec::new();
    for (to, evidence) in &facts.peers {
        let own = workload
            .claims
            .iter()
            .any(|claim| evidence.path.is_within(claim));
        let connect = Connect {
            to: to.clone(),
            via: evidence.path.name().into_owned(),
            evidence: evidence.clone(),
        };
        let known = found
            .iter()
            .chain(&workload.connects)
            .any(|known| known.to == *to);
        if own && !known && !connect::reaches(&connect, workload) {
            found.push(connect);
        }
    }
    found
}

/// Absolute paths in arguments, environment, working directory and environment files.
fn named_paths(service: &Service, program: &Program) -> Vec<MachinePath> {
    let mut found: Vec<MachinePath> = program.files.clone();
    found.extend(
        program
            .names
            .iter()
            .filter(|name| name.starts_with('/'))
            .map(MachinePath::new),
    );
    let commands = service
        .exec
        .iter()
        .chain(&service.exec_pre)
        .chain(&service.exec_post);
    let words = commands.flat_map(|command| &command.argv);
    let values = service.environment.iter().map(|(_, value)| value);
    for word in words.chain(values) {
        let value = word
            .split_once('=')
            .map_or(word.as_str(), |(_, value)| value);
        for part in value.split(':') {
            if part.starts_with('/') && part.len() > 1 {
                found.push(MachinePath::new(part));
            }
        }
    }
    found.extend(service.working_directory.clone());
    found.extend(
        service
            .environment_files
            .iter()
            .map(|(path, _)| path.clone()),
    );
    found
}

/// Files that the service's own scripts open by name. A script of a package is its own affair, and a file within another
/// application is that one's.
fn named_by_scripts(program: &Program, facts: &Facts) -> Vec<MachinePath> {
    let scripts = program
        .files
        .iter()
        .filter_map(|path| facts.scripts.get(path));
    let own = scripts.filter(|script| facts.owner(&script.path).is_none());
    let words = own
        .flat_map(|script| &script.references)
        .map(|reference| &reference.word);
    let paths = words
        .filter(|word| word.starts_with('/'))
        .map(MachinePath::new);
    let etc = MachinePath::new("/etc");
    paths
        .filter(|path| {
            let is_file = facts
                .tree
                .get(path)
                .is_some_and(crate::walk::Entry::is_file);
            let by_itself = || claims::topmost(facts, path).as_ref() == Some(path);
            is_file && (path.is_within(&etc) || by_itself())
        })
        .collect()
}

type Parts = (Vec<Configuration>, Vec<MachinePath>);

/// Paths under /etc are configuration, each with its state; unowned ones elsewhere are claims.
fn split(
    facts: &Facts,
    product: Option<&Product>,
    service: &Service,
    named: Vec<MachinePath>,
    is_data: &dyn Fn(&MachinePath) -> bool,
) -> Parts {
    let etc = MachinePath::new("/etc");
    let mut files: BTreeSet<MachinePath> = product
        .iter()
        .flat_map(|product| &product.configuration)
        .cloned()
        .collect();
    let mut roots = Vec::new();
    for path in named {
        if path.is_within(&etc) {
            if path != etc
                && facts
                    .tree
                    .get(&path)
                    .is_some_and(crate::walk::Entry::is_file)
            {
                files.insert(path);
            } else if path != etc && facts.ownership.owner(&path).is_none() {
                files.extend(
                    facts
                        .tree
                        .below(&path)
                        .filter(|entry| !entry.is_dir())
                        .map(|entry| entry.path.clone()),
                );
            }
        } else {
            roots.extend(claims::topmost(facts, &path).filter(|path| !is_data(path)));
        }
    }
    // What a product's configuration names outside /etc is wanted as named: a document root does not bring along the
    // application beside it.
    let named_by_product = product
        .iter()
        .flat_map(|product| &product.claims)
        .map(|(path, _)| path);
    for path in files
        .iter()
        .chain(named_by_product)
        .cloned()
        .collect::<Vec<_>>()
    {
        let Some(real) = facts.tree.resolve(&path) else {
            continue;
        };
        if is_data(&real) {
            continue;
        }
        if real.is_within(&etc) {
            if facts
                .tree
                .entry(&real)
                .is_some_and(crate::walk::Entry::is_file)
            {
                files.insert(path);
            }
        } else if claims::topmost(facts, &real).is_some() {
            roots.push(real);
        } else {
            // A directory that a package made for others to fill.
            roots.extend(claims::added(facts, &real).filter(|path| !is_data(path)));
        }
    }
    // What a link of the configuration leads to belongs to it.
    let targets: Vec<MachinePath> = files
        .iter()
        .filter_map(|path| facts.tree.resolve(path))
        .collect();
    files.extend(targets.into_iter().filter(|path| path.is_within(&etc)));
    let not_unit = |path: &MachinePath| !service.files.contains(path) && !is_data(path);
    let configuration = files
        .into_iter()
        .filter(|path| not_unit(path))
        .map(|path| Configuration {
            state: facts.state(&path),
            path,
        })
        .collect();
    let home = facts
        .user(&service.user)
        .map(|user| MachinePath::new(&user.home));
    roots.retain(|root| {
        !root.is_within(&etc)
            && Some(root)
                != home
                    .as_ref()
                    .filter(|home| facts.ownership.owner(home).is_some())
    });
    (configuration, claims::outermost(roots))
}

fn data(service: &Service, product: Option<&Product>, facts: &Facts) -> Vec<Data> {
    let mut found: Vec<Data> = Vec::new();
    let mut add = |path: &MachinePath, why: &str, evidence: Evidence| {
        let Some(path) = facts.tree.resolve(path) else {
            return;
        };
        if !found.iter().any(|data| path.is_within(&data.path)) {
            let bytes = claims::files(facts, &path).map(|entry| entry.size).sum();
            found.push(Data {
                path,
                bytes,
                why: why.to_owned(),
                evidence,
            });
        }
    };
    for (path, why, evidence) in product.iter().flat_map(|product| &product.data) {
        add(path, why, evidence.clone());
    }
    let kept = [DirectoryKind::State, DirectoryKind::Cache];
    for directory in service
        .directories
        .iter()
        .filter(|directory| kept.contains(&directory.kind))
    {
        add(
            &directory.path,
            "the state directory of its unit",
            service.evidence.clone(),
        );
    }
    for directory in written(service, facts) {
        add(
            &directory,
            "written by the service's own user",
            Evidence::file(&directory),
        );
    }
    found
}

/// Directories inside the application that the service's user owns while somebody else owns the application; and
/// directories that hold an SQLite database.
fn written(service: &Service, facts: &Facts) -> Vec<MachinePath> {
    let Some(uid) = facts
        .user(&service.user)
        .map(|user| user.uid)
        .filter(|uid| *uid != 0)
    else {
        return Vec::new();
    };
    let argv = service
        .exec
        .first()
        .map(|command| command.argv.as_slice())
        .unwrap_or_default();
    let named = program::of(argv, facts)
        .files
        .into_iter()
        .chain(service.working_directory.clone());
    let roots = claims::outermost(
        named
            .filter_map(|path| claims::topmost(facts, &path))
            .collect(),
    );
    let mut found = Vec::new();
    for root in roots {
        let Some(entry) = facts.tree.entry(&root).filter(|entry| entry.is_dir()) else {
            continue;
        };
        for inner in facts.tree.below(&root) {
            let name = inner.path.name();
            let sqlite = [".db", ".sqlite", ".sqlite3"]
                .iter()
                .any(|end| name.ends_with(end))
                && inner.is_file();
            if inner.is_dir() && inner.uid == uid && entry.uid != uid {
                found.push(inner.path.clone());
            } else if sqlite && inner.uid == uid {
                found.extend(inner.path.parent().filter(|dir| *dir != root));
            }
        }
    }
    claims::outermost(found)
}

fn listens(service: &Service, product: Option<&Product>, program: &Program) -> Vec<Listen> {
    let mut found: Vec<Listen> = product
        .map(|product| product.listens.clone())
        .unwrap_or_default();
    let mut add = |text: &str, evidence: &Evidence| {
        if let Some(address) = address::parse(text, Form::Address, None) {
            let (address, port, protocol) = match address {
                Address::Inet { host, port } => (host, port, "tcp"),
                Address::Unix(path) => (path, 0, "unix"),
            };
            if port != 0 || protocol == "unix" {
                found.push(Listen {
                    address,
                    port,
                    protocol: protocol.to_owned(),
                    evidence: evidence.clone(),
                });
            }
        }
    };
    for (socket, evidence) in &service.sockets {
        add(socket, evidence);
    }
    // A pack knows its product's flags: `-p` may be a file there.
    if product.is_none() && service.sockets.is_empty() {
        let evidence = service
            .exec
            .first()
            .map_or(&service.evidence, |command| &command.evidence);
        for (_, args) in syntax::read_flags(&program.args)
            .iter()
            .filter(|(flag, _)| LISTEN_FLAGS.contains(&flag.as_str()))
        {
            add(args.first().map_or("", String::as_str), evidence);
        }
        for (_, value) in service
            .environment
            .iter()
            .filter(|(name, _)| LISTEN_VARIABLES.contains(&name.as_str()))
        {
            add(value, evidence);
        }
    }
    found.sort();
    found.dedup_by(|a, b| (&a.address, a.port, &a.protocol) == (&b.address, b.port, &b.protocol));
    found
}

fn connects(service: &Service, product: Option<&Product>) -> Vec<Connect> {
    let mut found: Vec<Connect> = product
        .map(|product| product.connects.clone())
        .unwrap_or_default();
    found.extend(connect::of_service(service));
    found.sort();
    found.dedup_by(|a, b| a.to == b.to && a.via == b.via);
    found
}

fn logs(service: &Service, product: Option<&Product>) -> Vec<MachinePath> {
    let mut found: Vec<MachinePath> = Vec::new();
    for log in product.iter().flat_map(|product| &product.logs) {
        if let Log::File { path, .. } = log {
            found.push(path.clone());
        }
    }
    for (_, entry) in &service.directives {
        let output = matches!(entry.key.as_str(), "StandardOutput" | "StandardError");
        if let Some((_, path)) = entry.value.split_once(":/").filter(|_| output) {
            found.push(MachinePath::new(path));
        }
    }
    let logs = service
        .directories
        .iter()
        .filter(|directory| directory.kind == DirectoryKind::Logs);
    found.extend(logs.map(|directory| directory.path.clone()));
    found.sort();
    found.dedup();
    found
}

/// Packages the image installs: owners of programs, interpreters, unit, configuration and libraries, and companions.
fn packages(
    workload: &Workload,
    service: &Service,
    program: &Program,
    facts: &Facts,
) -> Vec<String> {
    let mut paths: Vec<MachinePath> = program.files.clone();
    paths.extend(
        program
            .names
            .iter()
            .filter(|name| name.starts_with('/'))
            .map(MachinePath::new),
    );
    paths.extend(service.files.first().cloned());
    paths.extend(
        workload
            .configuration
            .iter()
            .map(|configuration| configuration.path.clone()),
    );
    let commands = service
        .exec_pre
        .iter()
        .chain(&service.exec_post)
        .chain(&service.exec_stop);
    paths.extend(commands.flat_map(|command| program::of(&command.argv, facts).files));
    let companions = workload
        .product
        .iter()
        .flat_map(|product| product.companions.iter().cloned());
    of_paths(facts, paths, &workload.claims, companions)
}

/// Names of the packages behind paths and claims, essential ones left out: every base has them.
pub fn of_paths(
    facts: &Facts,
    mut paths: Vec<MachinePath>,
    claims: &[MachinePath],
    companions: impl Iterator<Item = String>,
) -> Vec<String> {
    let loader = Loader::new(facts);
    for claim in claims {
        for entry in claims::files(facts, claim) {
            if let Some(elf) = facts.elfs.get(&entry.path) {
                paths.extend(loader.needed(elf));
                paths.extend(elf.interpreter.as_ref().map(MachinePath::new));
            }
            if let Some(script) = facts.scripts.get(&entry.path) {
                paths.extend(program::of(&script.interpreter, facts).files);
                let words = script
                    .references
                    .iter()
                    .map(|reference| reference.word.as_str());
                paths.extend(words.filter_map(|word| executable(facts, word)));
            }
        }
    }
    let mut names: BTreeSet<String> = companions.collect();
    for path in paths {
        let owner = facts.owner(&path).or_else(|| {
            facts
                .tree
                .resolve(&path)
                .and_then(|real| facts.owner(&real))
        });
        names.extend(
            owner
                .filter(|package| !package.essential)
                .map(|package| package.name.clone()),
        );
    }
    names.retain(|name| {
        facts
            .package(name)
            .is_some_and(|package| !package.essential)
    });
    roots_of(facts, &names)
}

/// Packages that no other of the list brings along: what an installer has to be asked for.
fn roots_of(facts: &Facts, names: &BTreeSet<String>) -> Vec<String> {
    let mut kept = names.clone();
    // Of two packages that need one another the one an administrator asked for stays.
    let manual = |name: &&String| facts.package(name).is_some_and(|package| package.manual);
    let (asked, pulled): (Vec<&String>, Vec<&String>) = names.iter().partition(manual);
    for name in asked.into_iter().chain(pulled) {
        if !kept.contains(name) {
            continue;
        }
        let mut brought = BTreeSet::new();
        let mut queue = vec![name.clone()];
        while let Some(next) = queue.pop() {
            let Some(package) = facts.package(&next) else {
                continue;
            };
            for needed in package.depends.iter().filter_map(|group| group.first()) {
                if brought.insert(needed.clone()) {
                    queue.push(needed.clone());
                }
            }
        }
        kept.retain(|other| other == name || !brought.contains(other));
    }
    kept.into_iter().collect()
}

/// A word of a script that is a command of the machine.
pub fn executable(facts: &Facts, word: &str) -> Option<MachinePath> {
    let real = facts.tree.resolve(&program::locate(word, facts)?)?;
    facts
        .tree
        .entry(&real)
        .is_some_and(crate::walk::Entry::is_executable)
        .then_some(real)
}

/// Places with secrets among what would be copied, and in the units themselves.
pub fn secrets(workload: &Workload, facts: &Facts) -> Vec<SecretRef> {
    let copied = |path: &MachinePath| {
        workload.configuration.iter().any(|c| c.path == *path)
            || workload.claims.iter().any(|claim| path.is_within(claim))
    };
    let mut found: Vec<SecretRef> = facts
        .secrets
        .iter()
        .filter(|secret| copied(&secret.evidence.path))
        .cloned()
        .collect();
    for service in &workload.services {
        for (name, evidence) in &service.secret_environment {
            if !found.iter().any(|known| {
                known.evidence.path == evidence.path && known.evidence.line == evidence.line
            }) {
                found.push(SecretRef {
                    kind: "variable".into(),
                    key: name.clone(),
                    evidence: evidence.clone(),
                });
            }
        }
    }
    found.sort();
    found
}
