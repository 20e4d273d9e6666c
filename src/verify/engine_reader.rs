//! Which engine there is, and what reads compose files for it.

use super::Failed;
use super::engine::{self, Call, run};
use super::engine_compose::SHORT;
use std::path::PathBuf;

/// What reads a compose file: the engine, and the words of the command.
const READERS: &[(&str, &[&str])] = &[
    ("podman", &["podman-compose"]),
    ("docker", &["docker", "compose"]),
    ("podman", &["podman", "compose"]),
    ("docker", &["docker-compose"]),
];

/// The first that is there and answers, of the engine asked for.
pub(super) fn reader(wanted: Option<&str>) -> Result<(&'static str, Vec<String>), Failed> {
    for (name, words) in READERS {
        if wanted.is_some_and(|wanted| wanted != *name) {
            continue;
        }
        let Some(program) = words.first().filter(|word| engine::program(word).is_some()) else {
            continue;
        };
        if engine::program(name).is_none() {
            continue;
        }
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let asks = if *program == "podman-compose" {
            "--version"
        } else {
            "version"
        };
        let call = Call {
            words: [words.clone(), vec![asks.to_owned()]].concat(),
            directory: PathBuf::from("/"),
            variables: Vec::new(),
            limit: SHORT,
        };
        // `docker` may be podman's own: it has no compose by itself.
        if run(&call).is_ok_and(|told| told.ok) && answers(name) {
            return Ok((name, words));
        }
    }
    let expected = match wanted {
        Some("docker") => "docker with `docker compose` or docker-compose",
        Some("podman") => "podman with podman-compose or `podman compose`",
        _ => "podman with podman-compose or `podman compose`, or docker with `docker compose`",
    };
    Err(Failed(format!(
        "no engine that can start a compose file: expected {expected} on the PATH, and that its `ps` works for you"
    )))
}

fn answers(name: &str) -> bool {
    let call = Call {
        words: vec![name.to_owned(), "ps".to_owned(), "-q".to_owned()],
        directory: PathBuf::from("/"),
        variables: Vec::new(),
        limit: SHORT,
    };
    run(&call).is_ok_and(|told| told.ok)
}
