//! What a container runs: the foreground command, what comes before it, and whether the engine's init must reap for it.

use super::place::Place;
use crate::fact::Evidence;
use crate::fact::FileState;
use crate::kernel::need::is_loader;
use crate::path::MachinePath;
use crate::service::{Command, Service, ServiceType};
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A command with the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedCommand {
    pub argv: Vec<String>,
    /// A failure does not keep the main command from starting.
    pub ignore_failure: bool,
    pub evidence: Evidence,
}

/// Programs of the service manager: what they do has no meaning without it.
const MANAGER: [&str; 4] = ["systemctl", "journalctl", "loginctl", "initctl"];

/// The main command; `None` where nothing says what to run.
pub(super) fn main(workload: &Workload, notes: &mut Vec<String>) -> Option<PlannedCommand> {
    let service = workload.services.first()?;
    let evidence = service
        .commands
        .start
        .last()
        .map_or(&service.evidence, |exec| &exec.evidence);
    if let Some(argv) = workload
        .product
        .as_ref()
        .and_then(|product| product.command.clone())
    {
        return Some(PlannedCommand {
            argv,
            ignore_failure: false,
            evidence: evidence.clone(),
        });
    }
    let exec = service.commands.start.last()?;
    if matches!(service.kind, ServiceType::Forking) {
        notes.push(format!(
            "{} goes into the background by itself, and no pack says how to keep it in front: the container ends when its first process does.",
            service.name
        ));
    }
    Some(planned(exec))
}

fn planned(command: &Command) -> PlannedCommand {
    PlannedCommand {
        argv: command.argv.clone(),
        ignore_failure: command.ignore_failure,
        evidence: command.evidence.clone(),
    }
}

/// Commands before the main one, and whether each runs as root.
pub(super) fn before(workload: &Workload, place: &Place<'_>) -> Vec<(PlannedCommand, bool)> {
    let Some(service) = workload.services.first() else {
        return Vec::new();
    };
    let replaced = workload
        .product
        .as_ref()
        .is_some_and(|product| product.command.is_some());
    // Where a pack replaces the command, it also knows what the package's own unit prepares; what an administrator
    // added is still wanted.
    let wanted = |command: &&Command| {
        let own = place.facts.state(&command.evidence.path) == FileState::Unowned;
        !is_manager(&command.argv) && !loads_modules(command) && (own || !replaced)
    };
    let earlier = service
        .commands
        .start
        .split_last()
        .map(|(_, earlier)| earlier)
        .unwrap_or_default();
    let earlier = earlier.iter().filter(|_| !replaced);
    let all = service.commands.before.iter().chain(earlier).filter(wanted);
    all.map(|command| {
        (
            planned(command),
            command.privileged || service.user == "root",
        )
    })
    .collect()
}

/// A command that loads kernel modules, which is the host's to do.
pub(super) fn loads_modules(command: &Command) -> bool {
    let program = command.argv.first();
    program.is_some_and(|program| is_loader(program))
}

/// A command that only speaks to the service manager, directly or through a shell.
fn is_manager(argv: &[String]) -> bool {
    let program = argv
        .first()
        .map(|first| base_name(first))
        .unwrap_or_default();
    let named = |word: &str| MANAGER.contains(&word) || word.starts_with("systemd-");
    if named(program) {
        return true;
    }
    let shell =
        matches!(program, "sh" | "bash" | "dash") && argv.get(1).is_some_and(|flag| flag == "-c");
    let words = argv
        .get(2)
        .map(|script| script.split(|c: char| c.is_whitespace() || ";&|()`".contains(c)));
    shell && words.is_some_and(|mut words| words.any(|word| named(base_name(word))))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the process leaves reaping to somebody else: scripts and language interpreters do.
pub(super) fn needs_init(command: &PlannedCommand, place: &Place<'_>) -> bool {
    let Some(program) = command.argv.first() else {
        return false;
    };
    let path = MachinePath::new(program);
    let resolved = place.facts.tree.resolve(&path).unwrap_or(path);
    if place.facts.scripts.contains_key(&resolved) {
        return true;
    }
    // A native program that runs nothing but a script named on its command line is that script's interpreter.
    let mut arguments = command.argv.iter().skip(1);
    arguments.any(|argument| {
        let script = place.facts.tree.resolve(&MachinePath::new(argument));
        argument.starts_with('/')
            && script.is_some_and(|path| place.facts.scripts.contains_key(&path))
    }) || matches!(base_name(program), "sh" | "bash" | "dash")
}

/// A command whose arguments still name variables becomes a shell's, which knows them at the start.
pub(super) fn expand(mut command: PlannedCommand, variables: &BTreeSet<&str>) -> PlannedCommand {
    let named = command
        .argv
        .iter()
        .any(|argument| pieces(argument, variables).iter().any(|(_, is)| *is));
    if !named {
        return command;
    }
    let words = command
        .argv
        .iter()
        .map(|argument| word(argument, variables));
    let line = format!("set -f; exec {}", words.collect::<Vec<_>>().join(" "));
    command.argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), line];
    command
}

