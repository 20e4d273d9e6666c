//! Services in kinds: those that have the same fate for the same reason.

use crate::product::Disposition;
use crate::scan::{Scan, Service};

/// Services with one reason.
#[derive(Debug, Clone)]
pub struct Kind<'a> {
    pub reason: &'a str,
    pub services: Vec<&'a Service>,
}

impl Kind<'_> {
    /// The first of its names, and how many more there are.
    pub fn names(&self, most: usize) -> String {
        let names = self.services.iter().map(|service| service.name.clone());
        let names: Vec<String> = names.collect();
        crate::text::list(&names, most)
    }
}

/// The services with this fate by their reasons: the reason of the most first, of equals the first that was met.
pub fn kinds(scan: &Scan, fate: Option<Disposition>) -> Vec<Kind<'_>> {
    let mut found: Vec<Kind<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for service in scan.services.iter().filter(|s| s.disposition == fate) {
        let at = *known.entry(service.reason.as_str()).or_insert(found.len());
        match found.get_mut(at) {
            Some(kind) => kind.services.push(service),
            None => found.push(Kind {
                reason: &service.reason,
                services: vec![service],
            }),
        }
    }
    found.sort_by_key(|kind| std::cmp::Reverse(kind.services.len()));
    for kind in &mut found {
        // What was enabled itself tells more than what it brings along.
        kind.services.sort_by_key(|service| {
            let by = service.evidence.path.file_name();
            by != service.name.as_bytes()
        });
    }
    found
}
