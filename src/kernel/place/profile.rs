//! A seccomp profile that lets through what a container's programs can reach, and nothing else.

use crate::fact::Evidence;
use crate::kernel::Reach;
use crate::path::MachinePath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What the engine, an entry point and ordinary commands call: `detectors/kernel/beside.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    runtime: Vec<String>,
    commands: Vec<String>,
}

static BESIDE: LazyLock<Result<Beside, String>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/kernel/beside.toml"))
        .map_err(|error| error.to_string())
});

fn beside() -> &'static Beside {
    static NONE: LazyLock<Beside> = LazyLock::new(Beside::default);
    BESIDE.as_ref().unwrap_or(&NONE)
}

/// The calls of one container, or why they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Sorted names, and the processor they are for (`x86_64`, `aarch64`).
    Calls {
        architecture: String,
        names: BTreeSet<String>,
        /// Starts other programs, for which the calls of ordinary commands were added.
        starts_programs: bool,
    },
    /// The engine's own profile stands.
    Unknown {
        why: String,
        evidence: Option<Evidence>,
    },
}

impl Profile {
    /// The profile of a container that runs these programs, each with what it can reach, where that was worked out.
    pub fn new<'a>(
        programs: impl IntoIterator<Item = (&'a MachinePath, Option<&'a Reach>)>,
        shell: bool,
    ) -> Self {
        let mut names = BTreeSet::new();
        let mut architecture: Option<&str> = None;
        let mut starts_programs = shell;
        for (path, reach) in programs {
            let Some(reach) = reach.filter(|reach| !reach.calls.is_empty()) else {
                return Self::unknown(format!("{path} was not analysed"), None);
            };
            if let Some(open) = reach.unresolved.first() {
                let evidence = Evidence::offset(&open.site.path, open.site.offset, &open.reason);
                let more = reach.unresolved.len().saturating_sub(1);
                let why = format!(
                    "{path} can make calls that its code does not tell: {} ({} and {more} more)",
                    open.reason,
                    evidence.place()
                );
                return Self::unknown(why, Some(evidence));
            }
            if architecture.is_some_and(|known| known != reach.architecture) {
                return Self::unknown("its programs are for several processors".to_owned(), None);
            }
            architecture = Some(&reach.architecture);
            starts_programs |= ["execve", "execveat"]
                .iter()
                .any(|call| reach.calls.contains_key(*call));
            names.extend(reach.calls.keys().cloned());
        }
        let Some(architecture) = architecture else {
            return Self::unknown("none of its programs was analysed".to_owned(), None);
        };
        names.extend(beside().runtime.iter().cloned());
        if starts_programs {
            names.extend(beside().commands.iter().cloned());
        }
        Self::Calls {
            architecture: architecture.to_owned(),
            names,
            starts_programs,
        }
    }

    /// No profile, for this reason.
    pub fn unknown(why: String, evidence: Option<Evidence>) -> Self {
        Self::Unknown { why, evidence }
    }

    /// The profile in the format of Docker, Podman and CRI-O: what is not named answers ENOSYS, so that libraries fall back
    /// to older calls where they know any.
    pub fn document(&self) -> Option<String> {
        let Self::Calls {
            architecture,
            names,
            ..
        } = self
        else {
            return None;
        };
        let (main, others): (&str, &[&str]) = match architecture.as_str() {
            "x86_64" => ("SCMP_ARCH_X86_64", &["SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
            "aarch64" => ("SCMP_ARCH_AARCH64", &["SCMP_ARCH_ARM"]),
            _ => return None,
        };
        let document = serde_json::json!({
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 38,
            "archMap": [{ "architecture": main, "subArchitectures": others }],
            "syscalls": [{ "names": names, "action": "SCMP_ACT_ALLOW" }],
        });
        let mut text = serde_json::to_string_pretty(&document).ok()?;
        text.push('\n');
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Site, Unresolved};

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

    fn names(profile: &Profile) -> BTreeSet<String> {
        match profile {
            Profile::Calls { names, .. } => names.clone(),
            Profile::Unknown { why, .. } => panic!("{why}"),
        }
    }

    #[test]
    fn what_is_reached_and_what_stands_beside() {
        BESIDE
            .as_ref()
            .expect("detectors/kernel/beside.toml parses");
        let path = MachinePath::new("/srv/x");
        let only = reach(&["read", "io_uring_setup"]);
        let found = names(&Profile::new([(&path, Some(&only))], false));
        assert!(
            found.contains("io_uring_setup")
                && found.contains("execve")
                && !found.contains("mkdirat")
        );
        let starts = reach(&["read", "execve"]);
        assert!(names(&Profile::new([(&path, Some(&starts))], false)).contains("mkdirat"));
        assert!(names(&Profile::new([(&path, Some(&only))], true)).contains("fchownat"));
        for denied in [
            "mount",
            "init_module",
            "ptrace",
            "bpf",
            "keyctl",
            "reboot",
            "unshare",
            "setns",
        ] {
            assert!(!found.contains(denied), "{denied}");
        }
    }

    #[test]
    fn nothing_is_narrowed_on_a_guess() {
        let path = MachinePath::new("/srv/x");
        let known = reach(&["read"]);
        let mut open = known.clone();
        let site = Site {
            path: "/srv/x".into(),
            offset: 9,
        };
        open.unresolved.push(Unresolved {
            site,
            reason: "the number is computed".into(),
        });
        for programs in [
            vec![(&path, None)],
            vec![(&path, Some(&known)), (&path, Some(&open))],
            vec![],
        ] {
            let profile = Profile::new(programs, false);
            assert!(profile.document().is_none(), "{profile:?}");
        }
    }

    #[test]
    fn the_document_is_what_engines_read() {
        let path = MachinePath::new("/srv/x");
        let text = Profile::new([(&path, Some(&reach(&["read"])))], false)
            .document()
            .unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["defaultAction"], "SCMP_ACT_ERRNO");
        assert_eq!(
            document["archMap"][0]["subArchitectures"][1],
            "SCMP_ARCH_X32"
        );
        assert_eq!(document["syscalls"][0]["action"], "SCMP_ACT_ALLOW");
    }
}
