//! Addresses that the configuration of a server nobody knows names: what to ask about, not what is so.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Evidence, Fact, Named};
use crate::words::address::{self, Address, Form};
use regex::Regex;
use std::sync::LazyLock;

/// Addresses kept of one file.
const MOST: usize = 20;

/// Longest line that is looked at, in bytes.
const LONGEST_LINE: usize = 1024;

/// What a line begins with that says nothing, in the syntaxes that there are.
const COMMENTS: &[&str] = &["#", ";", "//", "--", "!", "<!--", "%", "*", "dnl"];

/// A name that speaks of listening, and the value after it: `Port 80`, `listen = "a:80"`, `"rpc-port": 80`, `<port>80<`.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?P<key>[a-z0-9_.-]*(?:ports?|listen|bind|addr(?:ess)?)[a-z0-9_-]*)["']?\]?(?:\s*[=:>]\s*|\s+)[\s"'\[{(]*?(?P<value>\[[0-9a-f:.]+\]:[0-9]+|[^\s"',;#)}<\[{(]+)"#,
    )
    .ok()
});

/// What code falls back to, or listens on, by a literal: `process.env.PORT || 3000`, `ENV.fetch("PORT") { 3000 }`,
/// `os.environ.get("PORT", 8000)`, `app.listen(3000)`, `ListenAndServe(":8080"`.
static LITERAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        \b(?:[a-z0-9]+_)?port['"]?\]?\s*(?:\|\||\?\?|,|\bor\b|\)?\s*(?:\{|do\b|\bor\b|\|\||\?\?))\s*['"]?(?P<port>[0-9]{2,5})\b
        | \blisten(?:andserve(?:tls)?|_and_serve)?\s*\(\s*['"]?(?P<address>(?:[a-z0-9.\[\]*-]*:)?[0-9]{2,5})\b"#,
    )
    .ok()
});

/// Names in which those letters mean something else, and names of where others are.
const OTHERS: &[&str] = &[
    "report",
    "support",
    "import",
    "export",
    "transport",
    "remote",
    "peer",
    "upstream",
    "forward",
    "source",
    "outgoing",
    "mail",
    "smtp",
    "database",
    "db_",
    "proxy_p",
];

/// Asked for by whoever has a question about a listener: interest is by want only.
pub struct NamedListeners;

impl NamedListeners {
    pub const ID: &str = "listeners/named";
    /// Largest file looked into, in bytes.
    pub const LIMIT: u64 = 1 << 20;
}

impl Detector for NamedListeners {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Addresses that configuration names",
            recognises: "settings whose names speak of a port, an address, listening or binding, with a port or an address as their value",
            why: "a question about a listener is answered quicker when the likely answer stands beside it",
            cannot_see: "whether the program listens there: a name is a hint",
            references: &["https://www.iana.org/assignments/service-names-port-numbers"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: Self::LIMIT,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let mut found = 0;
        for (number, line) in file.lines() {
            let line = line.trim();
            let is_comment = COMMENTS.iter().any(|start| line.starts_with(start));
            if is_comment || line.len() > LONGEST_LINE || found >= MOST {
                continue;
            }
            if let Some(address) = named(line) {
                found += 1;
                let shown = file.masking.redact_line(line).text.into_owned();
                sink.fact(Fact::Named(Named {
                    address,
                    evidence: Evidence::line(file.path, number, &shown),
                }));
            }
        }
    }
}

/// The address that a line names: `8888`, `127.0.0.1:8118`.
fn named(line: &str) -> Option<String> {
    of_settings(line).or_else(|| of_code(line))
}

fn of_code(line: &str) -> Option<String> {
    let captures = LITERAL.as_ref()?.captures(line)?;
    let before = line.get(..captures.get(0)?.start()).unwrap_or_default();
    let is_other = |other: &&str| before.to_ascii_lowercase().ends_with(*other);
    if let Some(port) = captures.name("port") {
        let port: u16 = port.as_str().parse().ok()?;
        let whole = captures.get(0)?.as_str().to_ascii_lowercase();
        let is_others = OTHERS
            .iter()
            .any(|other| whole.starts_with(other) || is_other(other));
        return (port > 0 && !is_others).then(|| port.to_string());
    }
    let address = captures.name("address")?.as_str();
    if let Ok(port) = address.parse::<u16>() {
        return (port > 0).then(|| port.to_string());
    }
    match address::parse(address, Form::Address, None)? {
        Address::Inet { host, port } if port > 0 && is_host(&host) => {
            Some(Address::Inet { host, port }.shown())
        }
        _ => None,
    }
}

fn of_settings(line: &str) -> Option<String> {
    let setting = SETTING.as_ref()?;
    let mut rest = line;
    // `<bind address="127.0.0.1" port="6667">`: the first name may have no value that says anything.
    while let Some(captures) = setting.captures(rest) {
        if let Some(address) = of_setting(&captures) {
            return Some(address);
        }
        rest = rest.get(captures.name("key")?.end()..)?;
    }
    None
}

fn of_setting(captures: &regex::Captures<'_>) -> Option<String> {
    let key = captures.name("key")?.as_str().to_ascii_lowercase();
    let value = captures.name("value")?.as_str();
    if OTHERS.iter().any(|other| key.contains(other)) {
        return None;
    }
    if let Ok(port) = value.parse::<u16>() {
        let speaks_of_ports = key.contains("port") || key.contains("listen");
        return (port > 0 && speaks_of_ports).then(|| port.to_string());
    }
    let is_plain = value.contains(':') && !value.contains("//");
    match address::parse(value, Form::Address, None).filter(|_| is_plain)? {
        Address::Inet { host, port } if port > 0 && is_host(&host) => {
            Some(Address::Inet { host, port }.shown())
        }
        _ => None,
    }
}

/// An address of this machine: a number or loopback's name, not somebody's domain.
fn is_host(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    matches!(bare, "" | "*" | "localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_speak_of_listening() {
        for (line, expected) in [
            ("Port 8888", Some("8888")),
            ("listen-address  127.0.0.1:8118", Some("127.0.0.1:8118")),
            ("port=8200", Some("8200")),
            ("    \"rpc-port\": 9091,", Some("9091")),
            ("<port>8000</port>", Some("8000")),
            ("c2s_ports = { 5222 }", Some("5222")),
            ("listening-port=3478", Some("3478")),
            ("bind = \"[::1]:8080\"", Some("[::1]:8080")),
            ("local_port = 12345;", Some("12345")),
            ("PORT=3493", Some("3493")),
            ("<bind address=\"127.0.0.1\" port=\"6667\">", Some("6667")),
            ("listen: \":9555\"", Some("0.0.0.0:9555")),
            ("const port = process.env.PORT || 3000;", Some("3000")),
            ("app.listen(process.env.PORT ?? 8080)", Some("8080")),
            ("server.listen(3001, '0.0.0.0')", Some("3001")),
            ("port ENV.fetch(\"PORT\") { 3000 }", Some("3000")),
            ("port = int(os.environ.get('PORT', 8000))", Some("8000")),
            ("http.ListenAndServe(\":8081\", nil)", Some("0.0.0.0:8081")),
            ("const p = process.env.DB_PORT || 5432", None),
            ("emitter.listen(handler)", None),
            ("port = 0", None),
            ("support = 80", None),
            ("report_interval: 20", None),
            ("bind-address = 127.0.0.1", None),
            ("upstream_port 80", None),
            ("listen yes", None),
            ("address db.example.net:5432", None),
        ] {
            assert_eq!(named(line).as_deref(), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read(line in "\\PC{0,200}") {
            let _ = named(&line);
        }
    }
}
