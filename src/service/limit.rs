//! What a manager limits processes in.

use crate::fact::Evidence;

/// A limit of the process (`NOFILE`), or of all its processes together (`MemoryMax`), as the manager writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub name: String,
    pub value: String,
    pub evidence: Evidence,
}

/// What `ulimit` is told: `-n 65536`, `-SHn 1024`, `-c unlimited`.
pub fn told(words: &[String], evidence: &Evidence) -> Vec<Limit> {
    const NAMES: &[(char, &str)] = &[
        ('n', "NOFILE"),
        ('u', "NPROC"),
        ('c', "CORE"),
        ('l', "MEMLOCK"),
        ('s', "STACK"),
        ('v', "AS"),
        ('d', "DATA"),
        ('f', "FSIZE"),
        ('t', "CPU"),
        ('i', "SIGPENDING"),
        ('q', "MSGQUEUE"),
        ('r', "RTPRIO"),
        ('e', "NICE"),
    ];
    let mut found: Vec<Limit> = Vec::new();
    let mut name = None;
    for word in words {
        if let Some(flags) = word.strip_prefix('-') {
            let known = NAMES.iter().find(|(flag, _)| flags.contains(*flag));
            name = known.map(|(_, name)| *name);
        } else if let Some(name) = name.take() {
            let value = match word.as_str() {
                "unlimited" => "infinity",
                value => value,
            };
            found.retain(|limit| limit.name != name);
            found.push(Limit {
                name: name.to_owned(),
                value: value.to_owned(),
                evidence: evidence.clone(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::MachinePath;

    #[test]
    fn options_of_ulimit() {
        let shown = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let found = told(&words, &Evidence::file(&MachinePath::root()));
            let found: Vec<String> = found
                .iter()
                .map(|limit| format!("{}={}", limit.name, limit.value))
                .collect();
            found.join(" ")
        };
        assert_eq!(shown("-SHn 1024 -c unlimited"), "NOFILE=1024 CORE=infinity");
        assert_eq!(shown("-n 1 -n 2"), "NOFILE=2");
        assert_eq!(shown("65536"), "");
    }
}
