//! The plan: what each container will be. Everything written afterwards reads this and re-derives nothing.
//!
//! [`plan`] is a pure function over facts and workloads; it opens no file. One file beside this one for each noun of a
//! plan: package, account, file, volume, command, …

mod account;
mod activate;
mod bind;
mod build;
mod capability;
mod carried;
mod command;
mod configuration;
mod container;
mod contract;
mod device;
mod dropper;
mod file;
mod follow;
mod health;
mod hosts;
mod identity;
mod lift;
mod limit;
mod locale;
mod mount;
mod names;
mod origin;
mod others;
mod package;
mod place;
mod pod;
mod port;
mod privilege;
mod process;
mod program;
mod remark;
mod schedule;
pub(crate) mod secret;
mod service;
mod setup;
mod socket;
mod strategy;
mod unclaimed;
mod volume;

pub use build::plan;
pub use command::PlannedCommand;
pub use container::{Image, Limits, Network, Plan, Process, Schedule, State};
pub use contract::{Choice, Contract, Kept};
pub use contract::{needs, settle};
pub use device::PlannedDevice;
pub use dropper::Dropper;
pub use file::{PlannedDirectory, PlannedFile, PlannedRemoval, context_mode, needs_mode};
pub use health::HealthCheck;
pub use hosts::left_out as hosts_left_out;
pub use lift::code as lifted_code;
pub use lift::{Layer, LeftOut, Lift, LiftedPackage, Record, Tree, Written, WrittenFile, fill};
pub use mount::PlannedMount;
pub use origin::{Means, PlannedOrigin};
pub use pod::choose;
pub use port::PlannedPort;
pub use program::{files, programs};
pub use schedule::{PlannedJob, PlannedScheduler};
pub use secret::PlannedSecret;
pub use strategy::Wish;
pub use unclaimed::{Unclaimed, unclaimed};
pub use volume::PlannedVolume;

pub use crate::distribution::account::{PlannedGroup, PlannedUser};
pub use crate::distribution::family::PlannedPackage;

/// What the caller asks of every plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The machine's data is written beside the containers, and they start with it.
    pub with_data: bool,
    /// So are its secrets.
    pub with_secrets: bool,
    /// How images come by their files.
    pub strategy: Wish,
}
