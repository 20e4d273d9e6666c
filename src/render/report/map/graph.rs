//! The scan as boxes and lines, without places.

use crate::render::report::words;
use crate::scan::{Scan, Service, Workload};
use crate::ui;
use crate::workload::{Connect, Disposition, Listen, is_loopback};
use std::collections::BTreeMap;

/// What a box stands for; it decides its colour and its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Port,
    Workload,
    Volume,
    Outside,
    Keep,
    Drop,
    Platform,
}

#[derive(Debug, Clone)]
pub struct Node {
    pub kind: Kind,
    pub label: String,
    /// The second line.
    pub sub: String,
    /// The workload it belongs to.
    pub workload: String,
    pub verdict: &'static str,
    pub score: Option<u32>,
    /// Column: 0 for ports, then workloads by how far they are from an entry, then what they keep or reach.
    pub column: usize,
}

/// A line between two nodes of one pod, by place in `Pod::nodes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub title: String,
}

/// Workloads that share a network name space, with what belongs to them.
#[derive(Debug, Clone, Default)]
pub struct Pod {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// The whole map.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub pods: Vec<Pod>,
    /// What does not move, by what becomes of it.
    pub rest: Vec<(Kind, String, Vec<Node>)>,
}

/// Columns of workloads; what is deeper stands in the last.
const DEEPEST: usize = 3;

/// Boxes of one kind that a workload has; the last says how many more there are.
const MOST: usize = 4;

/// Services named among what stays or is left out, and among the platform's; the last box says how many more there are.
const NAMED: usize = 15;
const PLATFORM: usize = 10;

/// Makes the graph.
pub fn graph(scan: &Scan) -> Graph {
    let mut pods: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    for workload in &scan.workloads {
        let pod = workload
            .plan
            .as_ref()
            .map_or(&workload.id, |plan| &plan.pod);
        pods.entry(pod).or_default().push(workload);
    }
    let mut pods: Vec<Pod> = pods.into_values().map(|members| pod(&members)).collect();
    pods.sort_by_key(|pod| std::cmp::Reverse(pod.nodes.len()));
    let rest = [
        (Kind::Keep, Disposition::Keep, "Stays on a machine"),
        (Kind::Drop, Disposition::Drop, "Left out"),
        (Kind::Platform, Disposition::Platform, "The platform's work"),
    ];
    let rest = rest.into_iter().map(|(kind, disposition, title)| {
        let services = scan
            .services
            .iter()
            .filter(|service| service.disposition == Some(disposition));
        let services: Vec<&Service> = services.collect();
        (
            kind,
            format!("{title} ({})", services.len()),
            named(kind, &services),
        )
    });
    Graph {
        pods,
        rest: rest.filter(|(_, _, nodes)| !nodes.is_empty()).collect(),
    }
}

fn named(kind: Kind, services: &[&Service]) -> Vec<Node> {
    let limit = if kind == Kind::Platform {
        PLATFORM
    } else {
        NAMED
    };
    let most = if services.len() > limit {
        limit - 1
    } else {
        limit
    };
    let mut sorted = services.to_vec();
    // Units have names that say something; a job is named by its file and command.
    sorted.sort_by_key(|service| service.name.starts_with('/'));
    let mut nodes: Vec<Node> = sorted
        .iter()
        .take(most)
        .map(|service| node(kind, short(&service.name), service.reason.clone(), ""))
        .collect();
    let more = services.len().saturating_sub(most);
    if more > 0 {
        nodes.push(node(
            kind,
            format!("and {more} more"),
            "with their reasons below".into(),
            "",
        ));
    }
    nodes
}

/// A job `FILE: COMMAND` by the last part of its file's name.
fn short(name: &str) -> String {
    let file = name.split(": ").next().unwrap_or(name);
    file.rsplit('/').next().unwrap_or(name).to_owned()
}

fn node(kind: Kind, label: String, sub: String, workload: &str) -> Node {
    Node {
        kind,
        label,
        sub,
        workload: workload.to_owned(),
        verdict: "",
        score: None,
        column: 0,
    }
}

