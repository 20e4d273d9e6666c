//! What a reader should know of an image, beside its content.

/// A sentence about an image or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// All was read: a log was replayed, there are snapshots besides, …
    Remark(String),
    /// Something may not have been read, or not rightly: an end is missing, a mark of damage is set, …
    Gap(String),
}

impl Note {
    pub fn remark(text: impl Into<String>) -> Self {
        Self::Remark(text.into())
    }

    pub fn gap(text: impl Into<String>) -> Self {
        Self::Gap(text.into())
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Remark(text) | Self::Gap(text) => text,
        }
    }
}
