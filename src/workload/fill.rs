//! Fills a workload in: packages, configuration, claims, data, addresses, secrets.

use super::cut::Placed;
use super::data::data;
use super::listen::listens;
use super::named::{named_by_scripts, named_paths, split};
use super::packages::packages;
use super::{
    Configuration, Data, Mount, Workload, claims, connect, loaded, mount, place, spoken, trust,
};
use crate::detect::native::package;
use crate::distribution::closure::Installed;
use crate::fact::{Facts, SecretRef};
use crate::path::MachinePath;
use crate::product::Log;
use crate::product::{Connect, Listen, Product, program_of};
use crate::program::Program;
use crate::secret::MASK;
use crate::service::{DirectoryKind, Service};

/// The workload of one service.
pub fn of_service(
    id: String,
    placed: &Placed,
    facts: &Facts,
    (installed, mounts): (&Installed<'_>, &[Mount]),
) -> Workload {
    let service = &placed.service;
    let product = placed.product.as_ref();
    let program = program_of(service, facts);
    let data = data(service, product, &program.files, facts);
    let mut named = named_paths(service, &program);
    named.extend(named_by_scripts(&program, facts));
    let kept = data.iter().map(|data| &data.path);
    let led_to = kept.clone().filter_map(|path| facts.tree.resolve(path));
    let kept: Vec<MachinePath> = kept.cloned().chain(led_to).collect();
    let is_data = |path: &MachinePath| kept.iter().any(|data| path.is_within(data));
    named.extend(service.mounts.iter().cloned());
    let (mut configuration, claims) = split(facts, product, service, named.clone(), &is_data);
    let trusted = trust::files(facts, &program).into_iter();
    configuration.extend(trusted.map(|path| Configuration {
        state: facts.state(&path),
        path,
    }));
    configuration.retain(|file| !package::is_aside(&file.path));
    configuration.sort();
    configuration.dedup();
    let title = match product {
        Some(product) => product.title.clone(),
        None if service.description.is_empty() => service.name.clone(),
        None => service.description.clone(),
    };
    let mut workload = Workload {
        kind: product.map_or_else(|| "application".to_owned(), |product| product.kind.clone()),
        listens: listens(service, product, &program),
        connects: connects(service, product),
        user: product
            .and_then(|product| product.user.clone())
            .filter(|_| service.user == "root")
            .unwrap_or_else(|| service.user.clone()),
        group: service.group.clone(),
        environment: service
            .environment
            .variables
            .iter()
            .filter(|(_, value)| !value.contains(MASK))
            .cloned()
            .collect(),
        executables: program.files.clone(),
        logs: logs(service, product, &program),
        product: product.cloned(),
        services: vec![service.clone()],
        jobs: Vec::new(),
        packages: Vec::new(),
        schedule: None,
        secrets: Vec::new(),
        clients_of: Vec::new(),
        calls: Vec::new(),
        mounts: Vec::new(),
        needs: Vec::new(),
        answer: place::answer(service, facts).cloned().unwrap_or_default(),
        id,
        title,
        configuration,
        claims,
        data,
    };
    take_answer(&mut workload, facts);
    named.extend(spoken::take(&mut workload, facts));
    mount::take(&mut workload, facts, mounts, &named);
    loaded::take(&mut workload, facts);
    workload.packages = packages(&workload, service, &program, facts, installed);
    workload.secrets = secrets(&workload, facts);
    workload.connects.extend(named_peers(&workload, facts));
    workload
}

/// Takes in what a person said that it listens on, keeps, needs and finds in its environment.
pub fn take_answer(workload: &mut Workload, facts: &Facts) {
    let answer = workload.answer.clone();
    if let Some(ports) = answer.ports {
        let listens = ports.value.into_iter().map(|port| Listen {
            address: port.address,
            port: port.port,
            protocol: port.protocol.to_owned(),
            evidence: ports.evidence.clone(),
        });
        workload.listens = listens.collect();
    }
    if let Some(state) = answer.state {
        let data = state.value.into_iter().map(|path| Data {
            bytes: claims::files(facts, &path).map(|entry| entry.size).sum(),
            why: "answered".to_owned(),
            link: None,
            is_inner: false,
            is_supposed: false,
            evidence: state.evidence.clone(),
            path,
        });
        workload.data = data.collect();
    }
    let etc = MachinePath::new("/etc");
    for path in answer.files.into_iter().flat_map(|files| files.value) {
        if path.is_within(&etc) {
            let files = claims::files(facts, &path);
            let files = files.map(|entry| Configuration {
                path: entry.path.clone(),
                state: facts.state(&entry.path),
            });
            workload.configuration.extend(files);
            workload.configuration.sort();
            workload.configuration.dedup();
        } else {
            workload.claims.push(path);
        }
    }
    workload.claims = claims::outermost(std::mem::take(&mut workload.claims));
    // A service's own are in its unit's already.
    let variables = answer.environment.filter(|_| workload.services.is_empty());
    for (name, value) in variables.into_iter().flat_map(|answered| answered.value) {
        for job in &mut workload.jobs {
            job.environment.retain(|(known, _)| *known != name);
            job.environment.push((name.clone(), value.clone()));
        }
    }
}

/// What the files of an application say it connects to; its own listeners are no peers.
pub fn named_peers(workload: &Workload, facts: &Facts) -> Vec<Connect> {
    let mut found: Vec<Connect> = Vec::new();
    for peer in facts.peers.iter().filter(|peer| !peer.is_guess) {
        let own = workload
            .claims
            .iter()
            .any(|claim| peer.evidence.path.is_within(claim));
        let connect = Connect::from(peer);
        let known = found
            .iter()
            .chain(&workload.connects)
            .any(|known| known.to == peer.to);
        if own && !known && !connect::reaches(&connect, workload) {
            found.push(connect);
        }
    }
    found
}

fn connects(service: &Service, product: Option<&Product>) -> Vec<Connect> {
    let mut found: Vec<Connect> = product
        .map(|product| product.connects.clone())
        .unwrap_or_default();
    found.extend(connect::of_service(service));
    found.sort();
    found.dedup_by(|a, b| a.to == b.to && a.via == b.via);
    found
}

fn logs(service: &Service, product: Option<&Product>, program: &Program) -> Vec<MachinePath> {
    let mut found: Vec<MachinePath> = Vec::new();
    for log in product.iter().flat_map(|product| &product.logs) {
        if let Log::File { path, .. } = log {
            found.push(path.clone());
        }
    }
    found.extend(service.output.iter().chain(&program.output).cloned());
    let logs = service
        .directories
        .iter()
        .filter(|directory| directory.kind == DirectoryKind::Logs);
    found.extend(logs.map(|directory| directory.path.clone()));
    found.sort();
    found.dedup();
    found
}

/// Places with secrets among what would be copied, and in the units themselves.
pub fn secrets(workload: &Workload, facts: &Facts) -> Vec<SecretRef> {
    let copied = |path: &MachinePath| {
        workload.configuration.iter().any(|c| c.path == *path)
            || workload.claims.iter().any(|claim| path.is_within(claim))
    };
    let mut found: Vec<SecretRef> = facts
        .secrets
        .iter()
        .filter(|secret| copied(&secret.evidence.path))
        .cloned()
        .collect();
    for service in &workload.services {
        for (name, evidence) in &service.environment.secrets {
            if !found.iter().any(|known| {
                known.evidence.path == evidence.path && known.evidence.line == evidence.line
            }) {
                found.push(SecretRef {
                    kind: "variable".into(),
                    key: name.clone(),
                    evidence: evidence.clone(),
                });
            }
        }
    }
    found.sort();
    found
}
