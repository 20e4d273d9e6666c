//! Most instructions refer to no address and lead to the next, or branch by a distance: of those only length and target count,
//! and the full decoder takes ten times as long for them.
//!
//! Opcode maps and lengths are those of the Intel Software Developer's Manual, volume 2, chapter 2 and appendix A. Whatever is
//! not certain here is the decoder's: other prefixes, operands relative to the instruction, numbers of 64 bits, VEX.

use super::sweep::Kind;

/// An instruction that is understood without the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    /// Runs on to the next and refers to nothing.
    Runs { length: usize },
    Branch {
        length: usize,
        /// From the end of the instruction, in bytes.
        distance: i32,
        kind: Kind,
        /// It may also run on.
        is_conditional: bool,
    },
}

/// How an opcode goes on. Zero: the decoder is asked.
type Form = u8;

const KNOWN: Form = 1;
/// A ModRM byte, with what it asks for.
const MODRM: Form = 2;
/// Of 8 bits.
const BYTE: Form = 4;
/// Of 32 bits; of 16 with the prefix 66.
const WORD: Form = 8;
/// What ModRM's middle bits say decides; see [`in_group`].
const GROUP: Form = 16;
/// By a distance of 8 bits.
const SHORT: Form = 32;
/// By a distance of 32 bits.
const NEAR: Form = 64;

const fn mark(mut table: [Form; 256], first: usize, last: usize, form: Form) -> [Form; 256] {
    let mut at = first;
    while at <= last {
        #[expect(clippy::indexing_slicing, reason = "worked out by the compiler")]
        {
            table[at] = form;
        }
        at += 1;
    }
    table
}

/// Opcodes of one byte.
const ONE: [Form; 256] = {
    let mut table = [0; 256];
    let mut row = 0;
    while row < 0x40 {
        table = mark(table, row, row + 3, KNOWN | MODRM);
        table = mark(table, row + 4, row + 4, KNOWN | BYTE);
        table = mark(table, row + 5, row + 5, KNOWN | WORD);
        row += 8;
    }
    table = mark(table, 0x50, 0x5f, KNOWN);
    table = mark(table, 0x63, 0x63, KNOWN | MODRM);
    table = mark(table, 0x68, 0x68, KNOWN | WORD);
    table = mark(table, 0x69, 0x69, KNOWN | MODRM | WORD);
    table = mark(table, 0x6a, 0x6a, KNOWN | BYTE);
    table = mark(table, 0x6b, 0x6b, KNOWN | MODRM | BYTE);
    table = mark(table, 0x70, 0x7f, KNOWN | SHORT);
    table = mark(table, 0x80, 0x80, KNOWN | MODRM | BYTE);
    table = mark(table, 0x81, 0x81, KNOWN | MODRM | WORD);
    table = mark(table, 0x83, 0x83, KNOWN | MODRM | BYTE);
    table = mark(table, 0x84, 0x8b, KNOWN | MODRM);
    table = mark(table, 0x8d, 0x8d, KNOWN | MODRM | GROUP);
    table = mark(table, 0x91, 0x99, KNOWN);
    table = mark(table, 0xa8, 0xa8, KNOWN | BYTE);
    table = mark(table, 0xa9, 0xa9, KNOWN | WORD);
    table = mark(table, 0xb0, 0xb7, KNOWN | BYTE);
    table = mark(table, 0xb8, 0xbf, KNOWN | WORD);
    table = mark(table, 0xc0, 0xc1, KNOWN | MODRM | BYTE | GROUP);
    table = mark(table, 0xc6, 0xc6, KNOWN | MODRM | BYTE | GROUP);
    table = mark(table, 0xc7, 0xc7, KNOWN | MODRM | WORD | GROUP);
    table = mark(table, 0xc9, 0xc9, KNOWN);
    table = mark(table, 0xd0, 0xd3, KNOWN | MODRM | GROUP);
    table = mark(table, 0xe8, 0xe9, KNOWN | NEAR);
    table = mark(table, 0xeb, 0xeb, KNOWN | SHORT);
    table = mark(table, 0xf6, 0xf7, KNOWN | MODRM | GROUP);
    mark(table, 0xfe, 0xff, KNOWN | MODRM | GROUP)
};

