//! What was changed or made on the machine and no container carries: the topmost directories.
//!
//! A migration goes wrong where a file was forgotten, so what stays behind is said; but for what every machine makes for
//! itself (`detectors/unclaimed.toml`), which is no news.

use super::Plan;
use crate::distribution::base;
use crate::fact::{Facts, FileState};
use crate::path::MachinePath;
use crate::service::Content;
use crate::text::day;
use crate::walk::{Entry, glob};
use crate::workload::{Workload, claims};
use foldhash::{HashMap, HashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A file, or a directory with what is in it, that nothing carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unclaimed {
    pub path: MachinePath,
    /// Files in it that nothing carries.
    pub names: u64,
    /// Of these files.
    pub bytes: u64,
    /// Day of the latest change among them (ISO 8601, UTC).
    pub changed: String,
    /// Numbers of the users that own them.
    #[serde(skip)]
    pub owners: BTreeSet<u32>,
}

/// Directories that are listed; the largest.
const MOST: usize = 400;

/// Everything that nothing carries, by path.
pub fn unclaimed(facts: &Facts, workloads: &[Workload], plans: &[Plan]) -> Vec<Unclaimed> {
    let carried = Carried::new(workloads, plans);
    let distribution = base::choose(facts).map(|base| base.distribution);
    let mut tops = Tops {
        facts,
        carried: &carried,
        known: HashMap::default(),
    };
    let mut found: BTreeMap<MachinePath, (u64, u64, i64, BTreeSet<u32>)> = BTreeMap::new();
    // A link holds nothing; what it leads to stands for itself.
    for entry in facts.tree.entries().iter().filter(|entry| entry.is_file()) {
        let is_made = facts.ownership.owner(&entry.path).is_none();
        if !is_made && facts.state(&entry.path) != FileState::Modified {
            continue;
        }
        let is_generated = || {
            distribution.is_some_and(|distribution| {
                distribution.is_generated(&entry.path) || distribution.is_never_carried(&entry.path)
            })
        };
        if carried.holds(&entry.path) || is_machines(&entry.path) || is_generated() {
            continue;
        }
        let top = tops.of(&entry.path, is_made);
        let (names, bytes, changed, owners) =
            found
                .entry(top)
                .or_insert((0, 0, i64::MIN, BTreeSet::new()));
        *names += 1;
        *bytes = bytes.saturating_add(entry.size);
        *changed = (*changed).max(entry.mtime);
        owners.insert(entry.uid);
    }
    let mut found: Vec<Unclaimed> = found
        .into_iter()
        .map(|(path, (names, bytes, changed, owners))| Unclaimed {
            path,
            names,
            bytes,
            changed: day(changed).unwrap_or_default(),
            owners,
        })
        .collect();
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    found.truncate(MOST);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Finds the topmost directory of a file that holds nothing carried and that no package owns.
struct Tops<'a> {
    facts: &'a Facts,
    carried: &'a Carried,
    /// By directory: what stands for everything in it; `None` where each name stands for itself.
    known: HashMap<MachinePath, Option<MachinePath>>,
}

impl Tops<'_> {
    fn of(&mut self, path: &MachinePath, is_made: bool) -> MachinePath {
        let parent = path.parent().filter(|_| is_made);
        let top = parent.and_then(|parent| self.directory(&parent));
        top.unwrap_or_else(|| path.clone())
    }

    /// From a directory up, as far as nothing speaks against it.
    fn directory(&mut self, directory: &MachinePath) -> Option<MachinePath> {
        if let Some(known) = self.known.get(directory) {
            return known.clone();
        }
        let stands = self.facts.ownership.owner(directory).is_none()
            && !self.carried.above.contains(directory)
            && !claims::is_shelf(directory);
        let top = stands.then(|| {
            let above = directory
                .parent()
                .and_then(|parent| self.directory(&parent));
            above.unwrap_or_else(|| directory.clone())
        });
        self.known.insert(directory.clone(), top.clone());
        top
    }
}

