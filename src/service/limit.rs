//! What a manager limits processes in.

use crate::fact::Evidence;

/// A limit of the process (`NOFILE`), or of all its processes together (`MemoryMax`), as the manager writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub name: String,
    pub value: String,
    pub evidence: Evidence,
}