/// Opcodes behind 0F, without a prefix.
const TWO: [Form; 256] = {
    let mut table = [0; 256];
    table = mark(table, 0x10, 0x11, KNOWN | MODRM);
    table = mark(table, 0x14, 0x15, KNOWN | MODRM);
    table = mark(table, 0x28, 0x29, KNOWN | MODRM);
    table = mark(table, 0x2e, 0x2f, KNOWN | MODRM);
    table = mark(table, 0x40, 0x4f, KNOWN | MODRM);
    table = mark(table, 0x51, 0x51, KNOWN | MODRM);
    table = mark(table, 0x54, 0x5f, KNOWN | MODRM);
    table = mark(table, 0x80, 0x8f, KNOWN | NEAR);
    table = mark(table, 0x90, 0x9f, KNOWN | MODRM);
    table = mark(table, 0xa3, 0xa3, KNOWN | MODRM);
    table = mark(table, 0xa4, 0xa4, KNOWN | MODRM | BYTE);
    table = mark(table, 0xa5, 0xa5, KNOWN | MODRM);
    table = mark(table, 0xab, 0xab, KNOWN | MODRM);
    table = mark(table, 0xac, 0xac, KNOWN | MODRM | BYTE);
    table = mark(table, 0xad, 0xad, KNOWN | MODRM);
    table = mark(table, 0xaf, 0xb1, KNOWN | MODRM);
    table = mark(table, 0xb3, 0xb3, KNOWN | MODRM);
    table = mark(table, 0xb6, 0xb7, KNOWN | MODRM);
    table = mark(table, 0xba, 0xba, KNOWN | MODRM | BYTE | GROUP);
    table = mark(table, 0xbb, 0xc1, KNOWN | MODRM);
    table = mark(table, 0xc6, 0xc6, KNOWN | MODRM | BYTE);
    mark(table, 0xc8, 0xcf, KNOWN)
};

/// Opcodes behind 0F with the prefix 66.
const TWO_66: [Form; 256] = {
    let mut table = [0; 256];
    table = mark(table, 0x10, 0x11, KNOWN | MODRM);
    table = mark(table, 0x14, 0x15, KNOWN | MODRM);
    table = mark(table, 0x28, 0x29, KNOWN | MODRM);
    table = mark(table, 0x2e, 0x2f, KNOWN | MODRM);
    table = mark(table, 0x51, 0x51, KNOWN | MODRM);
    table = mark(table, 0x54, 0x6f, KNOWN | MODRM);
    table = mark(table, 0x70, 0x70, KNOWN | MODRM | BYTE);
    table = mark(table, 0x74, 0x76, KNOWN | MODRM);
    table = mark(table, 0x7e, 0x7f, KNOWN | MODRM);
    table = mark(table, 0xc6, 0xc6, KNOWN | MODRM | BYTE);
    table = mark(table, 0xd4, 0xd6, KNOWN | MODRM);
    table = mark(table, 0xd8, 0xdf, KNOWN | MODRM);
    table = mark(table, 0xeb, 0xeb, KNOWN | MODRM);
    table = mark(table, 0xef, 0xef, KNOWN | MODRM);
    mark(table, 0xf8, 0xfe, KNOWN | MODRM)
};

/// Opcodes behind 0F with the prefix F3.
const TWO_F3: [Form; 256] = {
    let mut table = of_one_number();
    table = mark(table, 0x6f, 0x6f, KNOWN | MODRM);
    table = mark(table, 0x7e, 0x7f, KNOWN | MODRM);
    table
};

/// Opcodes behind 0F with the prefix F2.
const TWO_F2: [Form; 256] = of_one_number();

