//! What is copied out of the machine: roots asked for by name, expanded over the tree.
//!
//! A file that a package of the image brings unchanged is not copied; data, logs, sockets and what belongs to a person
//! are not either; a file that holds a secret is handed over as a secret instead.

use super::place::{Brought, Place};
use crate::disk::FileKind;
use crate::fact::FileState;
use crate::path::MachinePath;
use crate::service::Bind;
use crate::walk::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A file, directory (with everything below it) or link copied out of the machine into the build context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedFile {
    /// Where it stands, in the machine and in the image alike.
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub why: String,
    /// Names copied, itself included: 1, or more for a directory.
    pub names: u64,
    /// Bytes of content copied.
    pub bytes: u64,
}

/// Something the packages put into the image that the machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedRemoval {
    pub path: MachinePath,
    /// A directory that stays, emptied.
    pub content: bool,
    pub why: String,
}

/// A directory the image makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDirectory {
    pub path: MachinePath,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Below /run or /tmp: gone at every boot of the machine, so made again at every start.
    pub runtime: bool,
}

/// The mode a file has on the way: the reader's own disk is no place for setuid, and the builder must be able to read it.
pub fn context_mode(entry: &Entry) -> u32 {
    let least = if entry.is_dir() { 0o700 } else { 0o600 };
    (entry.mode & 0o777) | least
}

/// Whether the image's mode has to be set apart from the context's.
pub fn needs_mode(entry: &Entry) -> bool {
    entry.kind != FileKind::Symlink && context_mode(entry) != entry.mode & 0o7777
}

/// Directories of the running system; nothing in them is a file to carry.
const LIVE: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/tmp"];
/// A chain of links longer than the kernel's own limit leads nowhere.
const MAX_LINKS: usize = 40;

/// Collects what one image needs of the machine's tree.
pub(super) struct Carrier<'p, 'a> {
    place: &'p Place<'a>,
    /// The packages the image will have.
    brought: Brought<'a>,
    /// Places that are volumes or logs: their content stays out.
    left_out: Vec<MachinePath>,
    roots: BTreeMap<MachinePath, String>,
    entries: BTreeMap<MachinePath, Entry>,
    /// Files that hold secrets.
    pub secrets: BTreeMap<MachinePath, Entry>,
    /// Packages that own what a carried link leads to.
    pub packages: BTreeSet<String>,
}

impl<'p, 'a> Carrier<'p, 'a> {
    pub(super) fn new(
        place: &'p Place<'a>,
        brought: Brought<'a>,
        left_out: Vec<MachinePath>,
    ) -> Self {
        Self {
            place,
            brought,
            left_out,
            roots: BTreeMap::new(),
            entries: BTreeMap::new(),
            secrets: BTreeMap::new(),
            packages: BTreeSet::new(),
        }
    }

