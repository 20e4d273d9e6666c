//! The devices a container is handed.

use super::contract::Seen;
use crate::abi::capability::capabilities;
use crate::fact::Evidence;
use crate::kernel::need::Kind;
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
    /// Devices that the unit names, and those the code opens itself, under one plain name each. What acts on the host
    /// itself is named in the report and not handed over.
    pub(super) fn devices(&self) -> Vec<PlannedDevice> {
        let mut found: BTreeMap<String, PlannedDevice> = BTreeMap::new();
        let mut hand = |path: &str, why: String, evidence: &Evidence| {
            let plain = path.starts_with("/dev/")
                && path
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b))
                && !path.contains("..");
            if plain {
                let device = PlannedDevice {
                    path: path.to_owned(),
                    why,
                    evidence: evidence.clone(),
                };
                found.entry(path.to_owned()).or_insert(device);
            }
        };
        for device in self
            .workload
            .services
            .iter()
            .take(1)
            .flat_map(|service| &service.devices)
        {
            if !crate::kernel::need::is_ordinary(&device.name) {
                hand(
                    &device.name,
                    "the unit names it".to_owned(),
                    &device.evidence,
                );
            }
        }
        for ask in self.need.asked() {
            if ask.kind == Kind::Device && !capabilities().is_hosts(&ask.capability) {
                hand(&ask.what, format!("its code {}", ask.does), &ask.evidence);
            }
        }
        found.into_values().collect()
    }
}
