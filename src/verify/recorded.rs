//! recorded.json: what a machine said when it still ran. No clock, no cookie, no token; only what can be compared.

use super::ask::{self, Asked};
use super::{Failed, Listener};
use crate::scan::{Scan, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, ToSocketAddrs};

/// Of these types.
pub const SCHEMA_VERSION: u32 = 1;

/// What one machine answered at the ports that its scan publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub schema_version: u32,
    pub tool: Tool,
    /// The machine's own name, as in its scan.
    pub machine: Option<String>,
    /// As it was asked for: a name or an address.
    pub host: String,
    pub listeners: Vec<Heard>,
    /// Listeners that were not asked, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What one listener said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heard {
    pub workload: String,
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    #[serde(flatten)]
    pub answer: Answer,
}

/// Everything that is asked of a listener; what does not fit its protocol is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// It takes connections (TCP), or answers (UDP).
    pub open: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<Said>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Page>,
}

/// The certificate that a listener shows, unchecked: what is recorded is what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The name that it was asked for (server name indication).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `TLS 1.3`; what it refused with, where no session came about.
    pub version: String,
    pub subject: String,
    pub issuer: String,
    /// UTC.
    pub not_before: String,
    pub not_after: String,
    /// Names that it is for.
    pub names: Vec<String>,
}

/// A greeting, or a question and its answer. Bytes that are not printable are escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// It speaks first.
    pub greets: bool,
    /// What was sent.
    pub sent: String,
    /// What is known to stay the same of what it said: named parts where the product's pack names them, or else the text, with
    /// `…` for what changes.
    pub said: String,
}

/// A page over HTTP, fetched with GET. Redirects are not followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub method: String,
    /// The `Host` header.
    pub host: String,
    pub path: String,
    /// 0 where nothing came that is HTTP.
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it sends the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// SHA-256 of the body with what changes masked.
    pub digest: String,
    /// The body piece by piece (cut at line ends, `<` and `,`): the first eight digits of each one's SHA-256, `~` for one that
    /// changes from one answer to the next.
    pub pieces: String,
    /// The body was longer than what is read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    pub workload: String,
    pub port: u16,
    pub protocol: String,
    pub why: String,
}

impl Recorded {
    /// The document as text, ending in a newline.
    pub fn to_json(&self) -> String {
        crate::proof::document(self)
    }

    /// The JSON Schema of the document, generated from the types.
    pub fn schema() -> String {
        crate::proof::schema::<Self>()
    }

    pub fn read(text: &str) -> Result<Self, Failed> {
        let read: Self = serde_json::from_str(text).map_err(|error| Failed(error.to_string()))?;
        if read.schema_version == SCHEMA_VERSION {
            Ok(read)
        } else {
            let found = read.schema_version;
            Err(Failed(format!(
                "it has schema_version {found}, and {SCHEMA_VERSION} was expected"
            )))
        }
    }

    /// What the machine said at a port.
    pub fn of(&self, workload: &str, port: u16, protocol: &str) -> Option<&Heard> {
        self.listeners.iter().find(|heard| {
            heard.workload == workload && heard.port == port && heard.protocol == protocol
        })
    }
}

/// Asks a host at every port that the scan publishes, one after another.
pub fn record(
    scan: &Scan,
    listeners: &[Listener],
    host: &str,
    paths: &[String],
    told: &mut dyn FnMut(&str),
) -> Result<Recorded, Failed> {
    let mut heard = Vec::new();
    let mut left_out = Vec::new();
    for listener in listeners {
        let Listener { port, protocol, .. } = listener;
        if let Some(why) = listener.not_asked() {
            left_out.push(LeftOut {
                workload: listener.workload.clone(),
                port: *port,
                protocol: protocol.clone(),
                why: why.to_owned(),
            });
            continue;
        }
        told(&format!("{host}:{port}/{protocol}"));
        let asked = Asked {
            address: address(host, *port)?,
            authority: authority(host, *port),
            paths,
            listener,
        };
        heard.push(Heard {
            workload: listener.workload.clone(),
            port: *port,
            protocol: protocol.clone(),
            answer: ask::discover(&asked),
        });
    }
    if !heard.is_empty() && heard.iter().all(|heard| !heard.answer.open) {
        return Err(Failed(format!(
            "{host} answers at none of the {} ports that the scan publishes; is it the machine, and does it run?",
            heard.len()
        )));
    }
    Ok(Recorded {
        schema_version: SCHEMA_VERSION,
        tool: scan.tool.clone(),
        machine: scan.machine.hostname.clone(),
        host: host.to_owned(),
        listeners: heard,
        left_out,
    })
}

/// The first address of a host.
fn address(host: &str, port: u16) -> Result<SocketAddr, Failed> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let expected = "expected a name or an address, without a port";
    let mut found = (plain, port)
        .to_socket_addrs()
        .map_err(|error| Failed(format!("{host}: {error}; {expected}")))?;
    found
        .next()
        .ok_or_else(|| Failed(format!("{host} has no address; {expected}")))
}

/// How a client calls a host in its requests.
fn authority(host: &str, port: u16) -> String {
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    match port {
        80 | 443 => host,
        other => format!("{host}:{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        assert_eq!(authority("a.example", 80), "a.example");
        assert_eq!(authority("::1", 8080), "[::1]:8080");
        assert!(address("[::1]", 80).unwrap().is_ipv6());
        assert!(address("127.0.0.1:80", 80).is_err());
    }

    #[test]
    fn a_document_is_read_back_and_another_version_is_refused() {
        let recorded = Recorded {
            schema_version: SCHEMA_VERSION,
            tool: Tool {
                name: "t".into(),
                version: "1".into(),
            },
            machine: None,
            host: "h".into(),
            listeners: vec![Heard {
                workload: "w".into(),
                port: 80,
                protocol: "tcp".into(),
                answer: Answer {
                    open: true,
                    pages: vec![Page::default()],
                    ..Answer::default()
                },
            }],
            left_out: Vec::new(),
        };
        assert_eq!(Recorded::read(&recorded.to_json()).unwrap(), recorded);
        let other = recorded.to_json().replace("version\": 1", "version\": 2");
        assert!(Recorded::read(&other).is_err());
        assert!(Recorded::schema().contains("\"pieces\""));
    }
}
