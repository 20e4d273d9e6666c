//! x86-64 instructions as steps.

use super::step::{Effect, Place, Source, Step};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess,
    OpKind, Register,
};

const STACK: u8 = 4;

/// The steps of a function's bytes. `base` is what addresses are distances from.
pub(super) fn steps(bytes: &[u8], address: u64, base: u64) -> Vec<Step> {
    let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
    let mut info = InstructionInfoFactory::new();
    let mut steps = Vec::with_capacity(bytes.len() / 4);
    let mut instruction = Instruction::default();
    let mut compared = None;
    let mut effects = Vec::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        effects.clear();
        effects_of(&instruction, &mut info, &mut effects);
        if let (Mnemonic::Jne, Some((register, value))) = (instruction.mnemonic(), compared) {
            effects.push(Effect::Known(register, value));
        }
        compared = comparison(&instruction);
        if effects.is_empty() {
            effects.push(Effect::Nothing);
        }
        let at = u32::try_from(instruction.ip().wrapping_sub(base)).unwrap_or(u32::MAX);
        let goes_on = !matches!(
            instruction.flow_control(),
            FlowControl::UnconditionalBranch
                | FlowControl::IndirectBranch
                | FlowControl::Return
                | FlowControl::Exception
        ) && !matches!(instruction.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3);
        let is_padding = matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int3)
            || instruction.is_invalid();
        let last = effects.len() - 1;
        steps.extend(effects.iter().enumerate().map(|(index, effect)| Step {
            at,
            goes_on: goes_on || index < last,
            is_padding,
            effect: *effect,
        }));
    }
    steps
}

/// A register that is compared, and with what.
fn comparison(instruction: &Instruction) -> Option<(u8, u64)> {
    let first = instruction.op0_register();
    if instruction.op0_kind() != OpKind::Register || !is_whole(first) {
        return None;
    }
    let value = match instruction.mnemonic() {
        Mnemonic::Test if instruction.op1_kind() == OpKind::Register => {
            (instruction.op1_register() == first).then_some(0)
        }
        Mnemonic::Cmp => immediate(instruction, 1),
        _ => None,
    };
    Some((general(first)?, value?))
}

/// A general register by its number, whatever part of it is named.
fn general(register: Register) -> Option<u8> {
    let full = register.full_register();
    full.is_gpr64()
        .then(|| u8::try_from(full.number()).unwrap_or(0))
}

/// At least 32 bits wide: writing it replaces the whole.
fn is_whole(register: Register) -> bool {
    register.is_gpr64() || register.is_gpr32()
}

fn place(instruction: &Instruction) -> Option<Place> {
    if matches!(instruction.segment_prefix(), Register::FS | Register::GS) {
        return None;
    }
    if instruction.is_ip_rel_memory_operand() {
        return Some(Place::Global(instruction.ip_rel_memory_address()));
    }
    if instruction.memory_index() != Register::None {
        return None;
    }
    let displacement = instruction.memory_displacement64();
    match instruction.memory_base() {
        Register::None => Some(Place::Global(displacement)),
        base => Some(Place::Slot(general(base)?, displacement.cast_signed())),
    }
}

fn operand(instruction: &Instruction, at: u32) -> Source {
    match instruction.op_kind(at) {
        OpKind::Register => match general(instruction.op_register(at)) {
            Some(register) if is_whole(instruction.op_register(at)) => {
                Source::Place(Place::Register(register), 0)
            }
            _ => Source::Unknown,
        },
        OpKind::Memory if instruction.memory_size().size() >= 4 => {
            place(instruction).map_or(Source::Unknown, |place| Source::Place(place, 0))
        }
        OpKind::Memory => Source::Unknown,
        _ => immediate(instruction, at).map_or(Source::Unknown, Source::Constant),
    }
}

fn immediate(instruction: &Instruction, at: u32) -> Option<u64> {
    instruction.try_immediate(at).ok()
}

/// What the first operand, which is written, is.
fn target(instruction: &Instruction) -> Option<Place> {
    match instruction.op0_kind() {
        OpKind::Register => general(instruction.op0_register()).map(Place::Register),
        OpKind::Memory => place(instruction),
        _ => None,
    }
}

