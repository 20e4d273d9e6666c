//! The run level that a machine goes to, and what its links start there.

use crate::fact::{Dialect, Facts};
use crate::path::MachinePath;
use crate::service::Services;
use crate::walk::{Entry, glob};
use crate::words;

/// Which run levels count.
pub(in crate::service) enum Levels {
    /// systemd's, of which 2 to 4 are multi-user.target and 5 is graphical.target.
    Targets { is_graphical: bool },
    /// The one that the first process goes to.
    One(char),
}

/// Where it stands.
pub(in crate::service) const TABLE: &str = "/etc/inittab";

/// Directories of links: Debian's, the older Red Hat place, SUSE's.
const PLACES: &[&str] = &["/etc/rc", "/etc/rc.d/rc", "/etc/init.d/rc"];

/// What starts before any run level.
pub(super) const BOOT: &[&str] = &["/etc/rcS.d/S*", "/etc/init.d/boot.d/S*"];

/// Programs that the kernel starts.
const INITS: &[&str] = &["/sbin/init", "/usr/sbin/init", "/init"];

/// Whether the machine starts with systemd: by what the kernel starts, else by whether systemd starts anything.
pub(in crate::service) fn is_systemd(facts: &Facts, found: &Services) -> bool {
    let inits = INITS.iter().map(MachinePath::new);
    let mut real = inits.filter_map(|path| facts.tree.resolve(&path));
    match real.next() {
        Some(path) => path.name() == "systemd",
        None => found.graphical.is_some(),
    }
}

impl Levels {
    pub(in crate::service) fn of(facts: &Facts, found: &Services) -> Self {
        if is_systemd(facts, found) {
            let is_graphical = found.graphical.unwrap_or(true);
            return Self::Targets { is_graphical };
        }
        let said = configured(facts);
        // Where nothing says what the kernel starts, nothing says which level it goes to.
        let mut inits = INITS.iter().map(MachinePath::new);
        if said.is_none() && !inits.any(|path| facts.tree.exists(&path)) {
            return Self::Targets { is_graphical: true };
        }
        // Debian's is 2; Red Hat's and SUSE's without a table is 3.
        let usual = || {
            let is_there = |path: &str| facts.tree.exists(&MachinePath::new(path));
            if is_there("/etc/rc.d/rc3.d") || is_there("/etc/init.d/rc3.d") {
                '3'
            } else {
                '2'
            }
        };
        Self::One(said.unwrap_or_else(usual))
    }

    /// Patterns of the links that start something.
    pub(super) fn links(&self) -> Vec<String> {
        let levels = match self {
            Self::Targets { is_graphical: true } => "2345",
            Self::Targets {
                is_graphical: false,
            } => "234",
            Self::One(level) => &level.to_string(),
        };
        let places = PLACES.iter();
        places
            .map(|place| format!("{place}[{levels}].d/S*"))
            .collect()
    }

    /// Whether a list of levels, or a pattern of them, has one of these.
    pub(in crate::service) fn fit(&self, pattern: &str) -> bool {
        let fits = |level: char| glob::matches(pattern, &level.to_string());
        match self {
            Self::Targets { .. } => "2345".chars().any(fits),
            Self::One(level) => fits(*level),
        }
    }

    pub(super) fn links_to<'a>(&self, facts: &'a Facts) -> Vec<&'a Entry> {
        let patterns = self.links();
        patterns
            .iter()
            .flat_map(|pattern| facts.tree.glob(pattern))
            .collect()
    }
}

/// `id:N:initdefault:`, else `DEFAULT_RUNLEVEL` of upstart's own job.
fn configured(facts: &Facts) -> Option<char> {
    let table = facts
        .managed
        .get(&(MachinePath::new(TABLE), Dialect::Shell));
    let lines = table.into_iter().flat_map(|table| &table.entries);
    let mut lines = lines.filter_map(|entry| Line::of(&entry.value));
    let said = lines.find(|line| line.action == "initdefault");
    let said = said.and_then(|line| line.levels.chars().next());
    said.or_else(|| {
        let jobs = facts
            .managed
            .values()
            .filter(|file| file.dialect == Dialect::Upstart);
        let entries = jobs.flat_map(|file| &file.entries);
        let variables = entries.filter(|entry| entry.key == crate::fact::VARIABLES);
        let mut words = variables.flat_map(|entry| words::split(&entry.value));
        let level = words.find_map(|word| word.strip_prefix("DEFAULT_RUNLEVEL=")?.chars().next());
        level.filter(char::is_ascii_digit)
    })
}

/// A line of inittab(5).
pub(super) struct Line<'a> {
    pub levels: &'a str,
    pub action: &'a str,
    pub process: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let line = words::trim(line);
        let mut parts = line.splitn(4, ':');
        let _id = parts.next().filter(|id| !id.starts_with('#'))?;
        Some(Self {
            levels: words::trim(parts.next()?),
            action: words::trim(parts.next()?),
            process: words::trim(parts.next().unwrap_or_default()),
        })
    }
}
