//! What came of starting the containers, as every report shows it.

use crate::proof::{Kind, Proof, Proven};
use crate::text::bytes;
use serde::Serialize;

/// Differences of a workload that are shown; verify.json has them all.
const SHOWN: usize = 20;

/// Notes of a workload that are shown.
const NOTES: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct ProofView {
    /// `podman by podman-compose`.
    engine: String,
    recorded: bool,
    held: usize,
    count: usize,
    rows: Vec<Row>,
    differing: Vec<Differing>,
    noted: Vec<Noted>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    state: &'static str,
    checks: usize,
    image: String,
    memory: String,
    started: String,
    stopped: String,
}

#[derive(Debug, Serialize)]
struct Differing {
    id: String,
    differences: Vec<Difference>,
    more: usize,
}

/// A line each of a diff.
#[derive(Debug, Serialize)]
struct Difference {
    what: String,
    machine: String,
    container: String,
}

#[derive(Debug, Serialize)]
struct Noted {
    id: String,
    notes: Vec<String>,
    more: usize,
}

/// The section, where there is a proof.
pub(super) fn view(proof: Option<&Proof>) -> Option<ProofView> {
    let proof = proof?;
    let workloads = &proof.workloads;
    let noted = workloads.iter().filter(|proven| !proven.notes.is_empty());
    let differing = workloads.iter().filter(|proven| !proven.held);
    Some(ProofView {
        engine: format!("{} by {}", proof.engine.name, proof.engine.compose),
        recorded: proof.recorded,
        held: workloads.iter().filter(|proven| proven.held).count(),
        count: workloads.len(),
        rows: workloads.iter().map(row).collect(),
        differing: differing.map(differences).collect(),
        noted: noted
            .map(|proven| Noted {
                id: proven.id.clone(),
                notes: proven.notes.iter().take(NOTES).cloned().collect(),
                more: proven.notes.len().saturating_sub(NOTES),
            })
            .collect(),
    })
}

fn row(proven: &Proven) -> Row {
    let seconds = |ms: Option<u64>| ms.map(|ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100));
    Row {
        id: proven.id.clone(),
        state: match (proven.held, proven.proven) {
            (true, true) => "proven",
            (true, false) => "held",
            (false, _) => "differs",
        },
        checks: proven.checks.len(),
        image: proven.image_bytes.map(bytes).unwrap_or_default(),
        memory: proven.memory_bytes.map(bytes).unwrap_or_default(),
        started: seconds(proven.started_ms).unwrap_or_default(),
        stopped: seconds(proven.stopped_ms).unwrap_or_default(),
    }
}

fn differences(proven: &Proven) -> Differing {
    let shown = proven.differences().take(SHOWN).map(|check| Difference {
        what: check.what.clone(),
        machine: format!("- {}", check.machine),
        container: format!("+ {}", check.container),
    });
    Differing {
        id: proven.id.clone(),
        differences: shown.collect(),
        more: proven.differences().count().saturating_sub(SHOWN),
    }
}

/// The rule that a difference is reported under, in a sentence, and what to do.
pub(super) fn rule(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Build => (
            "verify/build",
            "The image cannot be built",
            "Read what the build said; the Dockerfile may name what the archive no longer has.",
        ),
        Kind::Start => (
            "verify/start",
            "The container does not start, or does not stay up",
            "Read its log: a file, a secret or a command that it needs is missing or wrong.",
        ),
        Kind::Listen => (
            "verify/listen",
            "The container does not listen where the machine did",
            "Compare the ports of the configuration, the plan and the compose file.",
        ),
        Kind::Answer => (
            "verify/answer",
            "The container does not answer as the machine did",
            "Compare what the machine said with what the container says; data, configuration or a service behind it may differ.",
        ),
        Kind::User => (
            "verify/user",
            "The main process is another user",
            "Compare USER of the Dockerfile and the entry point with the machine's service.",
        ),
        Kind::Capability => (
            "verify/capability",
            "The main process has capabilities that its plan does not give",
            "Take them from the compose file, or run it as its own user.",
        ),
        Kind::Health => (
            "verify/health",
            "The health check fails",
            "Run its command in the container.",
        ),
        Kind::Stop => (
            "verify/stop",
            "The stop signal does not end the container",
            "Check the stop signal, and that the first process hands signals on.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Check, Engine, SCHEMA_VERSION, Tool};

    #[test]
    fn the_section_is_cut_and_says_so() {
        let check = |n: usize| Check::new(Kind::Answer, format!("p{n}"), "a".into(), "b".into());
        let proof = Proof {
            schema_version: SCHEMA_VERSION,
            tool: Tool {
                name: String::new(),
                version: String::new(),
            },
            engine: Engine {
                name: "podman".into(),
                compose: "podman-compose".into(),
            },
            recorded: true,
            held: false,
            workloads: vec![Proven {
                id: "w".into(),
                checks: (0..25).map(check).collect(),
                ..Proven::default()
            }],
        };
        let view = view(Some(&proof)).unwrap();
        assert_eq!(
            (view.differing[0].differences.len(), view.differing[0].more),
            (SHOWN, 5)
        );
        assert_eq!(view.differing[0].differences[0].machine, "- a");
        assert_eq!(view.rows[0].state, "differs");
    }
}