/// What F2 and F3 share: arithmetic of one number.
const fn of_one_number() -> [Form; 256] {
    let mut table = [0; 256];
    table = mark(table, 0x10, 0x11, KNOWN | MODRM);
    table = mark(table, 0x2a, 0x2a, KNOWN | MODRM);
    table = mark(table, 0x2c, 0x2d, KNOWN | MODRM);
    table = mark(table, 0x51, 0x51, KNOWN | MODRM);
    table = mark(table, 0x58, 0x5a, KNOWN | MODRM);
    mark(table, 0x5c, 0x5f, KNOWN | MODRM)
}

/// The instruction that these bytes start with, where it is one of the plain ones.
pub(super) fn plain(bytes: &[u8]) -> Option<Plain> {
    let mut at = 0;
    let mut byte = *bytes.first()?;
    let prefix = matches!(byte, 0x66 | 0xf2 | 0xf3).then_some(byte);
    if prefix.is_some() {
        at += 1;
        byte = *bytes.get(at)?;
    }
    let rex = (byte & 0xf0 == 0x40).then_some(byte);
    if rex.is_some() {
        at += 1;
        byte = *bytes.get(at)?;
    }
    let is_wide = rex.is_some_and(|rex| rex & 8 != 0);
    let is_two = byte == 0x0f;
    let (form, opcode) = if is_two {
        at += 1;
        let opcode = *bytes.get(at)?;
        let table = match prefix {
            None => &TWO,
            Some(0x66) => &TWO_66,
            Some(0xf3) => &TWO_F3,
            Some(_) => &TWO_F2,
        };
        (form(table, opcode), opcode)
    } else {
        // The prefix F2 or F3 repeats or means something else, and with both 66 and W one of them counts.
        let is_odd = matches!(prefix, Some(0xf2 | 0xf3)) || prefix.is_some() && is_wide;
        (if is_odd { 0 } else { form(&ONE, byte) }, byte)
    };
    if form == 0 || is_wide && !is_two && (byte & 0xf8 == 0xb8 || byte == 0xc7) {
        return None;
    }
    if form & (SHORT | NEAR) != 0 {
        let is_bare = prefix.is_none() && rex.is_none();
        return is_bare.then(|| branch(bytes, at, form, byte)).flatten();
    }
    at += 1;
    let mut immediate = form & (BYTE | WORD);
    if form & MODRM != 0 {
        let modrm = *bytes.get(at)?;
        if form & GROUP != 0 {
            immediate = in_group(is_two, opcode, modrm, immediate)?;
        }
        at += operand(modrm, bytes.get(at + 1..)?)?;
    }
    at += match immediate {
        0 => 0,
        BYTE => 1,
        _ if prefix.is_some() => 2,
        _ => 4,
    };
    (at <= bytes.len()).then_some(Plain::Runs { length: at })
}

fn form(table: &[Form; 256], opcode: u8) -> Form {
    table.get(usize::from(opcode)).copied().unwrap_or_default()
}

/// A branch whose opcode ends at a place.
fn branch(bytes: &[u8], at: usize, form: Form, first: u8) -> Option<Plain> {
    let (distance, length) = if form & SHORT != 0 {
        let distance = bytes.get(at + 1)?.cast_signed();
        (distance.into(), at + 2)
    } else {
        let distance = bytes.get(at + 1..at + 5)?.try_into().ok()?;
        (i32::from_le_bytes(distance), at + 5)
    };
    Some(Plain::Branch {
        length,
        distance,
        kind: if first == 0xe8 {
            Kind::Call
        } else {
            Kind::Jump
        },
        is_conditional: !matches!(first, 0xe8 | 0xe9 | 0xeb),
    })
}

