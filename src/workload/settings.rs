//! The files that an application's configuration stands in, and what they are written in: told by their names, as
//! `detectors/customs.toml` has them.

use super::custom::table;
use super::{Workload, claims};
use crate::fact::{Document, Facts, Syntax};
use crate::path::MachinePath;
use crate::walk::glob;

/// Files of one application; of more, some are read.
const MOST: usize = 64;

/// Directories below the application's own.
const DEEPEST: usize = 6;

/// Largest file, in bytes.
const LARGEST: u64 = 256 << 10;

/// Whether nobody knows what runs there: no pack, or one of whatever runs an application.
pub fn is_application(workload: &Workload) -> bool {
    let product = workload.product.as_ref();
    product.is_none_or(|product| !product.says.state)
}

/// The files, with their syntaxes: what the command line and the environment name first.
pub fn files(workload: &Workload, facts: &Facts) -> Vec<(MachinePath, Syntax)> {
    if !is_application(workload) {
        return Vec::new();
    }
    let own = workload.configuration.iter().map(|file| &file.path);
    let own = own.filter(|path| facts.owner(path).is_none());
    let of_claims = workload.claims.iter().flat_map(|claim| {
        let below = claims::files(facts, claim);
        let near = below.filter(|entry| is_near(&entry.path, claim));
        near.map(|entry| &entry.path)
    });
    // Of many, those nearest to the top are the application's own; deeper ones are libraries'.
    let mut of_claims: Vec<&MachinePath> = of_claims.collect();
    of_claims.sort_by_key(|path| path.components().count());
    let small = own.chain(of_claims).filter(|path| {
        let entry = facts.tree.get(path);
        entry.is_some_and(|entry| entry.is_file() && entry.size <= LARGEST)
    });
    let known = small.filter_map(|path| Some((path.clone(), syntax(&path.name())?)));
    let mut found: Vec<(MachinePath, Syntax)> = known.take(MOST).collect();
    found.sort();
    found.dedup();
    found
}

/// Those that were read.
pub(super) fn documents<'a>(workload: &Workload, facts: &'a Facts) -> Vec<&'a Document> {
    let files = files(workload, facts).into_iter();
    files
        .filter_map(|file| facts.documents.get(&file))
        .collect()
}

/// Not too deep, and in no directory of other people's code.
fn is_near(path: &MachinePath, claim: &MachinePath) -> bool {
    let depth = claim.components().count();
    let inner: Vec<&[u8]> = path.components().skip(depth).collect();
    let directories = inner.split_last().map_or(&[][..], |(_, above)| above);
    directories.len() <= DEEPEST
        && !directories.iter().any(|name| {
            let mut passed = table().passed.directories.iter();
            passed.any(|directory| directory.as_bytes() == *name)
        })
}

/// Whether a file is an application's configuration, by its name: what nobody asks a web server for.
pub fn is_configuration(path: &MachinePath) -> bool {
    syntax(&path.name()).is_some()
}

fn syntax(name: &str) -> Option<Syntax> {
    let name = name.to_ascii_lowercase();
    let matches = |patterns: &[String]| patterns.iter().any(|p| glob::matches(p, &name));
    if matches(&table().passed.names) {
        return None;
    }
    let mut files = table().file.iter();
    files
        .find(|file| matches(&file.names))
        .map(|file| file.syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_by_their_names() {
        for (name, expected) in [
            (".env", Some(Syntax::Environment)),
            ("application.properties", Some(Syntax::Properties)),
            ("database.yml", Some(Syntax::Yaml)),
            ("wp-config.php", Some(Syntax::Script)),
            ("Server.conf", Some(Syntax::Ini)),
            ("package.json", None),
            (".env.example", None),
            ("data.json", None),
        ] {
            assert_eq!(syntax(name), expected, "{name}");
        }
        let near = |path: &str| is_near(&path.into(), &"/srv/a".into());
        assert!(near("/srv/a/config/x.yml") && !near("/srv/a/node_modules/b/x.yml"));
    }
}
