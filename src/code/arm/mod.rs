//! AArch64 instructions, as far as references, control flow and values ask (Arm Architecture Reference Manual, C4.1, "A64
//! instruction set encoding"). Every instruction is four bytes, and most are of no interest here.

mod pass;
mod steps;

pub(super) use pass::sweep;
pub(super) use steps::steps;

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
