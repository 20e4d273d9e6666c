//! The kernel's capabilities: `detectors/kernel/capabilities.toml`, read once.

use serde::Deserialize;
use std::sync::LazyLock;

/// `capabilities.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// By bit number.
    pub names: Vec<String>,
    /// Those that act on the host for everybody on it; no artefact grants them.
    pub hosts: Vec<String>,
    /// Those that programs do without where they are refused.
    pub optional: Vec<String>,
}

static CAPABILITIES: LazyLock<Result<Capabilities, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/kernel/capabilities.toml"))
        .map_err(|error| error.to_string())
});

/// The kernel's capabilities and what is known of them.
pub fn capabilities() -> &'static Capabilities {
    static NONE: LazyLock<Capabilities> = LazyLock::new(Capabilities::default);
    CAPABILITIES.as_ref().unwrap_or(&NONE)
}

impl Capabilities {
    /// Names of the bits of a set (capabilities(7)).
    pub fn of_bits(&self, bits: u64) -> Vec<&str> {
        let named = self.names.iter().enumerate();
        named
            .filter(|(bit, _)| bits >> bit & 1 == 1)
            .map(|(_, name)| name.as_str())
            .collect()
    }

    pub fn is_hosts(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| host == name)
    }

    pub fn is_optional(&self, name: &str) -> bool {
        self.optional.iter().any(|optional| optional == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses() {
        CAPABILITIES
            .as_ref()
            .expect("detectors/kernel/capabilities.toml parses");
    }
}
