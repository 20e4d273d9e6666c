//! Services that do not move, by their reasons.

use crate::report::kinds::Kind;
use serde::Serialize;

/// Services with one fate.
#[derive(Serialize)]
pub(super) struct Fate<'a> {
    title: &'static str,
    count: usize,
    open: bool,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    reason: &'a str,
    /// Name, and the place that says that it starts.
    services: Vec<(&'a str, String)>,
}

impl Fate<'_> {
    pub fn any(&self) -> bool {
        self.count > 0
    }
}

pub(super) fn fate<'a>(title: &'static str, open: bool, kinds: &[Kind<'a>]) -> Fate<'a> {
    let reason = |kind: &Kind<'a>| Reason {
        reason: kind.reason,
        services: kind
            .services
            .iter()
            .map(|service| (service.name.as_str(), service.evidence.place()))
            .collect(),
    };
    Fate {
        title,
        count: kinds.iter().map(|kind| kind.services.len()).sum(),
        open,
        reasons: kinds.iter().map(reason).collect(),
    }
}