fn effects_of(instruction: &Instruction, info: &mut InstructionInfoFactory, out: &mut Vec<Effect>) {
    if matches!(
        instruction.flow_control(),
        FlowControl::Call | FlowControl::IndirectCall
    ) && instruction.mnemonic() == Mnemonic::Call
    {
        out.push(Effect::Call);
        return;
    }
    match instruction.mnemonic() {
        Mnemonic::Syscall | Mnemonic::Int | Mnemonic::Sysenter => {
            // The answer, and what the instruction itself spoils.
            for register in [0, 1, 11] {
                out.push(Effect::Move(Place::Register(register), Source::Unknown));
            }
        }
        Mnemonic::Push => {
            // The operand is read before the pointer moves.
            let value = operand(instruction, 0);
            let value = match value {
                Source::Place(Place::Slot(STACK, at), more) => {
                    Source::Place(Place::Slot(STACK, at + 8), more)
                }
                other => other,
            };
            out.push(Effect::Stack(-8));
            out.push(Effect::Move(Place::Slot(STACK, 0), value));
        }
        Mnemonic::Pop => {
            if let Some(Place::Register(register)) = target(instruction) {
                out.push(Effect::Move(
                    Place::Register(register),
                    Source::Place(Place::Slot(STACK, 0), 0),
                ));
            }
            out.push(Effect::Stack(8));
        }
        Mnemonic::Leave => {
            out.push(Effect::Move(
                Place::Register(STACK),
                Source::Place(Place::Register(5), 0),
            ));
            out.push(Effect::Move(
                Place::Register(5),
                Source::Place(Place::Slot(STACK, 0), 0),
            ));
            out.push(Effect::Stack(8));
        }
        _ => match (simple(instruction), wide(instruction)) {
            (Some(effect), _) => out.push(effect),
            (None, Some(effects)) => out.extend(effects),
            (None, None) => clobbers(instruction, info, out),
        },
    }
}

/// The two halves of a vector register's first 16 bytes, as places: numbers above those of all general registers.
fn halves(register: Register) -> Option<[Place; 2]> {
    let is_vector = register.is_xmm() || register.is_ymm() || register.is_zmm();
    let number = u8::try_from(register.number()).ok()?;
    let low = number.checked_mul(2)?.checked_add(64)?;
    is_vector.then_some([Place::Register(low), Place::Register(low + 1)])
}

/// The same of 16 bytes of memory.
fn both(place: Place) -> Option<[Place; 2]> {
    let second = match place {
        Place::Slot(base, at) => Place::Slot(base, at.checked_add(8)?),
        Place::Global(at) => Place::Global(at.checked_add(8)?),
        Place::Register(_) => return None,
    };
    Some([place, second])
}

/// Moves of 16 bytes, by which compilers copy structures.
fn wide(instruction: &Instruction) -> Option<[Effect; 2]> {
    use Mnemonic::{
        Movapd, Movaps, Movdqa, Movdqu, Movq, Movupd, Movups, Pxor, Vmovaps, Vmovdqa, Vmovdqu,
        Vmovups, Xorps,
    };
    let operand = |at: u32| match instruction.op_kind(at) {
        OpKind::Register if instruction.op_register(at).is_xmm() => {
            halves(instruction.op_register(at))
        }
        OpKind::Memory if instruction.memory_size().size() == 16 => both(place(instruction)?),
        _ => None,
    };
    let [low, high] = operand(0)?;
    match instruction.mnemonic() {
        Movaps | Movups | Movapd | Movupd | Movdqa | Movdqu | Vmovaps | Vmovups | Vmovdqa
        | Vmovdqu => {
            let [from, second] = operand(1)?;
            Some([
                Effect::Move(low, Source::Place(from, 0)),
                Effect::Move(high, Source::Place(second, 0)),
            ])
        }
        Pxor | Xorps if instruction.op0_register() == instruction.op1_register() => Some([
            Effect::Move(low, Source::Constant(0)),
            Effect::Move(high, Source::Constant(0)),
        ]),
        Movq => {
            let from = match instruction.op1_kind() {
                OpKind::Register => Place::Register(general(instruction.op1_register())?),
                OpKind::Memory => place(instruction)?,
                _ => return None,
            };
            Some([
                Effect::Move(low, Source::Place(from, 0)),
                Effect::Move(high, Source::Constant(0)),
            ])
        }
        _ => None,
    }
}

