//! `detectors/targets/`: one place a file, read once.

use crate::rule::catalogue;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

// Name below `detectors/` and text of each place.
include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// A place as its file says it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "as the file has them: each is a fact of its own"
)]
pub struct Place {
    pub id: String,
    pub title: String,
    /// One line for who chooses.
    pub about: String,
    /// Places are shown by this, lowest first; the first that weighs is meant where none is named.
    order: u32,
    /// Where these facts were read.
    pub source: String,
    /// Given without asking; `*` for all.
    capabilities: BTreeSet<String>,
    /// Given to whoever asks; `*` for all.
    pub grants: BTreeSet<String>,
    /// Granted, but worth nothing to the kernel there.
    #[serde(default)]
    pub void: BTreeSet<String>,
    /// Another place's profile.
    #[serde(default)]
    calls_of: Option<String>,
    #[serde(default)]
    calls: Option<Calls>,
    /// Whether a process may be root, and whether it may gain privileges (set-user-id).
    #[serde(default = "yes")]
    pub root: bool,
    #[serde(default = "yes")]
    pub new_privileges: bool,
    /// Whether devices of the host can be handed over.
    pub devices: bool,
    /// Whether it is an engine that runs an artefact as it stands: what all of these give, no artefact has to ask for.
    #[serde(default)]
    pub engine: bool,
    /// Patterns of the kernel settings that may be set for a container.
    pub sysctls: Vec<String>,
    /// What rules count there. A place without it is compared with, and cannot be chosen.
    pub weighs: Option<Weighs>,
}

/// How rules count in a place; one that is not named counts once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighs {
    /// Rules that ask for what the place gives: they weigh nothing.
    #[serde(default)]
    fine: BTreeSet<String>,
    /// Rules that ask for what it gives unwillingly: their points count so many times.
    #[serde(default)]
    times: BTreeMap<String, u32>,
}

impl Weighs {
    /// How many times a rule's points count.
    pub fn times(&self, rule: &str) -> u32 {
        if self.fine.contains(rule) {
            0
        } else {
            self.times.get(rule).copied().unwrap_or(1)
        }
    }
}

fn yes() -> bool {
    true
}

/// The calls a profile lets through.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// `*` for all.
    allow: BTreeSet<String>,
    /// Not these, of all.
    #[serde(default)]
    refuse: BTreeSet<String>,
    /// On one processor only.
    #[serde(default)]
    pub on: Vec<On>,
    /// To who holds any of these capabilities.
    #[serde(default)]
    pub with: Vec<With>,
    /// Only with these values.
    #[serde(default)]
    pub when: Vec<When>,
    /// Calls that do less than on Linux itself, and what is missing.
    #[serde(default)]
    pub partial: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    pub machine: String,
    pub allow: BTreeSet<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct With {
    pub capabilities: Vec<String>,
    pub allow: BTreeSet<String>,
}

/// A call that is let through by an argument's value: one of `values`, or none of `not`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub call: String,
    pub argument: u8,
    #[serde(default)]
    pub mask: Option<u64>,
    #[serde(default)]
    pub values: Vec<u64>,
    #[serde(default)]
    pub not: Vec<u64>,
    /// Whoever holds this is let through with any value.
    #[serde(default)]
    pub unless: Option<String>,
}

impl Calls {
    /// Whether a call is let through whoever makes it, on every processor.
    pub(super) fn lets_through(&self, name: &str) -> bool {
        let named = |name: &str| self.allow.contains(name);
        (named("*") || named(name)) && !self.refuse.contains(name)
    }
}

impl When {
    pub(super) fn lets_through(&self, value: u64) -> bool {
        let value = self.mask.map_or(value, |mask| value & mask);
        if self.values.is_empty() {
            !self.not.contains(&value)
        } else {
            self.values.contains(&value)
        }
    }
}

static PLACES: LazyLock<Result<Vec<Place>, String>> = LazyLock::new(|| read(TARGETS));

/// Places by their order, or what is wrong with the first that cannot be read.
fn read(files: &[(&str, &str)]) -> Result<Vec<Place>, String> {
    let mut found = Vec::new();
    for (name, text) in files {
        let place: Place = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        check(&place).map_err(|error| format!("{name}: {error}"))?;
        found.push(place);
    }
    found.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    Ok(found)
}

