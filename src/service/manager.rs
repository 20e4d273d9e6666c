//! The managers of services and jobs that are understood, in the order in which they are asked.
//!
//! One more is a file or folder beside this one, a line in [`MANAGERS`], and a [`super::Starter`] as the scan will call it.

use super::{GeneratedUnit, Services, cron, systemd, sysv};
use crate::fact::Facts;

/// What starts services or jobs on a machine.
pub trait Manager: Sync {
    /// Its file or folder here.
    fn id(&self) -> &'static str;

    /// Scripts that it runs at boot by themselves: to be read.
    fn scripts(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds the services and jobs that it starts. `found` is what the managers before it made of the machine: where one
    /// takes the place of another's service, or runs another, it is seen here and nowhere else.
    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services);
}

/// An init script is hidden by a unit of its name: systemd comes before System V.
pub const MANAGERS: &[&dyn Manager] = &[&systemd::Systemd, &sysv::SystemV, &cron::Cron];
