//! What a person answered to the program's questions: facts that no disk tells. The file with the answers is the evidence.

use super::Evidence;
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Moves into a container.
    Containerize,
    /// The container platform does this: init, log, time, remote access, scheduling.
    Platform,
    /// Not wanted where the workload goes: guest tools, agents, hardware upkeep.
    Drop,
    /// Stays on a machine: no container can carry it.
    Keep,
}

/// Something that was answered, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    pub value: T,
    pub evidence: Evidence,
}

/// An address, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `0.0.0.0`, `127.0.0.1`, or the path of a Unix socket (`port` 0).
    pub address: String,
    pub port: u16,
    /// `tcp`, `udp`, or `unix`.
    pub protocol: &'static str,
}

/// The answers for one workload or service. What is there is the whole truth of its kind; what is not was not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Everything it listens on.
    pub ports: Option<Answered<Vec<Endpoint>>>,
    /// Every directory that holds its state.
    pub state: Option<Answered<Vec<MachinePath>>>,
    /// Files and directories that go into its image beside those that were found.
    pub files: Option<Answered<Vec<MachinePath>>>,
    /// What it runs in the foreground.
    pub command: Option<Answered<Vec<String>>>,
    /// Variables beside the service's own, or in their place.
    pub environment: Option<Answered<BTreeMap<String, String>>>,
    pub disposition: Option<Answered<Disposition>>,
    /// Rules of the family `unknown/*` that somebody looked at and has no more questions about.
    pub accepted: BTreeSet<String>,
}

/// Answers by what they are for: a workload's id, or a service as its manager spells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    pub of: BTreeMap<String, Answer>,
}

impl Answers {
    /// The answers for one that goes by several names; the first of them that has any.
    pub fn get(&self, names: &[&str]) -> Option<&Answer> {
        names.iter().find_map(|name| self.of.get(*name))
    }
}