fn pod(members: &[&Workload]) -> Pod {
    let columns = columns(members);
    let last = columns.iter().max().copied().unwrap_or(1) + 1;
    let mut pod = Pod::default();
    if let [_, _, ..] = members {
        pod.title = format!("One pod: {} containers share a network", members.len());
    }
    for (workload, column) in members.iter().zip(&columns) {
        pod.nodes.push(Node {
            verdict: words::verdict(workload.assessment.verdict),
            score: Some(workload.assessment.score),
            column: *column,
            ..node(
                Kind::Workload,
                workload.id.clone(),
                subtitle(workload),
                &workload.id,
            )
        });
    }
    for (at, workload) in members.iter().enumerate() {
        needs(&mut pod, at, workload, members);
        let ports = workload.listens.iter().filter(|listen| !listen.is_local());
        let ports = ports.map(|listen| {
            (
                words::address(listen),
                listen.evidence.place(),
                String::new(),
            )
        });
        attach(&mut pod, at, Kind::Port, 0, ports.collect());
        let outside = workload
            .connects
            .iter()
            .filter(|connect| !known(connect, members));
        let outside = outside.map(|c| {
            (
                c.to.clone(),
                format!("{} {}", c.via, c.evidence.place()),
                c.via.clone(),
            )
        });
        let data = workload.data.iter().map(|data| {
            let text = format!("{} {}", data.why, data.evidence.place());
            (data.path.to_string(), text, ui::bytes(data.bytes))
        });
        attach(&mut pod, at, Kind::Volume, last, data.collect());
        attach(&mut pod, at, Kind::Outside, last, outside.collect());
    }
    pod
}

/// What stands under a workload's name: when it runs, where it listens inside its pod, or what it is.
fn subtitle(workload: &Workload) -> String {
    let local = workload.listens.iter().find(|listen| listen.is_local());
    workload
        .schedule
        .clone()
        .or_else(|| local.map(words::address))
        .unwrap_or_else(|| workload.kind.clone())
}

/// Columns from 1: one more than the workload that needs it, a circle's members where they were first met.
fn columns(members: &[&Workload]) -> Vec<usize> {
    let mut columns = vec![1; members.len()];
    for _ in 1..DEEPEST {
        let before = columns.clone();
        for (workload, column) in members.iter().zip(&before) {
            for (other, place) in members.iter().zip(&mut columns) {
                let needed = workload.needs.contains(&other.id) && other.id != workload.id;
                // In a circle the one that comes first by name stays in front.
                let circle = other.needs.contains(&workload.id) && other.id < workload.id;
                if needed && !circle {
                    *place = (*place).max(column + 1).min(DEEPEST);
                }
            }
        }
    }
    columns
}

fn needs(pod: &mut Pod, at: usize, workload: &Workload, members: &[&Workload]) {
    for (to, other) in members.iter().enumerate() {
        if to == at || !workload.needs.contains(&other.id) {
            continue;
        }
        let connect = workload
            .connects
            .iter()
            .find(|connect| answers(connect, &other.listens));
        let how = connect.map_or_else(
            || "over a shared directory or socket".to_owned(),
            |connect| {
                format!(
                    "{} ({}, {})",
                    connect.to,
                    connect.via,
                    connect.evidence.place()
                )
            },
        );
        let title = format!("{} reaches {}: {how}", workload.id, other.id);
        pod.edges.push(Edge {
            from: at,
            to,
            title,
        });
    }
}

/// Adds boxes of one kind to a workload; equal ones are one box with several lines.
fn attach(
    pod: &mut Pod,
    at: usize,
    kind: Kind,
    column: usize,
    mut items: Vec<(String, String, String)>,
) {
    items.sort();
    items.dedup_by(|a, b| a.0 == b.0);
    let more = items.len().saturating_sub(MOST);
    if more > 0 {
        items.truncate(MOST - 1);
        items.push((
            format!("and {} more", more + 1),
            String::new(),
            String::new(),
        ));
    }
    let owner = pod
        .nodes
        .get(at)
        .map(|node| node.workload.clone())
        .unwrap_or_default();
    for (label, title, sub) in items {
        let same =
            |node: &Node| node.kind == kind && node.label == label && !label.starts_with("and ");
        let place = pod.nodes.iter().position(same).unwrap_or(pod.nodes.len());
        if place == pod.nodes.len() {
            let made = Node {
                column,
                ..node(kind, label.clone(), sub, &owner)
            };
            pod.nodes.push(made);
        }
        let (from, to) = if kind == Kind::Port {
            (place, at)
        } else {
            (at, place)
        };
        let title = format!("{owner}: {label} {title}");
        pod.edges.push(Edge { from, to, title });
    }
}

/// Whether a connection ends at a workload of the pod.
fn known(connect: &Connect, members: &[&Workload]) -> bool {
    members
        .iter()
        .any(|workload| answers(connect, &workload.listens))
}

/// Whether a listener is the other end: the same socket, or the same port on the machine itself.
fn answers(connect: &Connect, listens: &[Listen]) -> bool {
    listens.iter().any(|listen| {
        if listen.protocol == "unix" {
            let to = connect.to.trim_end_matches('/');
            return to.starts_with('/')
                && (listen.address == to || listen.address.starts_with(&format!("{to}/")));
        }
        connect
            .to
            .rsplit_once(':')
            .is_some_and(|(address, port)| port.parse() == Ok(listen.port) && is_loopback(address))
    })
}
