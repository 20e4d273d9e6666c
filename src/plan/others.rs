//! What a workload carries with an application's tree, and another workload has to have instead.

use super::place::Place;
use crate::path::MachinePath;
use crate::workload::{Workload, settings};
use std::collections::BTreeSet;

/// Files that stay out of its image, for they are somebody else's.
pub(super) fn left_to(
    workload: &Workload,
    all: &[Workload],
    place: &Place<'_>,
) -> Vec<MachinePath> {
    let mut found = configuration(workload, all, place);
    found.extend(secrets(workload, all, place));
    found
}

/// Configuration of others in what this workload carries too: two products in one tree have a file each, and neither
/// reads the other's.
fn configuration(workload: &Workload, all: &[Workload], place: &Place<'_>) -> Vec<MachinePath> {
    let product = workload.product.iter();
    let own = product.flat_map(|product| &product.configuration);
    let tree = &place.facts.tree;
    let own: BTreeSet<MachinePath> = own.filter_map(|path| tree.resolve(path)).collect();
    let others = all.iter().filter(|other| other.id != workload.id);
    let others = others.flat_map(|other| &other.product);
    let files = others.flat_map(|product| &product.configuration);
    let files = files.filter_map(|path| tree.resolve(path));
    let is_shared = |path: &MachinePath| {
        let mut claims = workload.claims.iter();
        claims.any(|claim| path != claim && path.is_within(claim))
    };
    // Who has no configuration of its own known reads anything.
    let is_others = |path: &MachinePath| !own.is_empty() && !own.contains(path) && is_shared(path);
    files
        .filter(is_others)
        .filter(|path| place.secrets.contains_key(path))
        .collect()
}

/// Secrets in an application that another workload runs and this one only hands requests to: what it serves itself is
/// none of them.
fn secrets(workload: &Workload, all: &[Workload], place: &Place<'_>) -> Vec<MachinePath> {
    let runs = |workload: &Workload| {
        let product = workload.product.as_ref();
        product.is_none_or(|product| product.opens_files_of_clients || !product.says.state)
    };
    if runs(workload) {
        return Vec::new();
    }
    let servers = all.iter().filter(|other| {
        let is_asked = workload.needs.iter().any(|needed| needed.id == other.id);
        let product = other.product.as_ref();
        is_asked && product.is_some_and(|product| product.opens_files_of_clients)
    });
    let servers: Vec<&Workload> = servers.collect();
    let inside = |path: &MachinePath, claims: &[MachinePath]| {
        claims
            .iter()
            .any(|claim| path != claim && path.is_within(claim))
    };
    let secrets = place.secrets.keys().filter(|path| {
        let is_run = servers.iter().any(|server| inside(path, &server.claims));
        // A script that is asked for by its name has to be there, though another runs it.
        let is_asked_for = !settings::is_configuration(path);
        is_run && !is_asked_for && inside(path, &workload.claims)
    });
    secrets.map(|path| (*path).clone()).collect()
}
