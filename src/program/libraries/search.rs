//! Where the loader looks for one name, and in which order: ld.so(8) for glibc, `dynlink.c` for musl.

use super::{DEFAULT, Loader};
use crate::fact::{Elf, Libc};
use crate::path::MachinePath;

/// Where libraries are that only some processors take (ld.so(8), "glibc-hwcaps"); which one that is no disk tells, so a
/// library for all comes first.
const LEVELS: [&str; 3] = [
    "glibc-hwcaps/x86-64-v2",
    "glibc-hwcaps/x86-64-v3",
    "glibc-hwcaps/x86-64-v4",
];

/// Names that musl has in itself, whatever stands behind them.
const IN_MUSL: [&str; 7] = [
    "libc.",
    "libpthread.",
    "librt.",
    "libm.",
    "libdl.",
    "libutil.",
    "libxnet.",
];

/// Where musl looks without a file that says otherwise.
const OF_MUSL: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];

/// An object of a process, under the name it was opened by: `$ORIGIN` is where that name is, not where a link leads.
#[derive(Clone)]
pub(super) struct Object<'s> {
    pub elf: &'s Elf,
    pub opened: MachinePath,
}

impl<'s> Object<'s> {
    pub(super) fn new(elf: &'s Elf) -> Self {
        Self {
            elf,
            opened: elf.path.clone(),
        }
    }
}

/// An object that needs a library, and how it came to be loaded.
#[derive(Clone, Copy)]
pub(super) struct Asking<'s> {
    /// The object itself, the one that loaded it, and so on up to the program.
    pub chain: &'s [Object<'s>],
    /// LD_LIBRARY_PATH, split.
    pub library_path: &'s [MachinePath],
    /// Of the process.
    pub libc: Option<Libc>,
}

impl Loader<'_> {
    pub(super) fn locate(&self, elf: &Elf, name: &str) -> Option<MachinePath> {
        let asking = Asking {
            chain: &[Object::new(elf)],
            library_path: &[],
            libc: elf.libc(),
        };
        self.search(asking, name).map(|(_, real)| real)
    }

    /// The file that the loader takes for a name: the path it opens, and where that leads.
    pub(super) fn search(
        &self,
        asking: Asking<'_>,
        name: &str,
    ) -> Option<(MachinePath, MachinePath)> {
        let object = asking.chain.first()?;
        let elf = object.elf;
        if name.contains('/') {
            let mut meant = expand(name, object).into_iter();
            return meant.find_map(|path| self.opened(MachinePath::new(&path)));
        }
        if asking.libc == Some(Libc::Musl) {
            return self.search_as_musl(asking, name);
        }
        let own = own_directories(asking).into_iter();
        let own = own.map(|dir| dir.join(name));
        let cached = self.cached.get(name).into_iter().flatten();
        let cached = cached.filter(|path| !elf.no_default || !in_default(path));
        let cached = cached.map(|path| (*path).clone());
        // The cache knows most: only what it lacks is worth making the other names.
        let others = std::iter::once_with(|| self.common_files(elf, name)).flatten();
        own.chain(cached)
            .chain(others)
            .filter_map(|path| self.opened(path))
            .find(|(_, real)| self.fits(real, elf))
    }

    fn opened(&self, path: MachinePath) -> Option<(MachinePath, MachinePath)> {
        let real = self.facts.tree.resolve(&path)?;
        Some((path, real))
    }

    /// musl knows no cache, and hands a search path on to what is loaded by it, whichever of both tags it stands in.
    fn search_as_musl(&self, asking: Asking<'_>, name: &str) -> Option<(MachinePath, MachinePath)> {
        let elf = asking.chain.first()?.elf;
        if IN_MUSL.iter().any(|own| name.starts_with(own)) {
            let mut program = asking.chain.iter().rev();
            let loader = program.find_map(|object| object.elf.interpreter.as_deref());
            let own = format!("/lib/ld-musl-{}.so.1", elf.machine);
            return self.opened(MachinePath::new(loader.unwrap_or(&own)));
        }
        let chain = asking.chain.iter();
        let handed_on = chain.flat_map(|object| {
            let elf = object.elf;
            directories_in(object, [&elf.runpath, &elf.rpath])
        });
        let common = if self.of_musl.is_empty() {
            let multiarch = format!("/usr/lib/{}-linux-musl", elf.machine);
            let own = OF_MUSL.iter().map(MachinePath::new);
            own.chain([MachinePath::new(&multiarch)]).collect()
        } else {
            self.of_musl.clone()
        };
        let all = asking.library_path.iter().cloned();
        all.chain(handed_on)
            .chain(common)
            .filter_map(|dir| self.opened(dir.join(name)))
            .find(|(_, real)| self.fits(real, elf))
    }

    /// A library's name in the directories of every file, those for some processors last.
    fn common_files(&self, elf: &Elf, name: &str) -> Vec<MachinePath> {
        let mut directories = self.common_directories(elf);
        directories.retain(|dir| !elf.no_default || self.configured.contains(dir));
        let levels = directories
            .iter()
            .flat_map(|dir| LEVELS.map(|level| dir.join(level).join(name)));
        let plain = directories.iter().map(|dir| dir.join(name));
        plain.chain(levels).collect()
    }

    /// Where the loader looks for what this file needs, in order.
    pub fn directories(&self, elf: &Elf) -> Vec<MachinePath> {
        let mut all = own_directories(Asking {
            chain: &[Object::new(elf)],
            library_path: &[],
            libc: elf.libc(),
        });
        all.extend(self.common_directories(elf));
        all
    }

    /// Those of every file for this machine.
    pub(super) fn common_directories(&self, elf: &Elf) -> Vec<MachinePath> {
        let machine = &elf.machine;
        let multiarch = [
            format!("/lib/{machine}-linux-gnu"),
            format!("/usr/lib/{machine}-linux-gnu"),
        ];
        let configured = self.configured.iter().cloned();
        configured
            .chain(multiarch.map(MachinePath::new))
            .chain(DEFAULT.iter().map(MachinePath::new))
            .collect()
    }
}

