//! One pass over AArch64 instructions.

use super::{Op, STACK, Update, decode};
use crate::code::image::Image;
use crate::code::sweep::{Entry, Kind, Ref, Sweep};

/// One pass over everything. Addresses are made of two instructions, so the page that each register holds is kept along
/// straight code.
pub(in crate::code) fn sweep(image: &Image<'_>, base: u64) -> Sweep {
    let mut pass = Pass {
        image,
        base,
        sweep: Sweep::default(),
        held: [None; 33],
        has_ended: true,
        is_after_call: false,
    };
    for (address, bytes) in &image.code {
        pass.section(*address, bytes);
    }
    pass.sweep.refs.sort_unstable();
    pass.sweep
}

struct Pass<'a> {
    image: &'a Image<'a>,
    base: u64,
    sweep: Sweep,
    /// What address each register holds, as far as straight code says; whether it was used since.
    held: [Option<u64>; 33],
    has_ended: bool,
    is_after_call: bool,
}

impl Pass<'_> {
    fn section(&mut self, address: u64, bytes: &[u8]) {
        self.has_ended = true;
        self.is_after_call = false;
        self.held = [None; 33];
        let starts = &self.image.functions;
        let mut next = starts.partition_point(|start| *start < address);
        for (at, raw) in (0u64..).zip(bytes.chunks_exact(4)) {
            let at = address.wrapping_add(at * 4);
            if self.sweep.is_full() {
                return;
            }
            while starts.get(next).is_some_and(|start| *start <= at) {
                next += 1;
                self.held = [None; 33];
                if self.is_after_call {
                    let place = self.place(at);
                    self.sweep.after_call.push(place);
                }
            }
            self.see(
                at,
                decode(u32::from_le_bytes(raw.try_into().unwrap_or_default())),
            );
        }
    }

    fn place(&self, address: u64) -> u32 {
        u32::try_from(address.wrapping_sub(self.base)).unwrap_or(u32::MAX)
    }

    fn refer(&mut self, from: u64, to: u64, kind: Kind) {
        let known = match kind {
            Kind::Call | Kind::Jump => self.image.is_code(to),
            _ => self.image.segment(to).is_some(),
        };
        if known {
            let (from, to) = (self.place(from), self.place(to));
            self.sweep.refs.push(Ref { from, to, kind });
        }
    }

    fn set(&mut self, register: u8, value: Option<u64>) {
        if let Some(held) = self.held.get_mut(usize::from(register)) {
            *held = value;
        }
    }

    fn get(&self, register: u8) -> Option<u64> {
        self.held.get(usize::from(register)).copied().flatten()
    }

    fn see(&mut self, at: u64, op: Op) {
        let place = self.place(at);
        if self.has_ended && op != Op::Nop {
            self.sweep.fresh.push(place);
        }
        let to = |distance: i64| at.wrapping_add_signed(distance);
        match op {
            Op::Branch(distance) | Op::Conditional(distance) => {
                self.refer(at, to(distance), Kind::Jump);
            }
            Op::BranchLink(distance) => self.refer(at, to(distance), Kind::Call),
            Op::BranchRegister => self.sweep.jumps.push(place),
            Op::CallRegister => self.sweep.calls.push(place),
            Op::Return => self.sweep.returns.push(place),
            Op::Kernel => self.sweep.entries.push(Entry {
                at: place,
                is_narrow: false,
            }),
            _ => self.values(at, op),
        }
        // Compilers keep pages across branches, so what is held stays until it is written, or a function is called.
        if matches!(op, Op::BranchLink(_) | Op::CallRegister) {
            (0..19).for_each(|register| self.set(register, None));
        }
        self.has_ended = match op {
            Op::Branch(_) | Op::BranchRegister | Op::Return | Op::Stop => true,
            Op::Nop => self.has_ended,
            _ => false,
        };
        self.is_after_call = match op {
            Op::BranchLink(_) | Op::CallRegister => true,
            Op::Nop => self.is_after_call,
            _ => false,
        };
    }

    fn values(&mut self, at: u64, op: Op) {
        match op {
            Op::Page(d, distance) => self.set(d, Some((at & !0xfff).wrapping_add_signed(distance))),
            Op::Near(d, distance) => {
                let address = at.wrapping_add_signed(distance);
                self.refer(at, address, Kind::Take);
                self.set(d, Some(address));
            }
            Op::Add(d, n, by) => {
                let value = self
                    .get(n)
                    .filter(|_| n != STACK)
                    .map(|held| held.wrapping_add_signed(by));
                if let Some(address) = value {
                    self.refer(at, address, Kind::Take);
                }
                self.set(d, value);
            }
            Op::Copy(d, n) => {
                // A page itself can be an object's address.
                let value = self.get(n);
                if let Some(address) = value {
                    self.refer(at, address, Kind::Take);
                }
                self.set(d, value);
            }
            Op::Load(t, n, by, size, update) => {
                if let Some(held) = self.get(n) {
                    self.loaded(at, held.wrapping_add_signed(by), size);
                }
                self.update(n, update);
                self.set(t, None);
            }
            Op::LoadNear(t, distance) => {
                self.refer(at, at.wrapping_add_signed(distance), Kind::Load(8));
                self.set(t, None);
            }
            Op::LoadPair(pair, n, by, update) => {
                if let Some(held) = self.get(n) {
                    self.loaded(at, held.wrapping_add_signed(by), 16);
                }
                self.update(n, update);
                for t in pair {
                    self.set(t, None);
                }
            }
            Op::Store(t, n, by, _, update) => {
                if let Some(held) = self.get(n) {
                    self.refer(at, held.wrapping_add_signed(by), Kind::Store);
                }
                self.escape(at, t);
                self.update(n, update);
            }
            Op::StorePair(pair, n, by, update) => {
                if let Some(held) = self.get(n) {
                    self.refer(at, held.wrapping_add_signed(by), Kind::Store);
                }
                for t in pair {
                    self.escape(at, t);
                }
                self.update(n, update);
            }
            Op::Set(d, _) | Op::Keep(d, ..) | Op::Spoil(d) => self.set(d, None),
            Op::Select(d, n, m) => {
                self.escape(at, n);
                self.escape(at, m);
                self.set(d, None);
            }
            _ => {}
        }
    }

    fn loaded(&mut self, at: u64, address: u64, size: u8) {
        self.refer(at, address, Kind::Load(size));
    }

    /// A page that is handed on as it is.
    fn escape(&mut self, at: u64, register: u8) {
        if let Some(address) = self.get(register) {
            self.refer(at, address, Kind::Take);
        }
    }

    fn update(&mut self, register: u8, update: Update) {
        if update != Update::None {
            self.set(register, None);
        }
    }
}
