//! What gives a container its host: `detectors/kernel/host.toml`, read once.

use crate::walk::glob;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    capabilities: Vec<String>,
    devices: Vec<String>,
}

static HOST: LazyLock<Result<Host, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/kernel/host.toml"))
        .map_err(|error| error.to_string())
});

/// Whether a capability reaches the host itself. Where the table cannot be read, any does.
pub fn is_hosts(capability: &str) -> bool {
    let hosts = |host: &Host| host.capabilities.iter().any(|name| name == capability);
    HOST.as_ref().map_or(true, hosts)
}

/// Whether a device is the host's own memory, disks or hardware; so is what names a class of devices or no plain path.
pub fn is_hosts_device(device: &str) -> bool {
    let is_plain = device.starts_with("/dev/") && !device.split('/').any(|part| part == "..");
    let hosts = |host: &Host| {
        let mut patterns = host.devices.iter();
        patterns.any(|pattern| glob::matches_path(pattern, device))
    };
    !is_plain || HOST.as_ref().map_or(true, hosts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::capability::capabilities;

    #[test]
    fn the_table_parses_and_names_what_there_is() {
        let host = HOST.as_ref().expect("detectors/kernel/host.toml parses");
        for name in &host.capabilities {
            assert!(capabilities().names.contains(name), "{name}");
        }
        for name in &capabilities().hosts {
            assert!(is_hosts(name), "{name} is said to act on the host");
        }
    }

    #[test]
    fn disks_and_memory_are_the_hosts() {
        for device in [
            "/dev/sda",
            "/dev/mem",
            "/dev/kvm",
            "/dev/mapper/a/b",
            "block-sd",
            "/dev/../etc",
        ] {
            assert!(is_hosts_device(device), "{device}");
        }
        for device in ["/dev/net/tun", "/dev/fuse", "/dev/dri/card0", "/dev/ttyS0"] {
            assert!(!is_hosts_device(device), "{device}");
        }
    }
}
