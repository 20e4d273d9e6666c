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
    /// What to ask whoever knows the machine, where something is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What the answer may be, as far as the disk tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely: Vec<String>,
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

/// How much of a workload or a machine is known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Its container was started and answered as the machine did.
    Proven,
    /// Nothing that matters is open.
    Known,
    /// Small questions are open.
    Partial,
    /// Something is not known that decides whether the container works.
    Guess,
}

/// The family of rules that say what is not known.
pub const UNKNOWN: &str = "unknown/";

impl Concern {
    /// With what the answer to its question may be.
    #[must_use]
    pub fn likely(mut self, answers: impl IntoIterator<Item = String>) -> Self {
        self.likely.extend(answers);
        self
    }

    /// Whether it says that something is not known.
    pub fn is_unknown(&self) -> bool {
        self.rule.starts_with(UNKNOWN)
    }
}

impl Certainty {
    /// How much is known where these concerns are all there are.
    pub fn of<'a>(concerns: impl IntoIterator<Item = &'a Concern>) -> Self {
        let open = concerns.into_iter().filter(|concern| concern.is_unknown());
        match open.map(|concern| concern.severity).max() {
            None => Self::Known,
            Some(severity) if severity >= Severity::Major => Self::Guess,
            Some(_) => Self::Partial,
        }
    }
}
