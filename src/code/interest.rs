//! Arguments that decide what a call needs: of the kernel's calls, and of the functions of the C library that make them.

/// A function called by name: which of its arguments is which argument of which system call.
#[derive(Debug)]
pub(super) struct Interest {
    pub name: &'static str,
    /// Argument of the function, the system call, argument of that.
    pub arguments: &'static [(u8, &'static str, u8)],
}

/// The number itself: `syscall(2)` of the C library.
pub(super) const NUMBER: &str = "syscall";

/// Sorted by name.
const FUNCTIONS: &[Interest] = &[
    of("__open64_2", &[(1, "openat", 2)]),
    of("bpf", &[(0, "bpf", 0)]),
    of("clone", &[(2, "clone", 0)]),
    of("dlmopen", &[(1, "dlopen", 0)]),
    of("dlopen", &[(0, "dlopen", 0)]),
    of("dlsym", &[(0, "dlsym", 0), (1, "dlsym", 1)]),
    of("dlvsym", &[(0, "dlsym", 0), (1, "dlsym", 1)]),
    of("fcntl", &[(1, "fcntl", 1)]),
    of("fcntl64", &[(1, "fcntl", 1)]),
    of("ioctl", &[(1, "ioctl", 1)]),
    of("keyctl", &[(0, "keyctl", 0)]),
    of("madvise", &[(2, "madvise", 2)]),
    of("mount", &[(3, "mount", 3)]),
    of("open", &[(1, "openat", 2)]),
    of("open64", &[(1, "openat", 2)]),
    of("openat", &[(2, "openat", 2)]),
    of("openat64", &[(2, "openat", 2)]),
    of("personality", &[(0, "personality", 0)]),
    of("prctl", &[(0, "prctl", 0)]),
    of("ptrace", &[(0, "ptrace", 0)]),
    of("sched_setscheduler", &[(1, "sched_setscheduler", 1)]),
    of("setns", &[(1, "setns", 1)]),
    of("setsockopt", &[(1, "setsockopt", 1), (2, "setsockopt", 2)]),
    of(
        "socket",
        &[(0, "socket", 0), (1, "socket", 1), (2, "socket", 2)],
    ),
    of("socketpair", &[(0, "socketpair", 0)]),
    of(NUMBER, &[(0, NUMBER, 0)]),
    of("unshare", &[(0, "unshare", 0)]),
];

const fn of(name: &'static str, arguments: &'static [(u8, &'static str, u8)]) -> Interest {
    Interest { name, arguments }
}

pub(super) fn named(name: &str) -> Option<&'static Interest> {
    let at = FUNCTIONS
        .binary_search_by(|known| known.name.cmp(name))
        .ok()?;
    FUNCTIONS.get(at)
}

/// Arguments of a system call that decide.
pub(super) fn arguments(call: &str) -> &'static [u8] {
    match call {
        "socket" => &[0, 1, 2],
        "prctl" | "clone" | "bpf" | "keyctl" | "personality" | "ptrace" | "socketpair"
        | "unshare" => &[0],
        "ioctl" | "fcntl" | "open" | "setns" | "sched_setscheduler" => &[1],
        "openat" | "madvise" => &[2],
        "setsockopt" => &[1, 2],
        "mount" => &[3],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_for_the_search() {
        assert!(FUNCTIONS.is_sorted_by_key(|known| known.name));
        assert!(FUNCTIONS.iter().all(|known| named(known.name).is_some()));
    }
}