    pub(super) fn brought(&self) -> &Brought<'a> {
        &self.brought
    }

    /// Carries a path, what it leads to where it is a link, and everything below it.
    pub(super) fn carry(&mut self, path: &MachinePath, why: &str) {
        let mut todo = vec![path.clone()];
        let mut budget = MAX_LINKS;
        while let Some(path) = todo.pop() {
            let path = self.place.facts.tree.canonical(&path);
            let Some(entry) = self.place.facts.tree.entry(&path).cloned() else {
                continue;
            };
            if is_live(&path) || self.is_left_out(&path) || self.is_brought(&entry) {
                continue;
            }
            match entry.kind {
                FileKind::Symlink => {
                    self.root(&entry, why);
                    budget = budget.saturating_sub(1);
                    if budget > 0 {
                        todo.extend(self.follow(&entry));
                    }
                }
                FileKind::Directory => self.directory(&entry, why),
                FileKind::File => self.root(&entry, why),
                _ => {}
            }
        }
    }

    /// Carries a file although a package of the image brings one of its name.
    pub(super) fn keep(&mut self, path: &MachinePath, why: &str) {
        let path = self.place.facts.tree.canonical(path);
        let entry = self.place.facts.tree.entry(&path);
        let entry = entry.filter(|entry| entry.is_file() && !self.is_left_out(&path));
        if let Some(entry) = entry.cloned() {
            self.root(&entry, why);
        }
    }

    /// Carries the links on the way to a path, even where a package has a directory of that name.
    pub(super) fn links(&mut self, path: &MachinePath, why: &str) {
        let mut path = self.place.facts.tree.canonical(path);
        for _ in 0..MAX_LINKS {
            let Some(entry) = self.place.facts.tree.entry(&path).cloned() else {
                return;
            };
            let Some(target) = entry
                .target
                .as_ref()
                .filter(|_| entry.kind == FileKind::Symlink)
            else {
                return;
            };
            let parent = path.parent().unwrap_or_else(MachinePath::root);
            path = self.place.facts.tree.canonical(&parent.join(target));
            self.root(&entry, why);
        }
    }

    /// Carries the links on the way to a path that are the machine's own, where the image has what they lead to: a product
    /// is called by a name beside that of its version.
    pub(super) fn way(&mut self, path: &MachinePath) {
        let facts = self.place.facts;
        let mut at = MachinePath::root();
        for name in path.components() {
            let next = at.join(name);
            let link = facts
                .tree
                .entry(&next)
                .filter(|entry| entry.kind == FileKind::Symlink);
            let Some(real) = facts.tree.resolve(&next) else {
                return;
            };
            let is_own = !is_live(&next) && !is_merged(&next) && facts.owner(&next).is_none();
            if link.is_some() && is_own && (self.has(&real) || self.is_left_out(&real)) {
                self.links(&next, "leads to what is carried");
            }
            at = real;
        }
    }

    /// A link where a service is shown what the machine has elsewhere.
    pub(super) fn bind(&mut self, bind: &Bind) {
        let link = Entry::link(&self.place.facts.tree.canonical(&bind.place), &bind.source);
        let why = format!("{} is shown there ({})", bind.source, bind.evidence.place());
        self.root(&link, &why);
    }

    /// Whether it, or something in it, is carried.
    fn has(&self, path: &MachinePath) -> bool {
        self.entries.contains_key(path) || self.secrets.contains_key(path)
    }

    fn directory(&mut self, root: &Entry, why: &str) {
        let place = self.place;
        // Tools keep environments among what is only cached; a service that runs in one needs it all the same.
        let is_environment = place.facts.tree.exists(&root.path.join("pyvenv.cfg"));
        if !is_environment && place.base.distribution.is_never_carried(&root.path) {
            return;
        }
        self.root(root, why);
        let mut beyond = BTreeSet::new();
        for entry in below(place, &root.path) {
            if self.is_left_out(&entry.path) || self.is_brought(entry) {
                continue;
            }
            self.one(entry);
            if entry.kind == FileKind::Symlink {
                beyond.extend(self.follow(entry).filter(|to| !to.is_within(&root.path)));
            }
        }
        for path in beyond {
            if !self.entries.contains_key(&path) {
                self.single(&path, &format!("{} leads there", root.path));
            }
        }
    }

    /// What a link inside a carried directory leads to: a file, or a directory, without following further links.
    fn single(&mut self, path: &MachinePath, why: &str) {
        let Some(entry) = self.place.facts.tree.entry(path) else {
            return;
        };
        let shallow = path.components().count() < 2;
        if shallow || is_live(path) || self.is_left_out(path) || self.is_brought(entry) {
            return;
        }
        let root = entry.clone();
        self.root(&root, why);
        if root.is_dir() {
            for entry in below(self.place, path) {
                if !self.is_left_out(&entry.path) && !self.is_brought(entry) {
                    self.one(entry);
                }
            }
        }
    }

    /// Where a link leads; a package that owns the place joins the image instead.
    fn follow(&mut self, link: &Entry) -> impl Iterator<Item = MachinePath> + use<> {
        let target = link.target.as_deref().unwrap_or_default();
        let parent = link.path.parent().unwrap_or_else(MachinePath::root);
        // Lexical joining would be wrong for `..` after a linked directory; resolving the link itself is right.
        let tree = &self.place.facts.tree;
        let next = tree.canonical(&parent.join(target));
        let next = if tree.entry(&next).is_some() {
            Some(next)
        } else {
            tree.resolve(&link.path)
        };
        if let Some(owner) = next.as_ref().and_then(|path| self.place.facts.owner(path))
            && !owner.essential
            && next
                .as_ref()
                .is_some_and(|path| tree.entry(path).is_some_and(|e| !e.is_dir()))
        {
            self.packages.insert(owner.name.clone());
        }
        next.into_iter()
    }

    /// One file or link of a package that no build can install; there are too many to name each.
    pub(super) fn of_package(&mut self, path: &MachinePath) {
        let entry = self.place.facts.tree.entry(path);
        let Some(entry) = entry.filter(|entry| !entry.is_dir()).cloned() else {
            return;
        };
        if !is_live(path) && !self.is_left_out(path) {
            self.one(&entry);
        }
    }

    fn root(&mut self, entry: &Entry, why: &str) {
        if self.one(entry) {
            self.roots
                .entry(entry.path.clone())
                .or_insert_with(|| why.to_owned());
        }
    }

    fn one(&mut self, entry: &Entry) -> bool {
        match entry.kind {
            FileKind::File if self.place.secrets.contains_key(&entry.path) => {
                self.secrets.insert(entry.path.clone(), entry.clone());
                self.above(&entry.path);
                false
            }
            FileKind::File | FileKind::Directory | FileKind::Symlink => {
                self.entries.insert(entry.path.clone(), entry.clone());
                self.above(&entry.path);
                true
            }
            _ => false,
        }
    }

    /// The directories above a carried file, as the machine has them.
    fn above(&mut self, path: &MachinePath) {
        let mut up = path.parent();
        while let Some(dir) = up.filter(|dir| dir.as_bytes() != b"/") {
            if self.entries.contains_key(&dir) {
                break;
            }
            if let Some(entry) = self.place.facts.tree.entry(&dir) {
                self.entries.insert(dir.clone(), entry.clone());
            }
            up = dir.parent();
        }
    }

    fn is_left_out(&self, path: &MachinePath) -> bool {
        self.left_out.iter().any(|out| path.is_within(out))
    }

    /// A package of the image brings it, and nobody changed it.
    fn is_brought(&self, entry: &Entry) -> bool {
        !entry.is_dir()
            && self.place.provided(&entry.path, &self.brought)
            && self.place.facts.state(&entry.path) != FileState::Modified
    }

    /// The topmost names with what they amount to, and every name.
    pub(super) fn finish(self) -> (Vec<PlannedFile>, Vec<Entry>) {
        let mut files: Vec<PlannedFile> = Vec::new();
        for (path, why) in self.roots {
            let inner = files.last().is_some_and(|last| path.is_within(&last.path));
            let Some(entry) = self.entries.get(&path).filter(|_| !inner) else {
                continue;
            };
            let below = self.entries.range(path.clone()..).map(|(_, entry)| entry);
            let below = below
                .take_while(|entry| entry.path.as_bytes().starts_with(path.as_bytes()))
                .filter(|entry| entry.path.is_within(&path));
            let (mut names, mut bytes) = (0u64, 0u64);
            for entry in below {
                names = names.saturating_add(1);
                bytes = bytes.saturating_add(if entry.is_file() { entry.size } else { 0 });
            }
            files.push(PlannedFile {
                why,
                names,
                bytes,
                ..describe(entry)
            });
        }
        (files, self.entries.into_values().collect())
    }
}

