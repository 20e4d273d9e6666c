//! AArch64 instructions as steps.

use super::{Op, STACK, Update, ZERO, decode};
use crate::code::step::{Effect, Place, Source, Step};

/// The steps of a function's bytes.
pub(in crate::code) fn steps(bytes: &[u8], address: u64, base: u64) -> Vec<Step> {
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
