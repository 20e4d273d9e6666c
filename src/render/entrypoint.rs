//! The entry point's view.

use super::{
    schedule,
    value::{Variable, archive_mount, environment, octal, secret_mount, working_directory},
};
use crate::abi::capability::capabilities;
use crate::plan::secret::Argument;
use crate::plan::{Dropper, Plan, PlannedCommand};
use crate::quote::shell;
use serde::Serialize;

/// Where jobs' output is read from.
const PIPE: &str = "/run/job-output";

#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a part of the template"
)]
pub(in crate::render) struct Entrypoint {
    loads: Vec<Load>,
    directories: Vec<Made>,
    files: Vec<Put>,
    variables: Vec<String>,
    exports: Vec<Variable>,
    /// The logs' links must be opened by somebody who is not root.
    output: bool,
    uid: u32,
    gid: u32,
    scheduled: bool,
    /// What jobs print comes as mail.
    mailed: bool,
    /// Some jobs run at each start, which schedulers remember for a machine's whole uptime.
    reboots: bool,
    pipe: &'static str,
    umask: String,
    before: Vec<Before>,
    /// Variables that the commands before alone had.
    spent: Vec<String>,
    directory: Vec<String>,
    /// Capabilities that nobody may have granted.
    offered: Vec<Offered>,
    /// Words before the main command, a blank at their end.
    drop: String,
}

#[derive(Debug, Serialize)]
struct Offered {
    bit: usize,
    name: String,
}

#[derive(Debug, Serialize)]
struct Load {
    archive: String,
    path: String,
}

#[derive(Debug, Serialize)]
struct Made {
    path: String,
    uid: u32,
    gid: u32,
    mode: String,
}

#[derive(Debug, Serialize)]
struct Put {
    from: String,
    path: String,
    uid: u32,
    gid: u32,
    mode: String,
}

#[derive(Debug, Serialize)]
struct Before {
    command: String,
    from: String,
}

/// The script that jobs' mail is handed to.
#[derive(Debug, Serialize)]
pub(in crate::render) struct Mailer {
    pipe: &'static str,
}

pub(in crate::render) fn mailer() -> Mailer {
    Mailer { pipe: PIPE }
}

pub(in crate::render) fn entrypoint(plan: &Plan) -> Entrypoint {
    let drop = drop_privileges(plan);
    let loads = plan.state.volumes.iter().filter(|volume| volume.load);
    let text = |path: &crate::path::MachinePath| path.text().into_owned();
    let directories = plan
        .image
        .directories
        .iter()
        .filter(|directory| directory.runtime);
    let (_, exports) = environment(plan);
    let files = plan.state.secrets.iter().filter_map(|secret| {
        let file = secret.file.as_ref()?;
        Some(Put {
            from: secret_mount(&secret.name),
            path: text(&file.path),
            uid: file.uid,
            gid: file.gid,
            mode: octal(file.mode),
        })
    });
    let tables = plan.schedule.jobs.iter().filter_map(|job| {
        let name = job.secret.as_ref()?;
        let path = schedule::secret_table(plan, name)?;
        Some(Put {
            from: secret_mount(name),
            path,
            uid: 0,
            gid: 0,
            mode: "0600".to_owned(),
        })
    });
    let variables = plan
        .state
        .secrets
        .iter()
        .filter(|secret| secret.file.is_none() && !secret.variables.is_empty());
    Entrypoint {
        loads: loads
            .map(|volume| Load {
                archive: archive_mount(&volume.name),
                path: text(&volume.path),
            })
            .collect(),
        directories: directories
            .map(|made| Made {
                path: text(&made.path),
                uid: made.uid,
                gid: made.gid,
                mode: octal(made.mode),
            })
            .collect(),
        files: files.chain(tables).collect(),
        variables: variables.map(|secret| secret_mount(&secret.name)).collect(),
        exports,
        output: plan.process.uid != 0 && !plan.image.log_links.is_empty(),
        uid: plan.process.uid,
        gid: plan.process.gid,
        scheduled: plan.schedule.scheduler.is_some(),
        mailed: (plan.schedule.scheduler.as_ref()).is_some_and(|own| own.mailer.is_some()),
        reboots: plan.schedule.jobs.iter().any(|job| job.cron == "@reboot"),
        pipe: PIPE,
        umask: plan.process.umask.map(octal).unwrap_or_default(),
        before: plan
            .process
            .before
            .iter()
            .map(|(command, root)| before(command, if *root { "" } else { &drop }))
            .collect(),
        spent: spent(plan),
        directory: working_directory(plan).1.into_iter().collect(),
        offered: if matches!(plan.process.dropper, Dropper::Setpriv) {
            offered(plan)
        } else {
            Vec::new()
        },
        drop,
    }
}

