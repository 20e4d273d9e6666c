//! The devices a container is handed.

use super::contract::{Choice, Seen};
use crate::abi::capability::capabilities;
use crate::fact::Evidence;
use crate::kernel::host;
use crate::kernel::need::{Kind, is_ordinary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A device of the host that a container is handed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDevice {
    pub path: String,
    pub why: String,
    pub evidence: Evidence,
}

impl Seen<'_> {
    /// Devices that the code opens itself, under one plain name each; and those that are not handed over: what is the
    /// host's own, and what only a unit names.
    pub(super) fn devices(&self) -> (Vec<PlannedDevice>, Vec<Choice>) {
        let mut found: BTreeMap<String, PlannedDevice> = BTreeMap::new();
        let mut refused: BTreeMap<String, String> = BTreeMap::new();
        for ask in self.need.asked().filter(|ask| ask.kind == Kind::Device) {
            let why = format!("its code {}", ask.does);
            if host::is_hosts_device(&ask.what) || capabilities().is_hosts(&ask.capability) {
                refused.insert(ask.what.clone(), format!("it is the host's own; {why}"));
            } else if is_plain(&ask.what) {
                let device = PlannedDevice {
                    path: ask.what.clone(),
                    why,
                    evidence: ask.evidence.clone(),
                };
                found.entry(ask.what.clone()).or_insert(device);
            }
        }
        let services = self.workload.services.iter().take(1);
        let devices = services.flat_map(|service| &service.devices);
        for device in devices.filter(|device| !is_ordinary(&device.name)) {
            if found.contains_key(&device.name) {
                continue;
            }
            let place = device.evidence.place();
            let why = if host::is_hosts_device(&device.name) {
                format!("it is the host's own; the unit names it ({place})")
            } else {
                format!("only the unit names it ({place})")
            };
            refused.entry(device.name.clone()).or_insert(why);
        }
        let refused = refused.into_iter();
        let refused = refused.map(|(name, why)| Choice { name, why });
        (found.into_values().collect(), refused.collect())
    }
}

fn is_plain(path: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_-.".contains(&b);
    path.starts_with("/dev/") && path.bytes().all(fits) && !path.contains("..")
}
