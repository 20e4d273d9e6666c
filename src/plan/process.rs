//! The process of a container: its command and what comes before it, jobs, variables, and whether it needs preparation.

use super::identity::Identity;
use super::place::Place;
use super::secret::{self, Taken};
use super::{
    PlannedCommand, PlannedFile, PlannedJob, PlannedRemoval, PlannedSecret, activate, command,
    follow, schedule, service,
};
use crate::fact::Evidence;
use crate::fact::SecretRef;
use crate::path::MachinePath;
use crate::workload::Workload;

/// What is worked out of it at once, for several nouns of the plan.
#[derive(Debug)]
pub(super) struct Draft {
    pub command: PlannedCommand,
    /// The words of all commands themselves, whatever opens sockets or puts secrets in for them.
    own: Vec<Vec<String>>,
    pub before: Vec<(PlannedCommand, bool)>,
    pub init: bool,
    pub jobs: Vec<PlannedJob>,
    pub environment: Vec<(String, String)>,
    pub capabilities: Vec<String>,
    pub umask: Option<u32>,
    pub directory: Option<MachinePath>,
    pub log_links: Vec<(MachinePath, String)>,
    pub log_files: Vec<PlannedFile>,
    /// Beyond the files': variables, and jobs' lines.
    pub secrets: Vec<PlannedSecret>,
    pub removals: Vec<PlannedRemoval>,
    pub notes: Vec<String>,
}

impl Draft {
    pub(super) fn new(
        workload: &Workload,
        identity: &Identity,
        zone: Option<&str>,
        place: &Place<'_>,
        taken: &mut Taken,
    ) -> Self {
        let main = workload.services.first();
        let mut notes = Vec::new();
        let (mut jobs, mut secrets, mut removals) = (Vec::new(), Vec::new(), Vec::new());
        let (command, before) = if main.is_none() {
            let schedule = schedule::schedule(workload, place, taken);
            notes.extend(schedule.notes);
            (jobs, secrets, removals) = (schedule.jobs, schedule.secrets, schedule.removals);
            (Some(schedule::command(workload, place)), Vec::new())
        } else {
            (
                command::main(workload, &mut notes),
                command::before(workload, place),
            )
        };
        let mut command = command.unwrap_or_else(|| waiting(workload, &mut notes));
        let mut own = vec![command.argv.clone()];
        own.extend(before.iter().map(|(_, command, _)| command.argv.clone()));
        let masked = Masked::new(&command, &before);
        secrets.extend(secret::variables(workload, masked.all.clone(), taken));
        if let Some(main) = main {
            let owner = (identity.uid, identity.gid);
            secrets.extend(secret::credentials(workload, main, owner, taken));
        }
        let init = main.is_none() || command::needs_init(&command, workload, place);
        let (log_links, log_files) = service::log_files(workload, identity.uid, place);
        let environment = service::environment(workload, &identity.user, place, zone, &mut notes);
        if let Some(main) = main.filter(|_| follow::is_needed(workload)) {
            command = follow::wrap(command, main);
        }
        if let Some(main) = activate::activated(workload) {
            command = activate::wrap(command, main, &environment, &secrets, place);
        }
        Self {
            command: masked.open(command, None),
            own,
            before: before
                .into_iter()
                .map(|(number, command, root)| (masked.open(command, Some(number)), root))
                .collect(),
            init,
            jobs,
            environment,
            capabilities: service::capabilities(workload),
            directory: main.and_then(|main| main.working_directory.clone()),
            umask: main
                .and_then(|main| main.umask)
                .filter(|umask| *umask != 0o022),
            log_links,
            log_files,
            secrets,
            removals,
            notes,
        }
    }

    /// Every command line that is run.
    pub(super) fn commands(&self) -> impl Iterator<Item = &[String]> {
        self.own.iter().map(Vec::as_slice)
    }

    /// Whether something has to be done as root before the process is what it is.
    pub(super) fn needs_preparation(&self, identity: &Identity) -> bool {
        let unspeakable = |text: &str| crate::quote::dockerfile_word(text).is_none();
        let drops = identity.uid != 0
            && (!self.capabilities.is_empty()
                || !self.log_links.is_empty()
                || identity.accounts.has_memberships(&identity.user));
        drops
            || !self.secrets.is_empty()
            || !self.before.is_empty()
            || self.umask.is_some()
            || self.environment.iter().any(|(_, value)| unspeakable(value))
            || self
                .directory
                .as_ref()
                .is_some_and(|path| unspeakable(&path.text()))
    }
}

/// Where nothing says what to run, the container stands and waits for its reader.
fn waiting(workload: &Workload, notes: &mut Vec<String>) -> PlannedCommand {
    notes
        .push("Nothing on the machine says what to run here; the container only waits.".to_owned());
    let evidence = workload
        .services
        .first()
        .map(|service| service.evidence.clone());
    PlannedCommand {
        argv: vec!["sleep".to_owned(), "infinity".to_owned()],
        ignore_failure: false,
        evidence: evidence.unwrap_or_else(|| Evidence::file(&MachinePath::root())),
    }
}

/// What was redacted of the command lines.
struct Masked {
    all: Vec<SecretRef>,
    names: Vec<String>,
}

impl Masked {
    fn new(main: &PlannedCommand, before: &[(usize, PlannedCommand, bool)]) -> Self {
        let mut all = secret::arguments(main, None);
        for (number, command, _) in before {
            all.extend(secret::arguments(command, Some(*number)));
        }
        let names = all.iter().map(|secret| secret.key.clone()).collect();
        Self { all, names }
    }

    fn open(&self, command: PlannedCommand, before: Option<usize>) -> PlannedCommand {
        command::open(command, before, &self.names)
    }
}
