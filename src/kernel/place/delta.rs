//! What of a need a place refuses, and what to add so that it does not.

use super::table::{Calls, Place};
use crate::kernel::Reach;
use crate::kernel::need::{Degree, Kind, Need};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A call that fails there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// `mount`, `socket(AF_VSOCK)`.
    pub call: String,
    /// Whether the program asks for it, or could merely make it.
    pub degree: Degree,
    /// Any of these capabilities opens it; empty where only another profile does.
    pub with: Vec<String>,
}

/// What a place would have to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Addition {
    /// A capability, a device or `seccomp profile`.
    pub what: String,
    /// Whether the place grants it at all.
    pub possible: bool,
    /// Why not, or what for.
    pub why: String,
}

/// The difference between what a container needs and what a place gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delta {
    pub place: String,
    pub title: String,
    /// Calls that its programs can reach and that the default profile refuses.
    pub refused: Vec<Refused>,
    /// Calls that do less there, with what is missing.
    pub partial: BTreeMap<String, String>,
    /// What has to be added for what they ask for.
    pub add: Vec<Addition>,
    /// Everything they ask for is given there, or given when asked.
    pub fits: bool,
}

/// Compares what programs can reach and need with a place.
pub fn delta<'a>(
    reaches: impl IntoIterator<Item = &'a Reach>,
    need: &Need,
    place: &Place,
) -> Delta {
    let asked: BTreeSet<&str> = need
        .asked()
        .filter(|ask| ask.kind == Kind::Call)
        .map(|ask| ask.what.as_str())
        .collect();
    let calls = place.calls();
    let mut refused: BTreeSet<Refused> = BTreeSet::new();
    let mut partial = BTreeMap::new();
    for reach in reaches {
        let Some(calls) = calls else { continue };
        for name in reach.calls.keys() {
            if let Some(missing) = calls.partial.get(name) {
                partial.insert(name.clone(), missing.clone());
            }
            if !allowed(calls, name, &reach.architecture, place) {
                refused.insert(Refused {
                    call: name.clone(),
                    degree: if asked.contains(name.as_str()) {
                        Degree::Asks
                    } else {
                        Degree::Reaches
                    },
                    with: openers(calls, name),
                });
            }
        }
        refused.extend(by_value(calls, reach, place, &asked));
    }
    let mut add = additions(need, place);
    add.extend(profile(&refused, need, place));
    add.sort();
    add.dedup();
    Delta {
        place: place.id.clone(),
        title: place.title.clone(),
        fits: add.iter().all(|addition| addition.possible),
        refused: refused.into_iter().collect(),
        partial,
        add,
    }
}

fn allowed(calls: &Calls, name: &str, machine: &str, place: &Place) -> bool {
    let on = |name: &str| {
        calls
            .on
            .iter()
            .any(|on| on.machine == machine && on.allow.contains(name))
    };
    let with = || {
        calls.with.iter().any(|with| {
            with.allow.contains(name)
                && with
                    .capabilities
                    .iter()
                    .any(|capability| place.gives(capability))
        })
    };
    calls.lets_through(name) || on(name) || with()
}

fn openers(calls: &Calls, name: &str) -> Vec<String> {
    let with = calls.with.iter().filter(|with| with.allow.contains(name));
    let names: BTreeSet<String> = with
        .flat_map(|with| with.capabilities.iter().cloned())
        .collect();
    names.into_iter().collect()
}

/// Calls let through with some values only, where the code hands over another.
fn by_value(calls: &Calls, reach: &Reach, place: &Place, asked: &BTreeSet<&str>) -> Vec<Refused> {
    let mut found = Vec::new();
    for argument in &reach.arguments {
        let Some(value) = argument.value else {
            continue;
        };
        let rules = calls
            .when
            .iter()
            .filter(|when| when.call == argument.call && when.argument == argument.index);
        for when in rules.filter(|when| !when.lets_through(value)) {
            if when
                .unless
                .as_ref()
                .is_some_and(|capability| place.gives(capability))
            {
                continue;
            }
            let prefix = format!("{}(", argument.call);
            let is_asked = asked.iter().any(|what| what.starts_with(&prefix));
            found.push(Refused {
                call: format!("{}({value:#x})", argument.call),
                degree: if is_asked {
                    Degree::Asks
                } else {
                    Degree::Reaches
                },
                with: when.unless.iter().cloned().collect(),
            });
        }
    }
    found
}

/// Capabilities and devices that are asked for and not there already.
fn additions(need: &Need, place: &Place) -> Vec<Addition> {
    let mut found = Vec::new();
    for ask in need.asked() {
        if !ask.capability.is_empty()
            && (!place.gives(&ask.capability) || place.void.contains(&ask.capability))
        {
            let (possible, why) = if place.void.contains(&ask.capability) {
                (
                    false,
                    format!("it {}, which no capability opens there", ask.does),
                )
            } else if place.may_grant(&ask.capability) {
                (true, format!("it {}", ask.does))
            } else {
                (
                    false,
                    format!("it {}, and the place does not grant it", ask.does),
                )
            };
            found.push(Addition {
                what: ask.capability.clone(),
                possible,
                why,
            });
        }
        if ask.kind == Kind::Device {
            let why = if place.devices {
                format!("it {}", ask.does)
            } else {
                format!("it {}, and no device is handed over there", ask.does)
            };
            found.push(Addition {
                what: ask.what.clone(),
                possible: place.devices,
                why,
            });
        }
    }
    found.sort();
    found.dedup_by(|later, first| later.what == first.what);
    found
}

