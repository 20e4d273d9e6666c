//! Ports: which are published, which need a privilege, which a container cannot have.

use super::identity;
use super::place::Place;
use crate::fact::Evidence;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedPort {
    pub port: u16,
    pub protocol: String,
    pub evidence: Evidence,
}

/// Ports that others than the machine itself may reach.
pub(super) fn ports(workload: &Workload) -> Vec<PlannedPort> {
    let mut ports: Vec<PlannedPort> = Vec::new();
    for listen in &workload.listens {
        let known = ports
            .iter()
            .any(|p| p.port == listen.port && p.protocol == listen.protocol);
        if listen.port == 0
            || listen.is_local()
            || known
            || !matches!(listen.protocol.as_str(), "tcp" | "udp")
        {
            continue;
        }
        ports.push(PlannedPort {
            port: listen.port,
            protocol: listen.protocol.clone(),
            evidence: listen.evidence.clone(),
        });
    }
    ports.sort();
    ports
}

/// A process that is not root may open the pod's low ports only where the pod says so.
pub(super) fn sysctls(members: &[&Workload], place: &Place<'_>) -> Vec<(String, String)> {
    let low = |workload: &&Workload| {
        workload
            .listens
            .iter()
            .any(|listen| (1..1024).contains(&listen.port))
    };
    let mut members = members.iter().copied().filter(low);
    if members.any(|workload| identity::names(workload, place).0 != "root") {
        vec![(
            "net.ipv4.ip_unprivileged_port_start".to_owned(),
            "0".to_owned(),
        )]
    } else {
        Vec::new()
    }
}

/// Addresses of the machine itself, which no container has.
pub(super) fn remarks(workload: &Workload) -> Vec<String> {
    let bound = workload.listens.iter().filter(|listen| {
        let address = listen.address.trim_matches(['[', ']']).parse::<IpAddr>();
        listen.protocol != "unix"
            && !listen.is_local()
            && address.is_ok_and(|address| !address.is_unspecified())
    });
    let remark = |listen: &crate::product::Listen| {
        format!(
            "It listens on the machine's own address {} ({}), which a container does not have: change it to all addresses.",
            listen.address,
            listen.evidence.place()
        )
    };
    bound.map(remark).collect()
}
