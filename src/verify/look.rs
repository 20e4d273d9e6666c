//! What can be seen of containers from outside: their state, their processes, what listens in their networks.

use super::engine::{Container, Engine};
use super::inside::{self, Socket};
use super::run::{Proving, container, expected};
use crate::abi::capability::capabilities;
use crate::plan::Plan;
use crate::proof::{Check, Kind};
use std::collections::BTreeSet;

impl Proving<'_> {
    /// What can be seen of the containers once they have answered.
    pub fn look(&mut self, containers: &[Container]) {
        for (workload, plan) in self.workloads() {
            let id = &workload.id;
            let Some(found) = container(containers, id) else {
                self.check(
                    id,
                    Check::new(
                        Kind::Start,
                        "container",
                        "is there".into(),
                        "is not there".into(),
                    ),
                );
                continue;
            };
            let up = "runs, never restarted".to_owned();
            let state = match (found.running, found.restarts) {
                (true, 0) => up.clone(),
                (true, times) => {
                    format!("runs, restarted {times} times: {}", self.engine.log(found))
                }
                (false, _) => format!("ended with {}: {}", found.exit_code, self.engine.log(found)),
            };
            self.check(id, Check::new(Kind::Start, "container", up, state));
            if let Some(proven) = self.found.get_mut(id) {
                proven.image_bytes = self.engine.size(&found.image);
                proven.memory_bytes = self.engine.memory(found);
            }
            if !found.running {
                continue;
            }
            self.process(id, plan, found);
            self.beyond(id, found);
            if let Some(health) = &plan.process.health {
                let passes = "passes".to_owned();
                let said = self.engine.inside(found, None, &health.command);
                let said = said.map_or_else(|error| format!("fails: {error}"), |_| passes.clone());
                self.check(id, Check::new(Kind::Health, "health check", passes, said));
            }
            self.jobs(id, plan, found);
        }
    }

    /// Jobs are listed; run only where the user wants it.
    fn jobs(&mut self, id: &str, plan: &Plan, found: &Container) {
        for job in &plan.schedule.jobs {
            // The line of one with a secret in it is nowhere but in the container.
            if !self.options.run_jobs || job.secret.is_some() {
                self.note(id, format!("job not run: {}", job.name));
                continue;
            }
            let command = ["/bin/sh", "-c", &job.command].map(str::to_owned);
            let ends = "ends with 0".to_owned();
            let said = self.engine.inside(found, Some(&job.user), &command);
            let said = said.map_or_else(|error| error.0, |_| ends.clone());
            self.check(
                id,
                Check::new(Kind::Answer, format!("job {}", job.name), ends, said),
            );
        }
    }

    /// The main process: whose it is, and what it may do.
    fn process(&mut self, id: &str, plan: &Plan, found: &Container) {
        let main = main_process(found.pid, plan.process.init).filter(|_| is_here(found));
        let Some((pid, status)) = main else {
            self.note(id, "its main process could not be looked at".to_owned());
            return;
        };
        let map = read(pid, "uid_map");
        let uid = inside::inner(&map, status.uid).unwrap_or(status.uid);
        let named = |uid: u32| {
            if uid == plan.process.uid {
                format!("{} ({uid})", plan.process.user)
            } else {
                uid.to_string()
            }
        };
        let check = Check::new(
            Kind::User,
            "main process",
            named(plan.process.uid),
            named(uid),
        );
        self.check(id, check);
        if uid == 0 {
            return;
        }
        let names = names(status.capabilities);
        let planned = &plan.process.capabilities;
        let more: Vec<&String> = names
            .iter()
            .filter(|name| !planned.contains(name))
            .collect();
        let more: Vec<&str> = more.iter().map(|name| name.as_str()).collect();
        let none = "none beyond the plan".to_owned();
        let said = if more.is_empty() {
            none.clone()
        } else {
            more.join(" ")
        };
        self.check(id, Check::new(Kind::Capability, "capabilities", none, said));
    }

    /// Listeners that nobody of the same network had on the machine.
    fn beyond(&mut self, id: &str, found: &Container) {
        let network = self.compose.network_of(id).to_owned();
        let workloads = self.workloads();
        let same = workloads
            .iter()
            .filter(|(w, _)| self.compose.network_of(&w.id) == network);
        let known: BTreeSet<(u16, &'static str)> =
            same.clone().flat_map(|(w, _)| expected(w)).collect();
        // Said once a network.
        if same
            .map(|(workload, _)| &workload.id)
            .next()
            .is_some_and(|first| first != id)
        {
            return;
        }
        let new = sockets(self.engine, found)
            .unwrap_or_default()
            .into_iter()
            .filter(|socket| !socket.local && !known.contains(&(socket.port, socket.protocol)));
        for Socket { port, protocol, .. } in new {
            self.note(
                id,
                format!("listens at {port}/{protocol}, where the scan knows of no listener"),
            );
        }
    }
}

fn read(pid: u32, name: &str) -> String {
    let path = format!("/proc/{pid}/{name}");
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Whether this machine's process of that number is the container's: engines may run in a machine of their own.
fn is_here(container: &Container) -> bool {
    !container.id.is_empty() && read(container.pid, "cgroup").contains(&container.id)
}

/// What listens in the network of a container; `None` where that cannot be seen.
pub(super) fn sockets(engine: &dyn Engine, container: &Container) -> Option<BTreeSet<Socket>> {
    let mut found = BTreeSet::new();
    let mut is_seen = false;
    for protocol in ["tcp", "udp"] {
        let names = [protocol.to_owned(), format!("{protocol}6")];
        let texts: Vec<String> = if is_here(container) {
            let files = names
                .iter()
                .map(|name| read(container.pid, &format!("net/{name}")));
            files.collect()
        } else {
            let files = names.iter().map(|name| format!("/proc/net/{name}"));
            let command: Vec<String> = std::iter::once("cat".to_owned()).chain(files).collect();
            engine
                .inside(container, None, &command)
                .into_iter()
                .collect()
        };
        for text in texts {
            is_seen |= !text.is_empty();
            found.extend(inside::sockets(&text, protocol));
        }
    }
    is_seen.then_some(found)
}

/// The first process, or the one below the engine's own init.
fn main_process(first: u32, init: bool) -> Option<(u32, inside::Status)> {
    let mut pid = first;
    if init {
        let children = read(first, &format!("task/{first}/children"));
        pid = children
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(first);
    }
    Some((pid, inside::status(&read(pid, "status"))?))
}

/// Names of the capabilities in a set.
fn names(set: u64) -> Vec<String> {
    let found = capabilities().of_bits(set).into_iter();
    found.map(str::to_owned).collect()
}
