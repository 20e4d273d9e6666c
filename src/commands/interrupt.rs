//! Signals that end the program: what was half-written goes first.

use crate::{render, verify};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// A signal came; whatever fails from now on fails because of it.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Waits for signals in a thread of its own. The program then ends by the signal, as it would have without.
pub fn watch() -> io::Result<()> {
    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter();
    let mut signals = Signals::new(wanted.filter(|signal| ignored >> (signal - 1) & 1 == 0))?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                ENDING.store(true, Ordering::SeqCst);
                render::abandon();
                verify::abandon();
                // Fails for a signal that cannot be; the next one tries again.
                let _ = emulate_default_handler(signal);
            }
        })?;
    Ok(())
}

/// The signals that whoever started the program wants ignored, as nohup(1) does: they stay so. One bit each, from the first
/// on (proc_pid_status(5)).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .unwrap_or_default()
}

/// Lets a signal end the program, where one came: its end is not an error of what was under way.
pub fn wait() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}
