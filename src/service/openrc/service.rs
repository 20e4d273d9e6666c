//! One service: its script with the settings that OpenRC reads before it, and the start that a script without one has.

use crate::fact::{Dialect, Evidence, Facts};
use crate::path::MachinePath;
use crate::service::script::Script;
use crate::service::script::made::by_script;
use crate::service::{Service, Starter};
use crate::words;

/// What a script without a `start` of its own does (openrc-run(8), and its start-stop-daemon.sh).
const START: &str = "eval start-stop-daemon --start --exec $command ${chroot:+--chroot $chroot} ${pidfile:+--pidfile $pidfile} \
    ${command_user:+--user $command_user} ${umask:+--umask $umask} ${directory:+--chdir $directory} \
    ${output_log:+--stdout $output_log} ${error_log:+--stderr $error_log} ${command_background:+--background} \
    $start_stop_daemon_args -- $command_args $command_args_background";

/// The same where a supervisor keeps the program in front.
const SUPERVISED: &str = "eval supervise-daemon $RC_SVCNAME --start ${chroot:+--chroot $chroot} ${pidfile:+--pidfile $pidfile} \
    ${command_user:+--user $command_user} ${umask:+--umask $umask} ${directory:+--chdir $directory} \
    ${output_log:+--stdout $output_log} ${error_log:+--stderr $error_log} $supervise_daemon_args \
    $command -- $command_args $command_args_foreground";

/// Goes through a script and its settings, as it is started at boot.
pub(super) fn run<'a>(facts: &'a Facts, path: &MachinePath) -> Script<'a> {
    let called = path.text().into_owned();
    let name = path.name().into_owned();
    let mut run = Script::new(facts, path, vec![called.clone(), "start".to_owned()]);
    let given = [
        ("RC_SVCNAME", name.as_str()),
        ("SVCNAME", &name),
        ("RC_SERVICE", &called),
        ("RC_RUNLEVEL", "default"),
        ("RC_CMD", "start"),
        ("RC_UNAME", "Linux"),
        ("RC_LIBEXECDIR", "/lib/rc"),
    ];
    for (name, value) in given {
        run.give(name, value, Evidence::file(path));
    }
    run.read_in(&MachinePath::new("/etc/rc.conf"));
    for settings in settings(&name) {
        run.read_in(&settings);
    }
    let Some(file) = facts.managed.get(&(path.clone(), Dialect::Shell)) else {
        return run;
    };
    run.file(file);
    let limits = run.value_of("rc_ulimit").map(words::shell);
    if let Some(limits) = limits {
        let evidence = run.evidence_of("rc_ulimit").cloned();
        run.limited(&limits, evidence.as_ref());
    }
    run.call("depend");
    run.call("start_pre");
    let is_supervised = run.value_of("supervisor") == Some("supervise-daemon");
    if run.has("start") {
        run.call("start");
    } else if run
        .value_of("command")
        .is_some_and(|command| !command.is_empty())
    {
        let evidence = run.evidence_of("command").cloned();
        let number = evidence
            .as_ref()
            .and_then(|evidence| evidence.line)
            .unwrap_or(1);
        // A flag that says no is not there.
        let is_on = run.value_of("command_background").is_some_and(is_yes);
        if !is_on {
            run.forget("command_background");
        }
        run.line(number, if is_supervised { SUPERVISED } else { START });
    }
    run
}

/// Where a service's settings are: `worker.mail` has those of `worker` too.
fn settings(name: &str) -> Vec<MachinePath> {
    let folder = MachinePath::new("/etc/conf.d");
    let first = name.split_once('.').map(|(first, _)| first);
    let first = first.filter(|first| !first.is_empty());
    let names = first.into_iter().chain([name]);
    names.map(|name| folder.join(name)).collect()
}

fn is_yes(value: &str) -> bool {
    ["yes", "y", "true", "t", "on", "1"].contains(&value.to_ascii_lowercase().as_str())
}

pub(super) fn of(facts: &Facts, name: &str, path: &MachinePath, run: &Script<'_>) -> Service {
    let evidence = Evidence::file(path);
    let mut service = by_script(name.to_owned(), Starter::Openrc, evidence);
    let settings = settings(&path.name()).into_iter();
    service
        .files
        .extend(settings.filter(|path| facts.tree.exists(path)));
    if let Some(started) = run.best() {
        service = service.starting(started, facts);
    }
    let told = run.value_of("description").or_else(|| run.value_of("name"));
    told.unwrap_or_default()
        .clone_into(&mut service.description);
    if run.value_of("supervisor") == Some("supervise-daemon") {
        "always".clone_into(&mut service.restart);
    }
    if let Some(signal) = run.value_of("stopsig") {
        let signal = signal.trim_start_matches("SIG");
        service.kill_signal = format!("SIG{signal}");
    }
    let retry = run.value_of("retry").and_then(|retry| retry.parse().ok());
    service.stop_timeout = retry.or(service.stop_timeout);
    service
}
