//! Paths that a service names, and what they are to it: configuration, or files that no package brings.

use super::{Configuration, claims};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::product::Product;
use crate::program::Program;
use crate::service::Service;
use crate::walk::Entry;
use std::collections::BTreeSet;

/// Absolute paths in arguments, environment, working directory and environment files.
pub(crate) fn named_paths(service: &Service, program: &Program) -> Vec<MachinePath> {
    let mut found: Vec<MachinePath> = program.files.clone();
    found.extend(
        program
            .names
            .iter()
            .filter(|name| name.starts_with('/'))
            .map(MachinePath::new),
    );
    let commands = service
        .commands
        .start
        .iter()
        .chain(&service.commands.before)
        .chain(&service.commands.after);
    let words = commands.flat_map(|command| &command.argv);
    let values = service.environment.variables.iter().map(|(_, value)| value);
    for word in words.chain(values) {
        found.extend(paths_of(word));
    }
    found.extend(service.working_directory.clone());
    found.extend(service.binds.iter().map(|bind| bind.source.clone()));
    found.extend(
        service
            .environment
            .files
            .iter()
            .map(|(path, _)| path.clone()),
    );
    found
}

/// Paths in a word: `/a:/b`, `A=/x`, `-javaagent:/a.jar=/b`, `file:/x`, and those of a line of shell. Of a URL there are none.
fn paths_of(word: &str) -> Vec<MachinePath> {
    let signs = [
        ':', '=', ',', ';', ' ', '\t', '\n', '"', '\'', '<', '>', '(', ')', '@',
    ];
    let parts = word.split(signs);
    let paths = parts.filter(|part| part.starts_with('/') && !part.starts_with("//"));
    paths
        .filter(|part| part.len() > 1)
        .map(MachinePath::new)
        .collect()
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
            let is_file = facts.tree.get(path).is_some_and(Entry::is_file);
            let by_itself = || claims::topmost(facts, path).as_ref() == Some(path);
            is_file && (path.is_within(&etc) || by_itself())
        })
        .collect()
}

/// Paths under /etc are configuration, each with its state; unowned ones elsewhere are claims.
pub(super) fn split(
    facts: &Facts,
    product: Option<&Product>,
    service: &Service,
    named: Vec<MachinePath>,
    is_data: &dyn Fn(&MachinePath) -> bool,
) -> (Vec<Configuration>, Vec<MachinePath>) {
    let configured = product.iter().flat_map(|product| &product.configuration);
    let mut parts = Parts {
        facts,
        is_data,
        etc: MachinePath::new("/etc"),
        files: configured.cloned().collect(),
        roots: Vec::new(),
    };
    for path in named {
        parts.named(path);
    }
    // What a product's configuration names outside /etc is wanted as named: a document root does not bring along the
    // application beside it.
    let of_product = product.iter().flat_map(|product| &product.claims);
    let of_product = of_product.map(|(path, _)| path);
    let wanted: Vec<MachinePath> = parts.files.iter().chain(of_product).cloned().collect();
    for path in wanted {
        parts.wanted(path);
    }
    parts.working_directory(service);
    parts.link_targets();
    (parts.configuration(service), parts.claims(service))
}

/// Configuration and claims, while paths are told apart.
struct Parts<'a> {
    facts: &'a Facts,
    /// State that a volume keeps is neither.
    is_data: &'a dyn Fn(&MachinePath) -> bool,
    etc: MachinePath,
    files: BTreeSet<MachinePath>,
    roots: Vec<MachinePath>,
}

impl Parts<'_> {
    /// A path that the service names, with the application it belongs to.
    fn named(&mut self, path: MachinePath) {
        let facts = self.facts;
        if path == self.etc {
            return;
        }
        if !path.is_within(&self.etc) {
            let top = claims::topmost(facts, &path);
            self.roots.extend(top.filter(|path| !(self.is_data)(path)));
        } else if facts.tree.get(&path).is_some_and(Entry::is_file) {
            self.files.insert(path);
        } else if facts.ownership.owner(&path).is_none() {
            let below = facts.tree.below(&path).filter(|entry| !entry.is_dir());
            self.files.extend(below.map(|entry| entry.path.clone()));
        }
    }

    /// A path that is wanted as named, and nothing beside it.
    fn wanted(&mut self, path: MachinePath) {
        let facts = self.facts;
        let Some(real) = facts.tree.resolve(&path).filter(|p| !(self.is_data)(p)) else {
            return;
        };
        if real.is_within(&self.etc) {
            if facts.tree.entry(&real).is_some_and(Entry::is_file) {
                self.files.insert(path);
            }
        } else if claims::topmost(facts, &real).is_some() {
            self.roots.push(real);
        } else {
            // A directory that a package made for others to fill, or that everybody does.
            let added = claims::added(facts, &real).chain(claims::on_shelf(facts, &real));
            self.roots
                .extend(added.filter(|path| !(self.is_data)(path)));
        }
    }

    fn working_directory(&mut self, service: &Service) {
        let own = service.working_directory.iter();
        for directory in own.filter_map(|directory| self.facts.tree.resolve(directory)) {
            let shelf = claims::on_shelf(self.facts, &directory).into_iter();
            self.roots
                .extend(shelf.filter(|path| !(self.is_data)(path)));
        }
    }

    /// What a link of the configuration leads to belongs to it.
    fn link_targets(&mut self) {
        let targets = self.files.iter();
        let targets = targets.filter_map(|path| self.facts.tree.resolve(path));
        let inside: Vec<_> = targets.filter(|path| path.is_within(&self.etc)).collect();
        self.files.extend(inside);
    }

    /// The unit's own files are the plan's affair.
    fn configuration(&self, service: &Service) -> Vec<Configuration> {
        let files = self.files.iter();
        let files = files.filter(|path| !service.files.contains(path) && !(self.is_data)(path));
        let files = files.map(|path| Configuration {
            state: self.facts.state(path),
            path: path.clone(),
        });
        files.collect()
    }

    /// A home that a package brings is no claim.
    fn claims(self, service: &Service) -> Vec<MachinePath> {
        let user = self.facts.user(&service.user);
        let home = user.map(|user| MachinePath::new(&user.home));
        let home = home.filter(|home| self.facts.ownership.owner(home).is_some());
        let mut roots = self.roots;
        roots.retain(|root| !root.is_within(&self.etc) && Some(root) != home.as_ref());
        claims::outermost(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_words() {
        let shown = |word: &str| -> Vec<String> {
            paths_of(word).iter().map(ToString::to_string).collect()
        };
        for (word, wanted) in [
            ("/opt/a:/opt/b", &["/opt/a", "/opt/b"][..]),
            (
                "-javaagent:/opt/a.jar=/etc/a.properties",
                &["/opt/a.jar", "/etc/a.properties"],
            ),
            ("--config=file:/opt/o/config/", &["/opt/o/config/"]),
            ("-Xmx2g -Dx.y=/etc/x.jks", &["/etc/x.jks"]),
            (
                "exec /opt/k/run >/opt/k/log 2>&1",
                &["/opt/k/run", "/opt/k/log"],
            ),
            ("http://h/x/y", &[]),
            ("a/b", &[]),
        ] {
            let wanted: Vec<String> = wanted
                .iter()
                .map(|path| MachinePath::new(path).to_string())
                .collect();
            assert_eq!(shown(word), wanted, "{word}");
        }
    }
}
