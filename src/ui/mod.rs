//! What a person sees: colour, progress, the summary, numbers. The only room that prints.

pub mod inspection;
pub mod kernel;
pub mod listing;
pub mod progress;
pub mod proof;
pub mod summary;
pub mod text;
pub mod way;

use crate::cli::{Colour, Global};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// How much colour and width there is.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

impl Style {
    /// What standard output takes.
    pub fn of(global: &Global) -> Self {
        Self::made(
            global,
            std::io::stdout().is_terminal(),
            terminal_size::terminal_size_of(std::io::stdout()),
        )
    }

    /// What standard error takes.
    pub fn of_errors(global: &Global) -> Self {
        Self::made(
            global,
            std::io::stderr().is_terminal(),
            terminal_size::terminal_size_of(std::io::stderr()),
        )
    }

    /// `NO_COLOR` (any value) and `TERM=dumb` turn colour off unless it is asked for.
    fn made(
        global: &Global,
        terminal: bool,
        size: Option<(terminal_size::Width, terminal_size::Height)>,
    ) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !unwanted,
        };
        let width = size
            .filter(|_| terminal)
            .map_or(100, |(width, _)| usize::from(width.0));
        Self {
            colour,
            width: width.clamp(40, 200),
        }
    }

    /// Text in an ANSI colour (SGR code), where there is colour.
    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Why standard output took less than it was given.
static FAILED: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// To standard output. A reader that went away is no error of ours; anything else [`written`] tells.
pub fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let done = stdout.write_all(text.as_bytes());
    let Err(error) = done.and_then(|()| stdout.flush()) else {
        return;
    };
    if error.kind() != std::io::ErrorKind::BrokenPipe {
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    }
}

/// Whether standard output took everything.
pub fn written() -> Result<(), crate::error::Error> {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed.take().map_or(Ok(()), |error| {
        let path = "standard output".into();
        Err(crate::error::Error::Write { path, error })
    })
}

/// Words for people, to standard output: in ASCII where the locale is no UTF-8 one. Data goes out by [`out`].
pub fn show(text: &str) {
    out(&legible(text));
}

/// Words for people, to standard error.
pub fn err(text: &str) {
    let _ = std::io::stderr().lock().write_all(legible(text).as_bytes());
}

/// An error, a line for each thing that is wrong. Paths are the user's and names the machine's: neither steers a terminal.
pub fn fail(error: &str) {
    for line in error.lines() {
        err(&format!("transvase: {}\n", crate::path::sanitise(line)));
    }
}

fn legible(text: &str) -> std::borrow::Cow<'_, str> {
    let text = text::harmless(text);
    if text.is_ascii() || utf8() {
        text
    } else {
        text::ascii(&text).into()
    }
}

/// Whether the locale's letters are UTF-8 (locale(7)). Where no locale is named at all, as in many containers, they are
/// taken to be.
fn utf8() -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    named.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
