//! Whose manager reads a unit: the machine's own, or that of a user who lingers (user@.service; systemd.unit(5),
//! "Specifiers" and tables 1 and 2).

use crate::fact::unit::TIERS;
use crate::fact::{Facts, User};
use crate::path::MachinePath;
use crate::service::DirectoryKind;

/// A manager, as specifiers and settings of its units see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Strongest directory of units first.
    pub tiers: Vec<MachinePath>,
    /// The user and the primary group, by name and number.
    pub user: (String, u32),
    pub group: (String, u32),
    pub home: MachinePath,
    pub shell: String,
    /// The user's, whose home it is; none for the machine's own.
    pub is_user: bool,
    runtime: MachinePath,
    state: MachinePath,
    cache: MachinePath,
    logs: MachinePath,
    configuration: MachinePath,
}

impl Default for Owner {
    /// The machine's own.
    fn default() -> Self {
        let root = || ("root".to_owned(), 0);
        Self {
            tiers: TIERS.iter().map(MachinePath::new).collect(),
            user: root(),
            group: root(),
            home: "/root".into(),
            shell: "/bin/sh".to_owned(),
            is_user: false,
            runtime: "/run".into(),
            state: "/var/lib".into(),
            cache: "/var/cache".into(),
            logs: "/var/log".into(),
            configuration: "/etc".into(),
        }
    }
}

/// Directories of units for all users, strongest first.
const FOR_ALL: &[&str] = &["/etc/systemd/user", "/run/systemd/user"];
const OF_PACKAGES: &[&str] = &[
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
];

/// The first version that has a user's state and logs below ~/.local/state; before it they were below ~/.config.
const OWN_STATE: u32 = 254;

impl Owner {
    pub fn of(user: &User, facts: &Facts) -> Self {
        let home = MachinePath::new(&user.home);
        let configuration = home.join(".config");
        let package = facts.package("systemd");
        let is_own = has_own_state(package.map(|package| package.version.as_str()));
        let state = if is_own {
            home.join(".local/state")
        } else {
            configuration.clone()
        };
        let group = facts.group_of(user.gid);
        let group = group.map_or_else(|| user.name.clone(), |group| group.name.clone());
        Self {
            tiers: tiers(&home),
            user: (user.name.clone(), user.uid),
            group: (group, user.gid),
            shell: user.shell.clone(),
            is_user: true,
            runtime: MachinePath::new(format!("/run/user/{}", user.uid)),
            cache: home.join(".cache"),
            logs: state.join("log"),
            state,
            configuration,
            home,
        }
    }

    /// The root of the directories of a kind.
    pub fn root_of(&self, kind: DirectoryKind) -> &MachinePath {
        match kind {
            DirectoryKind::Runtime | DirectoryKind::Temporary => &self.runtime,
            DirectoryKind::State => &self.state,
            DirectoryKind::Cache => &self.cache,
            DirectoryKind::Logs => &self.logs,
            DirectoryKind::Configuration => &self.configuration,
        }
    }

    /// What a specifier stands for that has to do with the manager.
    pub fn specifier(&self, letter: char) -> Option<String> {
        let path = |kind| self.root_of(kind).text().into_owned();
        Some(match letter {
            'u' => self.user.0.clone(),
            'U' => self.user.1.to_string(),
            'g' => self.group.0.clone(),
            'G' => self.group.1.to_string(),
            'h' => self.home.text().into_owned(),
            's' => self.shell.clone(),
            't' => path(DirectoryKind::Runtime),
            'S' => path(DirectoryKind::State),
            'C' => path(DirectoryKind::Cache),
            'L' => path(DirectoryKind::Logs),
            'E' => path(DirectoryKind::Configuration),
            _ => return None,
        })
    }
}

/// Directories of a user's units, strongest first.
pub fn tiers(home: &MachinePath) -> Vec<MachinePath> {
    let own = [".config/systemd/user.control", ".config/systemd/user"];
    let own = own.iter().map(|dir| home.join(dir));
    let all = own.chain(FOR_ALL.iter().map(MachinePath::new));
    let all = all.chain([home.join(".local/share/systemd/user")]);
    all.chain(OF_PACKAGES.iter().map(MachinePath::new))
        .collect()
}

fn has_own_state(version: Option<&str>) -> bool {
    let digits = version.and_then(|version| version.split(|c: char| !c.is_ascii_digit()).next());
    let number: Option<u32> = digits.and_then(|digits| digits.parse().ok());
    number.is_none_or(|number| number >= OWN_STATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_moved_with_a_release() {
        assert!(has_own_state(None) && has_own_state(Some("257~rc1-1")));
        assert!(!has_own_state(Some("252.36-1~deb12u1")));
    }
}
