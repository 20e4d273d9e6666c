//! What a container may do: the capabilities it keeps, the system calls it may make, the devices it is handed.
//!
//! Everything is dropped but what is proven to be needed: by the entry point's own work, by what the programs' code can
//! reach, by the unit, by ports, and by whose the files are. Where the code of a root's process was not understood, the
//! engine's own set stands, and the reason is part of the plan.

use super::{Contract, Kept, Plan, PlannedDevice, package};
use crate::fact::{Evidence, Facts};
use crate::kernel::need::{Kind, Need, Program, capabilities, need};
use crate::kernel::target::Profile;
use crate::kernel::{Reach, Reaches};
use crate::path::MachinePath;
use crate::walk::Entry;
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// Modes of files that run as their owner, or in their group (inode(7)).
const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;

/// Directives that keep a unit with a user of its own from gaining privileges (systemd.exec(5), `NoNewPrivileges=`).
const NO_NEW_PRIVILEGES: &[&str] = &[
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "SystemCallLog",
];

/// Settles the contract of every plan, now that the code of its programs is known.
pub fn settle(plans: &mut [Plan], workloads: &[Workload], facts: &Facts, reaches: &Reaches) {
    for plan in plans {
        if let Some(workload) = workloads.iter().find(|workload| workload.id == plan.id) {
            let seen = Seen::new(plan, workload, facts, reaches);
            let contract = seen.contract();
            plan.no_new_privileges |= seen.gains_nothing();
            plan.contract = contract;
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

struct Seen<'a> {
    plan: &'a Plan,
    workload: &'a Workload,
    facts: &'a Facts,
    programs: Vec<(&'a MachinePath, Option<&'a Reach>)>,
    need: Need,
    /// Files of the image that give their process privileges, and whether those are root's.
    privileged: Vec<(&'a MachinePath, bool)>,
}

impl<'a> Seen<'a> {
    fn new(plan: &'a Plan, workload: &'a Workload, facts: &'a Facts, reaches: &'a Reaches) -> Self {
        let programs = plan.programs.iter().map(|path| (path, reaches.get(path)));
        Self {
            programs: programs.collect(),
            need: needs(&plan.programs, facts, reaches),
            privileged: privileged(plan, facts),
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
        for name in &self.plan.capabilities {
            keep(name, "the unit gives it to its process");
        }
        self.of_the_entry_point(&mut keep);
        for (path, names) in self.file_capabilities() {
            for name in names {
                keep(name, &format!("{path} has it as a file capability"));
            }
        }
        let unproven = if self.plan.uid == 0 {
            self.of_root(&mut keep)
        } else {
            self.set_user_id().map(|path| {
                format!("{path} is set-user-id root, and what it needs was not worked out")
            })
        };
        Contract {
            drops: unproven.is_none(),
            unproven,
            keeps: keeps
                .into_iter()
                .map(|(capability, why)| Kept { capability, why })
                .collect(),
            devices: self.devices(),
            profile: self.profile(),
        }
    }

    /// What preparing the start needs of root.
    fn of_the_entry_point(&self, keep: &mut impl FnMut(&str, &str)) {
        let plan = self.plan;
        if !plan.entrypoint {
            return;
        }
        if plan.uid != 0 {
            for name in ["CAP_SETUID", "CAP_SETGID"] {
                keep(name, "the entry point becomes the process's user");
            }
            if plan.init {
                keep(
                    "CAP_KILL",
                    "the engine's init, which is root, hands signals on to it",
                );
            }
        }
        let loads = plan.volumes.iter().any(|volume| volume.load);
        let makes = plan.directories.iter().any(|directory| directory.runtime);
        let puts = !plan.secrets.is_empty();
        let output = plan.uid != 0 && !plan.log_links.is_empty();
        if loads || makes || puts || output || !plan.before.is_empty() {
            for name in ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] {
                keep(
                    name,
                    "the entry point puts files and directories of other owners in place",
                );
            }
        }
        let directories = plan
            .directories
            .iter()
            .filter(|directory| directory.runtime);
        let modes = directories.map(|directory| directory.mode);
        let files = plan
            .secrets
            .iter()
            .filter_map(|secret| secret.file.as_ref());
        let mut modes = modes.chain(files.map(|file| file.mode));
        if loads || modes.any(|mode| mode & (SET_UID | SET_GID) != 0) {
            keep(
                "CAP_FSETID",
                "the entry point sets set-user-id and set-group-id bits",
            );
        }
        if plan.scheduler.is_some() {
            for name in [
                "CAP_CHOWN",
                "CAP_DAC_OVERRIDE",
                "CAP_FOWNER",
                "CAP_SETUID",
                "CAP_SETGID",
                "CAP_KILL",
                "CAP_AUDIT_WRITE",
            ] {
                keep(name, "the scheduler starts jobs as their users");
            }
        }
    }

    /// What a process that stays root needs; `Some` says why that cannot be told.
    fn of_root(&self, keep: &mut impl FnMut(&str, &str)) -> Option<String> {
        if self.plan.scheduler.is_some() {
            let mut jobs = self.plan.jobs.iter();
            let root = jobs.find(|job| job.user == "root")?;
            return Some(format!("root's job {} may need anything", root.name));
        }
        if let Profile::Unknown { why, .. } = self.profile() {
            return Some(why);
        }
        let reached: BTreeMap<&str, &str> = self
            .need
            .asks
            .iter()
            .filter(|ask| !ask.capability.is_empty())
            .map(|ask| (ask.capability.as_str(), ask.does.as_str()))
            .collect();
        let changes_user = reached.contains_key("CAP_SETUID");
        let interprets = self.programs.iter().any(|(path, reach)| {
            reach.is_some_and(|reach| Program::new(path, reach, self.facts).interprets())
        });
        if interprets || (self.starts_programs() && !changes_user) {
            return Some(
                "it is root and starts other programs, which may need anything".to_owned(),
            );
        }
        for name in [
            "CAP_SETUID",
            "CAP_SETGID",
            "CAP_CHOWN",
            "CAP_FOWNER",
            "CAP_SYS_CHROOT",
            "CAP_SETPCAP",
        ] {
            if let Some(does) = reached.get(name) {
                keep(name, &format!("its code {does}"));
            }
        }
        if changes_user {
            keep(
                "CAP_DAC_OVERRIDE",
                "root opens files of the user it becomes",
            );
            if reached.contains_key("CAP_KILL") {
                keep(
                    "CAP_KILL",
                    "root signals processes that became another user",
                );
            }
        } else if self.has_files_of_others() {
            keep("CAP_DAC_OVERRIDE", "it opens files that are not root's");
        }
        if let Some(listen) = self
            .workload
            .listens
            .iter()
            .find(|listen| (1..1024).contains(&listen.port))
        {
            keep(
                "CAP_NET_BIND_SERVICE",
                &format!(
                    "it listens on port {} ({})",
                    listen.port,
                    listen.evidence.place()
                ),
            );
        }
        for ask in self.need.asked() {
            if !ask.capability.is_empty() && !capabilities().is_hosts(&ask.capability) {
                keep(
                    &ask.capability,
                    &format!("its code {} ({})", ask.does, ask.evidence.place()),
                );
            }
        }
        for (path, reach) in &self.programs {
            let Some(reach) = reach else { continue };
            for name in Program::new(path, reach, self.facts).of_libraries() {
                keep(name, "a library it is linked with wants it of root");
            }
        }
        None
    }

    fn starts_programs(&self) -> bool {
        let mut reaches = self.programs.iter().filter_map(|(_, reach)| *reach);
        reaches
            .any(|reach| reach.calls.contains_key("execve") || reach.calls.contains_key("execveat"))
    }

    fn has_files_of_others(&self) -> bool {
        let plan = self.plan;
        plan.volumes.iter().any(|volume| volume.uid != 0)
            || plan.directories.iter().any(|directory| directory.uid != 0)
            || plan.entries.iter().any(|entry| entry.uid != 0)
            || plan.log_files.iter().any(|file| file.uid != 0)
    }

    fn file_capabilities(&self) -> impl Iterator<Item = (&MachinePath, &Vec<String>)> {
        let elfs = self
            .plan
            .programs
            .iter()
            .filter_map(|path| self.facts.elfs.get(path));
        elfs.filter(|elf| !elf.capabilities.is_empty())
            .map(|elf| (&elf.path, &elf.capabilities))
    }

    fn set_user_id(&self) -> Option<&'a MachinePath> {
        let mut all = self.privileged.iter();
        all.find(|(_, root)| *root).map(|(path, _)| *path)
    }

    /// Nothing in the container gains privileges by being started: the unit forbids it, or no file could give any.
    fn gains_nothing(&self) -> bool {
        let main = self.workload.services.first();
        let forbids = main.is_some_and(|main| {
            let set = |name: &str| {
                main.directives.iter().any(|(_, entry)| {
                    entry.key == name
                        && !matches!(entry.value.trim(), "" | "no" | "false" | "off" | "0")
                })
            };
            main.user != "root" && NO_NEW_PRIVILEGES.iter().any(|name| set(name))
        });
        forbids || (self.privileged.is_empty() && self.file_capabilities().next().is_none())
    }

    /// Devices that the unit names, and those the code opens itself, under one plain name each. What acts on the host
    /// itself is named in the report and not handed over.
    fn devices(&self) -> Vec<PlannedDevice> {
        let mut found: BTreeMap<String, PlannedDevice> = BTreeMap::new();
        let mut hand = |path: &str, why: String, evidence: &Evidence| {
            let plain = path.starts_with("/dev/")
                && path
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b))
                && !path.contains("..");
            if plain {
                let device = PlannedDevice {
                    path: path.to_owned(),
                    why,
                    evidence: evidence.clone(),
                };
                found.entry(path.to_owned()).or_insert(device);
            }
        };
        for (path, entry) in self
            .workload
            .services
            .iter()
            .take(1)
            .flat_map(|service| &service.directives)
        {
            if entry.key == "DeviceAllow" {
                let device = entry.value.split_whitespace().next().unwrap_or_default();
                let evidence =
                    Evidence::line(path, entry.line, &format!("DeviceAllow={}", entry.value));
                if !crate::kernel::need::is_ordinary(device) {
                    hand(device, "the unit names it".to_owned(), &evidence);
                }
            }
        }
        for ask in self.need.asked() {
            if ask.kind == Kind::Device && !capabilities().is_hosts(&ask.capability) {
                hand(&ask.what, format!("its code {}", ask.does), &ask.evidence);
            }
        }
        found.into_values().collect()
    }

    fn profile(&self) -> Profile {
        let beside =
            self.plan.entrypoint || self.plan.health.is_some() || !self.plan.before.is_empty();
        Profile::new(self.programs.iter().copied(), beside)
    }
}

