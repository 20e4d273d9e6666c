//! AArch64 instructions, as far as references, control flow and values ask (Arm Architecture Reference Manual, C4.1, "A64
//! instruction set encoding"). Every instruction is four bytes, and most are of no interest here.

use super::image::Image;
use super::step::{Effect, Place, Source, Step};
use super::sweep::{Entry, Kind, Ref, Sweep};

const STACK: u8 = 31;

/// An instruction, as far as it is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    /// To a distance.
    Branch(i64),
    BranchLink(i64),
    Conditional(i64),
    BranchRegister,
    CallRegister,
    Return,
    Kernel,
    Stop,
    Nop,
    /// `adrp`: the page of this address and a distance.
    Page(u8, i64),
    /// `adr`.
    Near(u8, i64),
    /// Register, register, number.
    Add(u8, u8, i64),
    Set(u8, u64),
    /// Of the register's value these 16 bits are replaced.
    Keep(u8, u64, u32),
    Copy(u8, u8),
    /// Conditional select of two.
    Select(u8, u8, u8),
    /// Register, base, distance, bytes; what is added to the base afterwards and before.
    Load(u8, u8, i64, u8, Update),
    Store(u8, u8, i64, u8, Update),
    LoadPair([u8; 2], u8, i64, Update),
    StorePair([u8; 2], u8, i64, Update),
    /// From a distance.
    LoadNear(u8, i64),
    Spoil(u8),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Update {
    None,
    Before(i64),
    After(i64),
}

/// Bits `low..low + width`.
const fn bits(word: u32, low: u32, width: u32) -> u32 {
    (word >> low) & ((1 << width) - 1)
}

/// The same with a sign.
fn signed(word: u32, low: u32, width: u32) -> i64 {
    let value = i64::from(bits(word, low, width));
    if value >> (width - 1) & 1 == 1 {
        value - (1 << width)
    } else {
        value
    }
}

fn register(word: u32, low: u32) -> u8 {
    u8::try_from(bits(word, low, 5)).unwrap_or(0)
}

/// The zero register is no place.
const ZERO: u8 = 32;

fn plain(number: u8) -> u8 {
    if number == 31 { ZERO } else { number }
}

fn decode(word: u32) -> Op {
    let (d, n) = (register(word, 0), register(word, 5));
    match word {
        0xd503_201f | 0xd503_245f | 0xd503_249f | 0xd503_24df => return Op::Nop,
        0xd400_0001 => return Op::Kernel,
        _ => {}
    }
    if word & 0xfc00_0000 == 0x1400_0000 {
        return Op::Branch(signed(word, 0, 26) * 4);
    }
    if word & 0xfc00_0000 == 0x9400_0000 {
        return Op::BranchLink(signed(word, 0, 26) * 4);
    }
    if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 {
        return Op::Conditional(signed(word, 5, 19) * 4);
    }
    if word & 0x7e00_0000 == 0x3600_0000 {
        return Op::Conditional(signed(word, 5, 14) * 4);
    }
    if word & 0xfe00_0000 == 0xd600_0000 {
        return match bits(word, 21, 4) & 0b111 {
            0 => Op::BranchRegister,
            1 => Op::CallRegister,
            2 | 4 | 5 => Op::Return,
            _ => Op::Stop,
        };
    }
    // BRK, HLT, UDF.
    if word & 0xffe0_001f == 0xd420_0000 || word & 0xffe0_001f == 0xd440_0000 || word < 0x1_0000 {
        return Op::Stop;
    }
    if word & 0x1f00_0000 == 0x1000_0000 {
        let distance = signed(word, 5, 19) * 4 + i64::from(bits(word, 29, 2));
        return if word >> 31 == 1 {
            Op::Page(plain(d), distance << 12)
        } else {
            Op::Near(plain(d), distance)
        };
    }
    data(word, d, n)
        .or_else(|| memory(word, d, n))
        .unwrap_or_else(|| {
            // What else writes a general register has it in the lowest bits, vectors and stores do not; a guess too many spoils a
            // value that is then unknown.
            let is_vector = word & 0x0e00_0000 == 0x0e00_0000;
            if is_vector && word & 0x0000_fc00 == 0 {
                Op::Other
            } else {
                Op::Spoil(plain(d))
            }
        })
}

