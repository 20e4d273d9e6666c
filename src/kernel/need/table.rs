//! What the kernel asks for what code does: `detectors/kernel/{needs,origins,capabilities}.toml`, read once.

use crate::walk::glob;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Whether a program whose own code does it asks for the privilege, or can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Asks {
    Always,
    Optional,
}

/// `needs.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Needs {
    pub call: Vec<Call>,
    pub argument: Vec<Rule>,
    pub device: Vec<Device>,
    pub devices: Ordinary,
    pub path: Vec<Place>,
    pub loaders: Loaders,
}

/// Calls that need a capability whatever they are handed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub names: Vec<String>,
    /// Empty where none helps: profiles refuse the call all the same.
    pub capability: String,
    pub asks: Asks,
    pub does: String,
    pub source: String,
    #[serde(default)]
    pub feature: Option<String>,
    /// Those among the names that have a use without it.
    #[serde(default)]
    pub free: Vec<String>,
}

/// An argument that decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub call: String,
    pub index: u8,
    /// What of the value counts; all of it if not given.
    #[serde(default)]
    pub mask: Option<u64>,
    #[serde(default)]
    pub values: Vec<u64>,
    /// Any of these bits.
    #[serde(default)]
    pub any: Option<u64>,
    pub name: String,
    pub capability: String,
    pub asks: Asks,
    pub does: String,
    pub source: String,
    #[serde(default)]
    pub feature: Option<String>,
    #[serde(default)]
    pub device: Option<String>,
    /// Another argument of the same call that must be known and not among these.
    #[serde(default)]
    pub unless: Option<Other>,
    /// Another argument of the same call that must be known and among these.
    #[serde(default)]
    pub only: Option<Other>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    pub index: u8,
    pub values: Vec<u64>,
}

/// Devices by the paths that code names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Device {
    pub paths: Vec<String>,
    pub capability: String,
    pub asks: Asks,
    pub does: String,
    pub source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ordinary {
    /// Devices that every container has.
    pub always: Vec<String>,
}

/// Other paths that tell what a program is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub paths: Vec<String>,
    pub asks: Asks,
    pub does: String,
    pub feature: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Loaders {
    /// Base names of programs that load modules.
    pub names: Vec<String>,
}

/// `origins.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Origins {
    pub runtime: Vec<Runtime>,
    pub interpreters: Vec<String>,
    pub vehicle: Vec<Vehicle>,
}

/// What a language links into every program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runtime {
    pub name: String,
    pub calls: Vec<String>,
}

/// A library that exists for one thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vehicle {
    pub libraries: Vec<String>,
    #[serde(default)]
    pub calls: Vec<String>,
    /// What it needs of a process that is root.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

static NEEDS: LazyLock<Result<Needs, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/kernel/needs.toml"))
        .map_err(|error| error.to_string())
});
static ORIGINS: LazyLock<Result<Origins, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/kernel/origins.toml"))
        .map_err(|error| error.to_string())
});

/// Empty only if the built-in table does not parse, which a test forbids; so the other two.
pub(super) fn needs() -> &'static Needs {
    static NONE: LazyLock<Needs> = LazyLock::new(Needs::default);
    NEEDS.as_ref().unwrap_or(&NONE)
}

pub(super) fn origins() -> &'static Origins {
    static NONE: LazyLock<Origins> = LazyLock::new(Origins::default);
    ORIGINS.as_ref().unwrap_or(&NONE)
}

/// The calls of the table by name; a call has one rule.
pub(super) fn call(name: &str) -> Option<&'static Call> {
    static CALLS: LazyLock<BTreeMap<&'static str, &'static Call>> = LazyLock::new(|| {
        let calls = needs().call.iter();
        let named = calls.flat_map(|call| call.names.iter().map(move |name| (name.as_str(), call)));
        named.collect()
    });
    CALLS.get(name).copied()
}

impl Rule {
    pub(super) fn holds(&self, value: u64) -> bool {
        let value = self.mask.map_or(value, |mask| value & mask);
        // Constants of ioctl are 32 bits wide; a register may carry their sign.
        let value = if self.call == "ioctl" {
            value & 0xffff_ffff
        } else {
            value
        };
        self.any
            .map_or_else(|| self.values.contains(&value), |any| value & any != 0)
    }
}

pub(super) fn matches(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::capability::capabilities;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_are_whole() {
        NEEDS.as_ref().expect("detectors/kernel/needs.toml parses");
        ORIGINS
            .as_ref()
            .expect("detectors/kernel/origins.toml parses");
        let known: BTreeSet<&str> = capabilities().names.iter().map(String::as_str).collect();
        assert_eq!(known.len(), 41);
        assert_eq!(
            capabilities().of_bits(1 << 16 | 1 << 40),
            ["CAP_SYS_MODULE", "CAP_CHECKPOINT_RESTORE"]
        );
        let mut seen = BTreeSet::new();
        for call in &needs().call {
            assert!(!call.names.is_empty() && !call.does.is_empty() && !call.source.is_empty());
            for name in &call.names {
                assert!(seen.insert(name), "{name} has two rules");
            }
        }
        let named = needs()
            .call
            .iter()
            .map(|call| (&call.capability, call.asks))
            .chain(
                needs()
                    .argument
                    .iter()
                    .map(|rule| (&rule.capability, rule.asks)),
            )
            .chain(
                needs()
                    .device
                    .iter()
                    .map(|device| (&device.capability, device.asks)),
            );
        for (capability, _) in named {
            assert!(
                capability.is_empty() || known.contains(capability.as_str()),
                "{capability}"
            );
        }
        let of_lists = capabilities().hosts.iter().chain(&capabilities().optional);
        assert!(
            of_lists.clone().count() > 5
                && of_lists.clone().all(|name| known.contains(name.as_str()))
        );
        for rule in &needs().argument {
            assert!(
                rule.any.is_some() == rule.values.is_empty(),
                "{}",
                rule.name
            );
        }
    }

    #[test]
    fn values_decide() {
        let rule = |name: &str| {
            needs()
                .argument
                .iter()
                .find(|rule| rule.name == name)
                .unwrap()
        };
        assert!(rule("SOCK_RAW").holds(3 | 0o2_000_000));
        assert!(!rule("SOCK_RAW").holds(1));
        assert!(rule("CLONE_NEW*").holds(0x2000_0000 | 0x11));
        assert!(!rule("CLONE_NEW*").holds(0x003d_0f00));
        assert!(rule("TUNSETIFF").holds(0xffff_ffff_4004_54ca));
    }
}
