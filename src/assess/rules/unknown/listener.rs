//! Code that can listen, and no address is known.

use super::witness::{Witness, witness};
use super::{Seen, program};
use crate::rule::catalogue::concern;
use crate::rule::{Concern, Severity};
use crate::text::list;
use crate::workload::Workload;

/// Calls of whoever waits for connections.
const LISTEN: &[&str] = &["listen", "accept4", "accept"];

/// A call that names an address for datagrams; the C library makes it too, to look names up.
const BIND: &[&str] = &["bind"];

pub(super) fn concern_of(seen: &Seen<'_>, workload: &Workload) -> Option<Concern> {
    let service = workload.services.first()?;
    if workload.answer.ports.is_some() {
        return None;
    }
    let product = workload.product.as_ref();
    let is_silent = workload.listens.is_empty();
    // A pack says all of its product's listeners, and that there is none.
    let is_known = product.is_some_and(|product| !product.says.listeners || !is_silent);
    // A connection that is its standard input it has not listened for.
    let is_handed = !service.sockets.is_empty() && service.sockets.iter().all(|s| s.is_input);
    if is_known || is_handed {
        return None;
    }
    let program = program(workload);
    let (can, evidence) = match witness(seen, workload, LISTEN, BIND) {
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
                format!("the code of {program} was not read, and may listen"),
                evidence,
            )
        }
    };
    let evidence = vec![service.evidence.clone(), evidence];
    let id = Some(workload.id.as_str());
    if is_silent {
        let detail = format!("{can}, and no address is known");
        return concern("unknown/listener", id, detail, evidence);
    }
    let known = workload.listens.iter().map(|listen| match listen.port {
        0 => listen.address.clone(),
        port => format!("{}:{port}", listen.address),
    });
    let known: Vec<String> = known.collect();
    let detail = format!(
        "{can}; {} stands on its command line, in its environment or its socket unit, and there may be more",
        list(&known, 3)
    );
    let found = concern("unknown/listener", id, detail, evidence)?;
    Some(Concern {
        severity: Severity::Minor,
        ..found
    })
}