/// What one place says holds together: its rules are the catalogue's, and each is said once.
fn check(place: &Place) -> Result<(), String> {
    let none = Weighs::default();
    let weighs = place.weighs.as_ref().unwrap_or(&none);
    for rule in weighs.fine.iter().chain(weighs.times.keys()) {
        if catalogue::rule(rule).is_none() {
            return Err(format!("no rule is called {rule:?}"));
        }
    }
    for (rule, times) in &weighs.times {
        if weighs.fine.contains(rule) || *times < 2 {
            return Err(format!(
                "{rule} is fine, or counts several times: not both, and not neither"
            ));
        }
    }
    if place.calls.is_some() == place.calls_of.is_some() {
        return Err("it has calls of its own, or those of another place".to_owned());
    }
    Ok(())
}

/// All places, in the order in which they are shown. Empty only if a built-in file cannot be read, which a test forbids.
pub fn places() -> &'static [Place] {
    PLACES.as_deref().unwrap_or_default()
}

impl Place {
    /// The profile that holds there: its own, or that of the place it names, which may name another.
    pub fn calls(&self) -> Option<&Calls> {
        let mut place = self;
        // As many steps as there are places: no file can make this go round for ever.
        for _ in places() {
            let Some(other) = &place.calls_of else { break };
            place = places().iter().find(|place| place.id == *other)?;
        }
        place.calls.as_ref()
    }

    /// Whether a capability is there without asking.
    pub fn gives(&self, capability: &str) -> bool {
        self.capabilities.contains("*") || self.capabilities.contains(capability)
    }

    pub fn may_grant(&self, capability: &str) -> bool {
        self.grants.contains("*") || self.grants.contains(capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::capability::capabilities;

    #[test]
    fn every_place_is_read() {
        PLACES.as_ref().expect("detectors/targets/*.toml parse");
        assert_eq!(places().len(), TARGETS.len());
        for place in places() {
            let calls = place
                .calls()
                .unwrap_or_else(|| panic!("{} has no profile", place.id));
            for name in [
                "read",
                "write",
                "execve",
                "futex",
                "socket",
                "clone",
                "exit_group",
            ] {
                assert!(calls.lets_through(name), "{} lets {name} through", place.id);
            }
            // Where a module may be loaded, the kernel is the place's own.
            let own = place.gives("CAP_SYS_MODULE") && !place.void.contains("CAP_SYS_MODULE");
            for name in ["init_module", "kexec_load"] {
                assert_eq!(calls.lets_through(name), own, "{name} in {}", place.id);
            }
            for name in ["iopl", "swapon"]
                .iter()
                .filter(|_| !calls.allow.contains("*"))
            {
                assert!(!calls.lets_through(name), "{} refuses {name}", place.id);
            }
            let names = place
                .capabilities
                .iter()
                .chain(&place.void)
                .chain(&place.grants);
            for name in names.filter(|name| *name != "*") {
                assert!(
                    capabilities().names.contains(name),
                    "{name} of {}",
                    place.id
                );
            }
            for text in [&place.title, &place.about, &place.source] {
                assert!(!text.is_empty(), "{} says nothing", place.id);
            }
        }
    }

    const MOON: &str = r#"
        id = "moon"
        title = "Moon"
        about = "Far away"
        order = 5
        source = "seen from here"
        calls_of = "serverless"
        capabilities = []
        grants = []
        devices = false
        sysctls = []
    "#;

    fn moon(more: &str) -> Result<Place, String> {
        let text = format!("{MOON}{more}");
        read(&[("targets/moon.toml", &text)]).map(|mut places| places.remove(0))
    }

    #[test]
    fn a_file_is_a_whole_place() {
        let place = moon("").unwrap();
        assert!(place.weighs.is_none(), "it is compared with");
        let calls = place
            .calls()
            .expect("those of the place that another names");
        assert!(calls.lets_through("read") && !calls.lets_through("mount"));
        let place = moon("weighs.times.\"process/realtime\" = 7").unwrap();
        let weighs = place.weighs.unwrap();
        assert_eq!(
            (weighs.times("process/realtime"), weighs.times("other")),
            (7, 1)
        );
    }

    #[test]
    fn what_does_not_hold_together_is_said() {
        for (more, wanted) in [
            ("weighs.fine = [\"a/b\"]", "no rule is called \"a/b\""),
            ("weighs.times.\"a/b\" = 2", "no rule is called \"a/b\""),
            ("weighs.times.\"process/realtime\" = 1", "process/realtime"),
            ("calls.allow = [\"read\"]", "calls of its own"),
            ("weighs.factor = 2", "unknown field"),
        ] {
            let said = moon(more).unwrap_err();
            assert!(
                said.starts_with("targets/moon.toml: ") && said.contains(wanted),
                "{more}: {said}"
            );
        }
    }
}
