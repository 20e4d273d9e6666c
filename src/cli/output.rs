//! What a migration writes, and how: the options that `migrate` and `generate` share.

use super::target;
use crate::assess::{self, Place};
use crate::plan::Wish;
use crate::render::Formats;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What to write.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// Where the containers go: a directory that does not exist, or is empty.
    #[arg(long, short, value_name = "OUT")]
    pub output: PathBuf,
    /// Only these workloads.
    #[arg(long, value_name = "ID")]
    pub workload: Vec<String>,
    /// Where the containers are to run.
    #[arg(long, value_parser = target(), default_value = assess::usual().id.as_str())]
    pub target: &'static Place,
    /// How images are built.
    #[arg(long, value_enum, default_value_t = Strategy::Auto)]
    pub strategy: Strategy,
    /// What is written; several with commas between them. `oci` lifts what is not said to be packages.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "compose")]
    pub formats: Vec<ImageFormat>,
    /// Write secrets to OUT/secrets (mode 0600, ignored by git).
    #[arg(long)]
    pub with_secrets: bool,
    /// Write the data of volumes to OUT/data.
    #[arg(long)]
    pub with_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// The strategy that fits.
    Auto,
    /// The distribution's own packages on its own base image.
    Packages,
    /// The workload's files, taken from the disk, on nothing: neither an archive nor a registry is asked.
    Lift,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImageFormat {
    /// Dockerfiles, and a compose file that builds and runs them.
    Compose,
    /// OCI image layouts, written without an engine: `workloads/ID/oci` and `oci` with all of them.
    Oci,
}

impl Output {
    pub fn formats(&self) -> Formats {
        Formats {
            compose: self.formats.contains(&ImageFormat::Compose),
            oci: self.formats.contains(&ImageFormat::Oci),
        }
    }

    /// How images come by their files; without an engine nothing can be installed.
    pub fn wish(&self) -> Wish {
        match self.strategy {
            Strategy::Auto if self.formats.contains(&ImageFormat::Oci) => Wish::Lift,
            strategy => strategy.wish(),
        }
    }
}

impl Strategy {
    pub fn wish(self) -> Wish {
        match self {
            Self::Auto => Wish::Auto,
            Self::Packages => Wish::Packages,
            Self::Lift => Wish::Lift,
        }
    }
}
