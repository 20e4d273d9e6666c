//! Dispositions: what becomes of each service, and why.

use crate::fact::{Answer, Answered, Facts};
use crate::product::{Disposition, Product};
use crate::program;
use crate::service::{Service, ServiceType, Starter, id_of};

/// What a person answered for a service.
pub fn answer<'a>(service: &Service, facts: &'a Facts) -> Option<&'a Answer> {
    facts.answers.get(&[&*service.name, &*id_of(&service.name)])
}

/// Whether somebody wants a service moved that does not start at boot.
pub fn is_wanted(service: &Service, facts: &Facts) -> bool {
    let fate = answer(service, facts).and_then(|answer| answer.disposition.as_ref());
    fate.is_some_and(|fate| fate.value == Disposition::Containerize)
}

/// The reason of a disposition that a person gave.
pub fn as_answered(fate: &Answered<Disposition>) -> String {
    format!("answered in {}", fate.evidence.place())
}

/// Decides for one enabled service. A pack's word comes first; without one the facts of the unit decide.
pub fn place(service: &Service, product: Option<&Product>, facts: &Facts) -> (Disposition, String) {
    if let Some(reason) = &service.stays {
        return (Disposition::Platform, reason.clone());
    }
    if let Some(product) = product {
        return (product.disposition, first_sentence(&product.reason));
    }
    let runs = |command: &crate::service::Command| program::of(&command.argv, facts);
    let owner = service.files.first().and_then(|path| facts.owner(path));
    let Some(program) = service.commands.start.first().map(runs) else {
        return if service.manager.reads_lists() {
            let reason = "a program whose command its manager works out when it is started";
            (Disposition::Containerize, reason.to_owned())
        } else if is_unread(service, owner.is_none(), facts) {
            let reason = "an init script whose daemon could not be read";
            (Disposition::Containerize, reason.to_owned())
        } else {
            let reason = "starts no program of its own";
            (Disposition::Platform, reason.to_owned())
        };
    };
    if service.boot_only {
        return (
            Disposition::Platform,
            "part of the boot, which a container does not have".into(),
        );
    }
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

/// Whether an init script starts something that nobody here could read: it says so, or it was made by hand, which is done
/// to start something. That is a question, and not the platform's work.
fn is_unread(service: &Service, by_hand: bool, facts: &Facts) -> bool {
    let mut scripts = facts.init_scripts.iter();
    let script = scripts.find(|script| service.files.first() == Some(&script.path));
    service.manager == Starter::Sysv
        && (by_hand || script.is_some_and(|script| !script.starts.is_empty()))
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
