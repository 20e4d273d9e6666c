//! How a container is asked whether it works, with what the image already holds.

use super::place::Place;
use crate::product::Listen;
use crate::product::Probe;
use crate::workload::Workload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often and how patiently a health check asks; seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheck {
    /// Run inside the container.
    pub command: Vec<String>,
    pub interval: u32,
    pub timeout: u32,
    pub start_period: u32,
    pub retries: u32,
}

/// The product's own question, or a connection to its first TCP port.
pub(super) fn check(workload: &Workload, place: &Place<'_>) -> Option<(HealthCheck, Probe)> {
    let product = workload
        .product
        .as_ref()
        .and_then(|product| product.probe.clone());
    let first = workload
        .listens
        .iter()
        .find(|listen| listen.protocol == "tcp" && listen.port > 0);
    let probe = product.or_else(|| first.map(|listen| Probe::Tcp { port: listen.port }))?;
    let command = command(&probe, workload, place)?;
    let check = HealthCheck {
        command,
        interval: 10,
        timeout: 5,
        start_period: 30,
        retries: 3,
    };
    Some((check, probe))
}

/// What asks the question: bash, which speaks TCP by itself and is on nearly every machine; else BusyBox's tools. curl would have
/// to be installed for this alone.
fn command(probe: &Probe, workload: &Workload, place: &Place<'_>) -> Option<Vec<String>> {
    let tree = &place.facts.tree;
    let is_brought = !place.base.distribution.packages.busybox;
    let has_bash = if place.lifts {
        tree.exists(&"/bin/bash".into())
    } else {
        is_brought
    };
    let has_busybox = tree.exists(&"/bin/busybox".into());
    let line = |shell: &str, script: String| vec![shell.to_owned(), "-c".to_owned(), script];
    match probe {
        Probe::Command(argv) => Some(argv.clone()),
        Probe::Tcp { port } if has_bash => {
            let address = address(workload, *port);
            Some(line(
                "/bin/bash",
                format!("exec 3<>/dev/tcp/{address}/{port}"),
            ))
        }
        Probe::Http { port, path } if has_bash => {
            let script = http(&address(workload, *port), *port, path);
            Some(line("/bin/bash", script))
        }
        Probe::Tcp { port } | Probe::Http { port, .. } if has_busybox => {
            let address = address(workload, *port);
            Some(line("/bin/sh", format!("nc -z {address} {port}")))
        }
        _ => None,
    }
}

/// Any answer below 500 counts: a page behind a login answers 401 on a healthy machine too.
fn http(address: &str, port: u16, path: &str) -> String {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '\\' | '%');
    let path: String = path.chars().filter(|c| fits(*c)).collect();
    let path = if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    };
    format!(
        "exec 3<>/dev/tcp/{address}/{port} && printf 'GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r version status rest <&3 && [ \"$status\" -lt 500 ]"
    )
}

/// The loopback address of the family the port listens in.
fn address(workload: &Workload, port: u16) -> String {
    let listens: Vec<&Listen> = workload
        .listens
        .iter()
        .filter(|listen| listen.port == port && listen.protocol == "tcp")
        .collect();
    let six = |listen: &&Listen| listen.address.contains(':');
    let only_six = !listens.is_empty() && listens.iter().all(six);
    let first = listens
        .first()
        .map_or("", |listen| listen.address.trim_matches(['[', ']']));
    match first {
        // A second loopback address (127.0.0.53) answers on itself only.
        own if own.starts_with("127.")
            && crate::product::is_loopback(own)
            && own.chars().all(|c| c.is_ascii_digit() || c == '.') =>
        {
            own.to_owned()
        }
        // `::` takes IPv4 too unless told otherwise; a container may have no IPv6 at all.
        "::1" if only_six => "::1".to_owned(),
        _ => "127.0.0.1".to_owned(),
    }
}
