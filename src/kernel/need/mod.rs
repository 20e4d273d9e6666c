//! From what a program can reach to what it needs of the kernel. Pure over [`Reach`]; the knowledge is data under
//! `detectors/kernel/`.
//!
//! A program *asks* for a privilege where its own code makes a call that has no use without it, or hands over a value that
//! decides. What a C library or an interpreter could do for it, or what it only does when told to, it can *reach*: that is
//! shown, and never held against it.

mod origin;
mod table;

use super::{Argument, Reach, Reference, Site};
use crate::fact::Evidence;
use crate::walk::glob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use table::{Asks, Other, Rule};

pub use crate::abi::capability::Capabilities;
pub use origin::Program;

/// How sure it is that the program needs it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// Code that it could run, but need not.
    Reaches,
    /// Its own code, and no other use.
    Asks,
}

/// What is needed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A system call, or one with a deciding argument.
    Call,
    Device,
    Sysctl,
    Module,
    /// A path or a part of the kernel that says what the program is about.
    Feature,
}

/// One thing a program needs, with a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    pub kind: Kind,
    /// A call (`mount`), a call with its value (`socket(AF_PACKET)`), a path, or a feature.
    pub what: String,
    pub degree: Degree,
    /// The capability that the kernel wants for it; empty where none helps or none is wanted.
    pub capability: String,
    /// What the program does, as the end of a sentence: `mounts file systems`.
    pub does: String,
    /// Where the kernel's rule is written; empty for paths.
    pub source: String,
    pub evidence: Evidence,
}

/// What one program needs, sorted: by kind, then by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    pub asks: Vec<Ask>,
}

impl Need {
    /// Capabilities of what is asked for, sorted.
    pub fn capabilities(&self) -> BTreeSet<&str> {
        let asked = self.asked().map(|ask| ask.capability.as_str());
        asked.filter(|name| !name.is_empty()).collect()
    }

    pub fn asked(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter().filter(|ask| ask.degree == Degree::Asks)
    }

    /// Takes in what another program of the same container needs: of two, the surer stands, and then the first.
    pub fn merge(&mut self, other: Need) {
        self.asks.extend(other.asks);
        self.asks.sort_by(|a, b| {
            let key = |ask: &Ask| (ask.kind, ask.what.clone(), std::cmp::Reverse(ask.degree));
            (key(a), &a.evidence).cmp(&(key(b), &b.evidence))
        });
        self.asks
            .dedup_by(|later, first| (later.kind, &later.what) == (first.kind, &first.what));
    }
}

/// A processor as hosts are chosen by: `x86-64-v3` where a file needs more than the first level (the psABI's), else the
/// kernel's name for it.
pub fn level_name(machine: &str, level: u8) -> String {
    if machine == "x86_64" && level > 1 {
        format!("x86-64-v{level}")
    } else {
        machine.to_owned()
    }
}

/// Whether every container has the device.
pub fn is_ordinary(device: &str) -> bool {
    let always = &table::needs().devices.always;
    always
        .iter()
        .any(|pattern| glob::matches_path(pattern, device))
}

/// What a program needs.
pub fn need(program: &Program<'_>) -> Need {
    let mut found = Need::default();
    let mut asks = calls(program);
    asks.extend(arguments(program));
    asks.extend(
        program
            .reach
            .references
            .iter()
            .filter_map(|reference| named(program, reference)),
    );
    found.merge(Need { asks });
    found
}

fn calls(program: &Program<'_>) -> Vec<Ask> {
    let mut found = Vec::new();
    for (name, sites) in &program.reach.calls {
        let Some(rule) = table::call(name) else {
            continue;
        };
        let free = rule.free.contains(name);
        let sure = rule.asks == Asks::Always && !free && program.calls_itself(name, sites);
        // The place in the program's own code says more than the one in the C library.
        let site = sites
            .iter()
            .find(|site| program.owns(&site.path))
            .or(sites.first());
        let Some(site) = site else { continue };
        found.push(Ask {
            kind: Kind::Call,
            what: name.clone(),
            degree: degree(sure),
            capability: if free {
                String::new()
            } else {
                rule.capability.clone()
            },
            does: rule.does.clone(),
            source: rule.source.clone(),
            evidence: evidence(site, name),
        });
        found.extend(rule.feature.as_ref().map(|feature| Ask {
            kind: Kind::Feature,
            what: feature.clone(),
            degree: Degree::Reaches,
            capability: String::new(),
            does: rule.does.clone(),
            source: rule.source.clone(),
            evidence: evidence(site, name),
        }));
    }
    found
}

