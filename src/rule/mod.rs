//! Rules: what may be said of a machine, in whose words, and how grave it is. What a place makes of it is not here.

pub mod catalogue;

use crate::fact::Evidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a concern is; what that means for the verdict depends on the target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Minor,
    Major,
    Blocker,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Concern {
    /// Id in the rule catalogue: `network/bound-address`.
    pub rule: String,
    pub severity: Severity,
    pub title: String,
    pub detail: String,
    /// The workload it belongs to; `null` for the machine as a whole.
    pub workload: Option<String>,
    /// Never empty.
    pub evidence: Vec<Evidence>,
    pub remedy: String,
    pub links: Vec<String>,
}

/// What a machine or a workload is fit for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Container,
    ContainerWithChanges,
    /// Needs the walls of a virtual machine around it: Kata, or a machine per container.
    IsolatedContainer,
    KeepVm,
}
