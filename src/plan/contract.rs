//! What a container may do: the capabilities it keeps, the system calls it may make, the devices it is handed.
//!
//! Everything is dropped but what is proven to be needed: by the entry point's own work, by what the programs' code can
//! reach, by the unit, by ports, and by whose the files are. Where the code of a root's process was not understood, the
//! engine's own set stands, and the reason is part of the plan.

use super::PlannedDevice;
use super::{Plan, activate, privilege};
use crate::distribution::candidate;
use crate::distribution::closure::Installed;
use crate::fact::Facts;
use crate::kernel::need::{Ask, Need, Program, need};
use crate::kernel::place::{Profile, places};
use crate::kernel::{Reach, Reaches, host};
use crate::path::MachinePath;
use crate::program;
use crate::program::configured;
use crate::walk::Entry;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A capability that a container keeps, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// CAP_ name.
    pub capability: String,
    pub why: String,
}

/// A capability (its CAP_ name) or a device (its path) that whoever owns the host may grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    pub name: String,
    pub why: String,
}

/// What a container may ask of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contract {
    /// Every capability is dropped but those it keeps; else it has them beside the engine's own set.
    pub drops: bool,
    /// Why the engine's own set stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unproven: Option<String>,
    pub keeps: Vec<Kept>,
    pub devices: Vec<PlannedDevice>,
    /// What the machine asks for and nothing grants: it gives the host away, or nothing proves that it is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    pub profile: Profile,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            drops: false,
            unproven: None,
            keeps: Vec::new(),
            devices: Vec::new(),
            choices: Vec::new(),
            profile: Profile::new([], false),
        }
    }
}

/// Settles the contract of every plan, now that the code of its programs is known.
pub fn settle(plans: &mut [Plan], workloads: &[Workload], facts: &Facts, reaches: &Reaches) {
    let installed = Installed::new(&facts.packages);
    for plan in plans {
        if let Some(workload) = workloads.iter().find(|workload| workload.id == plan.id) {
            let seen = Seen::new(plan, workload, facts, reaches, &installed);
            let contract = seen.contract();
            plan.process.no_new_privileges |= seen.gains_nothing();
            plan.contract = contract;
            let elfs = super::files(workload, Some(&*plan), facts);
            plan.image.demand = candidate::demand(&elfs, facts);
            plan.image.bases = plan
                .image
                .demand
                .as_ref()
                .map(candidate::choices)
                .unwrap_or_default();
        }
    }
}

/// What programs need, taken together.
pub fn needs<'a>(
    programs: impl IntoIterator<Item = &'a MachinePath>,
    facts: &Facts,
    reaches: &Reaches,
) -> Need {
    let mut all = Need::default();
    for path in programs {
        if let Some(reach) = reaches.get(path) {
            all.merge(need(&Program::new(path, reach, facts)));
        }
    }
    all
}

pub(super) struct Seen<'a> {
    pub plan: &'a Plan,
    pub workload: &'a Workload,
    pub facts: &'a Facts,
    pub programs: Vec<(&'a MachinePath, Option<&'a Reach>)>,
    pub need: Need,
    /// Files of the image that give their process privileges, and whether those are root's.
    pub privileged: Vec<(&'a MachinePath, bool)>,
}

impl<'a> Seen<'a> {
    fn new(
        plan: &'a Plan,
        workload: &'a Workload,
        facts: &'a Facts,
        reaches: &'a Reaches,
        installed: &Installed<'a>,
    ) -> Self {
        let packed =
            |path: &MachinePath| facts.elfs.get(path).is_some_and(|elf| elf.packed.is_some());
        let programs = plan.process.programs.iter().map(|path| {
            // What unpacks itself shows nothing of its code.
            (path, reaches.get(path).filter(|_| !packed(path)))
        });
        Self {
            programs: programs.collect(),
            need: needs(&plan.process.programs, facts, reaches),
            privileged: privilege::privileged(plan, facts, installed),
            plan,
            workload,
            facts,
        }
    }

