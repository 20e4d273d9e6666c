//! Answers held against the machine they are for: what would break a container whoever says it, and what is said twice.

use super::Refused;
use crate::fact::{Answer, Answered, Answers, Evidence, Facts};
use crate::path::MachinePath;

/// Directories of the system itself: a volume in the place of one hides the programs and the records of its image.
const SYSTEMS: &[&str] = &["/", "/etc", "/run", "/usr", "/var", "/var/lib", "/var/run"];

/// Directories in which nothing at all is anybody's state.
const WHOLLY: &[&str] = &[
    "/bin", "/boot", "/dev", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys",
];

/// Made at each boot.
const LIVE: &[&str] = &["/dev", "/proc", "/run", "/sys"];

/// Checks what the text alone does not tell; `id_of` gives a service's id, and `is_question` knows the rules that ask.
pub fn check(
    answers: &Answers,
    facts: &Facts,
    id_of: fn(&str) -> String,
    is_question: fn(&str) -> bool,
) -> Result<(), Refused> {
    for (name, answer) in &answers.of {
        if let Some(rule) = answer.accepted.iter().find(|rule| !is_question(rule)) {
            let what = format!("{rule:?} was accepted for {name:?}, and is no question");
            return Err(refused(first(answer), what));
        }
        let id = id_of(name);
        // The other one would be lost.
        if id != *name && answers.of.contains_key(&id) {
            let what = format!("{name:?} and {id:?} are the same service; answer it in one table");
            return Err(refused(first(answer), what));
        }
        let why = "a volume in its place would hide the system's files; name the directories that the service writes";
        systems(answer.state.as_ref(), facts, is_system, why)?;
        let why = "its image has one of its own; name the files that the service needs";
        systems(answer.files.as_ref(), facts, is_systems_own, why)?;
    }
    Ok(())
}

/// Paths of the system among those that were answered, links followed.
fn systems(
    answered: Option<&Answered<Vec<MachinePath>>>,
    facts: &Facts,
    is_one: fn(&MachinePath) -> bool,
    why: &str,
) -> Result<(), Refused> {
    let Some(answered) = answered else {
        return Ok(());
    };
    for path in &answered.value {
        let real = facts.tree.resolve(path);
        let real = real.as_ref().unwrap_or(path);
        if let Some(system) = [path, real].into_iter().find(|path| is_one(path)) {
            let what = format!("{system} belongs to the system: {why}");
            return Err(refused(Some(&answered.evidence), what));
        }
    }
    Ok(())
}

/// A directory of the system that no image takes from a machine as a whole; single files in it may be wanted.
fn is_systems_own(path: &MachinePath) -> bool {
    let is = |system: &&str| *path == MachinePath::new(system);
    let is_within = |system: &&str| path.is_within(&MachinePath::new(system));
    let is_usr = path.parent() == Some(MachinePath::new("/usr"));
    is_usr || SYSTEMS.iter().chain(WHOLLY).any(is) || LIVE.iter().any(is_within)
}

fn is_system(path: &MachinePath) -> bool {
    let is_within = |system: &&str| path.is_within(&MachinePath::new(system));
    // `/usr/bin`, `/usr/lib`, `/usr/lib/x86_64-linux-gnu`; what lies deeper may be an application's.
    let shared = path.parent().is_some_and(|parent| {
        let is_usr = parent == MachinePath::new("/usr");
        let is_libraries =
            parent == MachinePath::new("/usr/lib") && path.name().contains("-linux-");
        is_usr || is_libraries
    });
    let is_one = SYSTEMS
        .iter()
        .any(|system| *path == MachinePath::new(system));
    is_one || shared || WHOLLY.iter().any(is_within)
}

/// Where anything of an answer stands.
fn first(answer: &Answer) -> Option<&Evidence> {
    let evidence = [
        answer.ports.as_ref().map(|answered| &answered.evidence),
        answer.state.as_ref().map(|answered| &answered.evidence),
        answer.files.as_ref().map(|answered| &answered.evidence),
        answer.command.as_ref().map(|answered| &answered.evidence),
        answer
            .environment
            .as_ref()
            .map(|answered| &answered.evidence),
        answer
            .disposition
            .as_ref()
            .map(|answered| &answered.evidence),
    ];
    evidence.into_iter().flatten().next()
}

fn refused(evidence: Option<&Evidence>, what: String) -> Refused {
    let file = evidence.map(|evidence| evidence.path.text().trim_start_matches('/').to_owned());
    Refused {
        file: file.unwrap_or_else(|| "--answers".to_owned()),
        line: evidence.and_then(|evidence| evidence.line).unwrap_or(1),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_the_system() {
        for path in [
            "/",
            "/etc",
            "/usr",
            "/usr/lib",
            "/usr/local",
            "/lib/x",
            "/usr/lib/x86_64-linux-gnu",
            "/proc/1",
            "/var/lib",
            "/srv/../etc",
        ] {
            assert!(is_system(&path.into()), "{path}");
        }
        for path in [
            "/data",
            "/srv",
            "/var/lib/x",
            "/etc/x/state",
            "/usr/local/x/var",
            "/usr/lib/x/cache",
            "/opt/x",
            "/home/bob",
        ] {
            assert!(!is_system(&path.into()), "{path}");
        }
    }

    #[test]
    fn files_of_the_system() {
        for path in ["/", "/etc", "/usr/share", "/proc/1", "/run/x", "/lib"] {
            assert!(is_systems_own(&path.into()), "{path}");
        }
        for path in [
            "/etc/x",
            "/usr/share/x",
            "/lib/x.so",
            "/usr/local/bin",
            "/srv",
        ] {
            assert!(!is_systems_own(&path.into()), "{path}");
        }
    }

    #[test]
    fn one_service_has_one_table() {
        let text = "[workloads.shop]\nports = [1]\n[workloads.\"shop.service\"]\nports = [2]\n";
        let answers = super::super::read("a.toml", text).unwrap();
        let error = check(
            &answers,
            &Facts::default(),
            |name| name.trim_end_matches(".service").to_owned(),
            |_| true,
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.starts_with("a.toml:4: \"shop.service\" and \"shop\""),
            "{error}"
        );
    }
}
