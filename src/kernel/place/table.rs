//! `detectors/targets/`: one place a file, read once.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

// Name below `detectors/` and text of each place.
include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// A place as its file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub id: String,
    pub title: String,
    /// Where these facts were read.
    pub source: String,
    /// Given without asking.
    pub capabilities: BTreeSet<String>,
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
    /// Patterns of the kernel settings that may be set for a container.
    pub sysctls: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The calls a profile lets through.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    pub allow: BTreeSet<String>,
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

static PLACES: LazyLock<Result<Vec<Place>, String>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| {
        toml::from_str(text).map_err(|error: toml::de::Error| format!("{name}: {error}"))
    };
    TARGETS.iter().map(read).collect()
});

/// All places, in a fixed order. Empty only if a built-in file does not parse, which a test forbids.
pub fn places() -> &'static [Place] {
    PLACES.as_deref().unwrap_or_default()
}

impl Place {
    /// The profile that holds there; its own or that of the place it names.
    pub fn calls(&self) -> Option<&'static Calls> {
        let id = self.calls_of.as_deref().unwrap_or(&self.id);
        places().iter().find(|place| place.id == id)?.calls.as_ref()
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
                assert!(
                    calls.allow.contains(name),
                    "{} lets {name} through",
                    place.id
                );
            }
            for name in ["init_module", "iopl", "kexec_load", "swapon"] {
                assert!(!calls.allow.contains(name), "{} refuses {name}", place.id);
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
            assert!(!place.title.is_empty() && !place.source.is_empty());
        }
    }
}
