//! Takes in what an application's configuration says: addresses, peers, and the places that it uses.

use super::custom::{LOCAL_DATABASE, Place, Said};
use super::data::is_passing;
use super::{Configuration, Data, Workload, claims, connect, settings};
use crate::fact::Facts;
use crate::fact::profile::Active;
use crate::path::MachinePath;
use crate::product::Connect;
use crate::walk::Entry;
use std::collections::BTreeMap;

/// Programs and what they bring, whoever put them there.
const PROGRAMS: &[&str] = &["/usr", "/bin", "/sbin", "/lib"];

/// The paths that the configuration names are given back.
pub(super) fn take(workload: &mut Workload, facts: &Facts) -> Vec<MachinePath> {
    let documents = settings::documents(workload, facts);
    let said = Said::of(documents, &variables(workload), active(workload));
    // A pack that says where its product listens knows it better.
    let is_silent = workload.listens.is_empty() || workload.product.is_none();
    if is_silent && workload.answer.ports.is_none() {
        for listen in said.listens {
            let mut known = workload.listens.iter();
            if !known.any(|own| (own.port, &own.protocol) == (listen.port, &listen.protocol)) {
                workload.listens.push(listen);
            }
        }
    }
    connects(workload, said.connects);
    let paths = said.paths.iter().map(|place| place.path.clone()).collect();
    for named in said.paths {
        place(workload, facts, named);
    }
    workload.claims = claims::outermost(std::mem::take(&mut workload.claims));
    workload.configuration.sort();
    workload.configuration.dedup();
    paths
}

/// Whom the configuration names that came to a workload only when the machine was cut: the code that its parts share.
pub(super) fn add_connects(workloads: &mut [Workload], facts: &Facts) {
    for workload in workloads {
        let documents = settings::documents(workload, facts);
        let said = Said::of(documents, &variables(workload), active(workload));
        connects(workload, said.connects);
        workload.connects.sort();
    }
}

/// The profiles of the application that are on.
fn active(workload: &Workload) -> Active {
    let main = workload.services.iter().take(1);
    let argv = main.flat_map(|service| &service.commands.start);
    Active::new(
        argv.flat_map(|command| &command.argv),
        workload
            .environment
            .iter()
            .map(|(name, value)| (name, value)),
    )
}

fn variables(workload: &Workload) -> BTreeMap<String, String> {
    workload.environment.iter().cloned().collect()
}

fn connects(workload: &mut Workload, said: Vec<Connect>) {
    for found in said {
        let is_known = workload.connects.iter().any(|known| known.to == found.to);
        if !is_known && !connect::reaches(&found, workload) {
            workload.connects.push(found);
        }
    }
}

/// What a path that the configuration names is to the workload.
fn place(workload: &mut Workload, facts: &Facts, named: Place) {
    let Some(path) = facts.tree.resolve(&named.path) else {
        return;
    };
    let Some(entry) = facts.tree.entry(&path) else {
        return;
    };
    let mut programs = PROGRAMS.iter();
    let is_passing =
        is_passing(&path) || programs.any(|dir| path.is_within(&MachinePath::new(*dir)));
    let is_known = workload.data.iter().any(|data| path.is_within(&data.path));
    if is_passing || is_known || path.components().count() < 2 || facts.owner(&path).is_some() {
        return;
    }
    let inside = workload.claims.iter().any(|claim| path.is_within(claim));
    let is_root_of = workload.claims.iter().any(|claim| claim.is_within(&path));
    if entry.is_dir() && named.is_kept && !is_root_of && writes(workload, facts, entry) {
        workload.data.push(Data {
            bytes: claims::files(facts, &path).map(|entry| entry.size).sum(),
            why: "its configuration names it".to_owned(),
            link: (named.path != path).then_some(named.path),
            is_inner: inside,
            is_supposed: false,
            evidence: named.evidence,
            path,
        });
    } else if entry.is_file() && path.is_within(&MachinePath::new("/etc")) {
        workload.configuration.push(Configuration {
            state: facts.state(&path),
            path,
        });
    } else if !inside && !claims::is_shelf(&path) && !path.is_within(&MachinePath::new("/etc")) {
        workload.claims.push(path);
    }
}

/// Whether its process may write there: its own, its group's, or everybody's.
fn writes(workload: &Workload, facts: &Facts, entry: &Entry) -> bool {
    let Some(user) = facts.user(&workload.user) else {
        return false;
    };
    let group = facts
        .group(&workload.group)
        .map_or(user.gid, |group| group.gid);
    user.uid == 0
        || entry.uid == user.uid
        || entry.gid == group && entry.mode & 0o020 != 0
        || entry.mode & 0o002 != 0
}

/// A database on `localhost` whose port nobody wrote down is the machine's own, if it has one: by its socket, where it
/// has one.
pub(super) fn settle(workloads: &mut [Workload]) {
    let mut servers = workloads
        .iter()
        .filter(|workload| workload.kind == "database");
    let server = match (servers.next(), servers.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    let to = server.and_then(|server| {
        let mut sockets = server
            .listens
            .iter()
            .filter(|listen| listen.protocol == "unix");
        let socket = sockets.next().map(|socket| socket.address.clone());
        let first = server.listens.first();
        socket.or_else(|| first.map(|listen| format!("127.0.0.1:{}", listen.port)))
    });
    for workload in workloads {
        let connects = std::mem::take(&mut workload.connects);
        let settled = connects.into_iter().filter_map(|connect| {
            if connect.to != LOCAL_DATABASE {
                return Some(connect);
            }
            Some(Connect {
                to: to.clone()?,
                ..connect
            })
        });
        workload.connects = settled.collect();
        workload.connects.sort();
        workload
            .connects
            .dedup_by(|a, b| a.to == b.to && a.via == b.via);
    }
}
