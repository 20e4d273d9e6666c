//! Examining a machine: the engine is handed every detector, native and of packs, and told after each round what the facts
//! so far make worth reading. The only room that knows engine, packs, workloads and plans together.

pub mod case;
mod changed;
pub mod disclose;
pub mod follow;
pub mod program;

use crate::detect::engine::{Asks, Follow, examine_with};
use crate::detect::registry::DuplicateId;
use crate::detect::{Registry, Want, native};
use crate::fact::{Fact, Facts};
use crate::kernel::LARGE;
use crate::plan::PlanOptions;
use crate::product::pack::Packs;
use crate::progress::Progress;
use crate::source::Root;
use crate::study::outline::{Growing, Outline};
use std::cell::RefCell;

/// Asks nothing again where no fact came in that the questions rest on.
fn once_each(mut asks: impl FnMut(&Facts) -> Vec<Want>) -> impl FnMut(&Facts) -> Asks {
    let mut revision = None;
    move |facts| {
        if revision.replace(facts.revision) == Some(facts.revision) {
            return Asks::default();
        }
        asks(facts).into()
    }
}

/// What an examination brings.
pub struct Examined {
    pub facts: Facts,
    pub outline: Outline,
}

/// The native detectors and those of the packs.
pub fn registry(packs: &Packs) -> Result<Registry, DuplicateId> {
    Registry::of(native::all().into_iter().chain(packs.detectors()))
}

/// Examines a machine of which something is `known` (what a person answered): walks it, shows files to detectors, follows what they and the facts ask for. Runs in the caller's
/// thread pool.
pub fn examine(
    root: &Root,
    registry: &Registry,
    packs: &Packs,
    options: &PlanOptions,
    known: Vec<Fact>,
    progress: &dyn Progress,
) -> Examined {
    let growing = RefCell::new(Growing::new(packs, options));
    let mut named = once_each(|facts: &Facts| {
        let mut growing = growing.borrow_mut();
        follow::named(facts, growing.services(facts), packs)
    });
    let mut carried =
        once_each(|facts: &Facts| follow::carried(facts, growing.borrow_mut().outline(facts)));
    let mut loaded = |facts: &Facts| {
        let mut growing = growing.borrow_mut();
        let programs = &growing.outline(facts).programs;
        follow::loadable(facts, programs, registry.least().max(LARGE)).into()
    };
    let facts = {
        let mut follow: [Follow<'_>; 3] = [&mut named, &mut carried, &mut loaded];
        examine_with(root, registry, known, &mut follow, progress)
    };
    drop((named, carried));
    let outline = growing.into_inner().finish(&facts);
    Examined { facts, outline }
}
