//! One proof from beginning to end: build, start, wait, ask, look, stop, remove.

use super::compare::compare;
use super::compose::Compose;
use super::engine::{self, Container, Engine};
use super::engine_compose::ComposeEngine;
use super::look::sockets;
use super::recorded::{Answer, Recorded};
use super::{Failed, Listener, ask};
use crate::plan::Plan;
use crate::proof::{self, Check, Kind, Proof, Proven};
use crate::scan::{Scan, Workload};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the user may say.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// `podman` or `docker`; what is there, if not given.
    pub engine: Option<&'a str>,
    /// The network that images are built in.
    pub build_network: Option<&'a str>,
    /// How long containers may take until they listen.
    pub patience: Duration,
    /// Run each workload's jobs once.
    pub run_jobs: bool,
}

/// Everything that a proof reads.
#[derive(Debug)]
pub struct Asked<'a> {
    pub out: &'a Path,
    /// The text of OUT's compose.yaml.
    pub compose: &'a str,
    pub scan: &'a Scan,
    pub listeners: &'a [Listener],
    pub recorded: Option<&'a Recorded>,
}

/// Removes what was made, whatever happens.
struct Made<'a>(&'a dyn Engine);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// Starts the containers of OUT and says whether they are what the machine was.
pub fn prove(
    asked: &Asked<'_>,
    options: &Options<'_>,
    told: &mut dyn FnMut(&str),
) -> Result<Proof, Failed> {
    let compose = Compose::read(asked.compose)?;
    let engine = ComposeEngine::find(
        options.engine,
        asked.out,
        &compose,
        options.build_network,
        options.patience + Duration::from_mins(5),
    )?;
    let made = Made(&engine);
    let mut proving = Proving {
        asked,
        options,
        compose: &compose,
        engine: &engine,
        started: Instant::now(),
        found: BTreeMap::new(),
    };
    for workload in of_compose(asked.scan, &compose) {
        let proven = Proven {
            id: workload.id.clone(),
            ..Proven::default()
        };
        proving.found.insert(workload.id.clone(), proven);
    }
    proving.whole(told)?;
    if engine::is_ending() {
        return Err(Failed("interrupted".to_owned()));
    }
    told("removing what was made");
    drop(made);
    let mut workloads: Vec<Proven> = proving.found.into_values().collect();
    let is_recorded = |id: &str| {
        let mut all = asked
            .listeners
            .iter()
            .filter(|listener| listener.workload == id);
        all.all(|listener| {
            let heard = asked
                .recorded
                .and_then(|r| r.of(id, listener.port, &listener.protocol));
            heard.is_some_and(|heard| heard.answer.open)
        })
    };
    for proven in &mut workloads {
        proven.held = proven.checks.iter().all(|check| check.held);
        proven.proven = proven.held && is_recorded(&proven.id);
    }
    Ok(Proof {
        schema_version: proof::SCHEMA_VERSION,
        tool: asked.scan.tool.clone(),
        engine: proof::Engine {
            name: engine.name.to_owned(),
            compose: engine.reader.join(" "),
        },
        recorded: asked.recorded.is_some(),
        held: workloads.iter().all(|proven| proven.held),
        workloads,
    })
}

/// Workloads that the compose file still has.
fn of_compose<'a>(scan: &'a Scan, compose: &'a Compose) -> impl Iterator<Item = &'a Workload> {
    let workloads = scan.workloads.iter();
    workloads.filter(|workload| workload.plan.is_some() && compose.services.contains(&workload.id))
}

pub(super) struct Proving<'a> {
    asked: &'a Asked<'a>,
    pub options: &'a Options<'a>,
    pub compose: &'a Compose,
    pub engine: &'a ComposeEngine,
    started: Instant,
    pub found: BTreeMap<String, Proven>,
}

impl<'a> Proving<'a> {
    fn whole(&mut self, told: &mut dyn FnMut(&str)) -> Result<(), Failed> {
        told("building");
        if let Err(error) = self.engine.build() {
            self.every(Kind::Build, "image", "is built", &error.0);
            return Ok(());
        }
        told("starting");
        self.started = Instant::now();
        let started = self.engine.start();
        let containers = match (started, self.engine.ask()) {
            (_, Ok(containers)) => containers,
            (Err(error), Err(_)) | (Ok(()), Err(error)) => {
                self.every(Kind::Start, "container", "starts", &error.0);
                return Ok(());
            }
        };
        told("waiting for listeners");
        self.listeners(&containers);
        told("asking");
        self.answers(&self.engine.ask()?);
        told("looking");
        let containers = self.engine.ask()?;
        self.look(&containers);
        told("stopping");
        self.stop(&containers);
        Ok(())
    }

