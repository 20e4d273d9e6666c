//! Services that a socket unit starts: their sockets are opened for them and handed over, as on the machine.

use super::place::Place;
use super::secret::Argument;
use super::{PlannedCommand, PlannedSecret};
use crate::service::{Service, Socket, SocketKind};
use crate::workload::Workload;

/// The service whose sockets have to be handed over: it runs its unit's own command, which may know no other way to get
/// them. Where a pack has another command for it, that opens its sockets by itself.
pub(super) fn activated(workload: &Workload) -> Option<&Service> {
    let main = workload.services.first()?;
    let product = workload.product.as_ref();
    let is_own = product.is_none_or(|product| product.command.is_none());
    let handed = main.sockets.iter().any(|socket| option(socket).is_some());
    (is_own && handed).then_some(main)
}

/// The same command behind the one that opens the sockets.
pub(super) fn wrap(
    mut command: PlannedCommand,
    main: &Service,
    environment: &[(String, String)],
    secrets: &[PlannedSecret],
    place: &Place<'_>,
) -> PlannedCommand {
    let mut argv = vec![place.base.distribution.activator.program.clone()];
    let mut options: Vec<&str> = main.sockets.iter().filter_map(option).flatten().collect();
    options.dedup();
    argv.extend(options.into_iter().map(str::to_owned));
    if let Some(names) = names(&main.sockets) {
        argv.push(format!("--fdname={names}"));
    }
    if main.sockets.iter().any(|socket| socket.is_input) {
        argv.push("--inetd".to_owned());
    }
    for socket in main
        .sockets
        .iter()
        .filter(|socket| option(socket).is_some())
    {
        argv.extend(["-l".to_owned(), socket.address.clone()]);
    }
    // It starts the program with no variables but a few and those it is told of.
    let own = environment.iter().map(|(name, _)| name);
    let secret = secrets.iter().filter(|secret| secret.file.is_none());
    for name in own.chain(secret.flat_map(|secret| &secret.variables)) {
        // What stands for redacted words is put in before, and gone.
        if Argument::parse(name).is_some() {
            continue;
        }
        argv.extend(["-E".to_owned(), name.clone()]);
    }
    argv.append(&mut command.argv);
    PlannedCommand { argv, ..command }
}

/// What kind of socket it is, as an option; `None` for what cannot be handed over.
fn option(socket: &Socket) -> Option<Vec<&'static str>> {
    let mut options = match socket.kind {
        SocketKind::Stream => Vec::new(),
        SocketKind::Datagram => vec!["--datagram"],
        SocketKind::SequentialPacket => vec!["--seqpacket"],
        SocketKind::Fifo => return None,
    };
    if socket.is_accepting {
        options.push("--accept");
    }
    Some(options)
}

/// Names of the descriptors, where the units give any.
fn names(sockets: &[Socket]) -> Option<String> {
    let names: Option<Vec<&str>> = sockets
        .iter()
        .map(|socket| socket.name.as_deref())
        .collect();
    names
        .filter(|names| !names.is_empty())
        .map(|names| names.join(":"))
}
