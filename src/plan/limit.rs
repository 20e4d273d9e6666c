//! Limits of a process and of all its processes together, in the engine's own words.

use super::container::Limits;
use crate::fact::{Facts, FileState};
use crate::service::Limit;
use crate::workload::Workload;

/// Files that any service manager lets a user's processes open (`DefaultLimitNOFILE=` of systemd since 240), and so an
/// engine without privileges its containers.
const FILES: u64 = 524_288;

/// Files that every process may open wherever containers run.
const FEW: u64 = 4_096;

/// What a process may be limited in (`docker run --ulimit`, setrlimit(2)).
const KNOWN: &[&str] = &[
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "sigpending",
    "stack",
];

/// Limits of the main service, and what of them the reader has to settle.
///
/// What engines give by default anyway is not asked for: an engine without privileges refuses to start a container whose
/// limits are above its own, even where the process would never have noticed. Nor is the number of files that a package
/// asks for on every machine, since engines give as many; that of an administrator is.
pub(super) fn limits(workload: &Workload, facts: &Facts) -> (Limits, Vec<String>) {
    let (mut found, mut notes) = (Limits::default(), Vec::new());
    let services = workload.services.iter().take(1);
    let of_unit = services.flat_map(|service| &service.limits);
    // A start script's come after the manager's.
    let product = workload.product.iter();
    let of_script = product.flat_map(|product| &product.limits);
    for limit in of_unit.chain(of_script) {
        match limit.name.as_str() {
            "MemoryMax" | "MemoryLimit" => match bytes(&limit.value) {
                Size::Bytes(bytes) => found.memory = Some(bytes),
                Size::None => {}
                Size::Unknown => notes.push(left(limit)),
            },
            "CPUQuota" => match percent(&limit.value) {
                Some(hundredths) => found.cpus = Some(hundredths),
                None if limit.value.is_empty() => {}
                None => notes.push(left(limit)),
            },
            "TasksMax" => match limit.value.parse() {
                Ok(tasks) => found.tasks = Some(tasks),
                Err(_) if matches!(limit.value.as_str(), "" | "infinity") => {}
                Err(_) => notes.push(left(limit)),
            },
            name => {
                let name = name.to_lowercase();
                let by_hand = facts.state(&limit.evidence.path) != FileState::Pristine;
                let value = process(&name, &limit.value).filter(|value| {
                    KNOWN.contains(&name.as_str()) && !is_customary(&name, value, by_hand)
                });
                if let Some(value) = value {
                    found.process.retain(|(known, _)| *known != name);
                    found.process.push((name, value));
                }
            }
        }
    }
    found.process.sort();
    (found, notes)
}

/// What a share of the machine would be is not on its disk.
fn left(limit: &Limit) -> String {
    format!(
        "{}={} ({}) is not carried: it is no number of its own, but a share of what the machine has. Give the container a number.",
        limit.name,
        limit.value,
        limit.evidence.place()
    )
}

enum Size {
    Bytes(u64),
    /// No limit.
    None,
    /// A share of the machine's memory, or no size.
    Unknown,
}

/// `2G`, `infinity`, `50%` (systemd.resource-control(5)).
fn bytes(value: &str) -> Size {
    match value {
        "" | "infinity" => Size::None,
        value => match process("as", value).and_then(|text| text.parse().ok()) {
            Some(bytes) => Size::Bytes(bytes),
            None => Size::Unknown,
        },
    }
}

/// `150%` of one processor as hundredths of one.
fn percent(value: &str) -> Option<u32> {
    let number = value.strip_suffix('%')?.trim();
    let whole = number.split('.').next()?;
    whole.parse().ok().filter(|hundredths| *hundredths > 0)
}

/// Within what engines give by default: 1,048,576 files, 8 MiB of locked memory, any number of processes.
fn is_customary(name: &str, value: &str, by_hand: bool) -> bool {
    let most = value
        .split(':')
        .map(|part| part.parse::<u64>().unwrap_or(u64::MAX))
        .max()
        .unwrap_or(0);
    match name {
        // Engines differ (some give 1,024 to begin with), and none refuses as few as these. So few that no process misses
        // the rest are not asked for: an engine that may raise no limit at all starts no container that names one.
        "nofile" if by_hand => most <= FEW || (most > FILES && most <= 1 << 20) || most == u64::MAX,
        "nofile" => most <= 1 << 20 || most == u64::MAX,
        "memlock" => most <= 8 << 20,
        "nproc" | "core" => true,
        _ => false,
    }
}

/// `65536`, `1024:65536`, `8M`, `infinity` (-1 to the engine); anything else is left to the reader.
fn process(name: &str, value: &str) -> Option<String> {
    let one = |text: &str| -> Option<String> {
        if matches!(text, "infinity" | "unlimited") {
            return Some("-1".to_owned());
        }
        let bytes = matches!(
            name,
            "as" | "core" | "data" | "fsize" | "memlock" | "rss" | "stack"
        );
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().ok()?;
        let factor = match text.get(digits.len()..)? {
            "" => 1,
            "K" if bytes => 1 << 10,
            "M" if bytes => 1 << 20,
            "G" if bytes => 1 << 30,
            "T" if bytes => 1u64 << 40,
            _ => return None,
        };
        number.checked_mul(factor).map(|n| n.to_string())
    };
    match value.split_once(':') {
        Some((soft, hard)) => Some(format!("{}:{}", one(soft)?, one(hard)?)),
        None => one(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_translated_or_left() {
        assert_eq!(process("nofile", "65536").as_deref(), Some("65536"));
        assert_eq!(
            process("nofile", "1024:infinity").as_deref(),
            Some("1024:-1")
        );
        assert_eq!(process("memlock", "8M").as_deref(), Some("8388608"));
        assert_eq!(process("nofile", "8M"), None);
        assert_eq!(process("cpu", "$(x)"), None);
        assert_eq!(
            (percent("150%"), percent("12.5 %"), percent("0%")),
            (Some(150), Some(12), None)
        );
        assert!(matches!(bytes("2G"), Size::Bytes(2_147_483_648)));
        assert!(matches!(bytes("50%"), Size::Unknown) && matches!(bytes("infinity"), Size::None));
    }

    #[test]
    fn as_many_files_as_a_package_asks_for_are_there_anyway() {
        assert!(is_customary("nofile", "65536", false) && !is_customary("nofile", "65536", true));
        assert!(is_customary("nofile", "2048", true) && !is_customary("nofile", "8192", true));
        assert!(is_customary("nofile", "1048576", true) && is_customary("nofile", "-1", true));
        assert!(!is_customary("nofile", "4194304", false));
    }
}