/// Those that come before everybody's: DT_RPATH of the object and of those that loaded it, as far as they have no
/// DT_RUNPATH, and only if the object has none; then LD_LIBRARY_PATH; then DT_RUNPATH of the object alone.
fn own_directories(asking: Asking<'_>) -> Vec<MachinePath> {
    let Some(object) = asking.chain.first() else {
        return Vec::new();
    };
    let runpath = &object.elf.runpath;
    let chain = asking.chain.iter().filter(|_| runpath.is_empty());
    let inherited = chain.filter(|above| above.elf.runpath.is_empty());
    let inherited = inherited.flat_map(|above| directories_in(above, [&above.elf.rpath, &[]]));
    inherited
        .chain(asking.library_path.iter().cloned())
        .chain(directories_in(object, [runpath, &[]]))
        .collect()
}

/// Directories of the first list that says any, `$ORIGIN` filled in.
fn directories_in(object: &Object<'_>, lists: [&[String]; 2]) -> Vec<MachinePath> {
    let list = lists.into_iter().find(|list| !list.is_empty());
    let all = list.unwrap_or_default().iter();
    let all = all.flat_map(|dir| expand(dir, object));
    // The empty and the relative ones mean the working directory, which no disk tells.
    let all = all.filter(|dir| dir.starts_with('/'));
    all.map(|dir| MachinePath::new(&dir)).collect()
}

fn in_default(path: &MachinePath) -> bool {
    let text = path.text();
    let directory = text.rsplit_once('/').map_or("", |(directory, _)| directory);
    let below = directory.strip_prefix("/usr").unwrap_or(directory);
    DEFAULT.contains(&directory) || below.starts_with("/lib/") && below.ends_with("-linux-gnu")
}

/// `$ORIGIN`, `$LIB` and `$PLATFORM`, with and without braces. What `$LIB` stands for was decided when the loader was built,
/// so each is tried.
fn expand(dir: &str, object: &Object<'_>) -> Vec<String> {
    let elf = object.elf;
    if !dir.contains('$') {
        return vec![dir.to_owned()];
    }
    let put = |dir: &str, token: &str, value: &str| {
        dir.replace(&format!("${{{token}}}"), value)
            .replace(&format!("${token}"), value)
    };
    let origin = object.opened.parent().unwrap_or_else(MachinePath::root);
    let dir = put(dir, "ORIGIN", &origin.text());
    let platform = if elf.machine == "i386" {
        "i686"
    } else {
        &elf.machine
    };
    let dir = put(&dir, "PLATFORM", platform);
    let multiarch = format!("lib/{}-linux-gnu", elf.machine);
    let wide = if elf.bits == 64 { "lib64" } else { "lib" };
    let mut found: Vec<String> = [wide, multiarch.as_str(), "lib"]
        .iter()
        .map(|lib| put(&dir, "LIB", lib))
        .collect();
    found.dedup();
    found
}
