//! The command line: parsed and checked here, acted on in `commands/`.

mod output;
mod proof;

pub use output::{ImageFormat, Output, Strategy};
pub use proof::{Engine, Record, Verify};

use crate::assess::{self, Place};
use crate::rule::Severity;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Reads the disk of a virtual machine in place, finds its applications, says which of them a container can carry and
/// what stands in the way, and writes the containers.
#[derive(Debug, Parser)]
#[command(
    name = "transvase",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done, 1 a gate was not met, 2 could not do the job, 3 part of the machine was not examined."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Threads; the processors there are, if not given.
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Nothing but results and errors: no progress, no summary.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// More on standard error: what each phase did and how long it took; twice, every file that was read, by whom, and how
    /// long that took.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour; NO_COLOR is heeded.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Packs of your own, added to the built-in ones or put in their place by id.
    #[arg(long, global = true, value_name = "DIR")]
    pub detectors: Vec<PathBuf>,
    /// Read files up to this size where a detector would read less: 64M, 1G. What is larger is named under coverage.
    #[arg(long, global = true, value_name = "SIZE", value_parser = size)]
    pub read_limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan, assess, write containers and report: the main job.
    Migrate(Migrate),
    /// Scan and assess; write scan.json.
    Scan(Scan),
    /// Show a scan for people, or in another format.
    Report(Report),
    /// Write containers, without the report.
    Generate(Generate),
    /// Ask the machine that still runs, at the ports its containers publish, and keep what it said.
    Record(Record),
    /// Build and start the containers, ask them what the machine was asked, and compare.
    Verify(Verify),
    /// Show what is on the disks, and read files in them.
    Inspect(Inspect),
    /// Show what executables ask of the kernel: system calls, capabilities, devices, modules, instruction set.
    Kernel(Kernel),
    /// Explain a rule or a pack; without an id, list the rules.
    Explain {
        /// A rule (`kernel/host-sysctl`) or a pack (`web/nginx`).
        id: Option<String>,
    },
    /// The packs: list them, check one, run the cases of a directory.
    Detectors {
        #[command(subcommand)]
        action: Option<Detectors>,
    },
    /// Write completions for a shell to standard output.
    Completions { shell: clap_complete::Shell },
    /// Write manual pages into a directory; the program's own to standard output without one.
    Man {
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

/// What to open.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// A mounted tree, a tar archive, or a disk image; several images are the disks of one machine.
    #[arg(required = true, value_name = "SOURCE")]
    pub source: Vec<PathBuf>,
    /// The device of the root file system, where an image holds several: sda2, or sda2[/@] for a subvolume.
    #[arg(long, global = true, value_name = "DEVICE")]
    pub root: Option<String>,
    /// Let an image name any file as a part of it, not only disks beside it: only for images you trust.
    #[arg(long, global = true)]
    pub allow_outside: bool,
}

/// What is known before the machine is read.
#[derive(Debug, Clone, Default, Args)]
pub struct Known {
    /// Answers to the questions of an earlier run: its questions.toml, filled in.
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
}

/// What to be strict about.
#[derive(Debug, Clone, Default, Args)]
pub struct Gates {
    /// Exit with 1 if the machine's score is lower.
    #[arg(long, value_name = "SCORE", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub fail_under: Option<u32>,
    /// Exit with 1 if a concern is this bad, or worse.
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    pub fail_on: Option<Severity>,
    /// Exit with 0 rather than 3 if part of the machine was not examined.
    #[arg(long)]
    pub allow_partial: bool,
}

/// A size in bytes, or with K, M or G after it (powers of 1024); at most 4 GiB, for a file is read into memory.
fn size(text: &str) -> Result<u64, String> {
    const MOST: u64 = 4 << 30;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" => Some(0),
        "K" | "KiB" => Some(10),
        "M" | "MiB" => Some(20),
        "G" | "GiB" => Some(30),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    let bytes = number
        .zip(unit)
        .and_then(|(n, unit)| n.checked_mul(1 << unit));
    bytes
        .filter(|bytes| *bytes <= MOST)
        .ok_or_else(|| "expected a size of at most 4G, as 65536, 512K, 64M or 1G".into())
}

/// The severities, for help, completions and mistyped ones.
fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["info", "minor", "major", "blocker"]).map(|text| {
        match text.as_str() {
            "blocker" => Severity::Blocker,
            "major" => Severity::Major,
            "minor" => Severity::Minor,
            _ => Severity::Info,
        }
    })
}

