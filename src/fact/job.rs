//! Scheduled jobs of cron and anacron. Timers are units.

use super::Evidence;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// /etc/crontab, /etc/cron.d/*, and user crontabs.
    Cron,
    /// /etc/anacrontab.
    Anacron,
    /// A script in /etc/cron.{hourly,daily,weekly,monthly}.
    Directory,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub kind: JobKind,
    /// In the machine's own notation: `*/15 * * * *`, `@reboot`, `daily`.
    pub schedule: String,
    pub user: String,
    /// Redacted; a directory job's is the script's path.
    pub command: String,
    /// Assignments in force at that line (PATH, MAILTO, SHELL, …), redacted.
    pub environment: Vec<(String, String)>,
    /// Whether a secret was redacted from the command or the environment.
    pub secret: bool,
    pub evidence: Evidence,
}
