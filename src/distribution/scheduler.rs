//! What runs scheduled jobs where a machine's own files are the image: `detectors/schedulers.toml`.

use super::base::Scheduler;
use crate::fact::Facts;
use crate::path::MachinePath;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    program: String,
    /// The name of the file that the program's links lead to.
    real: String,
    command: Vec<String>,
    tables: String,
    #[serde(default)]
    removals: Vec<String>,
    #[serde(default)]
    mailer: String,
    #[serde(default)]
    by_user: bool,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        scheduler: Vec<Known>,
    }
    let file: Result<File, _> = toml::from_str(include_str!("../../detectors/schedulers.toml"));
    file.map(|file| file.scheduler).unwrap_or_default()
});

/// The machine's own; `None` where it has none of those that are known.
pub fn of(facts: &Facts) -> Option<Scheduler> {
    let is_there = |known: &&Known| {
        let real = facts.tree.resolve(&MachinePath::new(&known.program));
        real.is_some_and(|real| real.name() == known.real)
    };
    let known = KNOWN.iter().find(is_there)?;
    Some(Scheduler {
        package: String::new(),
        command: known.command.clone(),
        tables: known.tables.clone(),
        removals: known.removals.clone(),
        mailer: known.mailer.clone(),
        by_user: known.by_user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{Entry, Tree};

    #[test]
    fn one_name_is_several_programs() {
        let machine = |name: &str| {
            let path = MachinePath::new(name);
            Facts {
                tree: Tree::new(vec![Entry::file(&path, 0o755)]),
                ..Facts::default()
            }
        };
        let command = |name| of(&machine(name)).map(|found| found.command.join(" "));
        assert_eq!(
            command("/usr/sbin/crond").as_deref(),
            Some("/usr/sbin/crond -n")
        );
        assert_eq!(
            command("/usr/sbin/cron").as_deref(),
            Some("/usr/sbin/cron -f")
        );
        assert_eq!(command("/usr/sbin/atd"), None);
    }
}
