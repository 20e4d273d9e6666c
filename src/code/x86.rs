//! One pass over x86-64 instructions.

use super::image::Image;
use super::sweep::{Entry, Kind, Ref, Sweep};
use super::x86_plain::{Plain, plain};
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};
use std::ops::Range;

/// How control leaves the instruction before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Ended,
    Ran,
    Called,
}

pub(super) fn sweep(image: &Image<'_>, base: u64) -> Sweep {
    let mut pass = Pass {
        image,
        base,
        sweep: Sweep::default(),
        before: Before::Ended,
        own: 0..0,
    };
    for (address, bytes) in &image.code {
        pass.section(*address, bytes);
    }
    // In order but for those of one instruction.
    let of_one = |a: &Ref, b: &Ref| a.from == b.from;
    for refs in pass.sweep.refs.chunk_by_mut(of_one) {
        refs.sort_unstable();
    }
    pass.sweep
}

struct Pass<'a> {
    image: &'a Image<'a>,
    base: u64,
    sweep: Sweep,
    before: Before,
    /// The known function that is being read.
    own: Range<u64>,
}

impl Pass<'_> {
    fn section(&mut self, address: u64, bytes: &[u8]) {
        let end = address.wrapping_add(bytes.len() as u64);
        self.before = Before::Ended;
        let starts = &self.image.functions;
        let mut at = starts.partition_point(|start| *start < address);
        let mut from = address;
        while from < end && !self.sweep.is_full() {
            let next = starts
                .get(at)
                .copied()
                .filter(|start| *start < end)
                .unwrap_or(end);
            if next > from {
                self.stretch(from, next, address, bytes);
            }
            at += 1;
            from = next;
            if self.before == Before::Called {
                let place = self.place(next);
                self.sweep.after_call.push(place);
            }
        }
    }

    /// Instructions from one known start to the next, so that data between functions misleads no further.
    fn stretch(&mut self, from: u64, to: u64, address: u64, bytes: &[u8]) {
        let cut = |at: u64| usize::try_from(at - address).unwrap_or(usize::MAX);
        let Some(bytes) = bytes.get(cut(from)..cut(to)) else {
            return;
        };
        self.own = from..to;
        let mut decoder = Decoder::with_ip(64, bytes, from, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.sweep.is_full() {
                return;
            }
            let ip = from.wrapping_add(at as u64);
            // In a file at a fixed address every number may be one.
            let quick = plain(rest).filter(|_| !self.image.is_fixed);
            if let Some(length) = quick.map(|plain| self.pass_by(ip, plain)) {
                at += length;
                continue;
            }
            if decoder.set_position(at).is_err() {
                return;
            }
            decoder.set_ip(ip);
            decoder.decode_out(&mut instruction);
            self.see(&instruction);
            at = decoder.position();
        }
    }

    /// What [`Self::see`] does, for what needs no decoding; returns its length in bytes.
    fn pass_by(&mut self, ip: u64, plain: Plain) -> usize {
        if self.before == Before::Ended {
            let place = self.place(ip);
            self.sweep.fresh.push(place);
        }
        match plain {
            Plain::Runs { length } => {
                self.before = Before::Ran;
                length
            }
            Plain::Branch {
                length,
                distance,
                kind,
                is_conditional,
            } => {
                let next = ip.wrapping_add(length as u64);
                self.lead(ip, next.wrapping_add_signed(distance.into()), kind);
                self.before = match kind {
                    Kind::Call => Before::Called,
                    _ if is_conditional => Before::Ran,
                    _ => Before::Ended,
                };
                length
            }
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

    fn see(&mut self, instruction: &Instruction) {
        let ip = instruction.ip();
        let place = self.place(ip);
        let flow = instruction.flow_control();
        match flow {
            FlowControl::Call => self.branch(instruction, Kind::Call),
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                self.branch(instruction, Kind::Jump);
            }
            FlowControl::IndirectBranch => {
                self.sweep.jumps.push(place);
                self.through(instruction);
            }
            FlowControl::IndirectCall => {
                self.sweep.calls.push(place);
                self.through(instruction);
            }
            FlowControl::Return => self.sweep.returns.push(place),
            _ => self.operands(instruction),
        }
        if let Some(is_narrow) = enters(instruction) {
            self.sweep.entries.push(Entry {
                at: place,
                is_narrow,
            });
        }
        let is_padding =
            instruction.mnemonic() == Mnemonic::Nop || instruction.code() == Code::INVALID;
        if self.before == Before::Ended && !is_padding {
            self.sweep.fresh.push(place);
        }
        self.before = match flow {
            FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch
            | FlowControl::Return
            | FlowControl::Exception => Before::Ended,
            _ if matches!(instruction.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3) => Before::Ended,
            _ if is_padding => self.before,
            FlowControl::Call | FlowControl::IndirectCall if enters(instruction).is_none() => {
                Before::Called
            }
            _ => Before::Ran,
        };
    }

    fn branch(&mut self, instruction: &Instruction, kind: Kind) {
        if matches!(
            instruction.op0_kind(),
            OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16
        ) {
            self.lead(instruction.ip(), instruction.near_branch_target(), kind);
        }
    }

    /// A branch to a known address.
    fn lead(&mut self, from: u64, to: u64, kind: Kind) {
        if kind == Kind::Jump && to != self.own.start && self.own.contains(&to) {
            self.sweep.inner.push((self.place(from), self.place(to)));
        } else {
            self.refer(from, to, kind);
        }
    }

    /// A call or jump by what stands in memory.
    fn through(&mut self, instruction: &Instruction) {
        match memory(instruction, self.image.is_fixed) {
            Some((address, true)) => self.refer(instruction.ip(), address, Kind::CallThrough),
            Some((address, false)) => self.refer(instruction.ip(), address, Kind::Take),
            None => {}
        }
    }

    /// A call in the kernel's own page, by its address as a number or in data.
    fn fixed(&mut self, at: u64, address: u64) {
        if let Some(number) = vsyscall(address) {
            let at = self.place(at);
            self.sweep.fixed.push((at, number));
        }
    }

    fn operands(&mut self, instruction: &Instruction) {
        let ip = instruction.ip();
        if instruction.mnemonic() == Mnemonic::Mov {
            match instruction.op1_kind() {
                OpKind::Immediate32to64 => {
                    self.fixed(ip, instruction.immediate32to64().cast_unsigned());
                }
                OpKind::Immediate64 => self.fixed(ip, instruction.immediate64()),
                _ => {}
            }
        }
        if let Some((address, exact)) = memory(instruction, self.image.is_fixed) {
            let size = u8::try_from(instruction.memory_size().size()).unwrap_or(u8::MAX);
            let is_first = instruction.op0_kind() == OpKind::Memory;
            // What is compared is not kept.
            if exact && instruction.mnemonic() == Mnemonic::Cmp {
                return;
            }
            let kind = if instruction.mnemonic() == Mnemonic::Lea || !exact {
                Kind::Take
            } else if is_first && is_store(instruction.mnemonic()) {
                Kind::Store
            } else {
                Kind::Load(size)
            };
            if kind == Kind::Load(8) {
                self.fixed(ip, self.image.word(address).unwrap_or_default());
            }
            self.refer(ip, address, kind);
        }
        if self.image.is_fixed {
            for operand in 0..instruction.op_count() {
                let value = match instruction.op_kind(operand) {
                    OpKind::Immediate32 => u64::from(instruction.immediate32()),
                    OpKind::Immediate64 => instruction.immediate64(),
                    OpKind::Immediate32to64 => instruction.immediate32to64().cast_unsigned(),
                    _ => continue,
                };
                self.refer(ip, value, Kind::Take);
            }
        }
    }
}

