//! BindPaths= and BindReadOnlyPaths= (systemd.exec(5)): what a service sees at a place of its own.

use super::command::Context;
use super::unit::{self, Unit};
use crate::path::MachinePath;
use crate::service::Bind;
use crate::words;
use crate::words::budget::WORDS;

const KEYS: &[(&str, bool)] = &[("BindPaths", false), ("BindReadOnlyPaths", true)];

/// `SOURCE[:PLACE[:OPTIONS]]`, with `-` before it where the source may be missing. Without a place it stays where it is.
pub(super) fn all(unit: &Unit, context: &Context<'_>) -> Vec<Bind> {
    let mut found = Vec::new();
    for &(key, is_read_only) in KEYS {
        for (path, entry) in unit.list("Service", key) {
            for word in words::split(&context.expand(&entry.value)) {
                if found.len() >= WORDS {
                    context.budget.refuse();
                    return found;
                }
                let mut parts = word.trim_start_matches('-').split(':');
                let source = parts.next().unwrap_or_default();
                let place = parts.next().filter(|place| !place.is_empty());
                let place = place.unwrap_or(source);
                if [source, place].iter().all(|path| path.starts_with('/')) {
                    found.push(Bind {
                        source: MachinePath::new(source),
                        place: MachinePath::new(place),
                        is_read_only,
                        evidence: unit::evidence(path, entry),
                    });
                }
            }
        }
    }
    found
}
