//! The ports that containers publish, and what is asked there.

use crate::product::pack::Packs;
use crate::scan::Scan;
use crate::text::unescaped;
use regex::Regex;

/// A port that a plan publishes.
#[derive(Debug, Clone)]
pub struct Listener {
    pub workload: String,
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Names of hosts that it answers for, and paths that it serves.
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
    /// What the product's pack says of its protocol.
    pub talk: Talk,
}

/// How a protocol that is not HTTP is spoken to.
#[derive(Debug, Clone, Default)]
pub struct Talk {
    pub greets: bool,
    pub ask: Vec<u8>,
    pub datagram: Vec<u8>,
    pub expect: Option<Regex>,
}

impl Talk {
    /// Whether there is something to ask or to wait for over TCP.
    pub fn is_some(&self) -> bool {
        self.greets || !self.ask.is_empty()
    }
}

impl Listener {
    /// Why it is not asked.
    pub fn not_asked(&self) -> Option<&'static str> {
        match self.protocol.as_str() {
            "udp" if self.talk.datagram.is_empty() => {
                Some("nothing is known that could be asked over UDP without changing anything")
            }
            "tcp" | "udp" => None,
            _ => Some("neither TCP nor UDP"),
        }
    }
}

/// What the plans of a scan publish, in their order.
pub fn listeners(scan: &Scan, packs: &Packs) -> Vec<Listener> {
    let mut found = Vec::new();
    for workload in &scan.workloads {
        let talk = workload
            .product
            .as_ref()
            .map(|id| talk(packs, id))
            .unwrap_or_default();
        let ports = workload.plan.iter().flat_map(|plan| &plan.network.ports);
        found.extend(ports.map(|port| Listener {
            workload: workload.id.clone(),
            port: port.port,
            protocol: port.protocol.clone(),
            hosts: workload.hosts.clone(),
            paths: workload.paths.clone(),
            talk: talk.clone(),
        }));
    }
    found
}

fn talk(packs: &Packs, id: &str) -> Talk {
    let Some(pack) = packs.get(id) else {
        return Talk::default();
    };
    let Some(probe) = &pack.file.probe else {
        return Talk::default();
    };
    let bytes = |text: &Option<String>| text.as_deref().and_then(unescaped).unwrap_or_default();
    let expect = probe.expect.as_deref();
    Talk {
        greets: probe.greeting,
        ask: bytes(&probe.ask),
        datagram: bytes(&probe.datagram),
        expect: expect
            .and_then(|expression| pack.regex(expression))
            .cloned(),
    }
}
