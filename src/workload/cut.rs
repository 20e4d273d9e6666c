//! The cut: services and jobs into workloads, each a container; everything else with a disposition and a reason.

use super::{
    Data, Needed, Workload, claims, connect, data, fill, jobs, mount, place, spoken, supposed,
};
use crate::distribution::closure::Installed;
use crate::fact::{Evidence, Facts, Unexamined};
use crate::path::MachinePath;
use crate::product::pack::Packs;
use crate::product::{Disposition, Product};
use crate::service::{ScheduledJob, Service, Services, id_of};
use crate::walk::Entry;
use std::collections::BTreeSet;

/// A service or job, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Placed {
    pub service: Service,
    pub disposition: Disposition,
    pub reason: String,
    pub workload: Option<String>,
    /// What a pack said, for those that stay behind too.
    pub product: Option<Product>,
}

/// A job, and what becomes of it.
#[derive(Debug, Clone)]
pub struct PlacedJob {
    pub job: ScheduledJob,
    pub disposition: Disposition,
    pub reason: String,
    pub workload: Option<String>,
}

/// The machine cut into parts.
#[derive(Debug, Default)]
pub struct Cut {
    /// Sorted by id.
    pub workloads: Vec<Workload>,
    /// Every enabled service, sorted by name.
    pub services: Vec<Placed>,
    pub jobs: Vec<PlacedJob>,
    /// What there was too much of to become workloads.
    pub unexamined: Vec<Unexamined>,
}

/// Workloads of one machine. Each is a container, and each may reach each: a machine with more of them is somebody's joke.
pub const MOST_WORKLOADS: usize = 1_000;

/// Why what is beyond that stays where it is.
pub(super) fn too_many() -> String {
    format!("the machine has more than {MOST_WORKLOADS} workloads, which is the limit")
}

/// Cuts a machine. Pure.
pub fn cut(facts: &Facts, services: &Services, packs: &Packs) -> Cut {
    let mut placed: Vec<Placed> = services
        .services
        .iter()
        .filter(|service| service.enabled || place::is_wanted(service, facts))
        .map(|service| placed(service, facts, packs))
        .collect();
    let installed = Installed::new(&facts.packages);
    let mounts = mount::of_machine(facts);
    let mut taken = BTreeSet::new();
    let mut workloads = Vec::new();
    let mut unexamined = Vec::new();
    let helpers = helpers(&placed, packs);
    let helping: BTreeSet<&String> = helpers.iter().map(|(name, _)| name).collect();
    for item in &mut placed {
        if item.disposition != Disposition::Containerize || helping.contains(&item.service.name) {
            continue;
        }
        if workloads.len() >= MOST_WORKLOADS {
            (item.disposition, item.reason) = (Disposition::Keep, too_many());
            unexamined.push(item.service.evidence.clone());
            continue;
        }
        let id = unique(&id_of(&item.service.name), &mut taken);
        item.workload = Some(id.clone());
        workloads.push(fill::of_service(id, item, facts, (&installed, &mounts)));
    }
    fold(&mut placed, &helpers, &mut workloads);
    let staying = staying(services, facts, packs);
    let moved = jobs::Moved::new(facts, &workloads, &staying);
    let mut jobs = jobs::place(facts, services, packs, &moved);
    let machine = jobs::Machine {
        facts,
        packs,
        installed: &installed,
        mounts: &mounts,
    };
    let room = MOST_WORKLOADS.saturating_sub(workloads.len());
    workloads.extend(machine.workloads(&mut jobs, &mut taken, (room, &mut unexamined)));
    hand_over(&mut workloads, facts);
    spoken::add_connects(&mut workloads, facts);
    data::add_written(&mut workloads, facts);
    data::add_supposed(&mut workloads, facts);
    supposed::suppose(&mut workloads, facts);
    let shared = share(&workloads);
    couple(&mut workloads, &shared);
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    Cut {
        workloads,
        services: placed,
        jobs,
        unexamined: counted(&unexamined),
    }
}

fn placed(service: &Service, facts: &Facts, packs: &Packs) -> Placed {
    let mut product = packs.recognise(service, facts);
    let answer = place::answer(service, facts);
    if answer.is_some_and(|answer| answer.command.is_some()) {
        // Somebody knows better than the pack what is run.
        if let Some(product) = &mut product {
            product.command = None;
        }
    }
    let (mut disposition, mut reason) = place::place(service, product.as_ref(), facts);
    if let Some(why) = place::never_runs(service, disposition) {
        (disposition, reason) = (Disposition::Drop, why);
    }
    if let Some(answered) = answer.and_then(|answer| answer.disposition.as_ref()) {
        (disposition, reason) = (answered.value, place::as_answered(answered));
    }
    // What never runs is no concern of anybody's.
    product = product.filter(|_| service.unmet.is_none());
    Placed {
        service: service.clone(),
        disposition,
        reason,
        workload: None,
        product,
    }
}

/// Services, enabled or not, that a pack says stay with the machine: their packages' jobs are the machine's too.
fn staying<'a>(services: &'a Services, facts: &Facts, packs: &Packs) -> Vec<&'a Service> {
    let timed = services.jobs.iter();
    let timed = timed.filter_map(|job| job.service.as_deref());
    let all = services.services.iter().chain(timed);
    all.filter(|service| {
        let product = packs.recognise(service, facts);
        product.is_some_and(|product| product.disposition != Disposition::Containerize)
    })
    .collect()
}

/// What was left out, by the first of it; each has its reason in the list of services.
fn counted(left_out: &[Evidence]) -> Vec<Unexamined> {
    let first = left_out.iter().map(|evidence| &evidence.path).min();
    let noted = first.map(|path| Unexamined {
        path: path.clone(),
        detector: "workloads".to_owned(),
        reason: format!(
            "{}; {} services and jobs were left out",
            too_many(),
            left_out.len()
        ),
    });
    noted.into_iter().collect()
}

