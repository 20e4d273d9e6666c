//! Examining a machine: the engine is handed every detector, native and of packs, and told after each round what the facts
//! so far make worth reading. The only room that knows engine, packs, workloads and plans together.

pub mod case;
mod changed;
pub mod follow;
pub mod program;

use crate::detect::engine::{Follow, examine_with};
use crate::detect::registry::DuplicateId;
use crate::detect::{Registry, native};
use crate::fact::Facts;
use crate::product::pack::Packs;
use crate::progress::Progress;
use crate::source::Root;

/// The native detectors and those of the packs.
pub fn registry(packs: &Packs) -> Result<Registry, DuplicateId> {
    Registry::of(native::all().into_iter().chain(packs.detectors()))
}

/// Examines a machine: walks it, shows files to detectors, follows what they and the facts ask for. Runs in the caller's
/// thread pool.
pub fn examine(root: &Root, registry: &Registry, packs: &Packs, progress: &dyn Progress) -> Facts {
    let mut named = |facts: &Facts| follow::named(facts, packs).into();
    let mut carried = |facts: &Facts| follow::carried(facts, packs).into();
    let mut loaded = |facts: &Facts| follow::loaded(facts, packs, registry.least()).into();
    let mut follow: [Follow<'_>; 3] = [&mut named, &mut carried, &mut loaded];
    examine_with(root, registry, &mut follow, progress)
}