/// The places that can be chosen, for help, completions and mistyped ones.
fn target() -> impl TypedValueParser<Value = &'static Place> {
    let of =
        |place: &'static Place| PossibleValue::new(place.id.as_str()).help(place.about.as_str());
    let known = PossibleValuesParser::new(assess::targets().map(of));
    known.try_map(|id| assess::target(&id).ok_or("no such place"))
}

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub known: Known,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub gates: Gates,
}

#[derive(Debug, Args)]
pub struct Scan {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub known: Known,
    /// Where scan.json goes; standard output if not given.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the containers are to run.
    #[arg(long, value_parser = target(), default_value = assess::usual().id.as_str())]
    pub target: &'static Place,
    #[command(flatten)]
    pub gates: Gates,
}

#[derive(Debug, Args)]
pub struct Report {
    /// A scan.json, the OUT of `migrate`, or what `scan` would take.
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub known: Known,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// What a row of the CSV is.
    #[arg(long, value_enum, default_value_t = Rows::Workloads)]
    pub rows: Rows,
    /// Where the report goes; standard output if not given.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the containers are to run; the target that a saved scan was made for, or else the one that `scan` takes, if not given.
    #[arg(long, value_parser = target())]
    pub target: Option<&'static Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A summary for a terminal.
    Terminal,
    /// One HTML file that needs nothing else.
    Html,
    /// Markdown, for pull requests and wikis.
    Md,
    /// A table for spreadsheets; `--rows` says of what.
    Csv,
    /// CycloneDX 1.6: packages, executables, workloads.
    Cyclonedx,
    /// SARIF 2.1.0: concerns for code scanning.
    Sarif,
    /// scan.json.
    Json,
    /// The JSON Schema of scan.json.
    Schema,
    /// The JSON Schema of recorded.json.
    SchemaRecorded,
    /// The JSON Schema of verify.json.
    SchemaVerify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// One row for each workload.
    Workloads,
    /// One row for each concern.
    Concerns,
}

#[derive(Debug, Args)]
pub struct Generate {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub known: Known,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(subcommand_precedence_over_arg = true)]
#[command(
    after_help = "A source that is called ls, cat or extract is written ./ls, ./cat or ./extract."
)]
pub struct Inspect {
    #[command(flatten)]
    pub source: Source,
    #[arg(long, value_enum, default_value_t = Shown::Terminal)]
    pub format: Shown,
    #[command(subcommand)]
    pub action: Option<Inside>,
}

#[derive(Debug, Args)]
#[command(after_help = "With / as the source it answers for this machine's own executables.")]
pub struct Kernel {
    /// A mounted tree, a tar archive, or a disk image.
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// Executables or scripts inside it.
    #[arg(required = true, value_name = "PATH")]
    pub path: Vec<OsString>,
    /// The device of the root file system, where an image holds several.
    #[arg(long, value_name = "DEVICE")]
    pub root: Option<String>,
    /// Show instead how the programs come to make these calls: the most certain way from the start to the place, and of
    /// such the shortest.
    #[arg(long, value_name = "CALL", value_delimiter = ',')]
    pub why: Vec<String>,
    #[arg(long, value_enum, default_value_t = Shown::Terminal)]
    pub format: Shown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// A tree for a terminal.
    Terminal,
    /// The same, for programs.
    Json,
}

/// What to do inside the machine. Links in a path are followed inside the machine.
#[derive(Debug, Subcommand)]
pub enum Inside {
    /// List a directory, or show one file: mode, owner, group, bytes, time (UTC), name.
    Ls {
        #[arg(default_value = "/")]
        path: OsString,
    },
    /// Write a file's content to standard output.
    Cat { path: OsString },
    /// Write a file or a directory with all below it to standard output as a tar archive.
    Extract { path: OsString },
}

#[derive(Debug, Subcommand)]
pub enum Detectors {
    /// All packs with their kind and disposition.
    List,
    /// Checks one pack and says everything that is wrong with it.
    Check { file: PathBuf },
    /// Runs the cases of the packs of a directory.
    Test { directory: PathBuf },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("65536"), Ok(65536));
        assert_eq!(
            (size("512K"), size("64MiB"), size("4G")),
            (Ok(512 << 10), Ok(64 << 20), Ok(4 << 30))
        );
        for wrong in [
            "",
            "M",
            "1.5G",
            "5G",
            "64MB",
            "-1",
            "99999999999999999999",
            "1 G",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