/// What the middle bits of ModRM make of an opcode: the number behind it; `None` for the decoder.
fn in_group(is_two: bool, opcode: u8, modrm: u8, immediate: Form) -> Option<Form> {
    let which = modrm >> 3 & 7;
    let is_known = match opcode {
        0x8d => modrm < 0xc0,
        0xba if is_two => which >= 4,
        0xc0 | 0xc1 | 0xd0..=0xd3 => which != 6,
        0xc6 | 0xc7 => which == 0,
        0xf6 | 0xf7 => which != 1,
        0xfe => which < 2,
        0xff => matches!(which, 0 | 1 | 6),
        _ => false,
    };
    is_known.then_some(match (opcode, which) {
        (0xf6, 0) => BYTE,
        (0xf7, 0) => WORD,
        _ => immediate,
    })
}

/// Bytes of ModRM and what it asks for; `None` where the operand is relative to the instruction.
fn operand(modrm: u8, rest: &[u8]) -> Option<usize> {
    let (mode, register) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return Some(1);
    }
    let index = usize::from(register == 4);
    let is_baseless = match index {
        0 => register == 5,
        _ => rest.first()? & 7 == 5,
    };
    match mode {
        0 if is_baseless && index == 0 => None,
        0 => Some(1 + index + if is_baseless { 4 } else { 0 }),
        1 => Some(1 + index + 1),
        _ => Some(1 + index + 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

    /// What the decoder makes of the same bytes, in the same words.
    fn decoded(bytes: &[u8]) -> Option<Plain> {
        let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
        let mut found = Instruction::default();
        decoder.decode_out(&mut found);
        let kinds = (0..found.op_count()).map(|at| found.op_kind(at));
        let length = found.len();
        match found.flow_control() {
            FlowControl::Next => {
                let is_plain = !found.is_invalid()
                    && !found.is_ip_rel_memory_operand()
                    && !matches!(found.mnemonic(), Mnemonic::Nop | Mnemonic::Syscall)
                    && (found.mnemonic() != Mnemonic::Mov
                        || kinds.clone().all(|kind| {
                            !matches!(kind, OpKind::Immediate64 | OpKind::Immediate32to64)
                        }));
                is_plain.then_some(Plain::Runs { length })
            }
            flow @ (FlowControl::Call
            | FlowControl::UnconditionalBranch
            | FlowControl::ConditionalBranch) => Some(Plain::Branch {
                length,
                distance: i32::try_from(
                    found
                        .near_branch_target()
                        .wrapping_sub(length as u64)
                        .cast_signed(),
                )
                .ok()?,
                kind: if flow == FlowControl::Call {
                    Kind::Call
                } else {
                    Kind::Jump
                },
                is_conditional: flow == FlowControl::ConditionalBranch,
            }),
            _ => None,
        }
    }

    #[test]
    fn every_opcode_is_as_the_decoder_has_it() {
        let prefixes: [&[u8]; 10] = [
            &[],
            &[0x66],
            &[0xf2],
            &[0xf3],
            &[0x40],
            &[0x48],
            &[0x66, 0x41],
            &[0x66, 0x48],
            &[0xf3, 0x48],
            &[0xf2, 0x44],
        ];
        let mut plains = 0;
        for prefix in prefixes {
            for map in [&[][..], &[0x0f]] {
                for opcode in 0..=255 {
                    for modrm in 0..=255 {
                        for sib in [0x00, 0x25, 0xe4] {
                            let tail = [opcode, modrm, sib, 0x81, 0x92, 0xa3, 0x34, 0x45, 0x56];
                            let bytes = [prefix, map, &tail].concat();
                            let found = plain(&bytes);
                            plains += usize::from(found.is_some());
                            if found.is_some() {
                                assert_eq!(found, decoded(&bytes), "{bytes:02x?}");
                            }
                        }
                    }
                }
            }
        }
        assert!(plains > 800_000, "{plains}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..16)) {
            if let Some(found) = plain(&bytes) {
                proptest::prop_assert_eq!(Some(found), decoded(&bytes));
            }
        }
    }
}
