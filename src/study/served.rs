//! What a workload is called on the machine, and the names and paths that it answers for, as somebody outside would ask.

use crate::product::Probe;
use crate::workload::Workload;

/// Of each; a configuration may have thousands.
const MOST: usize = 64;

/// Longest name of a host (RFC 1035), and what is asked for as a path.
const LONGEST: usize = 253;
const LONGEST_PATH: usize = 1024;

/// Its services, or the jobs that it is made of.
pub(super) fn names(workload: &Workload) -> Vec<String> {
    let services = workload.services.iter().map(|service| &service.name);
    let jobs = workload.jobs.iter().map(|job| &job.name);
    if workload.services.is_empty() {
        jobs.cloned().collect()
    } else {
        services.cloned().collect()
    }
}

/// The pack that recognised it.
pub(super) fn product(workload: &Workload) -> Option<String> {
    let product = workload.product.as_ref();
    product.map(|product| product.pack.clone())
}

/// Plain names of hosts: what stands for many, or is a pattern, is none.
pub(super) fn hosts(workload: &Workload) -> Vec<String> {
    let named = workload.product.iter().flat_map(|product| &product.hosts);
    let names = named.filter_map(|text| host(text));
    distinct(names)
}

fn host(text: &str) -> Option<String> {
    let name = text.split_once("://").map_or(text, |(_, rest)| rest);
    let name = name.split([':', '/']).next().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_name = name.chars().all(fits)
        && name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    is_name.then(|| name.to_ascii_lowercase())
}

/// Paths that start at the root: those of the configuration, and the product's own for this purpose.
pub(super) fn paths(workload: &Workload) -> Vec<String> {
    let product = workload.product.as_ref();
    let health = product.and_then(|product| match &product.probe {
        Some(Probe::Http { path, .. }) => Some(path.clone()),
        _ => None,
    });
    let named = product.into_iter().flat_map(|product| &product.paths);
    let named = named.filter_map(|text| path(text));
    distinct(health.into_iter().chain(named))
}

/// `/static/`, `= /health`, `^~ /files`; no pattern, and no name of a place inside.
fn path(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let path = match first {
        "=" | "^~" => words.next()?,
        _ => first,
    };
    let path = path.trim_matches('"');
    let fits = |c: char| c.is_ascii_graphic() && !"*?[]{}()|^$\\\"<>`".contains(c);
    let is_path = path.starts_with('/') && path.len() <= LONGEST_PATH && path.chars().all(fits);
    is_path.then(|| path.to_owned())
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in all {
        if found.len() < MOST && !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_and_paths_only() {
        let names = [
            "shop.example.net",
            "https://A.example:8443",
            "*.example",
            "_",
            "~^x",
            "",
        ];
        let found: Vec<String> = names.iter().filter_map(|name| host(name)).collect();
        assert_eq!(found, ["shop.example.net", "a.example"]);
        let paths = [
            "/",
            "= /health",
            "^~ /files/",
            r"~ \.php$",
            "@back",
            "/a*",
            "\"/status\"",
        ];
        let found: Vec<String> = paths.iter().filter_map(|text| path(text)).collect();
        assert_eq!(found, ["/", "/health", "/files/", "/status"]);
    }
}
