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

/// How an opcode goes on: in the low bits, how many bytes of a number it ends with. Zero: the decoder is asked.
type Form = u8;

/// A number of 8 bits.
const BYTE: Form = 1;
/// Of 32 bits; of 16 with the prefix 66.
const WORD: Form = 4;
const NUMBER: Form = BYTE | WORD;
const KNOWN: Form = 8;
/// A ModRM byte, with what it asks for.
const MODRM: Form = 16;
/// What ModRM's middle bits say decides; see [`in_group`].
const GROUP: Form = 32;
/// By a distance of 8 bits.
const SHORT: Form = 64;
/// By a distance of 32 bits.
const NEAR: Form = 128;

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

/// The same with REX.W: numbers of 64 bits, and those that are widened to as many, are looked at.
const ONE_WIDE: [Form; 256] = mark(mark(ONE, 0xb8, 0xbf, 0), 0xc7, 0xc7, 0);

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

/// The first eight bytes, which hold prefixes, opcode, ModRM and SIB of every plain instruction, lowest first.
struct Window {
    bytes: u64,
    /// How many are behind us.
    at: usize,
}

impl Window {
    fn new(bytes: &[u8]) -> Option<Self> {
        let bytes = u64::from_le_bytes(*bytes.first_chunk()?);
        Some(Self { bytes, at: 0 })
    }

    /// The next byte, which stays the next.
    fn peek(&self) -> u8 {
        self.bytes.to_le_bytes()[0]
    }

    fn skip(&mut self) {
        self.bytes >>= 8;
        self.at += 1;
    }
}

/// The instruction that these bytes start with, where it is one of the plain ones. The last few of a section are the decoder's.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> Option<Plain> {
    let mut window = Window::new(bytes)?;
    // Most have no prefix but REX, and an opcode of one byte.
    let rex = window.peek();
    let table = if rex & 0xf0 == 0x40 {
        window.skip();
        if rex & 8 == 0 { &ONE } else { &ONE_WIDE }
    } else {
        &ONE
    };
    let form = form(table, window.peek());
    if form == 0 || form & (GROUP | SHORT | NEAR) != 0 {
        return less_plain(bytes);
    }
    window.skip();
    let mut length = window.at + usize::from(form & NUMBER);
    if form & MODRM != 0 {
        let modrm = window.peek();
        window.skip();
        length += operand(modrm, window.peek())?;
    }
    (length <= bytes.len()).then_some(Plain::Runs { length })
}

/// The same with every prefix, opcodes of two bytes, groups and branches.
fn less_plain(bytes: &[u8]) -> Option<Plain> {
    let mut window = Window::new(bytes)?;
    let first = window.peek();
    let prefix = if matches!(first, 0x66 | 0xf2 | 0xf3) {
        window.skip();
        first
    } else {
        0
    };
    let second = window.peek();
    let rex = if second & 0xf0 == 0x40 {
        window.skip();
        second
    } else {
        0
    };
    let is_wide = rex & 8 != 0;
    let mut opcode = window.peek();
    window.skip();
    let is_two = opcode == 0x0f;
    let form = if is_two {
        opcode = window.peek();
        window.skip();
        let table = match prefix {
            0 => &TWO,
            0x66 => &TWO_66,
            0xf3 => &TWO_F3,
            _ => &TWO_F2,
        };
        form(table, opcode)
    } else if prefix == 0 {
        form(if is_wide { &ONE_WIDE } else { &ONE }, opcode)
    } else if prefix == 0x66 && !is_wide {
        form(&ONE, opcode)
    } else {
        // F2 and F3 repeat or mean something else, and of 66 and W one counts.
        0
    };
    if form == 0 {
        return None;
    }
    if form & (SHORT | NEAR) != 0 {
        let is_bare = prefix | rex == 0;
        return is_bare.then(|| branch(&window, form, is_two, opcode));
    }
    let mut immediate = form & NUMBER;
    let mut length = window.at;
    if form & MODRM != 0 {
        let modrm = window.peek();
        if form & GROUP != 0 {
            immediate = in_group(is_two, opcode, modrm, immediate)?;
        }
        window.skip();
        length += operand(modrm, window.peek())?;
    }
    length += match immediate {
        WORD if prefix != 0 => 2,
        bytes => usize::from(bytes),
    };
    (length <= bytes.len()).then_some(Plain::Runs { length })
}

fn form(table: &[Form; 256], opcode: u8) -> Form {
    table.get(usize::from(opcode)).copied().unwrap_or_default()
}

/// A branch, its distance next.
fn branch(window: &Window, form: Form, is_two: bool, opcode: u8) -> Plain {
    let (distance, length) = if form & SHORT != 0 {
        (window.peek().cast_signed().into(), window.at + 1)
    } else {
        let [a, b, c, d, ..] = window.bytes.to_le_bytes();
        (i32::from_le_bytes([a, b, c, d]), window.at + 4)
    };
    Plain::Branch {
        length,
        distance,
        kind: if opcode == 0xe8 && !is_two {
            Kind::Call
        } else {
            Kind::Jump
        },
        is_conditional: is_two || !matches!(opcode, 0xe8 | 0xe9 | 0xeb),
    }
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

/// Bytes of ModRM and what it asks for: SIB, and a distance. Zero: relative to the instruction.
const OPERAND: [u8; 256] = {
    let mut table = [1; 256];
    let mut modrm = 0;
    while modrm < 0xc0 {
        let index = (modrm & 7 == 4) as u8;
        let distance = match modrm >> 6 {
            0 => 0,
            1 => 1,
            _ => 4,
        };
        #[expect(clippy::indexing_slicing, reason = "worked out by the compiler")]
        {
            table[modrm] = if modrm & 0xc7 == 5 {
                0
            } else {
                1 + index + distance
            };
        }
        modrm += 1;
    }
    table
};

/// Bytes of an operand whose ModRM is followed by `next`; `None` where it is relative to the instruction.
fn operand(modrm: u8, next: u8) -> Option<usize> {
    let known = OPERAND.get(usize::from(modrm)).copied().unwrap_or_default();
    // No base: a distance stands in its place.
    let is_baseless = modrm & 0xc7 == 4 && next & 7 == 5;
    let length = usize::from(known) + if is_baseless { 4 } else { 0 };
    (known != 0).then_some(length)
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
