//! Networks of the compose file: what each has to say of ports, names and kernel settings, and the services that hold one
//! for several. Such a service only waits: were a member to hold it, all others would lose it when that one restarts.

use super::{Port, ports};
use crate::plan::Plan;
use crate::render::value::Variable;
use serde::Serialize;
use std::collections::BTreeMap;

/// What belongs to a network name space, not to a process.
#[derive(Debug, Serialize)]
pub(super) struct Network {
    hostname: Vec<String>,
    ports: Vec<Port>,
    hosts: Vec<String>,
    search: Vec<String>,
    sysctls: Vec<Variable>,
}

impl Network {
    fn of(members: &[&Plan]) -> Self {
        let first = members.first();
        let sysctls: BTreeMap<&String, &String> = members
            .iter()
            .flat_map(|member| {
                member
                    .network
                    .sysctls
                    .iter()
                    .map(|(name, value)| (name, value))
            })
            .collect();
        Self {
            hostname: first
                .and_then(|plan| plan.network.hostname.clone())
                .into_iter()
                .collect(),
            ports: members.iter().flat_map(|member| ports(member)).collect(),
            hosts: first
                .iter()
                .flat_map(|plan| &plan.network.hosts)
                .map(|(name, address)| format!("{name}:{address}"))
                .collect(),
            search: first
                .map(|plan| plan.network.search.clone())
                .unwrap_or_default(),
            sysctls: sysctls
                .into_iter()
                .map(|(name, value)| Variable {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
        }
    }
}

/// A service that holds the network of several.
#[derive(Debug, Serialize)]
pub(super) struct Pod {
    pub id: String,
    members: String,
    /// The anchor's own image serves: nothing more is to be fetched.
    context: String,
    network: Network,
}

/// One for each pod of more than one.
pub(super) fn pods(plans: &[Plan]) -> Vec<Pod> {
    let anchors = plans.iter().filter(|plan| plan.network.pod == plan.id);
    let pod = |anchor: &Plan| {
        let members = members(anchor, plans);
        let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        (ids.len() > 1).then(|| Pod {
            id: pod_id(&anchor.id, plans),
            members: ids.join(", "),
            context: format!("./workloads/{}", anchor.id),
            network: Network::of(&members),
        })
    };
    anchors.filter_map(pod).collect()
}

/// The network of a workload that shares it with nobody.
pub(super) fn own(plan: &Plan, plans: &[Plan]) -> Option<Network> {
    let members = members(plan, plans);
    (plan.network.pod == plan.id && members.len() == 1).then(|| Network::of(&members))
}

/// The service whose network a workload uses, where it has none of its own.
pub(super) fn holder(plan: &Plan, plans: &[Plan]) -> Option<String> {
    own(plan, plans)
        .is_none()
        .then(|| pod_id(&plan.network.pod, plans))
}

fn members<'p>(anchor: &Plan, plans: &'p [Plan]) -> Vec<&'p Plan> {
    plans
        .iter()
        .filter(|plan| plan.network.pod == anchor.id)
        .collect()
}

/// `NAME-pod`, unless a workload is called so.
fn pod_id(anchor: &str, plans: &[Plan]) -> String {
    let mut id = format!("{anchor}-pod");
    while plans.iter().any(|plan| plan.id == id) {
        id.push_str("-pod");
    }
    id
}
