//! Whether bytes can be x86-64 code at all: hand-written libraries keep tables among their functions, and read as
//! instructions those enter the kernel and call everybody.

use super::image::Image;
use foldhash::HashSet;
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind,
};

/// Instructions looked at; tables show themselves within a few.
const MOST: usize = 512;

/// Whether what starts here could be run. It could not if some way, without a call that might never come back, leads to an
/// instruction that is none or to where no code is: compilers write no such way, and nearly every table has one.
pub(super) fn could_run(image: &Image<'_>, start: u64) -> bool {
    let mut work = vec![start];
    let mut seen = HashSet::default();
    while let Some(address) = work.pop() {
        let Some(bytes) = image.code_at(address) else {
            return false;
        };
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        while decoder.can_decode() && seen.insert(decoder.ip()) {
            if seen.len() > MOST {
                return true;
            }
            let instruction = decoder.decode();
            if is_none(&instruction, bytes, address) {
                return false;
            }
            // The kernel comes back behind these, whatever they are called.
            if matches!(instruction.mnemonic(), Mnemonic::Syscall | Mnemonic::Int) {
                continue;
            }
            let target = near(&instruction);
            match instruction.flow_control() {
                FlowControl::Next => {}
                FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
                    work.extend(target);
                }
                FlowControl::UnconditionalBranch => {
                    work.extend(target);
                    break;
                }
                FlowControl::Call if target.is_some_and(|to| image.code_at(to).is_none()) => {
                    return false;
                }
                _ => break,
            }
        }
    }
    true
}

/// The register that an indirect call or jump goes through.
pub(super) fn target_register(image: &Image<'_>, address: u64) -> Option<u8> {
    let bytes = image.code_at(address)?;
    let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
    let instruction = decoder.decode();
    let is_indirect = matches!(
        instruction.flow_control(),
        FlowControl::IndirectCall | FlowControl::IndirectBranch
    );
    let register = instruction.op0_register();
    (is_indirect && instruction.op0_kind() == OpKind::Register && register.is_gpr64())
        .then(|| u8::try_from(register.number()).ok())
        .flatten()
}

/// Instructions within which an address that is taken is used.
const USED: usize = 16;

/// Whether the register that an instruction fills is compared and then forgotten, as far as the code goes straight on.
pub(super) fn is_compared(image: &Image<'_>, address: u64) -> bool {
    let Some(bytes) = image.code_at(address) else {
        return false;
    };
    let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
    let mut info = InstructionInfoFactory::new();
    let filled = decoder.decode();
    let register = filled.op0_register().full_register();
    if !matches!(filled.mnemonic(), Mnemonic::Lea | Mnemonic::Mov) || !register.is_gpr64() {
        return false;
    }
    let mut is_compared = false;
    for _ in 0..USED {
        let instruction = decoder.decode();
        let is_cmp = instruction.mnemonic() == Mnemonic::Cmp;
        let mut used = info.info(&instruction).used_registers().iter();
        let used = used.find(|used| used.register().full_register() == register);
        match used.map(iced_x86::UsedRegister::access) {
            Some(OpAccess::Read) if is_cmp && instruction.op0_kind() == OpKind::Register => {
                is_compared = true;
            }
            Some(OpAccess::Write) => return is_compared,
            Some(_) => return false,
            None => {}
        }
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::ConditionalBranch => {}
            _ => return is_compared,
        }
    }
    is_compared
}

fn near(instruction: &Instruction) -> Option<u64> {
    let is_near = instruction.op_count() > 0
        && matches!(
            instruction.op0_kind(),
            OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16
        );
    is_near.then(|| instruction.near_branch_target())
}

/// Opcodes that 64-bit mode took away (Intel SDM volume 2, appendix A.3, "i64"). What is merely unknown to the decoder may be
/// an instruction of a newer processor.
fn is_none(instruction: &Instruction, bytes: &[u8], start: u64) -> bool {
    if instruction.code() != Code::INVALID {
        return false;
    }
    let at = usize::try_from(instruction.ip() - start).unwrap_or(usize::MAX);
    let is_prefix = |byte: &u8| {
        matches!(
            byte,
            0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3
        )
    };
    let opcode = bytes.get(at..).unwrap_or_default().iter().take(15);
    matches!(
        opcode.copied().find(|byte| !is_prefix(byte)),
        Some(
            0x06 | 0x07
                | 0x0e
                | 0x16
                | 0x17
                | 0x1e
                | 0x1f
                | 0x27
                | 0x2f
                | 0x37
                | 0x3f
                | 0x60
                | 0x61
                | 0x82
                | 0x9a
                | 0xce
                | 0xd4
                | 0xd6
                | 0xea
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::call::Architecture;

    fn image(bytes: &[u8]) -> Image<'_> {
        Image::of_code(Architecture::X86_64, 0x1000, bytes, vec![0x1000])
    }

    #[test]
    fn an_address_that_is_compared_is_not_called() {
        // lea rcx, [rip+0]; cmp rax, rcx; jb +0; ret
        let compared = [
            0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0x48, 0x39, 0xc8, 0x72, 0, 0xc3,
        ];
        assert!(is_compared(&image(&compared), 0x1000));
        // lea rcx, [rip+0]; cmp rax, rcx; call rcx
        let called = [
            0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0x48, 0x39, 0xc8, 0xff, 0xd1, 0xc3,
        ];
        assert!(!is_compared(&image(&called), 0x1000));
    }

    #[test]
    fn what_leads_to_no_instruction_is_a_table() {
        // ret
        assert!(could_run(&image(&[0xc3]), 0x1000));
        // je +1; ret; and behind the ret no instruction
        assert!(!could_run(&image(&[0x74, 0x01, 0xc3, 0x06, 0xc3]), 0x1000));
        // jmp far outside
        assert!(!could_run(&image(&[0xe9, 0, 0, 0, 0x10, 0xc3]), 0x1000));
        // call, which may never come back, and then no instruction
        assert!(could_run(&image(&[0xe8, 0, 0, 0, 0, 0x06]), 0x1000));
    }
}
