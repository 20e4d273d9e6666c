//! Paths that a service names, and what they are to it: configuration, or files that no package brings.

use super::{Configuration, claims};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::product::Product;
use crate::program::Program;
use crate::service::Service;
use std::collections::BTreeSet;

/// Absolute paths in arguments, environment, working directory and environment files.
pub(super) fn named_paths(service: &Service, program: &Program) -> Vec<MachinePath> {
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
pub(super) fn named_by_scripts(program: &Program, facts: &Facts) -> Vec<MachinePath> {
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
pub(super) fn split(
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
            // A directory that a package made for others to fill, or that everybody does.
            let added = claims::added(facts, &real).chain(claims::on_shelf(facts, &real));
            roots.extend(added.filter(|path| !is_data(path)));
        }
    }
    let own = service.working_directory.iter();
    for directory in own.filter_map(|directory| facts.tree.resolve(directory)) {
        roots.extend(
            claims::on_shelf(facts, &directory)
                .into_iter()
                .filter(|path| !is_data(path)),
        );
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