/// Set-user-id and set-group-id files that the image gets beyond its base, and whether each makes root of its process.
fn privileged<'a>(plan: &'a Plan, facts: &'a Facts) -> Vec<(&'a MachinePath, bool)> {
    let names = plan.packages.iter().map(|package| package.name.clone());
    let names: BTreeSet<String> = names.collect();
    let closure = package::closure(&names, facts);
    let is_set = |entry: &&'a Entry| entry.is_file() && entry.mode & (SET_UID | SET_GID) != 0;
    let brought = |entry: &&'a Entry| {
        let owner = facts.owner(&entry.path);
        owner.is_some_and(|owner| closure.contains(owner.name.as_str()))
    };
    let of_packages = facts.tree.entries().iter().filter(is_set).filter(brought);
    let carried = plan.entries.iter().filter(is_set);
    let all = of_packages.chain(carried);
    all.map(|entry| (&entry.path, entry.uid == 0 && entry.mode & SET_UID != 0))
        .collect()
}

/// Every program that a container starts by itself: its command, what comes before it, its jobs' scheduler.
pub(super) fn programs<'c>(
    commands: impl Iterator<Item = &'c [String]>,
    facts: &Facts,
) -> Vec<MachinePath> {
    let files = commands.flat_map(|argv| crate::detect::pack::program::of(argv, facts).files);
    let native = files.filter(|path| !facts.scripts.contains_key(path));
    native
        .collect::<BTreeSet<MachinePath>>()
        .into_iter()
        .collect()
}
