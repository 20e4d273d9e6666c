//! Secrets by reference: files that are mounted, and variables that are read at the start. No value is ever here.

use super::file::describe;
use super::names::{is_variable, slug, unique};
use super::place::Place;
use super::{PlannedCommand, PlannedFile, PlannedJob};
use crate::fact::SecretRef;
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::service::{CREDENTIALS, Command, Content, Service};
use crate::walk::Entry;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A secret, by reference: a whole file that is mounted, or some variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSecret {
    /// File name under OUT/secrets; `[a-z0-9._-]`.
    pub name: String,
    /// The file to put it at inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PlannedFile>,
    /// The machine's file whose content it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<MachinePath>,
    /// Or the variables it sets, in a file of shell assignments.
    pub variables: Vec<String>,
    /// The service that has them on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub holds: Vec<SecretRef>,
    /// Its content is written beside the containers.
    #[serde(default)]
    pub written: bool,
}

/// Kinds of what a secret's file is made of, beside whole files: how the value is found again.
pub(crate) const VARIABLE: &str = "variable";
pub(crate) const ARGUMENT: &str = "argument";
pub(crate) const JOB: &str = "job";
pub(crate) const CREDENTIAL: &str = "credential";

/// A word of one of a service's commands, which a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Argument {
    /// Of the commands before the main one ([`before`]), by their number; `None` is the main one.
    pub before: Option<usize>,
    pub word: usize,
}

