//! What is asked for every workload, looked up once for the machine: fifty thousand units are compared with nobody one by one.

use super::Seen;
use super::state::Homes;
use crate::fact::Named;
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::product::Connect;
use crate::workload::{Workload, connect};
use foldhash::{HashMap, HashSet};

pub(super) struct Index<'a> {
    pub homes: Homes,
    /// By workload.
    plans: HashMap<&'a str, &'a Plan>,
    /// Addresses that configuration names, by file.
    named: HashMap<&'a MachinePath, Vec<&'a Named>>,
    /// Who listens on a port.
    ports: HashMap<u16, Vec<&'a Workload>>,
    /// Who listens on sockets.
    sockets: Vec<&'a Workload>,
    /// Ports and addresses of what stays behind.
    behind: (HashSet<u16>, HashSet<&'a str>),
    /// What the manager opens.
    opened: Vec<&'a str>,
    /// Directories of data, with those that have one.
    data: HashSet<&'a MachinePath>,
}

impl<'a> Index<'a> {
    pub(super) fn new(seen: &Seen<'a>) -> Self {
        let mut named: HashMap<&MachinePath, Vec<&Named>> = HashMap::default();
        for one in &seen.facts.named {
            named.entry(&one.evidence.path).or_default().push(one);
        }
        let mut ports: HashMap<u16, Vec<&Workload>> = HashMap::default();
        let mut sockets = Vec::new();
        for workload in seen.workloads {
            for listen in &workload.listens {
                ports.entry(listen.port).or_default().push(workload);
            }
            if workload
                .listens
                .iter()
                .any(|listen| listen.protocol == "unix")
            {
                sockets.push(workload);
            }
        }
        let products = seen
            .placed
            .iter()
            .filter_map(|placed| placed.product.as_ref());
        let listens: Vec<_> = products.flat_map(|product| &product.listens).collect();
        let behind = listens
            .iter()
            .map(|listen| listen.port)
            .filter(|port| *port != 0);
        let services = seen.services.iter().flat_map(|service| &service.sockets);
        let data = seen.workloads.iter().flat_map(|workload| &workload.data);
        let data = data.filter(|data| !data.is_supposed);
        Self {
            homes: Homes::new(seen),
            plans: seen
                .plans
                .iter()
                .map(|plan| (plan.id.as_str(), plan))
                .collect(),
            named,
            ports,
            sockets,
            behind: (
                behind.collect(),
                listens
                    .iter()
                    .map(|listen| listen.address.as_str())
                    .collect(),
            ),
            opened: services.map(|socket| socket.address.as_str()).collect(),
            data: data.map(|data| &data.path).collect(),
        }
    }

    pub(super) fn plan(&self, workload: &Workload) -> Option<&'a Plan> {
        self.plans.get(workload.id.as_str()).copied()
    }

    pub(super) fn named(&self, path: &MachinePath) -> impl Iterator<Item = &'a Named> {
        self.named.get(path).into_iter().flatten().copied()
    }

    /// Whether a path lies in some workload's data.
    pub(super) fn is_data(&self, path: &MachinePath) -> bool {
        std::iter::successors(Some(path.clone()), MachinePath::parent)
            .any(|above| self.data.contains(&above))
    }

    /// By a workload, itself included, by a service that stays behind, or by a socket that the manager opens.
    pub(super) fn is_served(&self, to: &Connect) -> bool {
        let port = to
            .to
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        let by_port = port
            .and_then(|port| self.ports.get(&port))
            .into_iter()
            .flatten();
        let sockets = self.sockets.iter().filter(|_| to.to.starts_with('/'));
        by_port
            .chain(sockets)
            .any(|other| connect::reaches(to, other))
            || port.is_some_and(|port| self.behind.0.contains(&port))
            || self.behind.1.contains(to.to.as_str())
            || self.opened.iter().any(|socket| to.to.ends_with(socket))
    }
}
