//! The file in which a person answers what the program could not tell: TOML, a table for each workload or service.
//!
//! ```toml
//! [workloads.shop]
//! ports = ["8080", "127.0.0.1:9090", "53/udp", "/run/shop.sock"]
//! state = ["/var/lib/shop"]
//! files = ["/opt/shop/share"]
//! command = ["/opt/shop/bin/shop", "--foreground"]
//! environment = { LANG = "C.UTF-8" }
//! disposition = "containerize"
//! accepted = ["unknown/peer"]
//! ```
//!
//! What belongs here: reading that file, and refusing what it must not hold. What becomes of the answers is up to the rooms
//! that asked.

mod disk;

pub use disk::check;

use crate::fact::{Answer, Answered, Answers, Disposition, Endpoint, Evidence};
use crate::path::MachinePath;
use crate::secret::{MASK, redact, redact_line};
use crate::text::list;
use crate::words::address::{self, Address, Form};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Why answers cannot be taken. Says the line, what was expected, and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {what}")]
pub struct Refused {
    file: String,
    /// From 1.
    line: u32,
    what: String,
}

/// As written. Only what a person wrote is there, so that leaving a line out is no answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    workloads: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// `8080` and `"8080/udp"` are both what people write.
    ports: Option<Spanned<Vec<toml::Value>>>,
    state: Option<Spanned<Vec<String>>>,
    files: Option<Spanned<Vec<String>>>,
    command: Option<Spanned<Vec<String>>>,
    environment: Option<Spanned<BTreeMap<String, String>>>,
    disposition: Option<Spanned<Disposition>>,
    accepted: Option<Spanned<BTreeSet<String>>>,
}

/// Entries of one list; no machine's service has as many ports, directories or words.
const MOST: usize = 1_000;

/// The family whose rules can be accepted: what is known stays a concern, whoever has read it.
const FAMILY: &str = "unknown/";

/// Reads answers; `file` is what errors and evidence call the text.
pub fn read(file: &str, text: &str) -> Result<Answers, Refused> {
    let ends = text.match_indices('\n').map(|(at, _)| at).collect();
    let reader = Reader { file, text, ends };
    let parsed: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.refused(at, error.message().to_owned())
    })?;
    let mut answers = Answers::default();
    for (name, table) in parsed.workloads {
        answers.of.insert(name, reader.table(table)?);
    }
    Ok(answers)
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    /// Where its lines end.
    ends: Vec<usize>,
}