/// A call that is asked for, refused, and opened by no capability needs another profile.
fn profile(refused: &BTreeSet<Refused>, need: &Need, place: &Place) -> Option<Addition> {
    let given = need.capabilities();
    let closed = refused
        .iter()
        .filter(|refused| refused.degree == Degree::Asks);
    let mut closed = closed.filter(|refused| {
        !refused
            .with
            .iter()
            .any(|with| given.contains(with.as_str()))
    });
    let first = closed.next()?;
    let possible =
        place.grants.contains("*") && place.calls().is_some_and(|calls| calls.partial.is_empty());
    Some(Addition {
        what: "seccomp profile".to_owned(),
        possible,
        why: format!("the default one refuses {}", first.call),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;
    use crate::kernel::need::Ask;
    use crate::kernel::{Argument, Site};

    fn place(id: &str) -> &'static Place {
        super::super::places()
            .iter()
            .find(|place| place.id == id)
            .unwrap()
    }

    fn reach(calls: &[&str]) -> Reach {
        let site = Site {
            path: "/srv/x".into(),
            offset: 1,
        };
        Reach {
            architecture: "x86_64".into(),
            calls: calls
                .iter()
                .map(|call| ((*call).to_owned(), vec![site.clone()]))
                .collect(),
            ..Reach::default()
        }
    }

    fn need(asks: &[(Kind, &str, &str)]) -> Need {
        let ask = |(kind, what, capability): &(Kind, &str, &str)| Ask {
            kind: *kind,
            what: (*what).to_owned(),
            degree: Degree::Asks,
            capability: (*capability).to_owned(),
            does: "does it".to_owned(),
            source: String::new(),
            evidence: Evidence::file(&"/srv/x".into()),
        };
        Need {
            asks: asks.iter().map(ask).collect(),
        }
    }

    fn refused(calls: &[&str], place_id: &str) -> Vec<String> {
        let found = delta([&reach(calls)], &Need::default(), place(place_id));
        found
            .refused
            .into_iter()
            .map(|refused| refused.call)
            .collect()
    }

    #[test]
    fn places_differ() {
        let calls = [
            "read",
            "arch_prctl",
            "chroot",
            "keyctl",
            "mount",
            "io_uring_setup",
            "kexec_load",
            "userfaultfd",
        ];
        assert_eq!(
            refused(&calls, "docker"),
            [
                "io_uring_setup",
                "kexec_load",
                "keyctl",
                "mount",
                "userfaultfd"
            ]
        );
        assert_eq!(
            refused(&calls, "podman"),
            ["io_uring_setup", "kexec_load", "userfaultfd"]
        );
        assert_eq!(
            refused(&["chroot"], "kubernetes-restricted"),
            ["chroot"],
            "its capability is dropped"
        );
        assert_eq!(
            refused(&["copy_file_range", "read"], "gvisor"),
            ["copy_file_range"]
        );
        assert_eq!(
            refused(&calls, "system-container"),
            ["kexec_load"],
            "only what is named is refused"
        );
        assert_eq!(refused(&calls, "kubevirt"), [""; 0]);
        assert_eq!(refused(&calls, "serverless"), refused(&calls, "docker"));
    }

    #[test]
    fn what_to_add() {
        let asks = need(&[
            (Kind::Call, "mount", "CAP_SYS_ADMIN"),
            (Kind::Device, "/dev/fuse", "CAP_SYS_ADMIN"),
        ]);
        let docker = delta([&reach(&["mount"])], &asks, place("docker"));
        let names: Vec<&str> = docker.add.iter().map(|add| add.what.as_str()).collect();
        assert_eq!(
            (names, docker.fits),
            (vec!["/dev/fuse", "CAP_SYS_ADMIN"], true)
        );
        assert!(!delta([&reach(&["mount"])], &asks, place("fargate")).fits);
        let clock = need(&[(Kind::Call, "clock_settime", "CAP_SYS_TIME")]);
        assert!(
            !delta(
                [&reach(&["clock_settime"])],
                &clock,
                place("rootless-podman")
            )
            .fits
        );
        assert!(delta([&reach(&["clock_settime"])], &clock, place("podman")).fits);
        assert!(
            !delta(
                [&reach(&["clock_settime"])],
                &clock,
                place("system-container")
            )
            .fits
        );
        let own = delta([&reach(&["clock_settime"])], &clock, place("kubevirt"));
        assert!(own.fits && own.add.is_empty());
    }

    #[test]
    fn values_that_a_profile_refuses() {
        let mut wanted = reach(&["socket", "clone"]);
        let site = Site {
            path: "/srv/x".into(),
            offset: 1,
        };
        let value = |call: &str, value: u64| Argument {
            call: call.into(),
            index: 0,
            value: Some(value),
            site: site.clone(),
        };
        wanted.arguments = vec![
            value("socket", 2),
            value("socket", 40),
            value("clone", 0x2000_0000),
            value("clone", 0x0100_0000),
        ];
        let found = delta([&wanted], &Need::default(), place("docker"));
        let calls: Vec<&str> = found
            .refused
            .iter()
            .map(|refused| refused.call.as_str())
            .collect();
        assert_eq!(calls, ["clone(0x20000000)", "socket(0x28)"]);
    }
}
