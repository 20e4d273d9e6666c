//! Signals by the names systemd.kill(5) and signal(7) have for them.

/// From 1 on, as Linux numbers them on all but a few architectures.
const NAMES: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first real-time signal the C library leaves to programs.
const RTMIN: usize = 34;

/// `INT`, `SIGINT` and `2` are all `SIGINT`; what is none of them stays as written.
pub(super) fn name(text: &str) -> String {
    match text.parse::<usize>() {
        Ok(number) if (RTMIN..=64).contains(&number) => format!("SIGRTMIN+{}", number - RTMIN),
        Ok(number) => number
            .checked_sub(1)
            .and_then(|at| NAMES.get(at))
            .map_or_else(|| text.to_owned(), |name| format!("SIG{name}")),
        Err(_) if text.starts_with("SIG") => text.to_owned(),
        Err(_) => format!("SIG{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names() {
        for (written, signal) in [
            ("3", "SIGQUIT"),
            ("SIGQUIT", "SIGQUIT"),
            ("INT", "SIGINT"),
            ("RTMIN+3", "SIGRTMIN+3"),
            ("37", "SIGRTMIN+3"),
            ("31", "SIGSYS"),
            ("0", "0"),
            ("99", "99"),
        ] {
            assert_eq!(name(written), signal);
        }
    }
}
