//! What instructions do to registers and the stack, as far as following a value backwards asks: one small language for all
//! processors.

/// Where a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Register(u8),
    /// Memory at a register's value and a distance.
    Slot(u8, i64),
    /// Memory at a fixed address.
    Global(u64),
}

/// What is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Constant(u64),
    /// The place's value and so much more.
    Place(Place, i64),
    /// The address of memory: of the place, which is a slot or global.
    Address(Place),
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Move(Place, Source),
    /// Moves, or does not.
    MayMove(Place, Source),
    /// Goes on to the next only where a register holds this: the comparison stands right before.
    Known(u8, u64),
    /// Moves the stack pointer.
    Stack(i64),
    /// A called function leaves only what the convention keeps.
    Call,
}

/// One effect of an instruction; several of one instruction follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub at: u32,
    /// Control may go on to the next.
    pub goes_on: bool,
    /// Padding, which is only reached by running into it.
    pub is_padding: bool,
    pub effect: Effect,
}

/// The calling convention, as far as values cross calls.
pub(super) struct Convention {
    pub stack: u8,
    /// Registers that a called function gives back as they were.
    pub kept: &'static [u8],
    /// Registers of the first arguments, in order.
    pub arguments: &'static [u8],
    /// Registers of the kernel's arguments, in order.
    pub kernel: &'static [u8],
    pub number: u8,
    /// How far a call moves the stack pointer for the called.
    pub pushed: i64,
}

/// System V for x86-64, and the kernel's own.
pub(super) const X86_64: Convention = Convention {
    stack: 4,
    kept: &[3, 4, 5, 12, 13, 14, 15],
    arguments: &[7, 6, 2, 1, 8, 9],
    kernel: &[7, 6, 2, 10, 8, 9],
    number: 0,
    pushed: 8,
};

/// Procedure call standard for the 64-bit Arm architecture.
pub(super) const AARCH64: Convention = Convention {
    stack: 31,
    kept: &[19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31],
    arguments: &[0, 1, 2, 3, 4, 5, 6, 7],
    kernel: &[0, 1, 2, 3, 4, 5],
    number: 8,
    pushed: 0,
};
