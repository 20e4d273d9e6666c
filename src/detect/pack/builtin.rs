//! The packs compiled in. A plain list; a test compares it with the directory.

/// Name below `detectors/` and text.
pub(super) const PACKS: &[(&str, &str)] = &[];
