//! A step of an image's making, in words. There is no place in it for a line of shell: what reads as one is made by the
//! writer, which quotes every word.

/// One command, and why it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// For the reader, before the command.
    pub why: Option<String>,
    /// Variables of this command alone.
    pub variables: Vec<(&'static str, String)>,
    pub words: Vec<Word>,
    /// Further words that each have something to be said of them.
    pub remarked: Vec<(String, String)>,
    pub output: Option<Output>,
    /// A linter's rule that does not know what these words mean (hadolint takes no pattern for a version).
    pub unlinted: Option<&'static str>,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Text(String),
    /// The name of everything in a directory.
    Inside(String),
}

/// The file that a command's output goes into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    New(String),
    /// At its end.
    Append(String),
}

impl Step {
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        let words = words.into_iter().map(|word| Word::Text(word.into()));
        Self {
            words: words.collect(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn inside(mut self, directory: impl Into<String>) -> Self {
        self.words.push(Word::Inside(directory.into()));
        self
    }

    #[must_use]
    pub fn remarked(mut self, remark: String, word: String) -> Self {
        self.remarked.push((remark, word));
        self
    }

    #[must_use]
    pub fn unlinted(mut self, rule: &'static str) -> Self {
        self.unlinted = Some(rule);
        self
    }

    #[must_use]
    pub fn written(mut self, file: &str) -> Self {
        self.output = Some(Output::New(file.to_owned()));
        self
    }

    #[must_use]
    pub fn appended(mut self, file: &str) -> Self {
        self.output = Some(Output::Append(file.to_owned()));
        self
    }
}
