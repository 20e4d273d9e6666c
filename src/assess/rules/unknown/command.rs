//! A command that was not understood: the container would run the wrong thing, or nothing.

use super::Seen;
use crate::fact::{Answered, Evidence};
use crate::program::{self, Program, is_shell};
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::secret::MASK;
use crate::service::managed::supervisors;
use crate::service::{Service, ServiceType};
use crate::workload::Workload;

pub(super) fn concerns(seen: &Seen<'_>, workload: &Workload) -> Vec<Concern> {
    if let Some(answered) = &workload.answer.command {
        return missing(seen, workload, answered).into_iter().collect();
    }
    let main = workload.services.first();
    let is_known = |_: &&Service| {
        let product = workload.product.as_ref();
        product.is_some_and(|product| product.command.is_some())
    };
    let Some(service) = main.filter(|service| !is_known(service)) else {
        return Vec::new();
    };
    let why = why(seen, service);
    let found = why.and_then(|(detail, evidence)| {
        let id = Some(workload.id.as_str());
        let found = concern("unknown/command", id, detail, vec![evidence])?;
        let command = service.commands.start.last();
        // Words that had a secret are no answer: a container would run with the mask.
        let words = command.map(|command| command.argv.clone());
        let words = words.filter(|words| !words.iter().any(|word| word.contains(MASK)));
        Some(found.likely(words.unwrap_or_default()))
    });
    found.into_iter().collect()
}

/// An answered program that the disk does not have: a container of it would not start.
fn missing(
    seen: &Seen<'_>,
    workload: &Workload,
    answered: &Answered<Vec<String>>,
) -> Option<Concern> {
    let program = program::of(&answered.value, seen.facts);
    let first = answered
        .value
        .first()
        .filter(|_| program.files.is_empty())?;
    let detail = format!("{first:?} was answered, and is not on this disk");
    let evidence = vec![answered.evidence.clone()];
    let found = concern("unknown/command", Some(&workload.id), detail, evidence)?;
    Some(found.likely(answered.value.iter().cloned()))
}

/// What is not understood of a service's command, and where it stands.
fn why(seen: &Seen<'_>, service: &Service) -> Option<(String, Evidence)> {
    let name = &service.name;
    let Some(command) = service.commands.start.last() else {
        let detail = format!("the daemon that {name} starts could not be read");
        return Some((detail, service.evidence.clone()));
    };
    let program = program::of(&command.argv, seen.facts);
    let first = command.argv.first().map(String::as_str).unwrap_or_default();
    let said = |detail: String| Some((detail, command.evidence.clone()));
    if program.files.is_empty() {
        return said(format!("{name} runs {first:?}, which is not on this disk"));
    }
    if let Some(supervisor) = supervisor(&program) {
        return said(format!(
            "{name} runs {supervisor}, which starts other programs by a configuration that is not read"
        ));
    }
    let open = command
        .argv
        .iter()
        .find(|word| word.contains('$') && !is_shell(first));
    if let Some(word) = open {
        return said(format!(
            "{name} is started with {word:?}, and what that stands for is not on this disk"
        ));
    }
    let is_line = command.argv.iter().any(|word| word == "-c");
    let last = program.names.last().map(String::as_str).unwrap_or_default();
    if is_shell(last) && is_line {
        return said(format!(
            "{name} runs a line of shell, and what stays of it was not understood"
        ));
    }
    if service.kind == ServiceType::Forking {
        return said(format!(
            "{name} goes into the background, and nothing says how to keep it in front; the container follows what it leaves behind"
        ));
    }
    None
}

/// The program that starts and watches others, if it is one.
fn supervisor(program: &Program) -> Option<&'static str> {
    supervisors().find(|name| program.is(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supervisors_are_known_by_name() {
        let named = |name: &str| Program {
            names: vec![name.to_owned()],
            ..Program::default()
        };
        assert_eq!(
            supervisor(&named("/usr/bin/supervisord")),
            Some("supervisord")
        );
        assert_eq!(supervisor(&named("/usr/bin/python3")), None);
    }
}