/// A single name as a plan lists it.
pub(super) fn describe(entry: &Entry) -> PlannedFile {
    PlannedFile {
        path: entry.path.clone(),
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        why: String::new(),
        names: 1,
        bytes: if entry.is_file() { entry.size } else { 0 },
    }
}

/// Everything below a directory that may be carried at all.
fn below<'a>(place: &Place<'a>, directory: &MachinePath) -> impl Iterator<Item = &'a Entry> {
    let (facts, distribution) = (place.facts, place.base.distribution);
    let mut skipped: Vec<&MachinePath> = Vec::new();
    facts.tree.below(directory).filter(move |entry| {
        // Sorted by path, nothing follows below a name that is no prefix any more.
        let path = entry.path.as_bytes();
        while skipped
            .pop_if(|skip| !path.starts_with(skip.as_bytes()))
            .is_some()
        {}
        if skipped.iter().any(|skip| entry.path.is_within(skip)) {
            return false;
        }
        let never = distribution.is_never_named(entry.path.file_name());
        if never {
            skipped.push(&entry.path);
        }
        !never
    })
}

/// The links of a merged /usr, which every image has.
fn is_merged(path: &MachinePath) -> bool {
    let name = path.name();
    let is_top = path.components().count() == 1;
    is_top && (name.starts_with("lib") || matches!(&*name, "bin" | "sbin"))
}

pub(super) fn is_live(path: &MachinePath) -> bool {
    path.as_bytes() == b"/"
        || LIVE
            .iter()
            .any(|live| path.is_within(&MachinePath::from(*live)))
}
