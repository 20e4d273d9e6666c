//! What a container runs: the foreground command, what comes before it, and whether the engine's init must reap for it.

use super::place::Place;
use super::secret::{self, Argument};
use crate::fact::Evidence;
use crate::fact::FileState;
use crate::kernel::need::is_loader;
use crate::path::MachinePath;
use crate::program::is_interpreter;
use crate::secret::MASK;
use crate::service::{Command, Service, ServiceType};
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
            "{} goes into the background by itself, and no pack says how to keep it in front: the container follows it, and ends when it does.",
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

/// Commands before the main one: the number of each among all there are, and whether it runs as root.
pub(super) fn before(workload: &Workload, place: &Place<'_>) -> Vec<(usize, PlannedCommand, bool)> {
    let Some(service) = workload.services.first() else {
        return Vec::new();
    };
    let replaced = workload
        .product
        .as_ref()
        .is_some_and(|product| product.command.is_some());
    // Where a pack replaces the command, it also knows what the package's own unit prepares; what an administrator
    // added is still wanted.
    let wanted = |command: &Command| {
        let own = place.facts.state(&command.evidence.path) == FileState::Unowned;
        !is_manager(&command.argv) && !loads_modules(command) && (own || !replaced)
    };
    let prepared = service.commands.before.len();
    let all = secret::before(service).enumerate();
    let all = all.filter(|(number, command)| (*number < prepared || !replaced) && wanted(command));
    all.map(|(number, command)| {
        let root = command.privileged || service.user == "root";
        (number, planned(command), root)
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

/// Whether the process leaves to somebody else what the first process has to do: scripts and interpreters reap no orphans, the
/// kernel hands a first process no signal that it has no handler for, and of a program that no pack knows nobody says that it has.
pub(super) fn needs_init(command: &PlannedCommand, workload: &Workload, place: &Place<'_>) -> bool {
    let Some(program) = command.argv.first() else {
        return false;
    };
    let path = MachinePath::new(program);
    let resolved = place.facts.tree.resolve(&path).unwrap_or(path);
    let is_script = |path: &MachinePath| place.facts.scripts.contains_key(path);
    if workload.product.is_none() || is_script(&resolved) || is_interpreter(program) {
        return true;
    }
    // A native program that runs nothing but a script named on its command line is that script's interpreter.
    let directory = workload.services.first();
    let directory = directory.and_then(|main| main.working_directory.as_ref());
    let mut arguments = command.argv.iter().skip(1).filter_map(|argument| {
        let named = MachinePath::new(argument);
        let absolute = argument.starts_with('/').then_some(named);
        let path = absolute.or_else(|| Some(directory?.join(argument)));
        path.and_then(|path| place.facts.tree.resolve(&path))
    });
    arguments.any(|path| is_script(&path))
}

/// A command with redacted words becomes a shell's, which knows them at the start. Nothing else is the shell's to read:
/// every other word stands in quotes. What held secrets until then (`names`) is no variable of the command's own.
pub(super) fn open(
    mut command: PlannedCommand,
    before: Option<usize>,
    names: &[String],
) -> PlannedCommand {
    let mine = |name: &&String| {
        Argument::parse(name.as_str()).is_some_and(|argument| argument.before == before)
    };
    let Some(first) = names.iter().find(mine) else {
        return command;
    };
    // What opens sockets may stand in front: redacted words are still in their order.
    let mut own = names.iter().filter(mine);
    let words = command.argv.iter().map(|word| {
        let name = word.contains(MASK).then(|| own.next().unwrap_or(first));
        name.map_or_else(
            || crate::quote::shell(word),
            |name| format!("\"${{{name}?}}\""),
        )
    });
    let words: Vec<String> = words.collect();
    let line = format!(
        "set -- {}; unset {}; exec \"$@\"",
        words.join(" "),
        names.join(" ")
    );
    command.argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), line];
    command
}

/// Signal and patience at the stop.
pub(super) fn stop(service: Option<&Service>, workload: &Workload) -> (String, u64) {
    let product = workload
        .product
        .as_ref()
        .and_then(|product| product.stop_signal.clone());
    let own = service.map(|service| service.kill_signal.clone());
    // A pack knows what its product wants where nobody says anything else.
    let said = own.clone().filter(|signal| signal != "SIGTERM");
    let signal = said
        .or(product)
        .or(own)
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

/// The most containers of one service that anybody means.
const MOST_REPLICAS: u32 = 256;

/// How many containers of a workload run at once. Those that listen would take one another's port.
pub(super) fn replicas(workload: &Workload) -> u32 {
    let processes = workload.services.first().map_or(1, |main| main.processes);
    if workload.listens.is_empty() {
        processes.clamp(1, MOST_REPLICAS)
    } else {
        1
    }
}

/// What is said where fewer containers are made than processes ran.
pub(super) fn alone(workload: &Workload) -> Option<String> {
    let processes = workload.services.first().map_or(1, |main| main.processes);
    (processes > replicas(workload)).then(|| {
        format!(
            "The machine ran {processes} processes of it, which shared what they listen on; here it is one. Where one is not enough, run several behind a proxy."
        )
    })
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
    fn redacted_words_are_the_shells_and_nothing_else_is() {
        let command = |words: &[&str]| PlannedCommand {
            argv: argv(words),
            ignore_failure: false,
            evidence: Evidence::file(&"/u".into()),
        };
        let names = argv(&["ARGUMENT_1", "ARGUMENT_3", "BEFORE_0_ARGUMENT_1"]);
        let open = open(
            command(&[
                "/bin/app",
                "--key=[redacted]",
                "${ARGUMENT_1}",
                "[redacted]",
            ]),
            None,
            &names,
        );
        assert_eq!(
            open.argv,
            [
                "/bin/sh",
                "-c",
                r#"set -- /bin/app "${ARGUMENT_1?}" '${ARGUMENT_1}' "${ARGUMENT_3?}"; unset ARGUMENT_1 ARGUMENT_3 BEFORE_0_ARGUMENT_1; exec "$@""#
            ]
        );
        let plain = command(&["/bin/app", "$HOME", "${ARGUMENT_1}"]);
        assert_eq!(super::open(plain.clone(), Some(1), &names), plain);
    }
}
