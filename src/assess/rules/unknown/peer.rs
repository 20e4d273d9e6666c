//! A loopback address or a socket that a workload connects to, and that nothing on the machine serves.

use super::Seen;
use crate::product::{Connect, is_loopback};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::workload::{Workload, connect};
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

pub(super) fn concerns(seen: &Seen<'_>, workload: &Workload) -> Vec<Concern> {
    let mut known = BTreeSet::new();
    let open = workload.connects.iter().filter(|connect| {
        is_local(connect) && !is_served(seen, connect) && known.insert(connect.to.clone())
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

/// By a workload, itself included, by a service that stays behind, or by a socket that the manager opens.
fn is_served(seen: &Seen<'_>, to: &Connect) -> bool {
    let by_workload = seen
        .workloads
        .iter()
        .any(|other| connect::reaches(to, other));
    let product = seen
        .placed
        .iter()
        .filter_map(|placed| placed.product.as_ref());
    let by_product = product.flat_map(|product| &product.listens).any(|listen| {
        listen.address == to.to
            || (listen.port != 0 && to.to.ends_with(&format!(":{}", listen.port)))
    });
    by_workload
        || by_product
        || seen.services.iter().any(|service| {
            service
                .sockets
                .iter()
                .any(|socket| to.to.ends_with(&socket.address))
        })
}
