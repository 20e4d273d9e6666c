//! What came of a proof, for a terminal: each workload, and each difference as a diff has it.

use super::Style;
use crate::path::sanitise;
use crate::proof::{Check, Proof, Proven};
use crate::text::bytes;
use std::fmt::Write as _;

/// The proof in lines.
pub fn terminal(proof: &Proof, style: &Style) -> String {
    let mut text = String::new();
    for proven in &proof.workloads {
        workload(&mut text, proven, style);
    }
    let held = proof.workloads.iter().filter(|proven| proven.held).count();
    let _ = writeln!(
        text,
        "{held} of {} workloads are what the machine was, on {} by {}.",
        proof.workloads.len(),
        sanitise(&proof.engine.name),
        sanitise(&proof.engine.compose)
    );
    if !proof.recorded {
        text.push_str("What they answer was not compared with the machine: `transvase record OUT HOST` asks it.\n");
    }
    text
}

fn workload(text: &mut String, proven: &Proven, style: &Style) {
    let (word, colour) = match (proven.held, proven.proven) {
        (true, true) => ("proven", "32"),
        (true, false) => ("held", "32"),
        (false, _) => ("differs", "31"),
    };
    let mut facts = vec![format!("{} checks", proven.checks.len())];
    facts.extend(
        proven
            .image_bytes
            .map(|size| format!("image {}", bytes(size))),
    );
    facts.extend(
        proven
            .memory_bytes
            .map(|size| format!("memory {}", bytes(size))),
    );
    facts.extend(
        proven
            .started_ms
            .map(|ms| format!("listening after {}", seconds(ms))),
    );
    facts.extend(
        proven
            .stopped_ms
            .map(|ms| format!("stopped in {}", seconds(ms))),
    );
    let word = style.paint(colour, word);
    let _ = writeln!(
        text,
        "{}  {word}  {}",
        sanitise(&proven.id),
        facts.join(", ")
    );
    for check in proven.differences() {
        difference(text, check, style);
    }
    for note in &proven.notes {
        let _ = writeln!(text, "  note: {}", sanitise(note));
    }
}

fn difference(text: &mut String, check: &Check, style: &Style) {
    let _ = writeln!(text, "  {}", sanitise(&check.what));
    for (sign, colour, said) in [('-', "31", &check.machine), ('+', "32", &check.container)] {
        for line in said.lines() {
            let line = format!("  {sign} {}", sanitise(line));
            let _ = writeln!(text, "{}", style.paint(colour, &line));
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Engine, Kind, SCHEMA_VERSION, Tool};

    #[test]
    fn differences_read_like_a_diff_and_nothing_reaches_the_terminal_raw() {
        let proven = Proven {
            id: "web".into(),
            checks: vec![Check::new(
                Kind::Answer,
                "80/tcp GET h/",
                "200".into(),
                "502\n\x1b[2J".into(),
            )],
            ..Proven::default()
        };
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
            workloads: vec![proven],
        };
        let style = Style {
            colour: false,
            width: 80,
        };
        let text = terminal(&proof, &style);
        assert!(
            text.contains("  80/tcp GET h/\n  - 200\n  + 502\n"),
            "{text}"
        );
        assert!(!text.contains('\x1b') && text.contains("differs"));
    }
}
