//! A loopback address or a socket that a workload connects to, and that nothing on the machine serves.

use super::index::Index;
use crate::product::{Connect, is_loopback};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// Sockets of the system itself, which a container does not have either, and which whoever opens them can do without.
const SYSTEMS: &[&str] = &[
    "/run/systemd/",
    "/run/dbus/",
    "/var/run/dbus/",
    "/dev/log",
    "/run/udev/",
    "/run/nscd/",
    "/var/run/nscd/",
    "/run/user/",
    "/tmp/.X11-unix/",
];

pub(super) fn concerns(index: &Index<'_>, workload: &Workload) -> Vec<Concern> {
    let mut known = BTreeSet::new();
    let open = workload.connects.iter().filter(|connect| {
        is_local(connect) && !index.is_served(connect) && known.insert(connect.to.clone())
    });
    open.filter_map(|connect| {
        let detail = format!(
            "{} names {}, and nothing known on this machine listens there",
            connect.via, connect.to
        );
        let evidence = vec![connect.evidence.clone()];
        concern("unknown/peer", Some(&workload.id), detail, evidence)
    })
    .collect()
}

fn is_local(connect: &Connect) -> bool {
    if connect.to.starts_with('/') {
        return !SYSTEMS.iter().any(|socket| connect.to.starts_with(socket));
    }
    let address = connect.to.rsplit_once(':').map(|(address, _)| address);
    address.is_some_and(is_loopback)
}
