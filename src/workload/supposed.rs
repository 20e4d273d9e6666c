//! What only two workloads together tell: a port in an application's file that another workload listens on, and a
//! port that is asked for and stands on the command line of one that says nowhere what it listens on; and a job that
//! calls the tools of a server beside it.

use super::{Workload, connect, spoken};
use crate::fact::Facts;
use crate::path::MachinePath;
use crate::product::{Connect, Listen, is_loopback};
use crate::service::ScheduledJob;
use std::collections::BTreeSet;

/// Settles both, on workloads that are otherwise filled in.
pub(super) fn suppose(workloads: &mut [Workload], facts: &Facts) {
    spoken::settle(workloads);
    listens(workloads);
    connects(workloads, facts);
    tools(workloads);
}

/// A tool without a host speaks to the machine's own server: to that of its port, where the job names one.
fn tools(workloads: &mut [Workload]) {
    let found: Vec<Vec<Connect>> = workloads
        .iter()
        .map(|workload| {
            let is_served = |server: &&Workload| {
                let product = server.product.as_ref();
                product.is_some_and(|product| workload.clients_of.contains(&product.pack))
            };
            let servers = workloads.iter().filter(is_served).collect::<Vec<_>>();
            let jobs = workload.jobs.iter();
            jobs.flat_map(|job| spoken_to(job, &servers)).collect()
        })
        .collect();
    for (workload, found) in workloads.iter_mut().zip(found) {
        workload.connects.extend(found);
        workload.connects.sort();
        workload
            .connects
            .dedup_by(|a, b| a.to == b.to && a.via == b.via);
    }
}

fn spoken_to(job: &ScheduledJob, servers: &[&Workload]) -> Vec<Connect> {
    if names_other_host(&job.command) {
        return Vec::new();
    }
    let names = |server: &&&Workload| {
        let mut ports = server.listens.iter().map(|listen| listen.port);
        ports.any(|port| port != 0 && has_word(&job.command, &port.to_string()))
    };
    let named: Vec<&&Workload> = servers.iter().filter(names).collect();
    let all = if named.is_empty() {
        servers.iter().collect()
    } else {
        named
    };
    // One way to each server is enough, and the socket is what a tool without a host takes.
    let ways = all.into_iter().filter_map(|server| {
        let socket = server
            .listens
            .iter()
            .find(|listen| listen.protocol == "unix");
        socket.or(server.listens.first())
    });
    let to = |listen: &Listen| match listen.protocol.as_str() {
        "unix" => listen.address.clone(),
        _ => format!("127.0.0.1:{}", listen.port),
    };
    let connect = |listen: &Listen| Connect {
        to: to(listen),
        via: job.name.clone(),
        evidence: job.evidence.clone(),
    };
    ways.map(connect).collect()
}

/// `-h db.example.net`, `--host=10.0.0.7`: the tool speaks to another machine.
fn names_other_host(command: &str) -> bool {
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        let host = match word.split_once('=') {
            Some(("--host", host)) => Some(host),
            _ if matches!(word, "-h" | "--host") => words.next(),
            _ => None,
        };
        let host = host.map(|host| host.trim_matches(['"', '\'']));
        if host.is_some_and(|host| !host.starts_with('/') && !is_loopback(host)) {
            return true;
        }
    }
    false
}

fn has_word(command: &str, word: &str) -> bool {
    let mut words = command.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|found| found == word)
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
            .filter(|workload| workload.listens.is_empty() && workload.answer.ports.is_none())
            .filter(|workload| names(workload, port));
        // Two that could be meant are none.
        if let (Some(only), None) = (silent.next(), silent.next()) {
            let command = only
                .services
                .first()
                .and_then(|main| main.commands.start.last());
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
    let main = workload
        .services
        .first()
        .and_then(|main| main.commands.start.last());
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
            // In the server's own directory it is the port that it opens.
            let is_its_own = is_nearer(&connect.evidence.path, other, workload);
            other.id != workload.id && !client && !is_its_own && connect::reaches(&connect, other)
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

/// Whether a file lies where one workload works and the other does not.
fn is_nearer(file: &MachinePath, one: &Workload, other: &Workload) -> bool {
    let works = |workload: &Workload| {
        let mut own = workload.services.iter();
        own.any(|service| {
            let directory = service.working_directory.as_ref();
            directory.is_some_and(|directory| file.is_within(directory))
        })
    };
    works(one) && !works(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_tools() {
        assert!(names_other_host("pg_dump -h db.example.net shop"));
        assert!(names_other_host("mysqldump --host=10.0.0.7 shop"));
        assert!(!names_other_host("pg_dump -h /run/postgresql shop"));
        assert!(!names_other_host("mysqldump --host='127.0.0.1' shop"));
        assert!(has_word("vacuumdb -p 5440 -a", "5440") && !has_word("x 15440", "5440"));
    }
}
