//! How far long work has come: what the rooms that work say, and a terminal shows.

use crate::path::MachinePath;
use std::time::Duration;

/// How far the work has come; the terminal shows it, tests ignore it.
pub trait Progress: Sync {
    /// A phase begins.
    fn phase(&self, name: &str, total: Total);
    /// One piece of it is done.
    fn step(&self, step: Step<'_>);
}

/// How much a phase has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    Unknown,
    Files(usize),
    Bytes(u64),
}

/// A piece of work that is done.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub bytes: u64,
    /// The file that was read, where one was read whole.
    pub file: Option<&'a MachinePath>,
    /// Who was shown it.
    pub by: &'a [&'a str],
    pub took: Duration,
}

impl Step<'_> {
    /// So much of something.
    pub fn bytes(bytes: u64) -> Self {
        Self {
            bytes,
            file: None,
            by: &[],
            took: Duration::ZERO,
        }
    }
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str, _: Total) {}
    fn step(&self, _: Step<'_>) {}
}