/// Data processing.
fn data(word: u32, d: u8, n: u8) -> Option<Op> {
    let is_wide = word >> 31 == 1;
    // ADD and SUB, immediate, without flags; the stack pointer is register 31 here.
    if word & 0x3f80_0000 == 0x1100_0000 {
        let shift = if bits(word, 22, 1) == 1 { 12 } else { 0 };
        let value = i64::from(bits(word, 10, 12)) << shift;
        let value = if bits(word, 30, 1) == 1 {
            -value
        } else {
            value
        };
        return Some(if value == 0 {
            Op::Copy(d, n)
        } else {
            Op::Add(d, n, value)
        });
    }
    // MOVZ, MOVN, MOVK.
    if word & 0x1f80_0000 == 0x1280_0000 {
        let shift = bits(word, 21, 2) * 16;
        let value = u64::from(bits(word, 5, 16)) << shift;
        let d = plain(d);
        return Some(match bits(word, 29, 2) {
            0 => Op::Set(
                d,
                if is_wide {
                    !value
                } else {
                    !value & 0xffff_ffff
                },
            ),
            2 => Op::Set(d, value),
            3 => Op::Keep(d, value, shift),
            _ => Op::Spoil(d),
        });
    }
    // ORR, shifted register by nothing, with the zero register: a copy.
    if word & 0x7fe0_ffe0 == 0x2a00_03e0 {
        return Some(Op::Copy(plain(d), plain(register(word, 16))));
    }
    // CSEL.
    if word & 0x7fe0_0c00 == 0x1a80_0000 {
        return Some(Op::Select(plain(d), plain(n), plain(register(word, 16))));
    }
    // CMP and its kind write only flags.
    if d == 31
        && (word & 0x1f00_0000 == 0x1100_0000
            || word & 0x1f00_0000 == 0x0b00_0000
            || word & 0x1fe0_0000 == 0x0a00_0000)
    {
        return Some(Op::Other);
    }
    None
}

/// Loads and stores.
fn memory(word: u32, t: u8, n: u8) -> Option<Op> {
    let t = plain(t);
    let is_vector = bits(word, 26, 1) == 1;
    // Literal.
    if word & 0x3b00_0000 == 0x1800_0000 {
        return Some(if is_vector || bits(word, 30, 2) == 3 {
            Op::Other
        } else {
            Op::LoadNear(t, signed(word, 5, 19) * 4)
        });
    }
    // Pairs: post-indexed, offset, pre-indexed.
    if word & 0x3a00_0000 == 0x2800_0000 {
        let size = match (is_vector, bits(word, 30, 2)) {
            (true, size) => 4 << size,
            (false, 2) => 8,
            (false, _) => 4,
        };
        let distance = signed(word, 15, 7) * size;
        let update = match bits(word, 23, 2) {
            1 => Update::After(distance),
            3 => Update::Before(distance),
            _ => Update::None,
        };
        let at = if update == Update::None { distance } else { 0 };
        let pair = if is_vector {
            [ZERO, ZERO]
        } else {
            [t, plain(register(word, 10))]
        };
        return Some(if bits(word, 22, 1) == 1 {
            Op::LoadPair(pair, n, at, update)
        } else {
            Op::StorePair(pair, n, at, update)
        });
    }
    // One register: unsigned offset; unscaled, post- and pre-indexed; register offset.
    if word & 0x3a00_0000 != 0x3800_0000 {
        return None;
    }
    let scale = if is_vector && bits(word, 23, 1) == 1 {
        4
    } else {
        bits(word, 30, 2)
    };
    let size = 1u8 << scale;
    let t = if is_vector { ZERO } else { t };
    let is_load = bits(word, 22, 2) != 0 && !(is_vector && bits(word, 22, 1) == 0);
    let make = |at: i64, update: Update| {
        if is_load {
            Op::Load(t, n, at, size, update)
        } else {
            Op::Store(t, n, at, size, update)
        }
    };
    if word & 0x0100_0000 != 0 {
        return Some(make(i64::from(bits(word, 10, 12)) << scale, Update::None));
    }
    let distance = signed(word, 12, 9);
    match (bits(word, 21, 1), bits(word, 10, 2)) {
        (0, 0 | 2) => Some(make(distance, Update::None)),
        (0, 1) => Some(make(0, Update::After(distance))),
        (0, 3) => Some(make(0, Update::Before(distance))),
        _ if is_load || bits(word, 10, 2) == 0 => Some(Op::Spoil(t)),
        _ => Some(Op::Other),
    }
}

