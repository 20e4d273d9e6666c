//! Secrets by reference: files that are mounted, and variables that are read at the start. No value is ever here.

use super::file::describe;
use super::names::{is_variable, slug, unique};
use super::place::Place;
use super::{PlannedCommand, PlannedFile, PlannedJob};
use crate::fact::SecretRef;
use crate::path::MachinePath;
use crate::secret::MASK;
use crate::service::Service;
use crate::walk::Entry;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A secret, by reference: a whole file that is mounted, or one variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSecret {
    /// File name under OUT/secrets; `[a-z0-9._-]`.
    pub name: String,
    /// The file to put it at inside the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PlannedFile>,
    /// Or the variables it sets, in a file of shell assignments.
    pub variables: Vec<String>,
    pub holds: Vec<SecretRef>,
}

/// Kinds of what a secret's file is made of, beside whole files: how the value is found again.
pub(crate) const VARIABLE: &str = "variable";
pub(crate) const ARGUMENT: &str = "argument";
pub(crate) const JOB: &str = "job";

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
        variables: Vec::new(),
        holds: place.secrets.get(path).cloned().unwrap_or_default(),
    });
    planned.collect()
}

/// Arguments of a command line that were redacted become variables: `--key=[redacted]` is `${ARGUMENT_2}`.
pub(super) fn arguments(command: &mut PlannedCommand) -> Vec<SecretRef> {
    let mut found = Vec::new();
    for (at, argument) in command.argv.iter_mut().enumerate() {
        if argument.contains(MASK) {
            let key = format!("ARGUMENT_{at}");
            *argument = format!("${{{key}}}");
            let evidence = command.evidence.clone();
            found.push(SecretRef {
                kind: ARGUMENT.to_owned(),
                key,
                evidence,
            });
        }
    }
    found
}

/// Variables with secret values, and secret arguments, in one file of assignments.
pub(super) fn variables(
    workload: &Workload,
    arguments: Vec<SecretRef>,
    taken: &mut Taken,
) -> Option<PlannedSecret> {
    let set = workload
        .services
        .iter()
        .take(1)
        .flat_map(|service| &service.environment.secrets);
    let set = set
        .filter(|(name, _)| is_variable(name))
        .map(|(name, evidence)| SecretRef {
            kind: VARIABLE.to_owned(),
            key: name.clone(),
            evidence: evidence.clone(),
        });
    // What is set last stands.
    let last: BTreeMap<String, SecretRef> = set
        .chain(arguments)
        .map(|secret| (secret.key.clone(), secret))
        .collect();
    if last.is_empty() {
        return None;
    }
    Some(PlannedSecret {
        name: unique(&format!("{}-environment", workload.id), taken),
        file: None,
        variables: last.keys().cloned().collect(),
        holds: last.into_values().collect(),
    })
}

/// Secret variables of a timer's service, in a file of assignments that the job's own user reads.
pub(super) fn of_job(
    workload: &Workload,
    service: &Service,
    place: &Place<'_>,
    taken: &mut Taken,
) -> Option<PlannedSecret> {
    let user = place.facts.user(&service.user);
    let set = service
        .environment
        .secrets
        .iter()
        .filter(|(name, _)| is_variable(name));
    let holds: Vec<SecretRef> = set
        .map(|(name, evidence)| SecretRef {
            kind: VARIABLE.to_owned(),
            key: name.clone(),
            evidence: evidence.clone(),
        })
        .collect();
    if holds.is_empty() {
        return None;
    }
    let name = unique(&format!("{}-environment", workload.id), taken);
    Some(PlannedSecret {
        file: Some(PlannedFile {
            path: MachinePath::new(format!("/run/{name}")),
            mode: 0o400,
            uid: user.map_or(0, |user| user.uid),
            gid: user.map_or(0, |user| user.gid),
            why: format!("variables of {}", service.name),
            bytes: 0,
            names: 1,
        }),
        variables: holds.iter().map(|held| held.key.clone()).collect(),
        name,
        holds,
    })
}

/// A command that reads its secret variables first.
pub(super) fn with_variables(command: String, secret: &PlannedSecret) -> String {
    match &secret.file {
        Some(file) => format!("set -a; . {}; set +a; {command}", file.path),
        None => command,
    }
}

/// A job's line that holds a secret; the line itself is the secret.
pub(super) fn line(workload: &Workload, job: &PlannedJob, taken: &mut Taken) -> PlannedSecret {
    PlannedSecret {
        name: unique(&format!("{}-job", workload.id), taken),
        file: None,
        variables: Vec::new(),
        holds: vec![SecretRef {
            kind: JOB.to_owned(),
            key: job.user.clone(),
            evidence: job.evidence.clone(),
        }],
    }
}
