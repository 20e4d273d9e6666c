//! Functions that make the system call they are told, called by pointers.
//!
//! Where such a function's address stands only in data of its own file, this file's indirect calls are the ones that can call
//! it: the pointer is a private way to the kernel, not something that is handed out. Each of them says a number, or none that
//! is known. Where code takes the address, it may go anywhere.

use super::{Calls, Finder};
use crate::abi::call::Architecture;
use crate::code::image::Pointer;
use crate::code::step::Place;
use crate::code::sweep::Kind;
use crate::code::x86_run::{is_compared, target_register};
use crate::fact::Lent;
use std::collections::BTreeSet;

impl Finder<'_> {
    pub(super) fn lend(&mut self, calls: &mut Calls) {
        let all = std::mem::take(&mut self.lent);
        if all.is_empty() {
            return;
        }
        let sites = self.by_pointer();
        for (start, place, more, at) in all {
            let Some(function) = self.graph.function(start) else {
                continue;
            };
            // Each looks through all references of the file; what is not asked may go anywhere.
            let is_asked = self.flow.charge(self.sweep.refs.len() / 8);
            if is_asked && self.is_only_compared(start) {
                continue;
            }
            let is_private = is_asked && !self.is_taken_by_code(start);
            match place {
                Place::Register(_) if is_private => {
                    for site in &sites {
                        self.asked(*site, place, more, function, calls);
                    }
                }
                _ => {
                    let offset = self.graph.image.offset(self.graph.address(at));
                    calls.lent.push(Lent {
                        function,
                        by: None,
                        offset,
                        number: None,
                    });
                }
            }
        }
        self.lent.clear();
    }

    /// What one indirect call would ask of the function.
    fn asked(&mut self, site: u32, place: Place, more: i64, function: u32, calls: &mut Calls) {
        let values = self.resolve(site, place);
        let by = self.graph.function(site);
        let offset = self.graph.image.offset(self.graph.address(site));
        let is_open =
            !(values.open.is_empty() && values.handed.is_empty() && values.lent.is_empty());
        let known = values.known.iter().map(|(_, _, value)| {
            let number = value.wrapping_add_signed(more) & 0xffff_ffff;
            u32::try_from(number).ok()
        });
        let numbers: BTreeSet<Option<u32>> = known.chain(is_open.then_some(None)).collect();
        calls.lent.extend(numbers.into_iter().map(|number| Lent {
            function,
            by,
            offset,
            number,
        }));
    }

    /// Whether its address is only there to be compared with: a handler of signals asks by it what was interrupted.
    fn is_only_compared(&self, start: u32) -> bool {
        let image = self.graph.image;
        let address = self.graph.address(start);
        let slots = image.pointers.iter();
        let slots = slots.filter(|(_, to)| *to == Pointer::Address(address));
        let slots: Vec<u64> = slots.map(|(slot, _)| *slot).collect();
        if image.architecture != Architecture::X86_64
            || !slots.iter().all(|slot| image.is_table(*slot))
        {
            return false;
        }
        let slots: Vec<u32> = slots.iter().map(|slot| self.graph.place(*slot)).collect();
        let mut uses = self.sweep.refs.iter().filter(|found| match found.kind {
            Kind::Take => found.to == start,
            Kind::Load(_) | Kind::CallThrough => slots.contains(&found.to),
            _ => false,
        });
        uses.all(|found| is_compared(image, self.graph.address(found.from)))
    }

    fn is_taken_by_code(&self, start: u32) -> bool {
        let refs = &self.sweep.refs;
        refs.iter()
            .any(|found| found.kind == Kind::Take && found.to == start)
    }

    /// Indirect calls and jumps that may go to a function of this file whose address is in data.
    fn by_pointer(&mut self) -> Vec<u32> {
        let switches: BTreeSet<u32> = self
            .graph
            .table_targets
            .iter()
            .map(|(_, jump)| *jump)
            .collect();
        let jumps = self.sweep.jumps.iter().filter(|at| !switches.contains(at));
        let sites = self.sweep.calls.iter().chain(jumps).copied();
        // The linker's stubs go to other files, or to the loader.
        let sites: Vec<u32> = sites
            .filter(|at| !self.graph.image.is_stub(self.graph.address(*at)))
            .collect();
        let through = |at: u32| {
            let first = self.sweep.refs.partition_point(|found| found.from < at);
            let own = self.sweep.refs.get(first..).unwrap_or_default().iter();
            own.take_while(|found| found.from == at)
                .find(|found| found.kind == Kind::CallThrough)
                .map(|found| self.graph.address(found.to))
        };
        let sites: Vec<(u32, Option<u64>)> =
            sites.into_iter().map(|at| (at, through(at))).collect();
        let mut found = Vec::new();
        for (at, slot) in sites {
            let is_named = match slot {
                Some(slot) => self.is_named(slot),
                None => self.is_named_register(at),
            };
            if !is_named {
                found.push(at);
            }
        }
        found
    }

    /// Whether a slot holds what the loader found by a name.
    fn is_named(&self, slot: u64) -> bool {
        let mut pointers = self.graph.image.pointers_at(slot);
        self.graph.image.is_table(slot)
            && pointers.any(|pointer| matches!(pointer, Pointer::Symbol(..)))
    }

    /// Whether the register that a call goes through holds that.
    fn is_named_register(&mut self, at: u32) -> bool {
        let image = self.graph.image;
        let register = match image.architecture {
            Architecture::X86_64 => target_register(image, self.graph.address(at)),
            Architecture::Aarch64 => None,
        };
        let Some(register) = register else {
            return false;
        };
        let found = self.flow.before(at, Place::Register(register));
        let is_known = !found.is_open
            && found.parameters.is_empty()
            && found.behind.is_empty()
            && found.constants.iter().all(|value| *value == 0);
        is_known
            && !found.globals.is_empty()
            && found
                .globals
                .iter()
                .all(|(slot, more)| *more == 0 && self.is_named(*slot))
    }
}
