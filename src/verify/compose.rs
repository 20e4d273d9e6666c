//! The compose file as it stands in OUT, as far as starting it somewhere else needs: which ports, by which variables.

use super::Failed;
use serde_json::Value;
use std::collections::BTreeMap;

/// A service that publishes a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub service: String,
    /// Sets the port of the engine's machine; `None` where it is written out.
    pub variable: Option<String>,
    /// In the container.
    pub port: u16,
    pub protocol: String,
}

/// What is read of a compose file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compose {
    pub services: Vec<String>,
    /// The service in whose network one is.
    pub joins: BTreeMap<String, String>,
    pub published: Vec<Published>,
}

impl Compose {
    /// Reads a compose file.
    pub fn read(text: &str) -> Result<Self, Failed> {
        let failed = |why: String| Failed(format!("compose.yaml cannot be read: {why}"));
        let document: Value =
            serde_saphyr::from_str(text).map_err(|error| failed(error.to_string()))?;
        let services = document.get("services").and_then(Value::as_object);
        let services = services.ok_or_else(|| failed("it has no services".to_owned()))?;
        let mut found = Self::default();
        for (name, service) in services {
            found.services.push(name.clone());
            let mode = service.get("network_mode").and_then(Value::as_str);
            if let Some(other) = mode.and_then(|mode| mode.strip_prefix("service:")) {
                found.joins.insert(name.clone(), other.to_owned());
            }
            let ports = service.get("ports").and_then(Value::as_array);
            let ports = ports.into_iter().flatten().filter_map(Value::as_str);
            found
                .published
                .extend(ports.filter_map(|port| published(name, port)));
        }
        Ok(found)
    }

    /// Where the ports of a service are published: at the service whose network it is in.
    pub fn network_of<'a>(&'a self, service: &'a str) -> &'a str {
        self.joins.get(service).map_or(service, String::as_str)
    }
}

/// `${NGINX_PORT_8080:-8080}:8080`, `53:53/udp`, `127.0.0.1:80:80`.
fn published(service: &str, text: &str) -> Option<Published> {
    let (rest, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let (outside, inside) = rest.rsplit_once(':')?;
    let variable = outside.strip_prefix("${").and_then(|rest| {
        let name = rest.split([':', '-', '}', '?']).next()?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
    });
    Some(Published {
        service: service.to_owned(),
        variable,
        port: inside.parse().ok()?,
        protocol: protocol.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_networks_and_variables() {
        let text = "services:\n  \"a-pod\":\n    ports:\n      - \"${A_PORT_80:-80}:80\"\n      - \"127.0.0.1:53:53/udp\"\n  a:\n    network_mode: \"service:a-pod\"\n";
        let read = Compose::read(text).unwrap();
        assert_eq!(read.services, ["a-pod", "a"]);
        assert_eq!((read.network_of("a"), read.network_of("b")), ("a-pod", "b"));
        let found: Vec<_> = read
            .published
            .iter()
            .map(|p| (p.variable.as_deref(), p.port, p.protocol.as_str()))
            .collect();
        assert_eq!(found, [(Some("A_PORT_80"), 80, "tcp"), (None, 53, "udp")]);
    }

    #[test]
    fn what_is_no_compose_file() {
        for text in [
            "",
            "[]",
            "services: 5",
            "a: [",
            "services: {a: {ports: [{}, 5, \":\", \"x:y\"]}}",
        ] {
            let read = Compose::read(text);
            assert!(
                read.is_err() || read.unwrap().published.is_empty(),
                "{text}"
            );
        }
    }
}