/// One pass over everything. Addresses are made of two instructions, so the page that each register holds is kept along
/// straight code.
pub(super) fn sweep(image: &Image<'_>, base: u64) -> Sweep {
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

/// The steps of a function's bytes.
pub(super) fn steps(bytes: &[u8], address: u64, base: u64) -> Vec<Step> {
    let mut steps = Vec::with_capacity(bytes.len() / 4);
    let mut effects = Vec::new();
    for (at, raw) in (0u64..).zip(bytes.chunks_exact(4)) {
        let at = address.wrapping_add(at * 4);
        let op = decode(u32::from_le_bytes(raw.try_into().unwrap_or_default()));
        effects.clear();
        effects_of(op, at, &mut effects);
        if effects.is_empty() {
            effects.push(Effect::Nothing);
        }
        let goes_on = !matches!(
            op,
            Op::Branch(_) | Op::BranchRegister | Op::Return | Op::Stop
        );
        let last = effects.len() - 1;
        let place = u32::try_from(at.wrapping_sub(base)).unwrap_or(u32::MAX);
        steps.extend(effects.iter().enumerate().map(|(index, effect)| Step {
            at: place,
            goes_on: goes_on || index < last,
            is_padding: matches!(op, Op::Nop | Op::Stop),
            effect: *effect,
        }));
    }
    steps
}

fn value(register: u8) -> Source {
    if register == ZERO {
        Source::Constant(0)
    } else {
        Source::Place(Place::Register(register), 0)
    }
}

fn effects_of(op: Op, at: u64, out: &mut Vec<Effect>) {
    let mut set = |register: u8, source: Source| {
        if register != ZERO {
            out.push(Effect::Move(Place::Register(register), source));
        }
    };
    match op {
        Op::BranchLink(_) | Op::CallRegister => out.push(Effect::Call),
        Op::Kernel => set(0, Source::Unknown),
        Op::Page(d, distance) => set(
            d,
            Source::Constant((at & !0xfff).wrapping_add_signed(distance)),
        ),
        Op::Near(d, distance) => set(d, Source::Constant(at.wrapping_add_signed(distance))),
        Op::Add(STACK, STACK, by) => out.push(Effect::Stack(by)),
        Op::Add(d, n, by) => set(d, Source::Place(Place::Register(n), by)),
        Op::Set(d, value) => set(d, Source::Constant(value)),
        Op::Keep(d, ..) | Op::Spoil(d) => set(d, Source::Unknown),
        Op::Copy(d, n) => set(d, value(n)),
        Op::Select(d, n, m) => {
            // One of two, whichever.
            set(d, value(n));
            if d != ZERO {
                out.push(Effect::MayMove(Place::Register(d), value(m)));
            }
        }
        Op::Load(t, n, by, size, update) => {
            before(n, update, out);
            let source = if size >= 4 {
                Source::Place(Place::Slot(n, by), 0)
            } else {
                Source::Unknown
            };
            load(t, source, out);
            after(n, update, out);
        }
        Op::LoadNear(t, distance) => load(
            t,
            Source::Place(Place::Global(at.wrapping_add_signed(distance)), 0),
            out,
        ),
        Op::LoadPair(pair, n, by, update) => {
            before(n, update, out);
            for (t, more) in pair.into_iter().zip([0, 8]) {
                load(t, Source::Place(Place::Slot(n, by + more), 0), out);
            }
            after(n, update, out);
        }
        Op::Store(t, n, by, size, update) => {
            before(n, update, out);
            let source = if size >= 4 { value(t) } else { Source::Unknown };
            out.push(Effect::Move(Place::Slot(n, by), source));
            after(n, update, out);
        }
        Op::StorePair(pair, n, by, update) => {
            before(n, update, out);
            for (t, more) in pair.into_iter().zip([0, 8]) {
                out.push(Effect::Move(Place::Slot(n, by + more), value(t)));
            }
            after(n, update, out);
        }
        _ => {}
    }
}

fn load(t: u8, source: Source, out: &mut Vec<Effect>) {
    if t != ZERO {
        out.push(Effect::Move(Place::Register(t), source));
    }
}

fn before(n: u8, update: Update, out: &mut Vec<Effect>) {
    if let Update::Before(by) = update {
        out.push(moved(n, by));
    }
}

fn after(n: u8, update: Update, out: &mut Vec<Effect>) {
    if let Update::After(by) = update {
        out.push(moved(n, by));
    }
}

fn moved(n: u8, by: i64) -> Effect {
    if n == STACK {
        Effect::Stack(by)
    } else {
        Effect::Move(Place::Register(n), Source::Place(Place::Register(n), by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_by_their_encoding() {
        // As `aarch64-linux-gnu-objdump -d` shows them.
        for (word, op) in [
            (0xd400_0001, Op::Kernel),
            (0xd280_0808, Op::Set(8, 64)),
            (0x5280_0ba8, Op::Set(8, 93)),
            (0x1280_0000, Op::Set(0, 0xffff_ffff)),
            (0x9280_0000, Op::Set(0, u64::MAX)),
            (0xaa00_03e8, Op::Copy(8, 0)),
            (0x2a08_03e0, Op::Copy(0, 8)),
            (0x9100_03fd, Op::Copy(29, 31)),
            (0xd100_83ff, Op::Add(31, 31, -32)),
            (0x9100_8000, Op::Add(0, 0, 32)),
            (
                0xa9bf_7bfd,
                Op::StorePair([29, 30], 31, 0, Update::Before(-16)),
            ),
            (
                0xa8c1_7bfd,
                Op::LoadPair([29, 30], 31, 0, Update::After(16)),
            ),
            (0xf940_0000, Op::Load(0, 0, 0, 8, Update::None)),
            (0xf900_07e0, Op::Store(0, 31, 8, 8, Update::None)),
            (0xb940_0fe8, Op::Load(8, 31, 12, 4, Update::None)),
            (0x9400_0002, Op::BranchLink(8)),
            (0x17ff_ffff, Op::Branch(-4)),
            (0x5400_0040, Op::Conditional(8)),
            (0xb400_0040, Op::Conditional(8)),
            (0xd65f_03c0, Op::Return),
            (0xd61f_0220, Op::BranchRegister),
            (0xd63f_0220, Op::CallRegister),
            (0xd503_245f, Op::Nop),
            (0xd420_0020, Op::Stop),
            (0x9a81_0000, Op::Select(0, 0, 1)),
        ] {
            assert_eq!(decode(word), op, "{word:#x}");
        }
        assert!(matches!(decode(0x9000_0010), Op::Page(16, 0)));
    }
}
