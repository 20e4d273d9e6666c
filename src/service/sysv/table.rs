//! Programs that the first process itself keeps running: `id:levels:respawn:command`.

use super::level::{Levels, Line, TABLE};
use crate::fact::{Dialect, Facts};
use crate::path::MachinePath;
use crate::service::managed::Names;
use crate::service::script::Script;
use crate::service::{MOST_SERVICES, Service, ServiceType, Services, Starter};

/// What keeps its program for as long as the machine runs.
const STAYS: &[&str] = &["respawn", "once", "ondemand"];

pub(super) fn find(facts: &Facts, levels: &Levels, found: &mut Services) {
    let path = MachinePath::new(TABLE);
    let Some(table) = facts.managed.get(&(path.clone(), Dialect::Shell)) else {
        return;
    };
    let mut names = Names::of(found);
    for entry in &table.entries {
        let Some(line) = Line::of(&entry.value).filter(|line| STAYS.contains(&line.action)) else {
            continue;
        };
        let mut run = Script::new(facts, &path, vec!["sh".to_owned()]);
        // It becomes the program, and stands on this line.
        run.line(
            entry.line,
            &format!("exec {}", line.process.trim_start_matches('+')),
        );
        let Some(started) = run.best() else {
            continue;
        };
        if found.services.len() >= MOST_SERVICES {
            found.leave_out(&path, "sysv", "more services than the limit");
            break;
        }
        let base = started
            .argv
            .first()
            .map_or("", |program| program.rsplit('/').next().unwrap_or(program));
        let name = names.free(base, "inittab");
        let is_on = line.levels.is_empty()
            || line
                .levels
                .chars()
                .any(|level| levels.fit(&level.to_string()));
        let evidence = table.evidence(entry);
        let service =
            Service::new(name, Starter::Inittab, evidence.clone()).starting(started, facts);
        found.services.push(Service {
            kind: ServiceType::Simple,
            enabled: is_on,
            enabled_by: is_on.then_some(evidence),
            restart: if line.action == "respawn" {
                "always".to_owned()
            } else {
                String::new()
            },
            ..service
        });
    }
}