/// Variables of redacted words that the main command does not have.
fn spent(plan: &Plan) -> Vec<String> {
    let all = plan
        .state
        .secrets
        .iter()
        .flat_map(|secret| &secret.variables);
    let spent = all.filter(|name| {
        Argument::parse(name.as_str()).is_some_and(|argument| argument.before.is_some())
    });
    spent.cloned().collect()
}

/// The words before a command that is the user's, with a blank at their end. None of these programs stays behind or asks PAM.
fn drop_privileges(plan: &Plan) -> String {
    let process = &plan.process;
    if process.uid == 0 {
        return String::new();
    }
    match &process.dropper {
        Dropper::Setpriv => format!(
            "setpriv --reuid={} --regid={} --init-groups{} -- ",
            process.uid,
            process.gid,
            kept(plan)
        ),
        // It goes to the root directory, and the shell behind it comes back.
        Dropper::Chroot(groups) => {
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            format!(
                "chroot --userspec={}:{} --groups={} / /bin/sh -c 'cd \"$1\"; shift; exec \"$@\"' sh \"$PWD\" ",
                process.uid,
                process.gid,
                groups.join(",")
            )
        }
        Dropper::Su(user) => {
            let user = shell(user);
            format!("su -p -s /bin/sh -c 'exec \"$@\"' -- {user} sh ")
        }
    }
}

/// Options of setpriv(1) for the capabilities that stay; what the container may lack is added by the script.
fn kept(plan: &Plan) -> String {
    let all = &plan.process.capabilities;
    if all.is_empty() {
        return " --inh-caps=-all".to_owned();
    }
    let sure = all.iter().filter(|name| !is_choice(plan, name));
    let names: Vec<String> = sure.map(|name| format!(",+{}", setprivs(name))).collect();
    let names = names.concat();
    let offered = if offered(plan).is_empty() {
        ""
    } else {
        "\"$granted\""
    };
    format!(" --inh-caps=-all{names}{offered} --ambient-caps=-all{names}{offered}")
}

/// As setpriv(1) calls a capability.
fn setprivs(name: &str) -> String {
    name.trim_start_matches("CAP_").to_lowercase()
}

/// Whether the artefacts leave it to a person to grant it.
fn is_choice(plan: &Plan, name: &str) -> bool {
    let mut choices = plan.contract.choices.iter();
    choices.any(|choice| choice.name == name)
}

/// Capabilities that the process gets where somebody granted them: to ask for others fails the start.
fn offered(plan: &Plan) -> Vec<Offered> {
    let known = &capabilities().names;
    let names = plan.process.capabilities.iter();
    let names = names.filter(|name| is_choice(plan, name));
    let found = names.filter_map(|name| {
        Some(Offered {
            bit: known.iter().position(|known| known == name)?,
            name: setprivs(name),
        })
    });
    found.collect()
}

fn before(command: &PlannedCommand, drop: &str) -> Before {
    let words: Vec<String> = command.argv.iter().map(|word| shell(word)).collect();
    let ignored = if command.ignore_failure { " || :" } else { "" };
    Before {
        command: format!("{drop}{}{ignored}", words.join(" ")),
        from: command.evidence.place(),
    }
}