    pub fn workloads(&self) -> Vec<(&'a Workload, &'a Plan)> {
        let scan: &'a Scan = self.asked.scan;
        let workloads = scan
            .workloads
            .iter()
            .filter(|w| self.found.contains_key(&w.id));
        workloads
            .filter_map(|workload| Some((workload, workload.plan.as_ref()?)))
            .collect()
    }

    pub fn check(&mut self, id: &str, check: Check) {
        if let Some(proven) = self.found.get_mut(id) {
            proven.checks.push(check);
        }
    }

    pub fn note(&mut self, id: &str, note: String) {
        if let Some(proven) = self.found.get_mut(id) {
            proven.notes.push(note);
        }
    }

    /// The same of each workload: nothing further can be asked.
    fn every(&mut self, kind: Kind, what: &str, machine: &str, container: &str) {
        let ids: Vec<String> = self.found.keys().cloned().collect();
        for id in ids {
            self.check(
                &id,
                Check::new(kind, what, machine.to_owned(), container.to_owned()),
            );
        }
    }

    /// Waits until every workload listens where the machine did, on whatever address.
    fn listeners(&mut self, containers: &[Container]) {
        let ends = Instant::now() + self.options.patience;
        let mut open: BTreeMap<String, BTreeSet<(u16, &'static str)>> = BTreeMap::new();
        for (workload, _) in self.workloads() {
            let expected = expected(workload);
            open.insert(workload.id.clone(), expected);
        }
        let mut current = containers.to_vec();
        let mut unseen: BTreeSet<String> = BTreeSet::new();
        loop {
            unseen.clear();
            for (id, missing) in &mut open {
                if missing.is_empty() {
                    continue;
                }
                let found = container(&current, id);
                let seen = found.map(|found| sockets(self.engine, found));
                if found.is_some_and(|found| found.running) && seen == Some(None) {
                    unseen.insert(id.clone());
                }
                let sockets = seen.flatten().unwrap_or_default();
                missing.retain(|(port, protocol)| {
                    !sockets
                        .iter()
                        .any(|s| s.port == *port && s.protocol == *protocol)
                });
                if missing.is_empty()
                    && let Some(proven) = self.found.get_mut(id)
                {
                    proven.started_ms = u64::try_from(self.started.elapsed().as_millis()).ok();
                }
            }
            let waits = |(id, missing): (&String, &BTreeSet<_>)| {
                !missing.is_empty() && !unseen.contains(id)
            };
            if !open.iter().any(waits) || Instant::now() > ends {
                break;
            }
            // One that has ended for good is not waited for.
            current = self.engine.ask().unwrap_or(current);
            let waits = open.iter().filter(|(_, missing)| !missing.is_empty());
            let ended = |id: &String| {
                container(&current, id)
                    .is_none_or(|c| !c.running && self.started.elapsed() > Duration::from_secs(20))
            };
            if waits.clone().count() > 0 && waits.clone().all(|(id, _)| ended(id)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        for (workload, _) in self.workloads() {
            let missing = open.get(&workload.id).cloned().unwrap_or_default();
            if unseen.contains(&workload.id) {
                self.note(
                    &workload.id,
                    "what it listens at could not be seen".to_owned(),
                );
                continue;
            }
            for (port, protocol) in expected(workload) {
                let yes = "listens".to_owned();
                let said = if missing.contains(&(port, protocol)) {
                    "does not listen".to_owned()
                } else {
                    yes.clone()
                };
                self.check(
                    &workload.id,
                    Check::new(Kind::Listen, format!("{port}/{protocol}"), yes, said),
                );
            }
        }
    }

    /// Asks every published port what the machine was asked, or what packs know.
    fn answers(&mut self, containers: &[Container]) {
        for listener in self.asked.listeners {
            if !self.found.contains_key(&listener.workload) {
                continue;
            }
            let id = &listener.workload;
            let name = format!("{}/{}", listener.port, listener.protocol);
            let network = self.compose.network_of(id);
            let outside = container(containers, network)
                .and_then(|found| found.ports.iter().find(|(inside, _)| *inside == name));
            let Some((_, port)) = outside else {
                let yes = "is published".to_owned();
                self.check(
                    id,
                    Check::new(Kind::Listen, &name, yes, "is not published".to_owned()),
                );
                continue;
            };
            let address = SocketAddr::from(([127, 0, 0, 1], *port));
            let recorded = self.asked.recorded;
            let heard = recorded.and_then(|r| r.of(id, listener.port, &listener.protocol));
            if let Some(heard) = heard {
                let now = ask::again(address, listener, &heard.answer);
                for check in compare(listener, &heard.answer, &now) {
                    self.check(id, check);
                }
                if !heard.answer.open {
                    self.note(
                        id,
                        format!("{name} did not answer when the machine was asked"),
                    );
                }
            } else if let Some(why) = listener.not_asked() {
                self.note(id, format!("{name} was not asked: {why}"));
            } else {
                let asked = ask::Asked {
                    address,
                    authority: "localhost".to_owned(),
                    paths: &[],
                    listener,
                };
                let check = known(&name, listener, &ask::discover(&asked));
                self.check(id, check);
            }
        }
    }

    /// Those that need others go first.
    fn stop(&mut self, containers: &[Container]) {
        let mut order = self.workloads();
        order.sort_by_key(|(_, plan)| std::cmp::Reverse(depth(plan, &self.workloads(), 0)));
        for (workload, plan) in order {
            let id = &workload.id;
            let Some(found) = container(containers, id).filter(|found| found.running) else {
                continue;
            };
            let by_signal = format!("ends by {}", plan.process.stop_signal);
            let said = match self.engine.stop(found) {
                Ok(stopped) => {
                    if let Some(proven) = self.found.get_mut(id) {
                        proven.stopped_ms = u64::try_from(stopped.after.as_millis()).ok();
                    }
                    if stopped.killed {
                        format!("had to be killed after {} s", stopped.after.as_secs())
                    } else {
                        by_signal.clone()
                    }
                }
                Err(error) => error.0,
            };
            self.check(id, Check::new(Kind::Stop, "main process", by_signal, said));
        }
    }
}

/// How many others have to be there before it.
fn depth(plan: &Plan, all: &[(&Workload, &Plan)], deep: usize) -> usize {
    let needed = plan
        .network
        .depends_on
        .iter()
        .filter_map(|id| all.iter().find(|(w, _)| w.id == *id));
    // A circle has no depth.
    let below = needed
        .filter(|_| deep < 32)
        .map(|(_, plan)| depth(plan, all, deep + 1) + 1);
    below.max().unwrap_or_default()
}

/// Ports that a workload listens at on the machine.
pub(super) fn expected(workload: &Workload) -> BTreeSet<(u16, &'static str)> {
    let listens = workload.listens.iter().filter(|listen| listen.port > 0);
    let found = listens.filter_map(|listen| match listen.protocol.as_str() {
        "tcp" => Some((listen.port, "tcp")),
        "udp" => Some((listen.port, "udp")),
        _ => None,
    });
    found.collect()
}

/// The container of a service.
pub(super) fn container<'a>(all: &'a [Container], service: &str) -> Option<&'a Container> {
    all.iter().find(|container| container.service == service)
}

/// Without a record: whether it answers in the protocol of its product at all.
fn known(name: &str, listener: &Listener, answer: &Answer) -> Check {
    let yes = "answers".to_owned();
    let protocol = listener.talk.is_some();
    let worst = answer
        .pages
        .iter()
        .map(|page| page.status)
        .max()
        .unwrap_or_default();
    let said = if !answer.open {
        "takes no connection".to_owned()
    } else if protocol && answer.talk.is_none() && answer.pages.is_empty() && answer.tls.is_none() {
        "says nothing of its protocol".to_owned()
    } else if answer.pages.first().is_some_and(|page| page.status >= 500) {
        format!("answers {worst}")
    } else {
        yes.clone()
    };
    Check::new(Kind::Answer, name, yes, said)
}