/// A shell word: literal parts in single quotes, variables in double ones. A variable that is a whole argument is split
/// into words, as systemd.service(5) says.
fn word(argument: &str, variables: &BTreeSet<&str>) -> String {
    if let Some(name) = argument
        .strip_prefix('$')
        .filter(|name| variables.contains(name))
    {
        return format!("${name}");
    }
    let mut word = String::new();
    for (piece, is_variable) in pieces(argument, variables) {
        if is_variable {
            word.push_str("\"${");
            word.push_str(piece);
            word.push_str("}\"");
        } else {
            word.push_str(&crate::quote::shell(piece));
        }
    }
    if word.is_empty() {
        "''".to_owned()
    } else {
        word
    }
}

/// An argument cut at `${NAME}` anywhere and `$NAME` as a whole, as systemd.service(5) expands them.
fn pieces<'t>(argument: &'t str, variables: &BTreeSet<&str>) -> Vec<(&'t str, bool)> {
    if let Some(name) = argument
        .strip_prefix('$')
        .filter(|name| variables.contains(name))
    {
        return vec![(name, true)];
    }
    let (mut pieces, mut rest, mut literal) = (Vec::new(), argument, 0);
    while let Some(at) = rest.get(literal..).and_then(|text| text.find("${")) {
        let start = literal + at;
        let inner = rest.get(start + 2..).unwrap_or_default();
        let name = inner.split('}').next().unwrap_or_default();
        if inner.len() > name.len() && variables.contains(name) {
            pieces.extend(
                rest.get(..start)
                    .filter(|text| !text.is_empty())
                    .map(|text| (text, false)),
            );
            pieces.push((name, true));
            rest = inner.get(name.len() + 1..).unwrap_or_default();
            literal = 0;
        } else {
            literal = start + 2;
        }
    }
    if !rest.is_empty() {
        pieces.push((rest, false));
    }
    pieces
}

/// Signal and patience at the stop.
pub(super) fn stop(service: Option<&Service>, workload: &Workload) -> (String, u64) {
    let product = workload
        .product
        .as_ref()
        .and_then(|product| product.stop_signal.clone());
    let signal = product
        .or_else(|| service.map(|service| service.kill_signal.clone()))
        .filter(|signal| is_signal(signal))
        .unwrap_or_else(|| "SIGTERM".to_owned());
    let seconds = match service.and_then(|service| service.stop_timeout) {
        // systemd's own default, DefaultTimeoutStopSec=.
        None => 90,
        // Zero is without end there; an engine wants a number, and a database that writes itself out wants its time.
        Some(0) => 3600,
        Some(seconds) => seconds.min(86_400),
    };
    (signal, seconds)
}

/// When an engine starts the container again.
pub(super) fn restart(service: Option<&Service>) -> &'static str {
    match service {
        Some(service) if service.kind == ServiceType::Oneshot => "no",
        Some(service) if service.restart.starts_with("on-") => "on-failure",
        // A unit that is not restarted is started at boot all the same.
        _ => "unless-stopped",
    }
}

fn is_signal(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-');
    name.len() <= 16 && name.starts_with("SIG") && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_speaks_to_the_manager_is_known() {
        assert!(is_manager(&argv(&["/usr/bin/systemctl", "stop", "x"])));
        assert!(is_manager(&argv(&[
            "/bin/sh",
            "-c",
            "x; systemctl unset-environment A"
        ])));
        assert!(is_manager(&argv(&["/usr/lib/systemd/systemd-notify"])));
        assert!(!is_manager(&argv(&["/bin/sh", "-c", "mkdir -p /run/x"])));
        assert!(!is_manager(&[]));
    }

    #[test]
    fn variables_left_open_are_the_shells_affair() {
        let command = |words: &[&str]| PlannedCommand {
            argv: argv(words),
            ignore_failure: false,
            evidence: Evidence::file(&"/u".into()),
        };
        let names = BTreeSet::from(["KEY", "B"]);
        let plain = command(&["/bin/app", "$HOME", "${OTHER}", "a$KEY"]);
        assert_eq!(expand(plain.clone(), &names), plain);
        let open = expand(
            command(&["/bin/app", "--key=${KEY}x'${OTHER}", "$B", ""]),
            &names,
        );
        assert_eq!(
            open.argv,
            [
                "/bin/sh",
                "-c",
                r#"set -f; exec /bin/app --key="${KEY}"'x'\''${OTHER}' $B ''"#
            ]
        );
    }
}