/// Services that a recognised product's pack names as helpers: helper, and the service it helps. A helper that is the
/// product's own kind (an instance of it) is none.
fn helpers(placed: &[Placed], packs: &Packs) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for main in placed
        .iter()
        .filter(|item| item.disposition == Disposition::Containerize)
    {
        let pack = main.product.as_ref();
        let Some(pack) = pack.and_then(|product| packs.get(&product.pack)) else {
            continue;
        };
        let others = if pack.file.helpers.is_empty() {
            &[]
        } else {
            placed
        };
        for other in others
            .iter()
            .filter(|other| other.service.name != main.service.name)
        {
            let named = pack
                .file
                .helpers
                .iter()
                .any(|pattern| crate::walk::glob::matches(pattern, &other.service.name));
            let same = other
                .product
                .as_ref()
                .is_some_and(|product| product.pack == pack.file.id);
            if named && !same && known.insert(&other.service.name) {
                found.push((other.service.name.clone(), main.service.name.clone()));
            }
        }
    }
    found
}

fn fold(placed: &mut [Placed], helpers: &[(String, String)], workloads: &mut [Workload]) {
    for (helper, main) in helpers {
        let workload = placed
            .iter()
            .find(|item| item.service.name == *main)
            .and_then(|item| item.workload.clone());
        let Some(item) = placed.iter_mut().find(|item| item.service.name == *helper) else {
            continue;
        };
        item.disposition = Disposition::Containerize;
        item.reason = format!("a part of {main}");
        if let Some(workload) = workloads
            .iter_mut()
            .find(|w| Some(&w.id) == workload.as_ref())
        {
            workload.services.push(item.service.clone());
        }
        item.workload = workload;
    }
}

/// Jobs work on the data of the application they belong to: what lies within their claims is the same volume, and the
/// application is started first, since it fills it. Returns who needs whom, and what says that it is data.
fn share(workloads: &[Workload]) -> Vec<(String, String, Evidence)> {
    let owned: Vec<(String, Data)> = workloads
        .iter()
        .flat_map(|workload| {
            workload
                .data
                .iter()
                .map(|data| (workload.id.clone(), data.clone()))
        })
        .collect();
    let mut needs = Vec::new();
    for workload in workloads
        .iter()
        .filter(|workload| !workload.jobs.is_empty())
    {
        for (owner, data) in &owned {
            if workload
                .claims
                .iter()
                .any(|claim| data.path.is_within(claim))
            {
                needs.push((workload.id.clone(), owner.clone(), data.evidence.clone()));
            }
        }
    }
    needs
}

/// A web server names scripts by path, and another service opens them: its document roots are that one's too, with the
/// application that each is a part of, since its scripts load that; and what is read there of peers.
fn hand_over(workloads: &mut [Workload], facts: &Facts) {
    let is_directory = |claim: &&MachinePath| facts.tree.get(claim).is_some_and(Entry::is_dir);
    let handed: Vec<Vec<MachinePath>> = workloads
        .iter()
        .map(|server| {
            let opens = server
                .product
                .as_ref()
                .is_some_and(|product| product.opens_files_of_clients);
            let clients = workloads.iter().filter(|client| {
                opens
                    && client.id != server.id
                    && client.connects.iter().any(|c| connect::reaches(c, server))
            });
            let claims = clients.flat_map(|client| &client.claims);
            let roots = claims.filter(is_directory);
            let whole = |root: &MachinePath| data::application(root, facts);
            let roots = roots.map(|root| whole(root).unwrap_or_else(|| root.clone()));
            roots.collect()
        })
        .collect();
    for (server, handed) in workloads.iter_mut().zip(handed) {
        if !handed.is_empty() {
            server.claims.extend(handed);
            server.claims = claims::outermost(std::mem::take(&mut server.claims));
            let peers = fill::named_peers(server, facts);
            server.connects.extend(peers);
            server.secrets = fill::secrets(server, facts);
        }
    }
}

/// Workloads that reach one another over loopback or a Unix socket, or share data: each keeps what says so.
fn couple(workloads: &mut [Workload], shared: &[(String, String, Evidence)]) {
    let needed = |workload: &Workload, other: &Workload| {
        let reaching = workload.connects.iter();
        let reaching = reaching.filter(|connect| connect::reaches(connect, other));
        let of_data = shared
            .iter()
            .filter(|(id, owner, _)| *id == workload.id && *owner == other.id);
        let needed = Needed {
            id: other.id.clone(),
            connects: reaching.map(|connect| connect.evidence.clone()).collect(),
            data: of_data.map(|(_, _, evidence)| evidence.clone()).collect(),
        };
        (!needed.connects.is_empty() || !needed.data.is_empty()).then_some(needed)
    };
    let of_workload = |workload: &Workload| {
        let others = workloads.iter().filter(|other| other.id != workload.id);
        let mut needs: Vec<Needed> = others.filter_map(|other| needed(workload, other)).collect();
        needs.sort_by(|a, b| a.id.cmp(&b.id));
        needs
    };
    let needs: Vec<Vec<Needed>> = workloads.iter().map(of_workload).collect();
    for (workload, needs) in workloads.iter_mut().zip(needs) {
        workload.needs = needs;
    }
}

/// The id, or the id with the first number that makes it unique.
pub fn unique(id: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2u32..).map(|n| format!("{id}-{n}"));
    let free = std::iter::once(id.to_owned())
        .chain(numbered)
        .find(|id| !taken.contains(id))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut taken = BTreeSet::new();
        assert_eq!(
            [unique("a", &mut taken), unique("a", &mut taken)],
            ["a", "a-2"]
        );
    }
}
