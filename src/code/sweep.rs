//! What one pass over a file's instructions finds: who refers to what, where system calls are, which instructions lead on to
//! the next. Addresses are kept as distances from the image's base, in 32 bits.

/// How an instruction refers to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Call,
    /// A jump, conditional or not.
    Jump,
    /// Makes the address a value.
    Take,
    /// Reads what stands there, so many bytes.
    Load(u8),
    /// Calls or jumps to what stands there.
    CallThrough,
    /// Writes there.
    Store,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref {
    pub from: u32,
    pub to: u32,
    pub kind: Kind,
}

impl Ref {
    /// In the order of targets, then of places: one number, for there are millions to sort.
    pub fn target(&self) -> u64 {
        u64::from(self.to) << 32 | u64::from(self.from)
    }
}

/// An instruction that enters the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub at: u32,
    /// By the 32-bit way (int 0x80, sysenter), with its own numbers.
    pub is_narrow: bool,
}

/// References of one file: those of the largest browsers and compilers are half of it. More would fill the memory.
const MOST: usize = 1 << 24;

#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// In the order of `from`.
    pub refs: Vec<Ref>,
    /// Jumps from one place of a known function to another, not its start: most jumps are. From and to, in the order of from.
    pub inner: Vec<(u32, u32)>,
    pub entries: Vec<Entry>,
    /// Where the address of a call in the kernel's own page becomes a value, and the call's number.
    pub fixed: Vec<(u32, u32)>,
    /// Jumps to an address in a register or a table; sorted.
    pub jumps: Vec<u32>,
    /// Returns, and whatever else leaves for where is not seen; sorted.
    pub returns: Vec<u32>,
    /// Calls of an address in a register or memory; sorted.
    pub calls: Vec<u32>,
    /// Instructions that the one before does not lead to; sorted.
    pub fresh: Vec<u32>,
    /// Known starts that follow a call, which may never come back; sorted.
    pub after_call: Vec<u32>,
}

impl Sweep {
    /// There are more references than are kept; what was found is not all.
    pub fn is_full(&self) -> bool {
        self.refs.len() + self.inner.len() + self.fresh.len() + self.entries.len() > MOST
    }
}
