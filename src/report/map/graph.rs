//! The scan as boxes and lines, without places.

use crate::product::{Connect, Disposition, Listen, is_loopback};
use crate::report::words;
use crate::scan::{Scan, Service, Workload};
use crate::text;

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a box stands for; it decides its colour and its layer.
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

/// Workloads of one pod, and of all, that are drawn; the others are named below. A pod's best connected come first.
const IN_POD: usize = 24;
const DRAWN: usize = 60;

/// Boxes of one kind that a workload has; the last says how many more there are.
const MOST: usize = 4;

/// Services named among what stays or is left out, and among the platform's; the last box says how many more there are.
const NAMED: usize = 15;
const PLATFORM: usize = 10;

/// Makes the graph.
pub fn graph(scan: &Scan) -> Graph {
    let mut by_pod: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    for workload in &scan.workloads {
        let pod = workload
            .plan
            .as_ref()
            .map_or(&workload.id, |plan| &plan.network.pod);
        by_pod.entry(pod).or_default().push(workload);
    }
    let mut members: Vec<Vec<&Workload>> = by_pod.into_values().collect();
    members.sort_by_key(|members| std::cmp::Reverse(members.len()));
    let (mut pods, mut left, mut undrawn) = (Vec::new(), DRAWN, Vec::new());
    for members in members {
        let (drawn, others) = drawn(&members, left.min(IN_POD));
        left -= drawn.len();
        undrawn.extend(others);
        if !drawn.is_empty() {
            pods.push(pod(&drawn, members.len()));
        }
    }
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
    let undrawn = (
        Kind::Workload,
        format!("Workloads that are not drawn ({})", undrawn.len()),
        undrawn_boxes(&undrawn),
    );
    Graph {
        pods,
        rest: std::iter::once(undrawn)
            .chain(rest)
            .filter(|(_, _, nodes)| !nodes.is_empty())
            .collect(),
    }
}

/// As many of a pod's workloads as there is room for, in their own order, those with the most links first; and the others.
fn drawn<'a>(members: &[&'a Workload], room: usize) -> (Vec<&'a Workload>, Vec<&'a Workload>) {
    let links = |workload: &Workload| {
        let reached = members
            .iter()
            .filter(|other| other.needs.contains(&workload.id));
        workload.needs.len() + reached.count()
    };
    let mut by_links: Vec<(usize, &'a Workload)> = members.iter().copied().enumerate().collect();
    by_links.sort_by_key(|(_, workload)| std::cmp::Reverse(links(workload)));
    let mut others = by_links.split_off(room.min(by_links.len()));
    by_links.sort_by_key(|(at, _)| *at);
    others.sort_by_key(|(at, _)| *at);
    let bare = |of: Vec<(usize, &'a Workload)>| of.into_iter().map(|(_, workload)| workload);
    (bare(by_links).collect(), bare(others).collect())
}

fn undrawn_boxes(undrawn: &[&Workload]) -> Vec<Node> {
    let most = if undrawn.len() > NAMED {
        NAMED - 1
    } else {
        NAMED
    };
    let mut nodes: Vec<Node> = undrawn
        .iter()
        .take(most)
        .map(|workload| of(workload))
        .collect();
    let more = undrawn.len().saturating_sub(most);
    if more > 0 {
        let label = format!("and {more} more");
        nodes.push(node(Kind::Platform, label, "listed above".into(), ""));
    }
    nodes
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
    }
}

/// The box of a workload.
fn of(workload: &Workload) -> Node {
    let made = node(
        Kind::Workload,
        workload.id.clone(),
        subtitle(workload),
        &workload.id,
    );
    Node {
        verdict: words::verdict(workload.assessment.verdict),
        score: Some(workload.assessment.score),
        ..made
    }
}

/// A pod of `count` workloads, of which these are drawn.
fn pod(members: &[&Workload], count: usize) -> Pod {
    let mut pod = Pod::default();
    if count > 1 {
        pod.title = format!("One pod: {count} containers share a network");
    }
    if count > members.len() {
        let more = count - members.len();
        let _ = write!(pod.title, "; {more} of them are not drawn");
    }
    pod.nodes = members.iter().map(|workload| of(workload)).collect();
    for (at, workload) in members.iter().enumerate() {
        needs(&mut pod, at, workload, members);
        attach(&mut pod, at, Kind::Port, ports(workload));
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
            (data.path.to_string(), text, text::bytes(data.bytes))
        });
        attach(&mut pod, at, Kind::Volume, data.collect());
        attach(&mut pod, at, Kind::Outside, outside.collect());
    }
    pod
}

/// Ports that others can reach: one box for a port, however many addresses it has.
fn ports(workload: &Workload) -> Vec<(String, String, String)> {
    let mut ports: BTreeMap<(u16, &str), Vec<&Listen>> = BTreeMap::new();
    for listen in workload.listens.iter().filter(|listen| !listen.is_local()) {
        let port = (listen.port, listen.protocol.as_str());
        ports.entry(port).or_default().push(listen);
    }
    let boxes = ports.into_iter().map(|((port, protocol), listens)| {
        let mut addresses: Vec<String> = listens
            .iter()
            .map(|listen| listen.address.clone())
            .collect();
        addresses.sort();
        addresses.dedup();
        let place = listens.first().map(|listen| listen.evidence.place());
        (
            format!("{port}/{protocol}"),
            place.unwrap_or_default(),
            text::list(&addresses, 2),
        )
    });
    boxes.collect()
}

/// What stands under a workload's name: when it runs, where it listens inside its pod, or what it is.
fn subtitle(workload: &Workload) -> String {
    let local = workload.listens.iter().find(|listen| listen.is_local());
    workload
        .schedule
        .clone()
        .or_else(|| local.map(Listen::shown))
        .unwrap_or_else(|| workload.kind.clone())
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
fn attach(pod: &mut Pod, at: usize, kind: Kind, mut items: Vec<(String, String, String)>) {
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
            pod.nodes.push(node(kind, label.clone(), sub, &owner));
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
