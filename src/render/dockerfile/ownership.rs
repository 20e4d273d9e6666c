//! Owners and modes that a build context cannot carry, as the fewest `chown` and `chmod` words that set them.
//!
//! A context's files all become root's. Whoever owns most of a subtree gets it with one `chown -R`; what differs inside
//! follows one by one, parents before children.

use crate::path::MachinePath;
use crate::plan::needs_mode;
use crate::walk::Entry;
use std::collections::BTreeMap;

type Owner = (u32, u32);

/// So many paths are named one by one before a whole directory changes hands and back.
const FEW: usize = 4;

/// One command: who or what mode, whether with everything below, and for which paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step<T> {
    pub value: T,
    pub recursive: bool,
    pub paths: Vec<MachinePath>,
}

struct Node<'a> {
    entry: &'a Entry,
    children: Vec<usize>,
    /// Names below and itself, by owner.
    owners: BTreeMap<Owner, u64>,
}

/// The owners to set; entries are sorted by path, directories included.
pub(super) fn owners(entries: &[Entry]) -> Vec<Step<Owner>> {
    let (nodes, tops) = forest(entries);
    let mut found: Vec<(usize, bool, Owner, MachinePath)> = Vec::new();
    let mut todo: Vec<(usize, usize, Owner)> =
        tops.into_iter().map(|top| (top, 0, (0, 0))).collect();
    while let Some((at, depth, inherited)) = todo.pop() {
        let Some(node) = nodes.get(at) else { continue };
        let own = (node.entry.uid, node.entry.gid);
        let most = node
            .owners
            .iter()
            .max_by_key(|(owner, count)| (**count, **owner == own));
        let most = most.map_or(own, |(owner, _)| *owner);
        let whole = node.entry.is_dir() && !node.children.is_empty();
        // A directory that is only passed through is left to its parts, as long as those are few.
        let parts = node.children.iter().filter(|child| {
            nodes
                .get(**child)
                .is_some_and(|child| child.owners.keys().any(|owner| *owner != own))
        });
        let few = own == inherited && parts.count() <= FEW;
        let passed = if whole && !few { most } else { own };
        if passed != inherited {
            found.push((depth * 2, whole, passed, node.entry.path.clone()));
        }
        if own != passed {
            found.push((depth * 2 + 1, false, own, node.entry.path.clone()));
        }
        todo.extend(
            node.children
                .iter()
                .map(|child| (*child, depth + 1, passed)),
        );
    }
    found.sort();
    let mut steps: Vec<(usize, Step<Owner>)> = Vec::new();
    for (order, recursive, value, path) in found {
        match steps.last_mut() {
            Some((last, step))
                if *last == order && step.recursive == recursive && step.value == value =>
            {
                step.paths.push(path);
            }
            _ => steps.push((
                order,
                Step {
                    value,
                    recursive,
                    paths: vec![path],
                },
            )),
        }
    }
    steps.into_iter().map(|(_, step)| step).collect()
}

/// The modes to set beyond what the context says: setuid and its kin, and files that their owner may not read.
pub(super) fn modes(entries: &[Entry]) -> Vec<Step<u32>> {
    let mut by_mode: BTreeMap<u32, Vec<MachinePath>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| needs_mode(entry)) {
        by_mode
            .entry(entry.mode & 0o7777)
            .or_default()
            .push(entry.path.clone());
    }
    by_mode
        .into_iter()
        .map(|(value, paths)| Step {
            value,
            recursive: false,
            paths,
        })
        .collect()
}

