//! How much a walk may gather: a damaged or hostile file system must not fill the memory with names.

use crate::path::MachinePath;

/// More names than any machine has.
const MOST_ENTRIES: usize = 8_000_000;

/// Bytes of paths. A few long directories can give millions of names a long path each, out of a small image.
const MOST_BYTES: usize = 1 << 30;

/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    entries: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            entries: MOST_ENTRIES,
            bytes: MOST_BYTES,
        }
    }

    /// Takes one name; `false` when there is no room for it, and none for any other after it.
    pub(super) fn take(&mut self, path: &MachinePath) -> bool {
        let entries = self.entries.checked_sub(1);
        let bytes = self.bytes.checked_sub(path.as_bytes().len());
        let (Some(entries), Some(bytes)) = (entries, bytes) else {
            self.entries = 0;
            return false;
        };
        (self.entries, self.bytes) = (entries, bytes);
        true
    }

    /// Names that still fit.
    pub(super) fn left(&self) -> usize {
        self.entries
    }

    /// What an unexamined entry says of the rest.
    pub(super) const SPENT: &str =
        "more than 8,000,000 names, or 1 GiB of them, which is the limit; the rest was not walked";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_number_and_by_length() {
        let path = MachinePath::new("/abc");
        let mut few = Budget {
            entries: 2,
            bytes: 100,
        };
        assert!(few.take(&path) && few.take(&path) && !few.take(&path));
        let mut short = Budget {
            entries: 100,
            bytes: 9,
        };
        assert!(short.take(&path) && short.take(&path) && !short.take(&path));
        assert_eq!(short.left(), 0);
        assert!(!short.take(&MachinePath::root()));
    }
}
