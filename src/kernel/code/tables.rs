//! Tables that stand among functions. Read as instructions they call anybody and enter the kernel with anything, so what a
//! sweep found in them is taken out again.
//!
//! A place that is no function by any symbol or unwind table, but that code refers to, starts such a table if it could not
//! be run; so does whatever only such tables refer to.

use super::image::{Image, Pointer};
use super::sweep::{Kind, Sweep};
use super::x86_run::could_run;
use std::collections::BTreeSet;

/// Takes out what lies in tables.
pub(super) fn leave_out(image: &Image<'_>, sweep: &mut Sweep, base: u64) {
    let places = Places::new(image, sweep, base);
    let refuted: BTreeSet<u32> = places
        .doubtful
        .iter()
        .copied()
        .filter(|start| !could_run(image, base.wrapping_add((*start).into())))
        .collect();
    if refuted.is_empty() {
        return;
    }
    let believed = places.believed(sweep, &refuted);
    let is_code = |place: u32| {
        let at = places.all.partition_point(|start| *start <= place);
        let start = at.checked_sub(1).and_then(|at| places.all.get(at));
        start.is_none_or(|start| believed.contains(start))
    };
    sweep.refs.retain(|found| is_code(found.from));
    sweep.entries.retain(|entry| is_code(entry.at));
    for places in [
        &mut sweep.jumps,
        &mut sweep.returns,
        &mut sweep.calls,
        &mut sweep.fresh,
        &mut sweep.after_call,
    ] {
        places.retain(|place| is_code(*place));
    }
}

/// Starts of functions and of what may be some.
struct Places {
    /// Sorted.
    all: Vec<u32>,
    certain: BTreeSet<u32>,
    /// Known only from references, by code or by data.
    doubtful: BTreeSet<u32>,
    /// Those of them that data refers to.
    pointed: Vec<u32>,
}

impl Places {
    fn new(image: &Image<'_>, sweep: &Sweep, base: u64) -> Self {
        let place = |address: u64| u32::try_from(address.wrapping_sub(base)).unwrap_or(u32::MAX);
        let sections = image.code.iter().map(|(address, _)| *address);
        let known = image.functions.iter().copied().chain(sections);
        let certain: BTreeSet<u32> = known.map(place).collect();
        let pointed = image.pointers.iter().filter_map(|(_, to)| match to {
            Pointer::Address(to) | Pointer::Resolver(to) => Some(*to),
            Pointer::Symbol(..) => None,
        });
        let pointed = pointed.filter(|to| image.is_code(*to)).map(place);
        let pointed: Vec<u32> = pointed.collect();
        let referred = sweep
            .refs
            .iter()
            .filter(|found| matches!(found.kind, Kind::Call | Kind::Take));
        let referred = referred
            .map(|found| found.to)
            .filter(|to| image.is_code(base.wrapping_add((*to).into())));
        let doubtful: BTreeSet<u32> = referred
            .chain(pointed.iter().copied())
            .filter(|start| !certain.contains(start))
            .collect();
        Self {
            all: certain.union(&doubtful).copied().collect(),
            certain,
            doubtful,
            pointed,
        }
    }

    /// The starts that code which is believed refers to, from those that are certain on.
    fn believed(&self, sweep: &Sweep, refuted: &BTreeSet<u32>) -> BTreeSet<u32> {
        let mut believed = self.certain.clone();
        let mut work: Vec<u32> = self.certain.iter().copied().collect();
        let mut believe = |place: u32, work: &mut Vec<u32>| {
            let is_start = self.doubtful.contains(&place) && !refuted.contains(&place);
            if is_start && believed.insert(place) {
                work.push(place);
            }
        };
        for place in &self.pointed {
            believe(*place, &mut work);
        }
        while let Some(start) = work.pop() {
            let next = self.all.partition_point(|other| *other <= start);
            let end = self.all.get(next).copied().unwrap_or(u32::MAX);
            let first = sweep.refs.partition_point(|found| found.from < start);
            let own = sweep.refs.get(first..).unwrap_or_default().iter();
            for found in own.take_while(|found| found.from < end) {
                if matches!(found.kind, Kind::Call | Kind::Jump | Kind::Take) {
                    believe(found.to, &mut work);
                }
            }
            // What is run on into is code like what is before.
            if end != u32::MAX && sweep.fresh.binary_search(&end).is_err() {
                believe(end, &mut work);
            }
        }
        believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::call::Architecture;
    use crate::kernel::code::x86;

    fn image(bytes: &[u8], functions: Vec<u64>) -> Image<'_> {
        Image::of_code(Architecture::X86_64, 0x1000, bytes, functions)
    }

    /// lea of a table that reads as: call of `f`, an entry into the kernel, and no instruction.
    #[test]
    fn a_table_is_no_code() {
        let mut bytes = vec![0x90; 0x60];
        bytes[..8].copy_from_slice(&[0x48, 0x8d, 0x05, 0x19, 0, 0, 0, 0xc3]);
        // At 0x20: mov ch, 0xb0; jne +2; syscall; 0x06.
        bytes[0x20..0x27].copy_from_slice(&[0xb5, 0xb0, 0x75, 0x00, 0x0f, 0x05, 0x06]);
        let image = image(&bytes, vec![0x1000]);
        let mut sweep = x86::sweep(&image, 0x1000);
        assert_eq!(sweep.entries.len(), 1);
        leave_out(&image, &mut sweep, 0x1000);
        assert!(sweep.entries.is_empty());
        assert_eq!(sweep.refs.len(), 1, "the reference to the table stays");
    }

    /// The same bytes with a return in the place of what is no instruction.
    #[test]
    fn a_function_stays() {
        let mut bytes = vec![0x90; 0x60];
        bytes[..8].copy_from_slice(&[0x48, 0x8d, 0x05, 0x19, 0, 0, 0, 0xc3]);
        bytes[0x20..0x27].copy_from_slice(&[0xb5, 0xb0, 0x75, 0x00, 0x0f, 0x05, 0xc3]);
        let image = image(&bytes, vec![0x1000]);
        let mut sweep = x86::sweep(&image, 0x1000);
        leave_out(&image, &mut sweep, 0x1000);
        assert_eq!(sweep.entries.len(), 1);
    }
}
