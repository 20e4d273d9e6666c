//! Why a program can make a call: the way from its start to the place that makes it. Every part of it is evidence, and the
//! least certain part says what the answer rests on.

use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a way rests on, from the most certain on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Calls alone, from where the kernel or the loader starts.
    Calls,
    /// Code that is reached has the address of a function, and may call it.
    Pointer,
    /// Data that reached code refers to has the address of a function.
    Table,
    /// A symbol is looked up by its name at run time.
    Name,
    /// A file is opened at run time, and what it shows may be called.
    Opened,
    /// The system call's number is not known.
    Number,
}

/// How one place leads to the next.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The kernel or the loader runs it.
    Starts,
    /// A file needs a library, or the loader.
    Needs,
    Calls,
    /// Unwinding calls it.
    Unwinds,
    /// Code refers to data, or data to data.
    Refers,
    /// Code takes a function's address.
    Takes,
    /// Data has a function's address.
    Holds,
    /// Looked up by a name that is known.
    LooksUp,
    /// Code has the name, and some lookup is by a name that is not known.
    Names,
    /// A function of a name service's module, whose name is put together of two.
    Serves,
    /// Opened by a name in code.
    Opens,
    /// Opened by a name that is made at run time.
    OpensAny,
    /// What was opened shows it.
    Shows,
    /// The linker kept only what is used.
    Keeps,
    /// Enters the kernel with this number.
    Makes,
    /// Enters the kernel with a number that is not known, and this place has this one.
    AnyNumber,
}

impl How {
    pub fn certainty(self) -> Certainty {
        match self {
            Self::Starts
            | Self::Needs
            | Self::Calls
            | Self::Unwinds
            | Self::Refers
            | Self::Keeps
            | Self::Makes => Certainty::Calls,
            Self::Takes => Certainty::Pointer,
            Self::Holds => Certainty::Table,
            Self::LooksUp | Self::Names | Self::Serves => Certainty::Name,
            Self::Opens | Self::OpensAny | Self::Shows => Certainty::Opened,
            Self::AnyNumber => Certainty::Number,
        }
    }

    /// Between a place and the one that it leads to.
    pub fn says(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Needs => "needs",
            Self::Calls => "calls",
            Self::Unwinds => "is unwound by",
            Self::Refers => "refers to",
            Self::Takes => "takes the address of",
            Self::Holds => "holds the address of",
            Self::LooksUp => "looks up",
            Self::Names => "has the name, for a lookup by any, of",
            Self::Serves => "asks the name service for",
            Self::Opens => "opens",
            Self::OpensAny => "opens, by a name made at run time,",
            Self::Shows => "shows",
            Self::Keeps => "keeps",
            Self::Makes => "makes the call",
            Self::AnyNumber => "makes calls by any number, as the one",
        }
    }
}

/// A place on a way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What led here from the step before.
    pub how: How,
    pub path: MachinePath,
    /// Bytes from the start of the file; of a function, of a piece of data, of an instruction at the end.
    pub offset: u64,
    /// The name of the function or the data, where the file has one; of what was opened, the name in the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The most certain way from a program's start to a place that makes a call, and of such the shortest; outermost first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    pub call: String,
    pub certainty: Certainty,
    pub steps: Vec<Step>,
}
