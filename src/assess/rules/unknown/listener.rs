//! Code that can listen, and no address is known.

use super::index::Index;
use super::witness::{Witness, witness};
use super::{Seen, program};
use crate::fact::Named;
use crate::path::MachinePath;
use crate::product::Listen;
use crate::rule::catalogue::concern;
use crate::rule::{Concern, Severity};
use crate::text::list;
use crate::workload::{Workload, configuration_of};
use std::collections::BTreeSet;

/// Calls of whoever waits for connections.
const LISTEN: &[&str] = &["listen", "accept4", "accept"];

/// A call that names an address for datagrams; the C library makes it too, to look names up.
const BIND: &[&str] = &["bind"];

pub(super) fn concern_of(
    seen: &Seen<'_>,
    index: &Index<'_>,
    workload: &Workload,
) -> Option<Concern> {
    let service = workload.services.first()?;
    if workload.answer.ports.is_some() {
        return None;
    }
    let product = workload.product.as_ref();
    if let Some(why) = product.and_then(|product| product.listens_supposed.as_ref()) {
        return supposed(workload, why);
    }
    let is_silent = workload.listens.is_empty();
    // A pack says all of its product's listeners, and that there is none.
    let is_known = product.is_some_and(|product| !product.says.listeners || !is_silent);
    // A connection that is its standard input it has not listened for.
    let is_handed = !service.sockets.is_empty() && service.sockets.iter().all(|s| s.is_input);
    if is_known || is_handed {
        return None;
    }
    let program = program(workload);
    let (can, evidence) = match witness(seen, index, workload, LISTEN, BIND) {
        Witness::Never => return None,
        Witness::Does(call, evidence) => (
            format!("{program} can listen (it reaches {call})"),
            evidence,
        ),
        Witness::Unread => {
            let command = service
                .commands
                .start
                .last()
                .map(|command| &command.evidence);
            let evidence = command.unwrap_or(&service.evidence).clone();
            (
                format!("the code of {program} was not read, or not all of it, and may listen"),
                evidence,
            )
        }
    };
    let mut evidence = vec![service.evidence.clone(), evidence];
    let id = Some(workload.id.as_str());
    if is_silent {
        let named = named(seen, index, workload);
        let mut addresses: Vec<String> = named.iter().map(|named| named.address.clone()).collect();
        addresses.dedup();
        evidence.extend(named.iter().map(|named| named.evidence.clone()));
        let detail = match addresses.as_slice() {
            [] => format!("{can}, and no address is known"),
            some => format!(
                "{can}, and where is not known; its configuration names {}",
                list(some, 6)
            ),
        };
        return Some(concern("unknown/listener", id, detail, evidence)?.likely(addresses));
    }
    let known: Vec<String> = workload.listens.iter().map(Listen::shown).collect();
    let detail = format!(
        "{can}; {} stands on its command line, in its environment or its socket unit, and there may be more",
        list(&known, 3)
    );
    let found = concern("unknown/listener", id, detail, evidence)?;
    Some(
        Concern {
            severity: Severity::Minor,
            ..found
        }
        .likely(workload.listens.iter().map(Listen::shown)),
    )
}

/// The product's defaults are no answer where its configuration was not read.
fn supposed(workload: &Workload, why: &str) -> Option<Concern> {
    let service = workload.services.first()?;
    let defaults: Vec<String> = workload.listens.iter().map(Listen::shown).collect();
    let detail = match defaults.as_slice() {
        [] => format!("{why}, so where it listens is not known"),
        some => format!("{why}, so {} is only its default", list(some, 3)),
    };
    let id = Some(workload.id.as_str());
    let command = service.commands.start.last();
    let evidence = command.map_or(&service.evidence, |command| &command.evidence);
    let found = concern("unknown/listener", id, detail, vec![evidence.clone()])?;
    Some(found.likely(defaults))
}

/// Addresses that its configuration names.
fn named<'a>(seen: &Seen<'a>, index: &Index<'a>, workload: &Workload) -> Vec<&'a Named> {
    let own = workload.executables.iter();
    let own = own.filter(|path| seen.facts.owner(path).is_none());
    let files = configuration_of(workload, seen.facts).chain(own);
    let files: BTreeSet<&MachinePath> = files.collect();
    let own = files.into_iter().flat_map(|path| index.named(path));
    let mut own: Vec<&Named> = own.collect();
    own.sort();
    own.dedup_by(|a, b| a.address == b.address);
    own
}
