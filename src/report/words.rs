//! Words and orders that all reports share.

use crate::assess;
use crate::rule::{Certainty, Severity, Verdict};
use crate::scan::{Scan, Workload};

/// A severity as it is written in scan.json.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Minor => "minor",
        Severity::Major => "major",
        Severity::Blocker => "blocker",
    }
}

/// A verdict as it is written in scan.json.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Container => "container",
        Verdict::ContainerWithChanges => "container-with-changes",
        Verdict::IsolatedContainer => "isolated-container",
        Verdict::KeepVm => "keep-vm",
    }
}

/// A verdict for a reader who meets the word for the first time.
pub fn verdict_said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Container => "Fits a container",
        Verdict::ContainerWithChanges => "Fits a container after changes",
        Verdict::IsolatedContainer => "Needs the walls of a virtual machine",
        Verdict::KeepVm => "Stays on a virtual machine",
    }
}

/// How much is known, as it is written in scan.json.
pub fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Known => "known",
        Certainty::Partial => "partial",
        Certainty::Guess => "guess",
    }
}

/// The same for a reader who meets the word for the first time.
pub fn certainty_said(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "Its containers were started and answered as the machine did",
        Certainty::Known => "Nothing that matters was left open",
        Certainty::Partial => "Known but for small questions",
        Certainty::Guess => {
            "In part a guess: something that decides whether containers work is not known"
        }
    }
}

/// The targets that a scan was weighed for, in the order of places. One that this version does not know comes last.
pub fn targets(scan: &Scan) -> Vec<&str> {
    let first = scan.workloads.first();
    let of = first.into_iter().flat_map(|w| w.targets.keys());
    let mut names: Vec<&str> = of.map(String::as_str).collect();
    names.sort_by_key(|name| {
        let at = assess::targets().position(|place| place.id == *name);
        at.unwrap_or(usize::MAX)
    });
    names
}

/// Workloads, the lowest score first.
pub fn by_score(scan: &Scan) -> Vec<&Workload> {
    let mut workloads: Vec<&Workload> = scan.workloads.iter().collect();
    workloads.sort_by(|a, b| (a.assessment.score, &a.id).cmp(&(b.assessment.score, &b.id)));
    workloads
}

/// The machine's name, or what stands for it.
pub(super) fn machine(scan: &Scan) -> &str {
    scan.machine
        .hostname
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or("this machine")
}

/// The operating system's own name.
pub(super) fn system(scan: &Scan) -> &str {
    let os = scan.machine.os.as_ref();
    os.map_or("an unknown system", |os| os.pretty_name.as_str())
}