impl Argument {
    /// `ARGUMENT_2`, `BEFORE_0_ARGUMENT_2`.
    pub(crate) fn name(self) -> String {
        match self.before {
            Some(number) => format!("BEFORE_{number}_ARGUMENT_{}", self.word),
            None => format!("ARGUMENT_{}", self.word),
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (before, word) = name.split_once("ARGUMENT_")?;
        let before = match before.strip_prefix("BEFORE_") {
            Some(number) => Some(number.strip_suffix('_')?.parse().ok()?),
            None if before.is_empty() => None,
            None => return None,
        };
        let word = word.parse().ok()?;
        Some(Self { before, word })
    }
}

/// The commands of a service that run before its main one, in order.
pub(crate) fn before(service: &Service) -> impl Iterator<Item = &Command> {
    let earlier = service.commands.start.split_last();
    let earlier = earlier.map(|(_, earlier)| earlier).unwrap_or_default();
    service.commands.before.iter().chain(earlier)
}

/// Names of secrets given so far, in all plans together: they share one directory.
pub(super) type Taken = BTreeSet<String>;

/// Files with secrets become secrets as a whole: taking a line out of a file needs its syntax, and the file would no
/// longer be the machine's.
pub(super) fn files(
    workload: &Workload,
    found: &BTreeMap<MachinePath, Entry>,
    place: &Place<'_>,
    taken: &mut Taken,
) -> Vec<PlannedSecret> {
    let planned = found.iter().map(|(path, entry)| PlannedSecret {
        name: unique(&format!("{}-{}", workload.id, slug(path.as_bytes())), taken),
        file: Some(describe(entry)),
        from: None,
        variables: Vec::new(),
        service: None,
        holds: place.secrets.get(path).cloned().unwrap_or_default(),
        written: false,
    });
    planned.collect()
}

/// A service's credentials, each a file that only its user reads.
pub(super) fn credentials(
    workload: &Workload,
    service: &Service,
    (uid, gid): (u32, u32),
    taken: &mut Taken,
) -> Vec<PlannedSecret> {
    let planned = service.credentials.iter().map(|credential| {
        let name = format!("{}-{}", workload.id, slug(credential.name.as_bytes()));
        let directory = MachinePath::new(CREDENTIALS).join(&service.name);
        PlannedSecret {
            name: unique(&name, taken),
            file: Some(PlannedFile {
                path: directory.join(&credential.name),
                mode: 0o400,
                uid,
                gid,
                why: format!("a credential of {}", service.name),
                bytes: 0,
                names: 1,
            }),
            from: match &credential.content {
                Content::File(path) => Some(path.clone()),
                Content::Text(_) => None,
            },
            variables: Vec::new(),
            service: Some(service.name.clone()),
            holds: vec![SecretRef {
                kind: CREDENTIAL.to_owned(),
                key: credential.name.clone(),
                evidence: credential.evidence.clone(),
            }],
            written: false,
        }
    });
    planned.collect()
}

/// Words of a command line that were redacted: each is a variable, and `--key=[redacted]` is `"${ARGUMENT_2}"`.
pub(super) fn arguments(command: &PlannedCommand, before: Option<usize>) -> Vec<SecretRef> {
    let words = command.argv.iter().enumerate();
    let masked = words.filter(|(_, word)| word.contains(MASK));
    masked
        .map(|(word, _)| SecretRef {
            kind: ARGUMENT.to_owned(),
            key: Argument { before, word }.name(),
            evidence: command.evidence.clone(),
        })
        .collect()
}

/// Variables with secret values, and secret arguments, in one file of assignments.
pub(super) fn variables(
    workload: &Workload,
    arguments: Vec<SecretRef>,
    taken: &mut Taken,
) -> Option<PlannedSecret> {
    let service = workload.services.first()?;
    assignments(workload, service, arguments, taken)
}

fn assignments(
    workload: &Workload,
    service: &Service,
    arguments: Vec<SecretRef>,
    taken: &mut Taken,
) -> Option<PlannedSecret> {
    let set = service.environment.secrets.iter();
    let set = set
        .filter(|(name, _)| is_variable(name))
        .map(|(name, evidence)| SecretRef {
            kind: VARIABLE.to_owned(),
            key: name.clone(),
            evidence: evidence.clone(),
        });
    // A pack may hand over what a file of settings says.
    let product = workload
        .product
        .iter()
        .filter(|_| !workload.services.is_empty());
    let product = product.flat_map(|product| &product.environment);
    let of_product = product
        .filter(|(name, value)| is_variable(name) && value.contains(MASK))
        .map(|(name, _)| SecretRef {
            kind: VARIABLE.to_owned(),
            key: name.clone(),
            evidence: service.evidence.clone(),
        });
    // What is set last stands.
    let last: BTreeMap<String, SecretRef> = set
        .chain(of_product)
        .chain(arguments)
        .map(|secret| (secret.key.clone(), secret))
        .collect();
    if last.is_empty() {
        return None;
    }
    Some(PlannedSecret {
        name: unique(&format!("{}-environment", workload.id), taken),
        file: None,
        from: None,
        variables: last.keys().cloned().collect(),
        service: Some(service.name.clone()),
        holds: last.into_values().collect(),
        written: false,
    })
}

/// What a timer's service needs before its commands, and the command line with it.
pub(super) struct OfJob {
    pub secrets: Vec<PlannedSecret>,
    pub command: String,
}

/// Secrets of a timer's service, in files that the job's own user reads.
pub(super) fn of_job(
    workload: &Workload,
    service: &Service,
    command: &str,
    place: &Place<'_>,
    taken: &mut Taken,
) -> OfJob {
    let user = place.facts.user(&service.user);
    let owner = user.map_or((0, 0), |user| (user.uid, user.gid));
    let (arguments, mut command) = if command.contains(MASK) {
        opened(service)
    } else {
        (Vec::new(), command.to_owned())
    };
    let mut secrets = credentials(workload, service, owner, taken);
    if !secrets.is_empty() {
        let directory = MachinePath::new(CREDENTIALS).join(&service.name);
        let directory = crate::quote::shell(&directory.text());
        command = format!("export CREDENTIALS_DIRECTORY={directory}; {command}");
    }
    if let Some(mut set) = assignments(workload, service, arguments, taken) {
        let path = format!("/run/{}", set.name);
        command = format!("set -a; . {path}; set +a; {command}");
        set.file = Some(PlannedFile {
            path: MachinePath::new(path),
            mode: 0o400,
            uid: owner.0,
            gid: owner.1,
            why: format!("variables of {}", service.name),
            bytes: 0,
            names: 1,
        });
        secrets.push(set);
    }
    OfJob { secrets, command }
}

/// The commands of a timer's service as one line of a shell, redacted words as variables.
fn opened(service: &Service) -> (Vec<SecretRef>, String) {
    let mut found = Vec::new();
    let mut lines = Vec::new();
    let prepared = service.commands.before.len();
    let last = service.commands.start.len().saturating_sub(1);
    for (number, command) in service.commands.start.iter().enumerate() {
        let before = (number < last).then_some(prepared + number);
        let words = command.argv.iter().enumerate().map(|(at, word)| {
            if !word.contains(MASK) {
                return crate::quote::shell(word);
            }
            let key = Argument { before, word: at }.name();
            let opened = format!("\"${{{key}}}\"");
            found.push(SecretRef {
                kind: ARGUMENT.to_owned(),
                key,
                evidence: command.evidence.clone(),
            });
            opened
        });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    (found, lines.join(" && "))
}

/// A job's line that holds a secret; the line itself is the secret.
pub(super) fn line(workload: &Workload, job: &PlannedJob, taken: &mut Taken) -> PlannedSecret {
    PlannedSecret {
        name: unique(&format!("{}-job", workload.id), taken),
        file: None,
        from: None,
        variables: Vec::new(),
        service: None,
        holds: vec![SecretRef {
            kind: JOB.to_owned(),
            key: job.user.clone(),
            evidence: job.evidence.clone(),
        }],
        written: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_its_variable() {
        for (before, word) in [(None, 0), (None, 12), (Some(0), 3), (Some(10), 0)] {
            let argument = Argument { before, word };
            assert_eq!(Argument::parse(&argument.name()), Some(argument));
        }
        for name in ["ARGUMENT_", "XARGUMENT_1", "BEFORE_ARGUMENT_1", "PORT"] {
            assert_eq!(Argument::parse(name), None, "{name}");
        }
    }
}
