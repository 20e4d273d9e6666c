//! The detectors in force: the native ones and those of packs, each id once, with what they are interested in.

use super::{Detector, Interest};
use std::collections::BTreeMap;

/// Largest file read for a detector that names no limit of its own, in bytes.
const DEFAULT_LIMIT: u64 = 4 << 20;

/// Two detectors under one id; wants could not tell them apart.
#[derive(Debug, thiserror::Error)]
#[error("two detectors have the id {0}")]
pub struct DuplicateId(String);

/// A detector, and its interest: asked once, for it is data.
pub struct Registered {
    pub detector: Box<dyn Detector>,
    pub interest: Interest,
}

/// All detectors in a fixed order.
pub struct Registry {
    detectors: Vec<Registered>,
    by_id: BTreeMap<String, usize>,
    /// Files up to so many bytes are read, whatever limit a detector names.
    least: u64,
}

impl Registry {
    /// Just these.
    pub fn of(detectors: impl IntoIterator<Item = Box<dyn Detector>>) -> Result<Self, DuplicateId> {
        let mut registry = Self {
            detectors: Vec::new(),
            by_id: BTreeMap::new(),
            least: 0,
        };
        for detector in detectors {
            let id = detector.id().to_owned();
            let at = registry.detectors.len();
            if registry.by_id.insert(id.clone(), at).is_some() {
                return Err(DuplicateId(id));
            }
            let interest = detector.interest();
            registry.detectors.push(Registered { detector, interest });
        }
        Ok(registry)
    }

    /// Raises the limits of detectors that read less.
    #[must_use]
    pub fn reading_up_to(mut self, bytes: u64) -> Self {
        self.least = bytes;
        self
    }

    /// The size up to which all detectors read, in bytes; 0 where nobody said.
    pub fn least(&self) -> u64 {
        self.least
    }

    /// Largest file that a detector is shown, in bytes.
    pub fn limit(&self, registered: &Registered) -> u64 {
        let own = match registered.interest.limit {
            0 => DEFAULT_LIMIT,
            limit => limit,
        };
        own.max(self.least)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.detectors.iter()
    }

    /// By its place in the order.
    pub fn get(&self, at: usize) -> Option<&Registered> {
        self.detectors.get(at)
    }

    /// The place of the detector with this id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}
