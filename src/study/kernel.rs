//! The kernel's part of a workload's entry: what its programs ask for and can reach, and what places make of it.

use crate::fact::{Evidence, Facts};
use crate::kernel::need::{Kind, Need, level_name};
use crate::kernel::place::{delta, places};
use crate::kernel::{Reach, Reaches};
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::scan::{Kernel, Open};
use crate::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

/// Places of one document that are shown; the counts are whole.
const MOST: usize = 20;

/// Builds the entry of a workload.
pub(super) fn kernel(
    workload: &Workload,
    plan: Option<&Plan>,
    need: &Need,
    facts: &Facts,
    reaches: &Reaches,
) -> Kernel {
    let programs: &[MachinePath] = plan.map_or(&[], |plan| &plan.process.programs);
    let read: Vec<&Reach> = programs
        .iter()
        .filter_map(|path| reaches.get(path))
        .collect();
    let mut kernel = of_units(workload);
    kernel.programs = programs
        .iter()
        .filter(|path| reaches.contains_key(*path))
        .cloned()
        .collect();
    kernel.syscalls = read
        .iter()
        .flat_map(|reach| reach.calls.keys().cloned())
        .collect();
    let capabilities = need.capabilities().into_iter().map(str::to_owned);
    kernel.capabilities = sorted(kernel.capabilities.into_iter().chain(capabilities));
    let of_kind = |kind: Kind| need.asks.iter().filter(move |ask| ask.kind == kind);
    let devices = of_kind(Kind::Device).map(|ask| ask.what.clone());
    kernel.devices = sorted(kernel.devices.into_iter().chain(devices));
    kernel.sysctls = sorted(of_kind(Kind::Sysctl).map(|ask| ask.what.clone()));
    kernel.modules = sorted(of_kind(Kind::Module).map(|ask| ask.what.clone()));
    kernel.instruction_set = instruction_set(programs, facts);
    kernel
        .evidence
        .extend(need.asked().map(|ask| ask.evidence.clone()));
    kernel.asks.clone_from(&need.asks);
    kernel.unresolved = open(&read);
    if !read.is_empty() {
        let deltas = places()
            .iter()
            .map(|place| delta(read.iter().copied(), need, place));
        kernel.targets = deltas.collect();
    }
    kernel
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// What the units say themselves.
fn of_units(workload: &Workload) -> Kernel {
    let mut kernel = Kernel::default();
    for service in &workload.services {
        let ambient = service.privileges.ambient.iter().cloned();
        kernel.capabilities.extend(ambient);
        for device in &service.devices {
            kernel.devices.push(device.name.clone());
            kernel.evidence.push(device.evidence.clone());
        }
    }
    kernel
}

/// `x86_64`, or `x86-64-v3` where a file says that it needs more than the first level; several where they differ.
fn instruction_set(programs: &[MachinePath], facts: &Facts) -> Option<String> {
    let elfs = programs.iter().filter_map(|path| facts.elfs.get(path));
    let mut highest: BTreeMap<&str, u8> = BTreeMap::new();
    for elf in elfs {
        let level = highest.entry(&elf.machine).or_default();
        *level = (*level).max(elf.level.unwrap_or_default());
    }
    let names: Vec<String> = highest
        .iter()
        .map(|(machine, level)| level_name(machine, *level))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn open(read: &[&Reach]) -> Vec<Open> {
    let all = read.iter().flat_map(|reach| &reach.unresolved);
    let unique: BTreeSet<_> = all.collect();
    let shown = unique.into_iter().take(MOST).map(|open| Open {
        reason: open.reason.clone(),
        evidence: Evidence::offset(&open.site.path, open.site.offset, ""),
    });
    shown.collect()
}