fn arguments(program: &Program<'_>) -> Vec<Ask> {
    let mut found = Vec::new();
    for argument in &program.reach.arguments {
        let Some(value) = argument.value else {
            continue;
        };
        let rules = table::needs().argument.iter();
        for rule in rules.filter(|rule| rule.call == argument.call && rule.index == argument.index)
        {
            if !rule.holds(value) {
                continue;
            }
            let apart = |other: &Other| {
                other_value(program.reach, argument, other)
                    .map(|value| other.values.contains(&value))
            };
            let known = match (&rule.unless, &rule.only) {
                (Some(other), _) => apart(other).map(|is| !is),
                (None, Some(other)) => apart(other),
                (None, None) => Some(true),
            };
            if known == Some(false) {
                continue;
            }
            let own =
                program.owns(&argument.site.path) || program.is_carried_by_vehicle(&rule.call);
            let sure =
                rule.asks == Asks::Always && known == Some(true) && own && !program.interprets();
            found.extend(decided(rule, argument, sure));
        }
    }
    found
}

/// The same call's other argument, where that is known.
fn other_value(reach: &Reach, argument: &Argument, other: &Other) -> Option<u64> {
    let mut same = reach
        .arguments
        .iter()
        .filter(|candidate| candidate.site == argument.site && candidate.call == argument.call);
    same.find(|candidate| candidate.index == other.index)?.value
}

fn decided(rule: &Rule, argument: &Argument, sure: bool) -> Vec<Ask> {
    let what = format!("{}({})", rule.call, rule.name);
    let value = argument.value.unwrap_or_default();
    let shown = format!("{what}: {value:#x}");
    let ask = |kind: Kind, what: &str, sure: bool| Ask {
        kind,
        what: what.to_owned(),
        degree: degree(sure),
        capability: rule.capability.clone(),
        does: rule.does.clone(),
        source: rule.source.clone(),
        evidence: evidence(&argument.site, &shown),
    };
    let device = rule
        .device
        .iter()
        .map(|device| ask(Kind::Device, device, sure));
    let feature = rule
        .feature
        .iter()
        .map(|feature| ask(Kind::Feature, feature, false));
    std::iter::once(ask(Kind::Call, &what, sure))
        .chain(device)
        .chain(feature)
        .collect()
}

/// What a string that code refers to says.
fn named(program: &Program<'_>, reference: &Reference) -> Option<Ask> {
    let text = reference.text.as_str();
    let own = program.owns(&reference.site.path) && !program.interprets();
    let ask =
        |kind: Kind, what: &str, sure: bool, capability: &str, does: &str, source: &str| Ask {
            kind,
            what: what.to_owned(),
            degree: degree(sure && own),
            capability: capability.to_owned(),
            does: does.to_owned(),
            source: source.to_owned(),
            evidence: evidence(&reference.site, text),
        };
    let path = |patterns: &[String]| {
        patterns
            .iter()
            .any(|pattern| glob::matches_path(pattern, text))
    };
    if text.starts_with("/dev/") {
        if is_ordinary(text) || text == "/dev/" {
            return None;
        }
        let known = table::needs()
            .device
            .iter()
            .find(|device| path(&device.paths));
        return Some(match known {
            Some(device) => {
                let sure = device.asks == Asks::Always;
                ask(
                    Kind::Device,
                    text,
                    sure,
                    &device.capability,
                    &device.does,
                    &device.source,
                )
            }
            None => ask(Kind::Device, text, false, "", "names a device", ""),
        });
    }
    if let Some(name) = text
        .strip_prefix("/proc/sys/")
        .filter(|name| !name.is_empty())
    {
        let name = name.trim_end_matches('/').replace('/', ".");
        return Some(ask(
            Kind::Sysctl,
            &name,
            false,
            "",
            "reads or sets a kernel setting",
            "proc(5)",
        ));
    }
    if loads_modules(text) {
        let does = "has a program load kernel modules";
        return Some(ask(
            Kind::Module,
            text,
            true,
            "CAP_SYS_MODULE",
            does,
            "modprobe(8)",
        ));
    }
    let place = table::needs()
        .path
        .iter()
        .find(|place| path(&place.paths))?;
    let sure = place.asks == Asks::Always;
    Some(ask(
        Kind::Feature,
        &place.feature,
        sure,
        "",
        &place.does,
        "",
    ))
}

/// A command line whose program loads modules: `/sbin/modprobe`, `modprobe -q %s`. A bare word alone may be anything.
fn loads_modules(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let program = words.next().unwrap_or_default();
    let is_command = program.starts_with('/') || words.next().is_some();
    is_command && is_loader(program)
}

/// Whether a command's first word is a program that loads modules.
pub fn is_loader(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    let loaders = &table::needs().loaders.names;
    loaders.iter().any(|loader| loader == name)
}

fn degree(sure: bool) -> Degree {
    if sure { Degree::Asks } else { Degree::Reaches }
}

fn evidence(site: &Site, text: &str) -> Evidence {
    Evidence::offset(&site.path, site.offset, text)
}

#[cfg(test)]
mod tests;
