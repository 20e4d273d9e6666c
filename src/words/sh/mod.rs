//! A shell's script as a tree of its commands, and its words with what they stand for. Nothing is run: who walks the tree
//! says what a variable is worth and which branch is taken.

mod lex;
mod parse;
pub mod word;

pub use parse::parse;

/// A command, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    /// 1-based.
    pub line: u32,
    /// Put behind with `&`.
    pub is_behind: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Simple(Simple),
    /// Commands that `&&` and `||` join, each with what stands before it.
    Chain(Vec<(Join, Node)>),
    Pipe(Vec<Node>),
    Not(Box<Node>),
    If {
        /// Condition and what follows it.
        arms: Vec<(Vec<Node>, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    For {
        name: String,
        words: Vec<String>,
        body: Vec<Node>,
    },
    /// `while` and `until`.
    Loop {
        condition: Vec<Node>,
        body: Vec<Node>,
    },
    Case {
        word: String,
        arms: Vec<(Vec<String>, Vec<Node>)>,
    },
    Group(Vec<Node>),
    Function {
        name: String,
        body: Vec<Node>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    First,
    And,
    Or,
}

/// Words as written, assignments before the command among them, and the files that its output goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simple {
    pub words: Vec<String>,
    pub output: Vec<String>,
}

#[cfg(test)]
mod tests;
