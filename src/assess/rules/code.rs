//! What the code of a workload's own programs asks of the kernel. What it could only reach is no concern.

use super::{Seen, security};
use crate::fact::Evidence;
use crate::kernel::need::{Ask, Kind, is_loader};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::workload::Workload;
use std::collections::BTreeMap;

const MODULE: &str = "CAP_SYS_MODULE";

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        if let Some(need) = seen.needs.get(&workload.id) {
            found.extend(need.asked().filter_map(|ask| of(ask, workload)));
            found.extend(capabilities(need.asked(), workload));
        }
        found.extend(scripts(seen, workload));
        found.extend(file_capabilities(seen, workload));
    }
    found
}

/// Calls and devices, one concern each.
fn of(ask: &Ask, workload: &Workload) -> Option<Concern> {
    let rule = match ask.kind {
        Kind::Module => "kernel/module-loading-code",
        Kind::Call if ask.capability == MODULE => "kernel/module-loading-code",
        Kind::Call if is_refused(ask) => "kernel/privileged-syscall",
        Kind::Device => "device/special-node",
        Kind::Call | Kind::Sysctl | Kind::Feature => return None,
    };
    let detail = format!("{} {}: {}", ask.evidence.path, ask.does, ask.what);
    concern(rule, Some(&workload.id), detail, vec![ask.evidence.clone()])
}

/// A call refused by itself; one that is refused for a value asks for a capability.
fn is_refused(ask: &Ask) -> bool {
    !ask.what.contains('(') && !security::is_granted(&ask.capability)
}

/// Capabilities beyond what engines grant, each with every place; those of refused calls and devices are told by these.
fn capabilities<'a>(asked: impl Iterator<Item = &'a Ask>, workload: &Workload) -> Vec<Concern> {
    let mut by_name: BTreeMap<&str, (Vec<&str>, Vec<Evidence>)> = BTreeMap::new();
    for ask in asked.filter(|ask| ask.kind == Kind::Call && ask.what.contains('(')) {
        if !ask.capability.is_empty() && !security::is_granted(&ask.capability) {
            let (does, places) = by_name.entry(&ask.capability).or_default();
            does.push(&ask.does);
            places.push(ask.evidence.clone());
        }
    }
    let concerns = by_name
        .into_iter()
        .filter_map(|(name, (mut does, places))| {
            does.sort_unstable();
            does.dedup();
            let detail = format!("{name}: its code {}", does.join(", "));
            concern(
                "security/needs-capability",
                Some(&workload.id),
                detail,
                places,
            )
        });
    concerns.collect()
}

/// Scripts and unit commands that call a program which loads modules.
fn scripts(seen: &Seen<'_>, workload: &Workload) -> Vec<Concern> {
    let mut places = Vec::new();
    let own = workload
        .executables
        .iter()
        .filter_map(|path| seen.facts.scripts.get(path));
    // What a package brought is its product's affair.
    for script in own.filter(|script| seen.facts.owner(&script.path).is_none()) {
        let references = script
            .references
            .iter()
            .filter(|reference| is_loader(&reference.word));
        places.extend(
            references
                .map(|reference| Evidence::line(&script.path, reference.line, &reference.word)),
        );
    }
    for command in workload.services.iter().flat_map(|service| {
        service
            .commands
            .start
            .iter()
            .chain(&service.commands.before)
    }) {
        if command
            .argv
            .first()
            .is_some_and(|program| is_loader(program))
        {
            places.push(command.evidence.clone());
        }
    }
    places.sort();
    places.dedup();
    let concerns = places.into_iter().filter_map(|place| {
        let detail = format!("{} calls {}", place.path, place.excerpt);
        concern(
            "kernel/module-loading-code",
            Some(&workload.id),
            detail,
            vec![place],
        )
    });
    concerns.collect()
}

/// Files that give their process capabilities: they must survive the copy.
fn file_capabilities(seen: &Seen<'_>, workload: &Workload) -> Vec<Concern> {
    let mut found = Vec::new();
    for elf in seen.elfs(workload) {
        if elf.capabilities.is_empty() {
            continue;
        }
        let names = elf.capabilities.join(" ");
        let evidence =
            vec![Evidence::file(&elf.path).with_excerpt(&format!("security.capability {names}"))];
        let id = Some(workload.id.as_str());
        let detail = format!("{} has {names}", elf.path);
        found.extend(concern(
            "storage/extended-attributes",
            id,
            detail.clone(),
            evidence.clone(),
        ));
        if elf
            .capabilities
            .iter()
            .any(|name| !security::is_granted(name))
        {
            let gives = |name: &String| crate::kernel::host::is_hosts(name);
            let rule = if elf.capabilities.iter().any(gives) {
                "security/host-privilege"
            } else {
                "security/needs-capability"
            };
            found.extend(concern(rule, id, detail, evidence));
        }
    }
    found
}