    fn contract(&self) -> Contract {
        let mut keeps: BTreeMap<String, String> = BTreeMap::new();
        let mut keep = |name: &str, why: &str| {
            keeps
                .entry(name.to_owned())
                .or_insert_with(|| why.to_owned());
        };
        self.of_the_entry_point(&mut keep);
        let mut choices: BTreeMap<String, String> = BTreeMap::new();
        let mut said = |name: &str, why: String| {
            if self.is_proven(name) {
                keep(name, &why);
            } else {
                let why = format!("{why}, and no engine gives it by default");
                choices.entry(name.to_owned()).or_insert(why);
            }
        };
        for name in &self.plan.process.capabilities {
            said(name, "the unit gives it to its process".to_owned());
        }
        for (path, names) in self.file_capabilities() {
            for name in names {
                said(name, format!("{path} has it as a file capability"));
            }
        }
        let unproven = if self.plan.process.uid == 0 {
            self.of_root(&mut keep)
        } else {
            self.set_user_id().map(|path| {
                format!("{path} is set-user-id root, and what it needs was not worked out")
            })
        };
        let (hosts, keeps): (BTreeMap<_, _>, BTreeMap<_, _>) = keeps
            .into_iter()
            .partition(|(name, _)| host::is_hosts(name));
        choices.retain(|name, _| !keeps.contains_key(name));
        choices.extend(hosts);
        let (devices, mut refused) = self.devices();
        let choices = choices.into_iter().map(|(name, why)| {
            let why = if host::is_hosts(&name) {
                format!("it reaches the host itself; {why}")
            } else {
                why
            };
            Choice { name, why }
        });
        refused.extend(choices);
        refused.sort();
        Contract {
            drops: unproven.is_none(),
            unproven,
            keeps: keeps
                .into_iter()
                .map(|(capability, why)| Kept { capability, why })
                .collect(),
            devices,
            choices: refused,
            profile: self.profile(),
        }
    }

    /// A capability that every engine gives, that the programs' own code asks for, or that the product is known to use.
    fn is_proven(&self, name: &str) -> bool {
        let product = self.workload.product.iter();
        let mut used = product.flat_map(|product| &product.capabilities);
        if used.any(|used| used == name) {
            return true;
        }
        let mut engines = places().iter().filter(|place| place.engine);
        let is_asked = |ask: &Ask| ask.capability == name;
        engines.all(|engine| engine.gives(name)) || self.need.asked().any(is_asked)
    }

    pub(super) fn profile(&self) -> Profile {
        let plan = self.plan;
        if plan.schedule.scheduler.is_some() {
            return Profile::unknown("its jobs start whatever their lines say".to_owned(), None);
        }
        if activate::activated(self.workload).is_some() {
            return Profile::unknown(
                "a program of the service manager opens its sockets and starts it".to_owned(),
                None,
            );
        }
        let services = self.workload.services.iter();
        let mut variables = services.flat_map(|service| &service.environment.variables);
        if let Some((name, _)) = variables.find(|(name, _)| configured::decides(name)) {
            let why = format!("{name} is set, which decides what is loaded");
            return Profile::unknown(why, None);
        }
        let started = program::of(&plan.process.command.argv, self.facts).files;
        let script = started.iter().find(|path| {
            let script = self.facts.scripts.get(*path);
            script.is_some_and(|script| {
                script
                    .interpreter
                    .iter()
                    .any(|word| program::is_shell(word))
            })
        });
        if let Some(path) = script {
            return Profile::unknown(
                format!("{path} is a shell script, which starts what it names"),
                None,
            );
        }
        let beside = plan.process.entrypoint
            || plan.process.health.is_some()
            || !plan.process.before.is_empty();
        Profile::new(self.programs.iter().copied(), beside)
    }
}

/// Every program that a container starts by itself: its command, what comes before it, its jobs' scheduler.
pub(super) fn programs<'c>(
    commands: impl Iterator<Item = &'c [String]>,
    facts: &Facts,
) -> Vec<MachinePath> {
    let files = commands.flat_map(|argv| program::of(argv, facts).files);
    // What nobody may execute is read by the program before it: `python3 /srv/x/serve.py`.
    let is_run = |path: &MachinePath| {
        let entry = facts.tree.get(path);
        entry.is_none_or(Entry::is_executable) && !facts.scripts.contains_key(path)
    };
    let native = files.filter(is_run);
    native
        .collect::<BTreeSet<MachinePath>>()
        .into_iter()
        .collect()
}