/// A memory operand's address: exact, or the start of a table that a register indexes.
fn memory(instruction: &Instruction, is_fixed: bool) -> Option<(u64, bool)> {
    let has = (0..instruction.op_count()).any(|at| instruction.op_kind(at) == OpKind::Memory);
    if !has || matches!(instruction.segment_prefix(), Register::FS | Register::GS) {
        return None;
    }
    let displacement = instruction.memory_displacement64();
    if instruction.is_ip_rel_memory_operand() {
        return Some((displacement, true));
    }
    if !is_fixed {
        return None;
    }
    let plain =
        instruction.memory_base() == Register::None && instruction.memory_index() == Register::None;
    // Without a base inside the image a displacement is an offset; `refer` sorts that out.
    (displacement >= 0x1000).then_some((displacement, plain))
}

fn is_store(mnemonic: Mnemonic) -> bool {
    use Mnemonic::{
        Mov, Movapd, Movaps, Movd, Movdqa, Movdqu, Movhpd, Movhps, Movlpd, Movlps, Movntdq, Movq,
        Movupd, Movups, Vmovaps, Vmovdqa, Vmovdqu, Vmovups,
    };
    matches!(
        mnemonic,
        Mov | Movapd
            | Movaps
            | Movd
            | Movdqa
            | Movdqu
            | Movhpd
            | Movhps
            | Movlpd
            | Movlps
            | Movntdq
            | Movq
            | Movupd
            | Movups
            | Vmovaps
            | Vmovdqa
            | Vmovdqu
            | Vmovups
    )
}

/// The call that is made at an address of the page that the kernel maps for old programs, one in each kilobyte (the kernel's
/// asm/vsyscall.h); a filter sees it by the number of the call.
fn vsyscall(address: u64) -> Option<u32> {
    match address {
        0xffff_ffff_ff60_0000 => Some(96),
        0xffff_ffff_ff60_0400 => Some(201),
        0xffff_ffff_ff60_0800 => Some(309),
        _ => None,
    }
}

/// Whether it enters the kernel, and then whether by the 32-bit way.
fn enters(instruction: &Instruction) -> Option<bool> {
    match instruction.mnemonic() {
        Mnemonic::Syscall => Some(false),
        Mnemonic::Sysenter => Some(true),
        Mnemonic::Int if instruction.immediate8() == 0x80 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::call::Architecture;

    #[test]
    fn calls_in_the_kernels_own_page() {
        // mov rax, 0xffffffffff600400; call rax; mov rax, [rip + 0x20]; ret; and at 0x1030 the address of getcpu.
        let mut bytes = vec![0x90; 0x38];
        bytes[..7].copy_from_slice(&[0x48, 0xc7, 0xc0, 0x00, 0x04, 0x60, 0xff]);
        bytes[7..9].copy_from_slice(&[0xff, 0xd0]);
        bytes[9..16].copy_from_slice(&[0x48, 0x8b, 0x05, 0x20, 0x00, 0x00, 0x00]);
        bytes[16] = 0xc3;
        bytes[0x30..].copy_from_slice(&0xffff_ffff_ff60_0800_u64.to_le_bytes());
        let image = Image::of_code(Architecture::X86_64, 0x1000, &bytes, vec![0x1000]);
        assert_eq!(sweep(&image, 0x1000).fixed, [(0, 201), (9, 309)]);
    }
}
