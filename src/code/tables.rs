//! Tables that stand among functions. Read as instructions they call anybody and enter the kernel with anything, so what a
//! sweep found in them is taken out again.
//!
//! A place that is no function by any symbol or unwind table, but that code refers to, starts such a table if it could not
//! be run; so does whatever only such tables refer to.

use super::image::{Image, Pointer};
use super::places::Places;
use super::sweep::{Kind, Sweep};
use super::x86_run::could_run;

/// Places that are looked at; the largest programs have a few thousand that are not known already. Those beyond count as
/// code.
const MOST: usize = 1 << 16;

/// Takes out what lies in tables.
pub(super) fn leave_out(image: &Image<'_>, sweep: &mut Sweep, base: u64) {
    let candidates = Candidates::new(image, sweep, base);
    let mut asked = 0;
    let is_refuted = |at: usize| {
        let start = candidates.all.get(at).unwrap_or_default();
        if candidates.is_certain(at) || asked == MOST {
            return false;
        }
        asked += 1;
        !could_run(image, base.wrapping_add(start.into()))
    };
    let refuted: Vec<bool> = (0..candidates.all.len()).map(is_refuted).collect();
    if !refuted.contains(&true) {
        return;
    }
    let believed = candidates.believed(sweep, &refuted);
    let is_code = |place: u32| {
        let start = candidates.all.before(place);
        start.is_none_or(|start| believed.get(start) == Some(&true))
    };
    sweep.refs.retain(|found| is_code(found.from));
    sweep.inner.retain(|(from, _)| is_code(*from));
    sweep.fixed.retain(|(at, _)| is_code(*at));
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
struct Candidates {
    all: Places,
    /// By their place among all: known from more than references, by code or by data.
    certain: Vec<bool>,
    /// Those that data refers to.
    pointed: Vec<u32>,
}

impl Candidates {
    fn new(image: &Image<'_>, sweep: &Sweep, base: u64) -> Self {
        let place = |address: u64| u32::try_from(address.wrapping_sub(base)).unwrap_or(u32::MAX);
        let sections = image.code.iter().map(|(address, _)| *address);
        let known = image.functions.iter().copied().chain(sections);
        let known = Places::new(known.map(place).collect());
        let pointed = image.pointers.iter().filter_map(|(_, to)| match to {
            Pointer::Address(to) | Pointer::Resolver(to) => Some(*to),
            Pointer::Symbol(..) => None,
        });
        let pointed = pointed.filter(|to| image.is_code(*to)).map(place);
        let pointed: Vec<u32> = pointed.collect();
        let referred = sweep.refs.iter().filter(|found| match found.kind {
            // That a call leads to code is known already.
            Kind::Call => true,
            Kind::Take => image.is_code(base.wrapping_add(found.to.into())),
            _ => false,
        });
        let referred = referred.map(|found| found.to);
        // Most are known: the others are few to sort.
        let others = referred.chain(pointed.iter().copied());
        let others = others.filter(|start| !known.contains(*start));
        let all: Vec<u32> = others.collect();
        let all = Places::new(all.into_iter().chain(known.iter()).collect());
        let mut certain = vec![false; all.len()];
        for at in known.iter().filter_map(|start| all.before(start)) {
            if let Some(certain) = certain.get_mut(at) {
                *certain = true;
            }
        }
        Self {
            all,
            certain,
            pointed,
        }
    }

    fn is_certain(&self, at: usize) -> bool {
        self.certain.get(at) == Some(&true)
    }

    /// The starts that code which is believed refers to, from those that are certain on.
    fn believed(&self, sweep: &Sweep, refuted: &[bool]) -> Vec<bool> {
        let mut believed = self.certain.clone();
        let mut work: Vec<usize> = (0..self.all.len())
            .filter(|at| self.is_certain(*at))
            .collect();
        let mut believe = |place: u32, work: &mut Vec<usize>| {
            let at = self.all.before(place);
            let at = at.filter(|at| self.all.get(*at) == Some(place));
            let Some(at) = at.filter(|at| refuted.get(*at) == Some(&false)) else {
                return;
            };
            if let Some(believed) = believed.get_mut(at).filter(|believed| !**believed) {
                *believed = true;
                work.push(at);
            }
        };
        for place in &self.pointed {
            believe(*place, &mut work);
        }
        while let Some(at) = work.pop() {
            let start = self.all.get(at).unwrap_or_default();
            let end = self.all.get(at + 1).unwrap_or(u32::MAX);
            let first = sweep.refs.partition_point(|found| found.from < start);
            let own = sweep.refs.get(first..).unwrap_or_default().iter();
            for found in own.take_while(|found| found.from < end) {
                if matches!(found.kind, Kind::Call | Kind::Jump | Kind::Take) {
                    believe(found.to, &mut work);
                }
            }
            let first = sweep.inner.partition_point(|(from, _)| *from < start);
            let own = sweep.inner.get(first..).unwrap_or_default().iter();
            for (_, to) in own.take_while(|(from, _)| *from < end) {
                believe(*to, &mut work);
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
    use super::super::x86;
    use super::*;
    use crate::abi::call::Architecture;

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
