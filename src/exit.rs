//! Exit codes, and which outranks which.

/// What the process says when it ends. Precedence: [`Self::Error`] over [`Self::Partial`] over [`Self::Gate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Done, and every gate that was asked for is met. A low score is not an error.
    Done = 0,
    /// A gate asked for on the command line was not met.
    Gate = 1,
    /// Done, but part of the machine was not examined.
    Partial = 3,
    /// Could not do the job.
    Error = 2,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::Gate => 1,
            ExitStatus::Error => 2,
            ExitStatus::Partial => 3,
        })
    }
}
