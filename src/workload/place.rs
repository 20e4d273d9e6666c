//! Dispositions: what becomes of each service, and why.

use crate::fact::Facts;
use crate::product::{Disposition, Product};
use crate::program;
use crate::service::{Service, ServiceType, Starter};

/// Decides for one enabled service. A pack's word comes first; without one the facts of the unit decide.
pub fn place(service: &Service, product: Option<&Product>, facts: &Facts) -> (Disposition, String) {
    if let Some(product) = product {
        return (product.disposition, first_sentence(&product.reason));
    }
    let runs = |command: &crate::service::Command| program::of(&command.argv, facts);
    let Some(program) = service.commands.start.first().map(runs) else {
        let reason = match service.manager {
            Starter::Sysv => "an init script whose daemon could not be read; look at it by hand",
            _ => "starts no program of its own",
        };
        return (Disposition::Platform, reason.to_owned());
    };
    if service.boot_only {
        return (
            Disposition::Platform,
            "part of the boot, which a container does not have".into(),
        );
    }
    let owner = service.files.first().and_then(|path| facts.owner(path));
    if service.kind == ServiceType::Oneshot {
        let reason = match owner {
            Some(package) => format!("prepares the machine at boot (package {})", package.name),
            None => "runs once at boot; see whether a workload needs what it does".to_owned(),
        };
        return (Disposition::Platform, reason);
    }
    let own: Vec<Option<&crate::fact::Package>> =
        program.files.iter().map(|path| facts.owner(path)).collect();
    // A script of the administrator's is run by a shell of the base system, and is not the base system.
    let by_hand = owner.is_none() || own.iter().any(Option::is_none);
    let essential = !own.is_empty() && own.iter().flatten().all(|package| package.essential);
    match owner {
        Some(package) if !by_hand && essential && package.essential => (
            Disposition::Platform,
            format!("part of the base system (package {})", package.name),
        ),
        Some(package) if !by_hand => (
            Disposition::Containerize,
            format!(
                "a service of package {} that no pack knows; its unit's own command is used",
                package.name
            ),
        ),
        _ => (
            Disposition::Containerize,
            "an application that was put on this machine by hand".into(),
        ),
    }
}

/// Why a service that would move or stay does neither: it is enabled, and its own conditions keep it from running.
pub fn never_runs(service: &Service, disposition: Disposition) -> Option<String> {
    let matters = matches!(disposition, Disposition::Containerize | Disposition::Keep);
    let unmet = service.unmet.as_ref().filter(|_| matters)?;
    Some(format!(
        "enabled, and never runs on this machine: {} does not hold",
        unmet.excerpt
    ))
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text.get(..end).unwrap_or(text).trim().to_owned()
}
