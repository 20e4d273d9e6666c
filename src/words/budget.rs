//! What putting values in may make of a text. A variable that holds two of the one before it doubles with every line, and
//! sixty lines are more than any memory: whoever expands, spends from a budget.

use std::cell::Cell;

/// What any text may become, however short it is.
const FLOOR: usize = 4 << 10;

/// How much longer than what it is made of a text may become.
const TIMES: usize = 4;

/// Words of one line. The longest of honest machines are class paths, and they are one word.
pub const WORDS: usize = 4_096;

/// What coverage says of a file in which somebody was refused.
pub const EXPANDED: &str =
    "variables make more of it than the limit; those beyond it were left as written";

/// Bytes that may still be made, and whether somebody was refused.
#[derive(Debug)]
pub struct Budget {
    left: Cell<usize>,
    refused: Cell<bool>,
}

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Self {
            left: Cell::new(bytes),
            refused: Cell::new(false),
        }
    }

    /// For what is made of so many bytes.
    pub fn of(bytes: usize) -> Self {
        Self::new(bytes.saturating_mul(TIMES).saturating_add(FLOOR))
    }

    /// Spends so many bytes, and one for the step; whether there were as many.
    pub fn take(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes.saturating_add(1));
        match left {
            Some(left) => self.left.set(left),
            None => self.refused.set(true),
        }
        left.is_some()
    }

    /// Somebody was refused: what was made is not all that is written.
    pub fn is_spent(&self) -> bool {
        self.refused.get()
    }

    /// Notes that something was left out for another reason than bytes.
    pub fn refuse(&self) {
        self.refused.set(true);
    }

    /// A part of this one, at most so large. What it spends is spent here too, once [`Self::settle`] is told.
    #[must_use]
    pub fn part(&self, bytes: usize) -> Self {
        Self::new(bytes.min(self.left.get()))
    }

    /// Takes back the rest of a part that was `bytes` large.
    pub fn settle(&self, part: &Self, bytes: usize) {
        let given = bytes.min(self.left.get());
        let spent = given.saturating_sub(part.left.get());
        self.left.set(self.left.get().saturating_sub(spent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_refused() {
        let budget = Budget::new(10);
        assert!(budget.take(4) && !budget.is_spent());
        assert!(!budget.take(5) && budget.is_spent());
        assert!(budget.take(4), "what is left can still be spent");
    }

    #[test]
    fn a_part_is_spent_from_the_whole() {
        let whole = Budget::new(100);
        let part = whole.part(60);
        assert!(part.take(49) && !part.take(20));
        whole.settle(&part, 60);
        assert!(!whole.is_spent() && !whole.take(50) && whole.take(49));
    }
}
