//! What a started program is as a service.

use super::{Script, Started};
use crate::fact::{Evidence, Facts};
use crate::path::MachinePath;
use crate::service::managed::{Names, at_home, group_of, handed_over, user_of};
use crate::service::{
    Command, Commands, Remark, RemarkKind, Service, ServiceType, Services, Starter,
};

/// A service that a script starts and nothing supervises.
pub(in crate::service) fn by_script(name: String, starter: Starter, evidence: Evidence) -> Service {
    let remark = Remark {
        kind: RemarkKind::Script,
        text: format!("{name} is started by {}", evidence.path),
        evidence: evidence.clone(),
    };
    Service {
        remarks: vec![remark],
        ..Service::new(name, starter, evidence)
    }
}

pub(in crate::service) fn command(argv: Vec<String>, evidence: &Evidence) -> Command {
    Command {
        argv,
        ignore_failure: false,
        privileged: false,
        evidence: evidence.clone(),
    }
}

impl Service {
    /// Takes over what is known of the program that its script starts.
    pub(in crate::service) fn starting(self, started: &Started, facts: &Facts) -> Self {
        let user = started.user.as_deref().map(|user| user_of(facts, user));
        let user = user.unwrap_or_else(|| "root".to_owned());
        let group = started.group.clone();
        let kind = if started.is_put_behind {
            ServiceType::Simple
        } else {
            ServiceType::Forking
        };
        let start = command(started.argv.clone(), &started.evidence);
        let pid_file = started.pid_file.as_deref();
        Self {
            kind,
            commands: Commands {
                start: vec![start],
                ..Commands::default()
            },
            group: group.unwrap_or_else(|| group_of(facts, &user)),
            user,
            pid_file: pid_file.map(MachinePath::new),
            environment: started.environment.clone(),
            working_directory: started.directory.clone(),
            output: started.output.clone(),
            umask: started.umask,
            limits: started.limits.clone(),
            ..self
        }
    }
}

/// Services that a script of the administrator's starts when the machine does: those that stay. `whole` is the script
/// itself, which is of no more use where all that it does is to start them.
pub(in crate::service) fn that_stay(
    run: &Script<'_>,
    whole: &mut Service,
    facts: &Facts,
    found: &mut Services,
) {
    let mut names = Names::of(found);
    let mut started_by_it = Vec::new();
    for started in run.starts.iter().filter(|started| started.stays()) {
        let Some(program) = started.argv.first() else {
            continue;
        };
        let name = super::builtin::base(program);
        let name = names.free(name, &whole.name);
        let evidence = started.evidence.clone();
        let mut service = by_script(name.clone(), whole.manager, evidence).starting(started, facts);
        if let (Some(user), None) = (&started.user, &service.working_directory) {
            let home = facts.user(user).map(|user| MachinePath::new(&user.home));
            let home = home.and_then(|home| at_home(facts, &home, &service.commands.start));
            service.working_directory = home;
        }
        service.enabled = whole.enabled;
        service.enabled_by.clone_from(&whole.enabled_by);
        started_by_it.push(name);
        found.services.push(service);
    }
    if !started_by_it.is_empty() {
        whole.stays = Some(handed_over(&started_by_it));
    }
    for asked in &run.asked {
        let mut known = found.services.iter_mut();
        let service = known.find(|service| {
            service.name == asked.name || service.name == format!("{}.service", asked.name)
        });
        if let Some(service) = service.filter(|service| !service.enabled && whole.enabled) {
            service.enabled = true;
            service.enabled_by = Some(asked.evidence.clone());
        }
    }
}