/// Paths that images, volumes and secrets carry, and the directories above them.
struct Carried {
    names: HashSet<MachinePath>,
    trees: BTreeSet<MachinePath>,
    above: HashSet<MachinePath>,
}

impl Carried {
    fn new(workloads: &[Workload], plans: &[Plan]) -> Self {
        let entries = plans.iter().flat_map(|plan| {
            let lift = plan.image.lift.iter();
            let layers = lift.flat_map(|lift| &lift.layers);
            let image = plan.image.entries.iter();
            image
                .chain(layers.flat_map(|layer| &layer.entries))
                .chain(&plan.state.secret_entries)
                .filter(|entry| !entry.is_dir())
        });
        let names: HashSet<MachinePath> = entries.map(|entry: &Entry| entry.path.clone()).collect();
        let data = workloads.iter().flat_map(|workload| {
            let data = workload.data.iter().map(|data| &data.path);
            data.chain(&workload.logs)
        });
        // What the units say is in the plan, and where they are is no matter to a container.
        let units = workloads.iter().flat_map(|workload| {
            let services = workload.services.iter().flat_map(|service| {
                let variables = service.environment.files.iter().map(|(path, _)| path);
                let credentials = service.credentials.iter();
                let credentials = credentials.filter_map(|credential| match &credential.content {
                    Content::File(path) => Some(path),
                    Content::Text(_) => None,
                });
                service.files.iter().chain(variables).chain(credentials)
            });
            services.chain(workload.jobs.iter().map(|job| &job.evidence.path))
        });
        let trees: BTreeSet<MachinePath> = data.chain(units).cloned().collect();
        let mut above = HashSet::default();
        for path in names.iter().chain(&trees) {
            let mut up = path.parent();
            while let Some(directory) = up {
                up = directory.parent();
                if !above.insert(directory) {
                    break;
                }
            }
        }
        Self {
            names,
            trees,
            above,
        }
    }

    fn holds(&self, path: &MachinePath) -> bool {
        self.names.contains(path)
            || std::iter::successors(Some(path.clone()), MachinePath::parent)
                .any(|above| self.trees.contains(&above))
    }
}

/// Patterns of what every machine makes for itself. Most are a directory with everything in it, and there are thousands of
/// files to ask about: those are looked up, not matched.
struct Machines {
    trees: HashSet<MachinePath>,
    patterns: Vec<String>,
}

static MACHINES: LazyLock<Machines> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        machine: Vec<String>,
    }
    let file: Result<File, _> = toml::from_str(include_str!("../../detectors/unclaimed.toml"));
    let all = file.map(|file| file.machine).unwrap_or_default();
    let tree = |pattern: &String| {
        let tree = pattern.strip_suffix("/**")?;
        (!glob::is_pattern(tree)).then(|| MachinePath::new(tree))
    };
    Machines {
        trees: all.iter().filter_map(tree).collect(),
        patterns: all
            .into_iter()
            .filter(|pattern| tree(pattern).is_none())
            .collect(),
    }
});

/// Whether every machine has such a file of its own.
fn is_machines(path: &MachinePath) -> bool {
    let mut above = std::iter::successors(path.parent(), MachinePath::parent);
    if above.any(|directory| MACHINES.trees.contains(&directory)) {
        return true;
    }
    let text = path.text();
    let mut patterns = MACHINES.patterns.iter();
    patterns.any(|pattern| glob::matches_path(pattern, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_machine_has_is_no_news() {
        for path in [
            "/etc/passwd",
            "/var/lib/dpkg/info/a.list",
            "/proc/1/x",
            "/root/.bashrc",
            "/srv/a/__pycache__/b.pyc",
        ] {
            assert!(is_machines(&path.into()), "{path}");
        }
        for path in [
            "/etc/shop.conf",
            "/srv/shop/data",
            "/var/lib/shop/x",
            "/root/notes",
        ] {
            assert!(!is_machines(&path.into()), "{path}");
        }
    }
}
