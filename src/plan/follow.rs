//! A daemon that goes into the background and has no option to stay: the container's first process starts it, hands the
//! stop signal on to it, and ends when it does. Whoever starts a daemon inherits it: what is left without a parent becomes
//! a child of the container's first process, be that this shell or the engine's init.

use super::PlannedCommand;
use crate::service::{Service, ServiceType};
use crate::workload::Workload;

/// With a file that says the daemon's number. A number without a process, or of one that is only waiting to be reaped, has
/// ended; signals alone do not tell, since the daemon may be another user's.
const BY_NUMBER: &str = r#"file=$1; shift; rm -f "$file"; "$@" || exit; tries=0
until [ -s "$file" ]; do tries=$((tries + 1)); [ "$tries" -le 120 ] || exit 1; sleep 1; done
read -r pid rest < "$file"
trap 'kill -TERM "$pid" 2>/dev/null' TERM INT QUIT HUP
while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do sleep 1 & wait "$!"; done"#;

/// Without one, all that it left behind is followed.
const BY_ALL: &str = r#""$@" || exit
trap 'kill -TERM -1 2>/dev/null' TERM INT QUIT HUP
while :; do
  sleep 1 & nap=$!; left=
  for process in /proc/[0-9]*; do
    process=${process#/proc/}
    case $process in 1|$$|"$nap") continue;; esac
    grep -q '^State:.Z' "/proc/$process/status" 2>/dev/null || left=1
  done
  wait "$nap"; [ "$left" ] || exit 0
done"#;

/// Programs that both are written with.
pub(super) const RUNS: &[&str] = &["grep", "sleep", "rm"];
/// What the shell calls itself.
const NAME: &str = "follow";

/// Whether a command has one in front that stays.
pub(super) fn is_wrapped(command: &PlannedCommand) -> bool {
    command.argv.get(3).is_some_and(|name| name == NAME)
}

/// The command, with one in front that stays.
pub(super) fn wrap(mut command: PlannedCommand, service: &Service) -> PlannedCommand {
    let file = service.pid_file.as_ref();
    let line = if file.is_some() { BY_NUMBER } else { BY_ALL };
    let mut argv = vec![
        "/bin/sh".to_owned(),
        "-c".to_owned(),
        line.to_owned(),
        NAME.to_owned(),
    ];
    argv.extend(file.map(|file| file.text().into_owned()));
    argv.append(&mut command.argv);
    command.argv = argv;
    command
}

/// Whether the main command leaves nobody in front: its unit says that it forks, and no pack knows better.
pub(super) fn is_needed(workload: &Workload) -> bool {
    let main = workload.services.first();
    let forks = main.is_some_and(|main| {
        matches!(main.kind, ServiceType::Forking) && !main.commands.start.is_empty()
    });
    let product = workload.product.as_ref();
    let knows = product.is_some_and(|product| product.command.is_some());
    forks && !knows && workload.answer.command.is_none()
}
