//! The managers of services and jobs that are understood, in the order in which they are asked.
//!
//! One more is a file or folder beside this one, a line in [`MANAGERS`], and a [`super::Starter`] as the scan will call it.

use super::managed::Wanted;
use super::{
    Services, cron, emperor, inetd, monit, openrc, pm2, quadlet, supervise, supervisord, systemd,
    sysv, upstart,
};
use crate::fact::{Evidence, Facts};

/// A unit that a generator would make at boot; packs describe which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedUnit {
    /// `postgresql@15-main.service`; its template is on the disk.
    pub name: String,
    /// The unit that pulls it in, or the init script that starts it.
    pub wanted_by: String,
    pub evidence: Evidence,
    /// What the init script starts, where no template says it: command line and environment.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
}

/// What starts services or jobs on a machine.
pub trait Manager: Sync {
    /// Its file or folder here.
    fn id(&self) -> &'static str;

    /// Scripts that it runs at boot by themselves: to be read.
    fn scripts(&self) -> &'static [&'static str] {
        &[]
    }

    /// Files that it would be told more by: what it reads beside the machine's own managers' files. `found` is what was found
    /// so far of all managers.
    fn wants(&self, _facts: &Facts, _found: &Services) -> Vec<Wanted> {
        Vec::new()
    }

    /// Adds the services and jobs that it starts. `found` is what the managers before it made of the machine: where one
    /// takes the place of another's service, or runs another, it is seen here and nowhere else.
    fn find(&self, facts: &Facts, generated: &[GeneratedUnit], found: &mut Services);
}

/// An init script is hidden by a unit of its name: systemd, upstart and OpenRC come before System V. Those that others start come last.
pub const MANAGERS: &[&dyn Manager] = &[
    &systemd::Systemd,
    &upstart::Upstart,
    &openrc::OpenRc,
    &sysv::SystemV,
    &quadlet::Quadlet,
    &inetd::Inetd,
    &cron::Cron,
    &supervisord::Supervisord,
    &pm2::Pm2,
    &supervise::Supervise,
    &emperor::Emperor,
    &monit::Monit,
];
