//! What only two workloads together tell: a port in an application's file that another workload listens on, and a
//! port that is asked for and stands on the command line of one that says nowhere what it listens on.

use super::{Connect, Listen, Workload, connect, is_loopback};
use crate::fact::Facts;
use std::collections::BTreeSet;

/// Settles both, on workloads that are otherwise filled in.
pub(super) fn suppose(workloads: &mut [Workload], facts: &Facts) {
    listens(workloads);
    connects(workloads, facts);
}

/// Ports on loopback that are asked for and nobody is known to open, on the command line of one that opens nothing known.
fn listens(workloads: &mut [Workload]) {
    let is_open = |connect: &Connect| {
        workloads
            .iter()
            .any(|other| connect::reaches(connect, other))
    };
    let asked = workloads.iter().flat_map(|workload| &workload.connects);
    let asked: BTreeSet<u16> = asked
        .filter(|connect| !is_open(connect))
        .filter_map(|connect| connect.to.rsplit_once(':'))
        .filter(|(address, _)| is_loopback(address))
        .filter_map(|(_, port)| port.parse().ok())
        .collect();
    for port in asked {
        let mut silent = workloads
            .iter_mut()
            .filter(|workload| workload.listens.is_empty() && names(workload, port));
        // Two that could be meant are none.
        if let (Some(only), None) = (silent.next(), silent.next()) {
            let command = only.services.first().and_then(|main| main.exec.last());
            let listen = command.map(|command| Listen {
                address: "127.0.0.1".into(),
                port,
                protocol: "tcp".into(),
                evidence: command.evidence.clone(),
            });
            only.listens.extend(listen);
        }
    }
}

/// Whether the main command has the port as a word, or at the end of one: `7070`, `--on=7070`, `:7070`.
fn names(workload: &Workload, port: u16) -> bool {
    let main = workload.services.first().and_then(|main| main.exec.last());
    let mut arguments = main.iter().flat_map(|command| command.argv.iter().skip(1));
    arguments.any(|word| {
        word.rsplit(['=', ':'])
            .next()
            .and_then(|end| end.parse().ok())
            == Some(port)
    })
}

/// A port alone counts where another workload listens on it, unless that one is the client.
fn connects(workloads: &mut [Workload], facts: &Facts) {
    let found: Vec<Vec<Connect>> = workloads
        .iter()
        .map(|workload| of_workload(workload, workloads, facts))
        .collect();
    for (workload, found) in workloads.iter_mut().zip(found) {
        workload.connects.extend(found);
    }
}

fn of_workload(workload: &Workload, all: &[Workload], facts: &Facts) -> Vec<Connect> {
    let guesses = facts.peers.iter().filter(|peer| peer.is_guess);
    let own = guesses.filter(|peer| {
        let mut claims = workload.claims.iter();
        claims.any(|claim| peer.evidence.path.is_within(claim))
    });
    let mut found: Vec<Connect> = Vec::new();
    for connect in own.map(Connect::from) {
        let servers = all.iter().filter(|other| {
            let client = other.connects.iter().any(|c| connect::reaches(c, workload));
            other.id != workload.id && !client && connect::reaches(&connect, other)
        });
        let is_new = |server: &Workload| {
            let mut known = workload.connects.iter().chain(&found);
            !known.any(|known| connect::reaches(known, server))
        };
        if !connect::reaches(&connect, workload) && servers.into_iter().any(is_new) {
            found.push(connect);
        }
    }
    found
}
