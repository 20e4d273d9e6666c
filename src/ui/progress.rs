//! Progress on a terminal only; pipes, `--quiet` and CI see none.

use crate::cli::Global;
use crate::detect::engine::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// A phase of which it is known how much there is to do, and one that only lasts. Both fit 80 columns, in ASCII.
const KNOWN: &str = "{spinner} {msg:10} [{bar:20}] {pos}/{len} files, {per_sec}, {eta} left";
const UNKNOWN: &str = "{spinner} {msg:10} {elapsed}";

/// A bar on standard error.
pub struct Bar {
    bar: ProgressBar,
    verbose: bool,
}

impl Bar {
    pub fn new(global: &Global) -> Self {
        let shown =
            !global.quiet && std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar,
            verbose: global.verbose > 0,
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn phase(&self, name: &str, files: usize) {
        let template = if files == 0 { UNKNOWN } else { KNOWN };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let marks = style.tick_chars(r"|/-\ ").progress_chars("=> ");
            self.bar.set_style(marks);
        }
        self.bar.reset();
        self.bar.set_position(0);
        self.bar.set_length(files as u64);
        self.bar.set_message(name.to_owned());
        if self.verbose {
            self.bar
                .suspend(|| super::err(&format!("{name}: {files} files\n")));
        }
    }

    fn step(&self) {
        self.bar.inc(1);
    }
}