/// Instructions whose result is followed.
fn simple(instruction: &Instruction) -> Option<Effect> {
    let to = target(instruction)?;
    let is_whole = match instruction.op0_kind() {
        OpKind::Register => is_whole(instruction.op0_register()),
        _ => instruction.memory_size().size() >= 4,
    };
    if !is_whole {
        return None;
    }
    let same = instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register();
    match instruction.mnemonic() {
        Mnemonic::Mov | Mnemonic::Movsxd => Some(Effect::Move(to, operand(instruction, 1))),
        Mnemonic::Movzx => {
            let narrow = instruction.op1_kind() == OpKind::Register
                && instruction.op1_register().size() == 4;
            narrow.then(|| Effect::Move(to, operand(instruction, 1)))
        }
        Mnemonic::Xor | Mnemonic::Sub if same => Some(Effect::Move(to, Source::Constant(0))),
        Mnemonic::Or if immediate(instruction, 1) == Some(u64::MAX) => {
            Some(Effect::Move(to, Source::Constant(u64::MAX)))
        }
        Mnemonic::And if immediate(instruction, 1) == Some(0) => {
            Some(Effect::Move(to, Source::Constant(0)))
        }
        Mnemonic::Add | Mnemonic::Sub => {
            let by = immediate(instruction, 1)?.cast_signed();
            let by = if instruction.mnemonic() == Mnemonic::Sub {
                by.checked_neg()?
            } else {
                by
            };
            Some(if to == Place::Register(STACK) {
                Effect::Stack(by)
            } else {
                Effect::Move(to, Source::Place(to, by))
            })
        }
        Mnemonic::Lea => lea(instruction, to),
        mnemonic if is_conditional_move(mnemonic) => {
            Some(Effect::MayMove(to, operand(instruction, 1)))
        }
        _ => None,
    }
}

fn lea(instruction: &Instruction, to: Place) -> Option<Effect> {
    let source = place(instruction)?;
    if let (Place::Register(STACK), Place::Slot(STACK, by)) = (to, source) {
        return Some(Effect::Stack(by));
    }
    Some(Effect::Move(to, Source::Address(source)))
}

fn is_conditional_move(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{
        Cmova, Cmovae, Cmovb, Cmovbe, Cmove, Cmovg, Cmovge, Cmovl, Cmovle, Cmovne, Cmovno, Cmovnp,
        Cmovns, Cmovo, Cmovp, Cmovs,
    };
    matches!(
        mnemonic,
        Cmova
            | Cmovae
            | Cmovb
            | Cmovbe
            | Cmove
            | Cmovg
            | Cmovge
            | Cmovl
            | Cmovle
            | Cmovne
            | Cmovno
            | Cmovnp
            | Cmovns
            | Cmovo
            | Cmovp
            | Cmovs
    )
}

/// Everything else: what it writes is not known any more.
fn clobbers(instruction: &Instruction, info: &mut InstructionInfoFactory, out: &mut Vec<Effect>) {
    let used = info.info(instruction);
    for register in used.used_registers() {
        let writes = matches!(
            register.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        );
        let places = match general(register.register()) {
            Some(number) => [Some(Place::Register(number)), None],
            None => halves(register.register()).map_or([None; 2], |halves| halves.map(Some)),
        };
        for place in places.into_iter().flatten().filter(|_| writes) {
            out.push(Effect::Move(place, Source::Unknown));
        }
    }
    let first = instruction.op0_kind() == OpKind::Memory
        && matches!(
            used.op0_access(),
            OpAccess::Write | OpAccess::ReadWrite | OpAccess::CondWrite | OpAccess::ReadCondWrite
        );
    let Some(mut place) = place(instruction).filter(|_| first) else {
        return;
    };
    // Vectors are written over several values.
    for _ in 0..instruction.memory_size().size().div_ceil(8).clamp(1, 8) {
        out.push(Effect::Move(place, Source::Unknown));
        match both(place) {
            Some([_, next]) => place = next,
            None => return,
        }
    }
}
