//! A unit's environment: Environment=, the files after it, and what is taken away again (systemd.exec(5)).

use super::command::Context;
use super::unit::Unit;
use crate::fact::{Evidence, Facts, Syntax};
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::words;

/// Variables in order, and those whose value was redacted, with where they stand.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub variables: Vec<(String, String)>,
    pub secrets: Vec<(String, Evidence)>,
    /// Variables that nothing on the disk sets, but that the run may: `None` where any may be, since a file that sets
    /// some was not read or is made at boot.
    pub open: Option<Vec<String>>,
}

/// What the manager itself sets (systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager").
const OF_THE_MANAGER: &[&str] = &[
    "PATH",
    "LANG",
    "USER",
    "LOGNAME",
    "HOME",
    "SHELL",
    "TERM",
    "INVOCATION_ID",
    "MAINPID",
    "MANAGERPID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "JOURNAL_STREAM",
    "SERVICE_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
    "PIDFILE",
    "CREDENTIALS_DIRECTORY",
    "SYSTEMD_EXEC_PID",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "TRIGGER_UNIT",
    "TRIGGER_PATH",
];

impl Environment {
    fn set(&mut self, name: &str, value: String, evidence: Evidence) {
        self.unset(name, None);
        if value.contains(MASK) {
            self.secrets.push((name.to_owned(), evidence));
        }
        self.variables.push((name.to_owned(), value));
    }

    /// Takes a variable away; with a value, only where it has that one.
    fn unset(&mut self, name: &str, value: Option<&str>) {
        let goes = |known: &str, held: &str| known == name && value.is_none_or(|v| v == held);
        let before = self.variables.len();
        self.variables.retain(|(known, held)| !goes(known, held));
        if self.variables.len() < before {
            self.secrets.retain(|(known, _)| known != name);
        }
    }
}

/// Environment= first, files after, later ones win.
pub(super) fn read(
    facts: &Facts,
    unit: &Unit,
    context: &Context<'_>,
    files: &[(MachinePath, bool)],
) -> Environment {
    let mut found = Environment::default();
    for (path, entry) in unit.list("Service", "Environment") {
        for word in words::split(&context.expand(&entry.value)) {
            if let Some((name, value)) = word.split_once('=') {
                let evidence = Evidence::line(path, entry.line, &word);
                found.set(name, value.to_owned(), evidence);
            }
        }
    }
    for (pattern, _) in files {
        let matching = facts.documents.iter().filter(|((path, syntax), _)| {
            *syntax == Syntax::Environment
                && crate::walk::glob::matches_path(&pattern.text(), &path.text())
        });
        for (_, document) in matching {
            for setting in &document.settings {
                let value = setting.args.first().cloned().unwrap_or_default();
                found.set(&setting.key, value, document.evidence(setting));
            }
        }
    }
    let is_open = files
        .iter()
        .any(|(file, optional)| is_open(facts, file, *optional));
    found.open = (!is_open).then(|| {
        let passed = unit.list("Service", "PassEnvironment");
        let passed = passed
            .iter()
            .flat_map(|(_, entry)| words::split(&entry.value));
        let own = OF_THE_MANAGER.iter().map(|name| (*name).to_owned());
        own.chain(passed).collect()
    });
    for (_, entry) in unit.list("Service", "UnsetEnvironment") {
        for word in words::split(&context.expand(&entry.value)) {
            match word.split_once('=') {
                Some((name, value)) => found.unset(name, Some(value)),
                None => found.unset(&word, None),
            }
        }
    }
    found
}

/// Whether a file may set what the disk does not tell: it was not read, is made at boot, or should be there and is not.
fn is_open(facts: &Facts, file: &MachinePath, optional: bool) -> bool {
    let at_boot = ["/run", "/var/run"].map(MachinePath::from);
    if at_boot.iter().any(|dir| file.is_within(dir)) {
        return true;
    }
    let text = file.text();
    let there: Vec<&MachinePath> = if text.contains(['*', '?', '[']) {
        let found = facts.tree.glob(&text).into_iter();
        found.map(|found| &found.path).collect()
    } else {
        facts.tree.get(file).map(|_| file).into_iter().collect()
    };
    let is_read = |path: &&MachinePath| {
        facts
            .documents
            .contains_key(&((*path).clone(), Syntax::Environment))
    };
    (there.is_empty() && !optional) || !there.iter().all(is_read)
}

/// EnvironmentFile=: path or pattern, and whether it may be absent.
pub(super) fn files(unit: &Unit, context: &Context<'_>) -> Vec<(MachinePath, bool)> {
    let entries = unit.list("Service", "EnvironmentFile");
    let file = |value: &str| {
        let value = context.expand(value);
        let optional = value.starts_with('-');
        (MachinePath::new(value.trim_start_matches('-')), optional)
    };
    entries
        .iter()
        .map(|(_, entry)| file(&entry.value))
        .collect()
}
