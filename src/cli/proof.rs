//! What `record` and `verify` take.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Asks HOST alone, one request after another, and changes nothing: redirects are not followed, certificates are recorded and not checked."
)]
pub struct Record {
    /// What `migrate` wrote.
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// The machine's name or address.
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Where the record goes; OUT/recorded.json if not given.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A path to ask web servers for, beside `/` and those of their configuration.
    #[arg(long, value_name = "PATH")]
    pub path: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Podman,
    Docker,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Everything that is made has a name of its own and is removed at the end. Exit code 1: a container is not what the machine was."
)]
pub struct Verify {
    /// What `migrate` wrote; verify.json and new reports go there.
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// The engine; the one that is there, if not given.
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// What the machine said; OUT/recorded.json, where it is there.
    #[arg(long, value_name = "FILE")]
    pub recorded: Option<PathBuf>,
    /// Seconds that containers may take until they listen.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub wait: u64,
    /// The network that images are built in, as `host`.
    #[arg(long, value_name = "NETWORK")]
    pub build_network: Option<String>,
    /// Run each scheduled job once.
    #[arg(long)]
    pub run_jobs: bool,
}