impl Reader<'_> {
    fn table(&self, table: Table) -> Result<Answer, Refused> {
        let ports = |ports: Vec<toml::Value>, at: usize| {
            self.room(ports.len(), at)?;
            let mut known: Vec<Endpoint> = Vec::new();
            for port in &ports {
                let port = self.port(port, at)?;
                // Twice is once.
                if !known.contains(&port) {
                    known.push(port);
                }
            }
            Ok(known)
        };
        let paths = |paths: Vec<String>, at: usize| {
            self.room(paths.len(), at)?;
            let paths = paths.into_iter().map(|path| self.path(&path, at));
            paths.collect::<Result<Vec<_>, _>>()
        };
        let mut accepted = BTreeSet::new();
        if let Some(rules) = table.accepted {
            let at = rules.span().start;
            accepted = rules.into_inner();
            if let Some(other) = accepted.iter().find(|rule| !rule.starts_with(FAMILY)) {
                let what =
                    format!("only questions can be accepted ({FAMILY}…), and {other:?} is none");
                return Err(self.refused(at, what));
            }
        }
        Ok(Answer {
            ports: self.answered("ports", table.ports, ports)?,
            state: self.answered("state", table.state, paths)?,
            files: self.answered("files", table.files, paths)?,
            command: self.answered("command", table.command, |words, at| {
                self.command(words, at)
            })?,
            environment: self.answered("environment", table.environment, |variables, at| {
                self.environment(variables, at)
            })?,
            disposition: self.answered("disposition", table.disposition, |fate, _| Ok(fate))?,
            accepted,
        })
    }

    fn answered<W, T>(
        &self,
        key: &str,
        written: Option<Spanned<W>>,
        read: impl Fn(W, usize) -> Result<T, Refused>,
    ) -> Result<Option<Answered<T>>, Refused> {
        let Some(written) = written else {
            return Ok(None);
        };
        let span = written.span();
        let words = self.text.get(span.clone()).unwrap_or_default();
        let words: Vec<&str> = words.split_whitespace().collect();
        let excerpt = format!("{key} = {}", words.join(" "));
        let value = read(written.into_inner(), span.start)?;
        let path = MachinePath::new(self.file);
        Ok(Some(Answered {
            value,
            evidence: Evidence::line(&path, self.line(span.start), &excerpt),
        }))
    }

    fn port(&self, port: &toml::Value, at: usize) -> Result<Endpoint, Refused> {
        let text = port
            .as_str()
            .map_or_else(|| port.to_string(), str::to_owned);
        let is_socket = text.starts_with('/') || text.starts_with("unix:");
        let (address, protocol) = match text.rsplit_once('/').filter(|_| !is_socket) {
            Some((address, "tcp")) => (address, "tcp"),
            Some((address, "udp")) => (address, "udp"),
            _ => (text.as_str(), "tcp"),
        };
        let parsed = address::parse(address, Form::Address, None);
        let endpoint = match parsed.filter(|_| !address.contains("://")) {
            Some(Address::Unix(address)) => Some(Endpoint {
                address,
                port: 0,
                protocol: "unix",
            }),
            Some(Address::Inet { host, port }) => Some(Endpoint {
                address: host,
                port,
                protocol,
            })
            .filter(|_| port != 0),
            None => None,
        };
        endpoint.ok_or_else(|| {
            let expected = ["8080", "127.0.0.1:8080", "53/udp", "/run/name.sock"].map(String::from);
            let what = format!(
                "{text:?} is no address to listen on; write it like one of {}",
                list(&expected, 4)
            );
            self.refused(at, what)
        })
    }

    fn room(&self, entries: usize, at: usize) -> Result<(), Refused> {
        if entries <= MOST {
            return Ok(());
        }
        let what = format!("{entries} entries are too many; name directories, at most {MOST}");
        Err(self.refused(at, what))
    }

    fn path(&self, path: &str, at: usize) -> Result<MachinePath, Refused> {
        if path.starts_with('/') && !path.contains('\0') {
            return Ok(MachinePath::new(path));
        }
        let what = format!("{path:?} is no path inside the machine; it has to begin with /");
        Err(self.refused(at, what))
    }

    fn command(&self, words: Vec<String>, at: usize) -> Result<Vec<String>, Refused> {
        self.room(words.len(), at)?;
        let first = words.first().map(String::as_str).unwrap_or_default();
        if first.is_empty() || words.iter().any(|word| word.contains('\0')) {
            let what = "a command is a list of words, the program first";
            return Err(self.refused(at, what.to_owned()));
        }
        let line = words.join(" ");
        if line.contains(MASK) {
            let what = format!(
                "the command has {MASK} where a secret was taken out, and would run with these words; let the program read its secret from a file or a variable"
            );
            return Err(self.refused(at, what));
        }
        if redact_line(&line).kind.is_some() {
            return Err(self.secret(at, "the command"));
        }
        Ok(words)
    }

    fn environment(
        &self,
        variables: BTreeMap<String, String>,
        at: usize,
    ) -> Result<BTreeMap<String, String>, Refused> {
        self.room(variables.len(), at)?;
        for (name, value) in &variables {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts || !name.chars().all(is_name) || value.contains('\0') {
                let what = format!("{name:?} is no name of a variable");
                return Err(self.refused(at, what));
            }
            if value.contains(MASK) || redact(Some(name), value).kind.is_some() {
                return Err(self.secret(at, name));
            }
        }
        Ok(variables)
    }

    /// Answers end in images and reports.
    fn secret(&self, at: usize, what: &str) -> Refused {
        let what = format!(
            "{what} holds a secret, and answers are copied into images and reports; keep it on the machine and run with --with-secrets, or put it into OUT/secrets"
        );
        self.refused(at, what)
    }

    fn refused(&self, at: usize, what: String) -> Refused {
        Refused {
            file: self.file.to_owned(),
            line: self.line(at),
            what,
        }
    }

    fn line(&self, at: usize) -> u32 {
        let lines = self.ends.partition_point(|end| *end < at);
        u32::try_from(lines + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Answer {
        let text = format!("[workloads.shop]\n{text}\n");
        read("answers.toml", &text)
            .unwrap()
            .of
            .remove("shop")
            .unwrap()
    }

    fn refused(text: &str) -> String {
        let text = format!("[workloads.shop]\n{text}\n");
        read("answers.toml", &text).unwrap_err().to_string()
    }

    #[test]
    fn addresses_as_people_write_them() {
        let ports = one(
            r#"ports = [8080, "53/udp", "127.0.0.1:25", "[::1]:80/tcp", "/run/a.sock", "unix:/run/udp"]"#,
        );
        let ports = ports.ports.unwrap();
        let shown: Vec<String> = ports
            .value
            .iter()
            .map(|port| format!("{} {} {}", port.address, port.port, port.protocol))
            .collect();
        assert_eq!(
            shown,
            [
                "0.0.0.0 8080 tcp",
                "0.0.0.0 53 udp",
                "127.0.0.1 25 tcp",
                "::1 80 tcp",
                "/run/a.sock 0 unix",
                "/run/udp 0 unix"
            ]
        );
        assert_eq!(ports.evidence.place(), "/answers.toml:2");
        assert!(ports.evidence.excerpt.starts_with("ports = [8080,"));
    }

    #[test]
    fn twice_is_once_and_a_list_has_an_end() {
        let ports = one("ports = [8080, \"8080\", \"0.0.0.0:8080\", \"8080/udp\"]")
            .ports
            .unwrap();
        assert_eq!(ports.value.len(), 2);
        let many: Vec<String> = (1..2_000).map(|port| port.to_string()).collect();
        assert!(refused(&format!("ports = [{}]", many.join(","))).contains("too many"));
    }

    #[test]
    fn nothing_is_an_answer_and_silence_is_none() {
        let answer = one("ports = []");
        assert!(answer.ports.unwrap().value.is_empty());
        assert!(answer.state.is_none() && answer.disposition.is_none());
        assert_eq!(read("a", "").unwrap(), Answers::default());
    }

    #[test]
    fn the_rest_is_taken_as_written() {
        let answer = one(
            "state = [\"/var/lib/shop/\"]\ncommand = [\"/bin/shop\", \"-f\"]\nenvironment = { A = \"b\" }\ndisposition = \"keep\"\naccepted = [\"unknown/peer\"]",
        );
        assert_eq!(answer.state.unwrap().value, ["/var/lib/shop".into()]);
        assert_eq!(answer.command.unwrap().value, ["/bin/shop", "-f"]);
        assert_eq!(answer.disposition.unwrap().value, Disposition::Keep);
        assert!(answer.accepted.contains("unknown/peer"));
    }

    #[test]
    fn what_cannot_be_taken_is_refused_with_its_line() {
        for (text, expected) in [
            (
                "ports = [\"http\"]",
                "answers.toml:2: \"http\" is no address",
            ),
            ("ports = [0]", "is no address"),
            ("ports = [70000]", "\"70000\" is no address"),
            ("state = [\"var/lib\"]", "has to begin with /"),
            ("command = []", "a list of words"),
            ("environment = { \"a b\" = \"\" }", "no name of a variable"),
            (
                "\nenvironment = { DB_PASSWORD = \"hunter2hunter2\" }",
                "answers.toml:3: DB_PASSWORD holds a secret",
            ),
            (
                "command = [\"/bin/x\", \"--password=hunter2hunter2\"]",
                "the command holds a secret",
            ),
            ("disposition = \"move\"", "answers.toml:2"),
            (
                "accepted = [\"security/plain-secret\"]",
                "only questions can be accepted",
            ),
            (
                "command = [\"/bin/x\", \"[redacted]\"]",
                "where a secret was taken out",
            ),
            ("colour = 1", "answers.toml:2"),
        ] {
            let found = refused(text);
            assert!(found.contains(expected), "{text}: {found}");
            assert!(!found.contains("hunter2"), "{found}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = read("a", &text);
        }
    }
}
