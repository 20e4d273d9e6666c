//! Assessment: concerns weighed for a target, a place that says what counts there. Pure, table-driven; no number without its
//! factors.

mod policy;
pub mod rules;
mod weigh;

use crate::fact::Evidence;
use crate::rule::{Certainty, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::kernel::place::Place;
pub use policy::{points, target, targets, usual};
pub use weigh::assess;

/// One summand of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Factor {
    pub rule: String,
    pub points: u32,
    pub evidence: Vec<Evidence>,
    pub remedy: String,
}

/// What a score would be, were these rules fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RaiseTo {
    pub score: u32,
    pub by: Vec<String>,
}

/// Concerns weighed for one target: `score` = max(0, 100 − Σ points).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    pub target: String,
    pub score: u32,
    pub verdict: Verdict,
    pub certainty: Certainty,
    pub factors: Vec<Factor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise_to: Option<RaiseTo>,
}
