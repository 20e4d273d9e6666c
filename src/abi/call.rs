//! The kernel's names for system calls, by number: arch/x86/entry/syscalls/syscall_64.tbl and
//! include/uapi/asm-generic/unistd.h of Linux 6.15.

use std::sync::OnceLock;

/// An architecture whose system calls are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Architecture {
    X86_64,
    Aarch64,
}

impl Architecture {
    /// By the name the kernel has for the machine.
    pub fn named(machine: &str) -> Option<Self> {
        match machine {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// As the kernel names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// A call's name; `None` for a number the kernel does not have.
    pub fn call(self, number: u64) -> Option<&'static str> {
        let name = self.table().get(usize::try_from(number).ok()?)?;
        (*name != "-").then_some(*name)
    }

    /// A call's number; `None` where the architecture lacks it.
    pub fn number(self, name: &str) -> Option<u64> {
        let at = self.table().iter().position(|known| *known == name)?;
        u64::try_from(at).ok()
    }

    /// Every name in the order of the numbers; `-` where there is none.
    fn table(self) -> &'static [&'static str] {
        static X86_64: OnceLock<Vec<&'static str>> = OnceLock::new();
        static AARCH64: OnceLock<Vec<&'static str>> = OnceLock::new();
        let (table, text) = match self {
            Self::X86_64 => (&X86_64, include_str!("calls/x86_64.txt")),
            Self::Aarch64 => (&AARCH64, include_str!("calls/aarch64.txt")),
        };
        table.get_or_init(|| text.split_whitespace().collect())
    }
}

/// Whether some architecture has a call of this name.
pub fn is_known(name: &str) -> bool {
    let mut all = [Architecture::X86_64, Architecture::Aarch64].into_iter();
    name != "-" && all.any(|architecture| architecture.number(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        let (x86, arm) = (Architecture::X86_64, Architecture::Aarch64);
        assert_eq!(x86.call(0), Some("read"));
        assert_eq!(x86.call(231), Some("exit_group"));
        assert_eq!(x86.call(452), Some("fchmodat2"));
        assert_eq!(x86.call(335), None);
        assert_eq!(arm.call(64), Some("write"));
        assert_eq!(arm.call(222), Some("mmap"));
        assert_eq!(arm.call(462), Some("mseal"));
        assert_eq!(
            (x86.number("clone3"), arm.number("open")),
            (Some(435), None)
        );
        assert_eq!(x86.call(u64::MAX), None);
    }
}