/// Who is whose child, and the sums; parents come before children in the sorted list.
fn forest(entries: &[Entry]) -> (Vec<Node<'_>>, Vec<usize>) {
    let index: BTreeMap<&MachinePath, usize> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (&entry.path, at))
        .collect();
    let node = |entry| Node {
        entry,
        children: Vec::new(),
        owners: BTreeMap::new(),
    };
    let mut nodes: Vec<Node<'_>> = entries.iter().map(node).collect();
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(entries.len());
    let mut tops = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        // The nearest directory above that is there: an archive need not name every one.
        let mut above = std::iter::successors(entry.path.parent(), MachinePath::parent);
        let parent = above.find_map(|path| index.get(&path).copied());
        parents.push(parent);
        match parent.and_then(|parent| nodes.get_mut(parent)) {
            Some(parent) => parent.children.push(at),
            None => tops.push(at),
        }
    }
    // Longest paths first, so that a child's sum is whole before its parent takes it.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| {
        std::cmp::Reverse(
            entries
                .get(*at)
                .map(|entry| entry.path.components().count()),
        )
    });
    for at in order {
        let Some(node) = nodes.get_mut(at) else {
            continue;
        };
        *node
            .owners
            .entry((node.entry.uid, node.entry.gid))
            .or_default() += 1;
        let sums = node.owners.clone();
        if let Some(parent) = parents
            .get(at)
            .copied()
            .flatten()
            .and_then(|parent| nodes.get_mut(parent))
        {
            for (owner, count) in sums {
                *parent.owners.entry(owner).or_default() += count;
            }
        }
    }
    (nodes, tops)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileKind;
    use crate::walk::Tree;

    fn entries(lines: &[(&str, u32, u32)]) -> Vec<Entry> {
        let entry = |(path, uid, mode): &(&str, u32, u32)| Entry {
            kind: if path.ends_with('/') {
                FileKind::Directory
            } else {
                FileKind::File
            },
            uid: *uid,
            gid: *uid,
            ..Entry::file(&MachinePath::new(path), *mode)
        };
        Tree::new(lines.iter().map(entry).collect())
            .entries()
            .to_vec()
    }

    fn shown(entries: &[Entry]) -> Vec<String> {
        let step = |step: Step<Owner>| {
            let paths: Vec<String> = step.paths.iter().map(ToString::to_string).collect();
            format!(
                "{}{} {}",
                if step.recursive { "-R " } else { "" },
                step.value.0,
                paths.join(" ")
            )
        };
        owners(entries).into_iter().map(step).collect()
    }

    /// Plays the steps back over a tree that is all root's.
    fn played(entries: &[Entry]) -> Vec<Owner> {
        let mut result = vec![(0, 0); entries.len()];
        for step in owners(entries) {
            for (entry, owner) in entries.iter().zip(&mut result) {
                let hit = |path: &MachinePath| {
                    entry.path == *path || (step.recursive && entry.path.is_within(path))
                };
                if step.paths.iter().any(hit) {
                    *owner = step.value;
                }
            }
        }
        result
    }

    #[test]
    fn a_subtree_is_one_word() {
        let tree = entries(&[
            ("/srv/", 0, 0o755),
            ("/srv/app/", 7, 0o755),
            ("/srv/app/a", 7, 0o644),
            ("/srv/app/b/", 7, 0o755),
            ("/srv/app/b/c", 7, 0o644),
            ("/srv/app/b/root", 0, 0o644),
        ]);
        assert_eq!(shown(&tree), ["-R 7 /srv/app", "0 /srv/app/b/root"]);
    }

    #[test]
    fn modes_beyond_the_context() {
        let tree = entries(&[
            ("/a/", 0, 0o2775),
            ("/b", 0, 0o644),
            ("/c", 0, 0o4755),
            ("/d", 0, 0o440),
        ]);
        let found: Vec<(u32, usize)> = modes(&tree)
            .iter()
            .map(|step| (step.value, step.paths.len()))
            .collect();
        assert_eq!(found, [(0o440, 1), (0o2775, 1), (0o4755, 1)]);
    }

    proptest::proptest! {
        #[test]
        fn every_owner_comes_out_right(names in proptest::collection::btree_map("(/[ab]){1,5}", 0u32..3, 0..30)) {
            // Everything that has something below it is a directory.
            let paths: Vec<String> = names.keys().cloned().collect();
            let lines: Vec<(String, u32, u32)> = names.iter().map(|(path, uid)| {
                let dir = paths.iter().any(|other| other.starts_with(&format!("{path}/")));
                (if dir { format!("{path}/") } else { path.clone() }, *uid, 0o755)
            }).collect();
            let lines: Vec<(&str, u32, u32)> = lines.iter().map(|(p, u, m)| (p.as_str(), *u, *m)).collect();
            let tree = entries(&lines);
            let expected: Vec<Owner> = tree.iter().map(|entry| (entry.uid, entry.gid)).collect();
            proptest::prop_assert_eq!(played(&tree), expected);
        }
    }
}
