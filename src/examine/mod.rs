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
use crate::kernel::LARGE;
use crate::plan::PlanOptions;
use crate::product::pack::Packs;
use crate::progress::Progress;
use crate::source::Root;
use crate::study::outline::{Growing, Outline};
use std::cell::RefCell;

/// What an examination brings.
pub struct Examined {
    pub facts: Facts,
    pub outline: Outline,
}

/// The native detectors and those of the packs.
pub fn registry(packs: &Packs) -> Result<Registry, DuplicateId> {
    Registry::of(native::all().into_iter().chain(packs.detectors()))
}

/// Examines a machine: walks it, shows files to detectors, follows what they and the facts ask for. Runs in the caller's
/// thread pool.
pub fn examine(
    root: &Root,
    registry: &Registry,
    packs: &Packs,
    options: &PlanOptions,
    progress: &dyn Progress,
) -> Examined {
    let growing = RefCell::new(Growing::new(packs, options));
    let mut named = |facts: &Facts| {
        let mut growing = growing.borrow_mut();
        follow::named(facts, growing.services(facts), packs).into()
    };
    let mut carried =
        |facts: &Facts| follow::carried(facts, growing.borrow_mut().outline(facts)).into();
    let mut loaded = |facts: &Facts| {
        let mut growing = growing.borrow_mut();
        let programs = &growing.outline(facts).programs;
        follow::loadable(facts, programs, registry.least().max(LARGE)).into()
    };
    let mut follow: [Follow<'_>; 3] = [&mut named, &mut carried, &mut loaded];
    let facts = examine_with(root, registry, &mut follow, progress);
    let outline = growing.into_inner().finish(&facts);
    Examined { facts, outline }
}
