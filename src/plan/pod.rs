//! Pods: workloads that reach each other over loopback or a Unix socket share a network name space, so that the machine's
//! configuration works unchanged. The anchor owns it; it is what starts first.

use super::Plan;
use crate::product::Listen;
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// Where a workload stands in its pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    /// The anchor's id; its own for the anchor.
    pub pod: String,
    /// Ids it waits for; never in a circle.
    pub waits: Vec<String>,
}

/// The seats, one for each workload, in the same order.
pub(super) fn seats(workloads: &[Workload]) -> Vec<Seat> {
    let ids: BTreeSet<&str> = workloads
        .iter()
        .map(|workload| workload.id.as_str())
        .collect();
    let needs: BTreeMap<&str, BTreeSet<&str>> = workloads
        .iter()
        .map(|workload| {
            let needs = workload.needs.iter().map(|needed| needed.id.as_str());
            let known = needs.filter(|id| ids.contains(id) && *id != workload.id);
            (workload.id.as_str(), known.collect())
        })
        .collect();
    let mut pods = components(&needs);
    join_lonely(&mut pods, workloads);
    let mut anchors: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waits: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for members in &pods {
        let order = start_order(members, &needs);
        for (at, id) in order.iter().enumerate() {
            anchors.insert(id, order.first().unwrap_or(id));
            let earlier = order.iter().take(at);
            let needed = needs.get(id);
            let waited = earlier.filter(|other| needed.is_some_and(|needs| needs.contains(*other)));
            waits.insert(id, waited.map(|other| (*other).to_owned()).collect());
        }
    }
    let seat = |workload: &Workload| Seat {
        pod: anchors
            .get(workload.id.as_str())
            .map_or_else(|| workload.id.clone(), |id| (*id).to_owned()),
        waits: waits.remove(workload.id.as_str()).unwrap_or_default(),
    };
    workloads.iter().map(seat).collect()
}

/// Whether it can be reached from the machine alone.
fn is_local(workload: &Workload) -> bool {
    !workload.listens.is_empty() && workload.listens.iter().all(Listen::is_local)
}

/// A server on loopback serves somebody on this machine, though no configuration says whom (programs hold addresses too):
/// by itself in a pod nobody could reach it, so it joins the largest, the first by id among equals.
fn join_lonely<'a>(pods: &mut Vec<Vec<&'a str>>, workloads: &'a [Workload]) {
    let lonely = |pod: &Vec<&str>| {
        let mut members = workloads
            .iter()
            .filter(|workload| pod.contains(&workload.id.as_str()));
        pod.len() == 1 && members.any(is_local)
    };
    let (mut alone, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(pods).into_iter().partition(lonely);
    let served = |pod: &&mut Vec<&str>| {
        let mut members = workloads
            .iter()
            .filter(|workload| pod.contains(&workload.id.as_str()));
        members.any(|workload| !workload.services.is_empty())
    };
    let largest = rest
        .iter_mut()
        .filter(served)
        .rev()
        .max_by_key(|pod| pod.len());
    if let Some(largest) = largest {
        largest.extend(alone.drain(..).flatten());
        largest.sort_unstable();
    }
    rest.append(&mut alone);
    *pods = rest;
}

/// Whether it was put where it is for want of anybody seen to use it.
pub(super) fn is_lonely(workload: &Workload, workloads: &[Workload]) -> bool {
    is_local(workload)
        && workload.needs.is_empty()
        && !workloads
            .iter()
            .any(|other| other.needs.iter().any(|needed| needed.id == workload.id))
}

/// Connected components, needs taken both ways.
fn components<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut near: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, needed) in needs {
        near.entry(id).or_default();
        for other in needed {
            near.entry(id).or_default().insert(other);
            near.entry(other).or_default().insert(id);
        }
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for id in near.keys().copied() {
        let (mut todo, mut members) = (vec![id], Vec::new());
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                members.push(id);
                todo.extend(near.get(id).into_iter().flatten().copied());
            }
        }
        if !members.is_empty() {
            members.sort_unstable();
            found.push(members);
        }
    }
    found
}

/// What others need first; within a circle, and otherwise, by id.
fn start_order<'a>(
    members: &[&'a str],
    needs: &BTreeMap<&'a str, BTreeSet<&'a str>>,
) -> Vec<&'a str> {
    let mut left: BTreeSet<&str> = members.iter().copied().collect();
    let mut order = Vec::new();
    while let Some(first) = left.first().copied() {
        let free = |id: &&&str| needs.get(**id).is_none_or(|needs| needs.is_disjoint(&left));
        let next = left.iter().find(free).copied().unwrap_or(first);
        left.remove(next);
        order.push(next);
    }
    order
}

/// The plans of these workloads alone, all of them where none is named. What shared the network of one that was left out
/// shares that of the first that was not; whom it waited for and is not there is a note.
pub fn choose(plans: &[Plan], ids: &[String]) -> Vec<Plan> {
    let chosen = plans
        .iter()
        .filter(|plan| ids.is_empty() || ids.contains(&plan.id));
    let mut chosen: Vec<Plan> = chosen.cloned().collect();
    let here: BTreeSet<String> = chosen.iter().map(|plan| plan.id.clone()).collect();
    let mut anchors: BTreeMap<String, String> = BTreeMap::new();
    for plan in &mut chosen {
        let network = &mut plan.network;
        if !here.contains(&network.pod) {
            let anchor = anchors
                .entry(network.pod.clone())
                .or_insert_with(|| plan.id.clone());
            network.pod.clone_from(anchor);
        }
        let (kept, missing): (Vec<String>, Vec<String>) = std::mem::take(&mut network.depends_on)
            .into_iter()
            .partition(|id| here.contains(id));
        network.depends_on = kept;
        let notes = missing.iter().map(|id| {
            format!("It reaches {id}, which was not chosen (--workload), as if it were beside it.")
        });
        plan.notes.extend(notes);
        plan.notes.sort();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(edges: &[(&str, &[&str])]) -> (Vec<Vec<String>>, Vec<String>) {
        let edges: Vec<(&str, BTreeSet<&str>)> = edges
            .iter()
            .map(|(id, needs)| (*id, needs.iter().copied().collect()))
            .collect();
        let needs: BTreeMap<&str, BTreeSet<&str>> = edges.into_iter().collect();
        let pods = components(&needs);
        let first = start_order(&pods[0], &needs)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let own = |pod: &Vec<&str>| pod.iter().map(|id| (*id).to_owned()).collect();
        (pods.iter().map(own).collect(), first)
    }

    #[test]
    fn what_is_needed_starts_first() {
        let (pods, first) = order(&[
            ("a-web", &["app"]),
            ("app", &["db"]),
            ("db", &[]),
            ("zz", &[]),
        ]);
        assert_eq!(pods, [vec!["a-web", "app", "db"], vec!["zz"]]);
        assert_eq!(first, ["db", "app", "a-web"]);
    }

    #[test]
    fn a_circle_starts_somewhere() {
        let (_, first) = order(&[("a", &["b"]), ("b", &["a"])]);
        assert_eq!(first, ["a", "b"]);
    }
}
