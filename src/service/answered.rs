//! What a person answered of a service, and the name it is answered by.

use super::{Command, Service, ServiceType};
use crate::fact::Facts;

/// What a person answered takes the place of what the machine's files say.
pub(super) fn take(services: &mut [Service], facts: &Facts) {
    if facts.answers.of.is_empty() {
        return;
    }
    for service in services {
        let id = id_of(&service.name);
        let Some(answer) = facts.answers.get(&[&*service.name, &*id]) else {
            continue;
        };
        if let Some(command) = &answer.command {
            // Somebody who names the program names the one that stays.
            service.kind = ServiceType::Simple;
            service.commands.start = vec![Command {
                argv: command.value.clone(),
                ignore_failure: false,
                privileged: false,
                evidence: command.evidence.clone(),
            }];
        }
        let environment = &mut service.environment;
        if let Some(answered) = &answer.environment {
            for (name, value) in &answered.value {
                environment.variables.retain(|(known, _)| known != name);
                environment.secrets.retain(|(known, _)| known != name);
                environment.variables.push((name.clone(), value.clone()));
                let evidence = answered.evidence.clone();
                environment.set_by.insert(name.clone(), evidence);
            }
        }
    }
}

/// An id from a unit's name: `postgresql@15-main.service` → `postgresql-15-main`.
pub fn id_of(name: &str) -> String {
    let stem = name
        .strip_suffix(".service")
        .or_else(|| name.strip_suffix(".timer"))
        .unwrap_or(name);
    let mut id = String::new();
    for c in stem.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.ends_with('-') && !id.is_empty() {
            id.push('-');
        }
        if id.len() >= 55 {
            break;
        }
    }
    let id = id.trim_matches('-');
    if id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id.to_owned()
    } else {
        format!("w-{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert_eq!(id_of("postgresql@15-main.service"), "postgresql-15-main");
        assert_eq!(id_of("My_App.service"), "my-app");
        assert_eq!(id_of("3proxy"), "w-3proxy");
        assert_eq!(id_of("@@@"), "w-");
    }
}
