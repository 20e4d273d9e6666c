//! How far the work is: a bar on a terminal, with how much there is to do and how fast it goes; in a pipe and under `CI` a
//! line every half minute, so that nobody takes a long job for a dead one; nothing for `--quiet`. With `-v` a line for each
//! phase when it is over, with `-vv` one for each file.

use crate::cli::Global;
use crate::progress::{Progress, Step, Total};
use crate::text::bytes;
use crate::ui::err;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One for each way of counting. All fit 80 columns, in ASCII.
const UNKNOWN: &str = "{spinner} {msg:10} {elapsed}";
const FILES: &str = "{spinner} {msg:10} [{bar:16}] {pos}/{len} files, {rate}, {eta} left";
const BYTES: &str = "{spinner} {msg:10} [{bar:16}] {bytes}/{total_bytes}, {rate}, {eta} left";

/// Between two lines where there is no bar.
const SILENCE: Duration = Duration::from_secs(30);

/// Progress on standard error.
pub struct Bar {
    shown: ProgressBar,
    /// Lines, where no bar is shown.
    lines: bool,
    verbose: u8,
    phase: Mutex<Option<Phase>>,
    files: AtomicUsize,
    bytes: Arc<AtomicU64>,
}

/// The phase that is on.
struct Phase {
    name: String,
    total: Total,
    begun: Instant,
    spoken: Instant,
}

impl Bar {
    pub fn new(global: &Global) -> Self {
        let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        let is_shown = !global.quiet && std::io::stderr().is_terminal() && !is_ci;
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            shown: bar,
            lines: !global.quiet && !is_shown,
            verbose: if global.quiet { 0 } else { global.verbose },
            phase: Mutex::new(None),
            files: AtomicUsize::new(0),
            bytes: Arc::default(),
        }
    }

    /// The last phase is over.
    pub fn finish(&self) {
        self.next(None);
        self.shown.finish_and_clear();
    }

    /// Ends a phase, if there is one, and begins the next.
    fn next(&self, next: Option<Phase>) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let over = std::mem::replace(&mut *phase, next);
        if let (Some(over), 1..) = (over, self.verbose) {
            self.say(&format!("{}: {}\n", over.name, self.done(&over, true)));
        }
        self.files.store(0, Relaxed);
        self.bytes.store(0, Relaxed);
    }

    /// `2040 files, 35.1 MiB in 1.2 s (29.2 MiB/s)`.
    fn done(&self, phase: &Phase, is_over: bool) -> String {
        let (files, read) = (self.files.load(Relaxed), self.bytes.load(Relaxed));
        let took = phase.begun.elapsed();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match phase.total {
            Total::Files(_) if is_over => write!(text, "{files} files, {} in ", bytes(read)),
            Total::Files(total) => write!(text, "{files} of {total} files, {} in ", bytes(read)),
            Total::Bytes(_) if is_over => write!(text, "{} in ", bytes(read)),
            Total::Bytes(total) => write!(text, "{} of {} in ", bytes(read), bytes(total)),
            Total::Unknown => Ok(()),
        };
        let _ = write!(text, "{:.1} s", took.as_secs_f64());
        if phase.total != Total::Unknown {
            let _ = write!(text, " ({})", rate(read, took));
        }
        text
    }

    /// A line that is due where nothing was said for long.
    fn speak(&self) {
        // Whoever comes while another looks at the clock goes on with the work.
        let Ok(mut phase) = self.phase.try_lock() else {
            return;
        };
        let Some(phase) = phase.as_mut() else { return };
        if phase.spoken.elapsed() >= SILENCE {
            phase.spoken = Instant::now();
            err(&format!("{}: {}\n", phase.name, self.done(phase, false)));
        }
    }

    fn say(&self, line: &str) {
        self.shown.suspend(|| err(line));
    }
}

impl Progress for Bar {
    fn phase(&self, name: &str, total: Total) {
        self.next(Some(Phase {
            name: name.to_owned(),
            total,
            begun: Instant::now(),
            spoken: Instant::now(),
        }));
        let (template, length) = match total {
            Total::Unknown => (UNKNOWN, 0),
            Total::Files(files) => (FILES, files as u64),
            Total::Bytes(bytes) => (BYTES, bytes),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let read = Arc::clone(&self.bytes);
            let style = style.with_key(
                "rate",
                move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = out.write_str(&rate(read.load(Relaxed), state.elapsed()));
                },
            );
            let marks = style.tick_chars(r"|/-\ ").progress_chars("=> ");
            self.shown.set_style(marks);
        }
        self.shown.reset();
        self.shown.set_position(0);
        self.shown.set_length(length);
        self.shown.set_message(name.to_owned());
    }

    fn step(&self, step: Step<'_>) {
        self.bytes.fetch_add(step.bytes, Relaxed);
        if let Some(path) = step.file {
            self.files.fetch_add(1, Relaxed);
            self.shown.inc(1);
            if self.verbose > 1 {
                self.say(&format!(
                    "  {path}: {} in {:.1} ms, for {}\n",
                    bytes(step.bytes),
                    step.took.as_secs_f64() * 1000.0,
                    step.by.join(", ")
                ));
            }
        } else {
            self.shown.inc(step.bytes);
        }
        if self.lines {
            self.speak();
        }
    }
}

fn rate(read: u64, took: Duration) -> String {
    let milliseconds = took.as_millis().max(1);
    let by_second = u128::from(read) * 1000 / milliseconds;
    format!("{}/s", bytes(u64::try_from(by_second).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_bytes_by_time() {
        assert_eq!(rate(3 << 20, Duration::from_secs(2)), "1.5 MiB/s");
        assert_eq!(rate(0, Duration::ZERO), "0 B/s");
    }
}
