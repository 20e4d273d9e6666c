//! What a manager shows a service at another place than the machine has it.

use crate::fact::Evidence;
use crate::path::MachinePath;

/// A file or directory that the service finds at a place of its own (`BindPaths=`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Where the machine has it.
    pub source: MachinePath,
    /// Where the service looks.
    pub place: MachinePath,
    pub is_read_only: bool,
    pub evidence: Evidence,
}
