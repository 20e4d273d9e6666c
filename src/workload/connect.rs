//! What a workload connects to, as its environment and command line say; packs add what their configuration says.

use super::Workload;
use crate::fact::Evidence;
use crate::product::{Connect, is_loopback};
use crate::service::Service;
use crate::words::address;
use crate::words::address::Form;

/// Endings of variables that name a peer, and of those that name its port.
const HOSTS: &[&str] = &["_HOST", "_HOSTNAME", "_SERVER", "_ADDR", "_ADDRESS"];

/// Connections in the environment and the arguments of a service.
pub fn of_service(service: &Service) -> Vec<Connect> {
    let evidence = |name: &str| {
        let mut secrets = service.environment.secrets.iter();
        let secret = secrets.find(|(known, _)| known == name);
        let set_by = service.environment.set_by.get(name);
        let known = secret.map(|(_, evidence)| evidence).or(set_by);
        known.unwrap_or(&service.evidence).clone()
    };
    let mut found = of_variables(&service.environment.variables, &evidence);
    for command in &service.commands.start {
        for arg in &command.argv {
            let value = arg.split_once('=').map_or(arg.as_str(), |(_, value)| value);
            // A listener's own address is written as a URL only with `tcp:` or `http:` before a wildcard.
            if let Some(address) = address::url(value).filter(|_| value.contains("://")) {
                found.push(Connect {
                    to: address.shown(),
                    via: "argument".into(),
                    evidence: command.evidence.clone(),
                });
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.to == b.to && a.via == b.via);
    found
}

/// URLs, `unix:` paths and HOST/PORT pairs among variables.
pub fn of_variables(
    variables: &[(String, String)],
    evidence: &dyn Fn(&str) -> Evidence,
) -> Vec<Connect> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let to = if value.contains("://") {
            address::url(value).map(|address| address.shown())
        } else {
            host_and_port(name, value, variables)
        };
        found.extend(to.map(|to| Connect {
            to,
            via: name.clone(),
            evidence: evidence(name),
        }));
    }
    found
}

/// `DB_HOST=127.0.0.1` with `DB_PORT=5432`, or `CACHE_HOST=127.0.0.1:11211`.
fn host_and_port(name: &str, value: &str, variables: &[(String, String)]) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let stem = HOSTS
        .iter()
        .find_map(|end| upper.strip_suffix(end))
        .or_else(|| (upper == "PGHOST").then_some("PG"))?;
    if value.starts_with('/') {
        return Some(value.to_owned());
    }
    let ports = [format!("{stem}_PORT"), format!("{stem}PORT")];
    let port = variables
        .iter()
        .find(|(known, _)| ports.contains(&known.to_ascii_uppercase()));
    // A name that ends in a protocol's says its port: `SMTP_HOST`, `SESSION_REDIS_HOST`.
    let usual = || address::port_of(stem.rsplit('_').next()?);
    let port = match port {
        Some((_, port)) => port.parse().ok(),
        None => usual(),
    };
    address::parse(value, Form::Address, port)
        .filter(|_| value.parse::<u16>().is_err())
        .map(|address| address.shown())
}

/// Whether one end of a connection is this workload.
pub fn reaches(connect: &Connect, other: &Workload) -> bool {
    other
        .listens
        .iter()
        .any(|listen| match listen.protocol.as_str() {
            "unix" => {
                let (socket, to) = (canonical(&listen.address), canonical(&connect.to));
                to.starts_with('/')
                    && (socket == to
                        || socket
                            .strip_prefix(&to)
                            .is_some_and(|rest| rest.starts_with('/')))
            }
            _ => connect.to.rsplit_once(':').is_some_and(|(address, port)| {
                is_loopback(address)
                    && port.parse() == Ok(listen.port)
                    && answers_locally(&listen.address)
            }),
        })
}

/// `/var/run` is `/run`.
fn canonical(path: &str) -> String {
    path.strip_prefix("/var/run/").map_or_else(
        || path.trim_end_matches('/').to_owned(),
        |rest| format!("/run/{}", rest.trim_end_matches('/')),
    )
}

fn answers_locally(address: &str) -> bool {
    is_loopback(address)
        || matches!(
            address.trim_matches(['[', ']']),
            "0.0.0.0" | "::" | "*" | ""
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&str, &str)]) -> Vec<String> {
        let variables: Vec<(String, String)> = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let evidence = |_: &str| Evidence::file(&"/etc/x".into());
        of_variables(&variables, &evidence)
            .into_iter()
            .map(|connect| connect.to)
            .collect()
    }

    #[test]
    fn variables_that_name_a_peer() {
        assert_eq!(
            found(&[("DATABASE_URL", "postgres://u:[redacted]@127.0.0.1:5433/d")]),
            ["127.0.0.1:5433"]
        );
        assert_eq!(
            found(&[("DB_HOST", "127.0.0.1"), ("DB_PORT", "3307")]),
            ["127.0.0.1:3307"]
        );
        assert_eq!(
            found(&[("CACHE_HOST", "localhost:11212")]),
            ["localhost:11212"]
        );
        assert_eq!(
            found(&[("SMTP_HOST", "smtp.example.net")]),
            ["smtp.example.net:25"]
        );
        assert_eq!(found(&[("PGHOST", "/run/postgresql")]), ["/run/postgresql"]);
        assert!(found(&[("PORT", "80"), ("NAME", "x"), ("DB_HOST", "127.0.0.1")]).is_empty());
    }
}
