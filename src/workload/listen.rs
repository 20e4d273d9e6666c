//! What a workload listens on: its sockets, its product, its arguments and variables.

use crate::detect::native::syntax;
use crate::fact::Evidence;
use crate::product::{Listen, Product};
use crate::program::Program;
use crate::service::{Service, SocketKind};
use crate::words::address::Form;
use crate::words::address::{self, Address};

/// Flags and variables that name a listener where no pack does.
const LISTEN_FLAGS: &[&str] = &[
    "--bind",
    "-b",
    "--listen",
    "--port",
    "-p",
    "--http-port",
    "--addr",
    "--address",
    "--listen-address",
    "--web.listen-address",
    "--listen-addr",
    "--http-addr",
    "--http-address",
    "--http",
    "--server-port",
    "-listen",
    "-addr",
    "-address",
    "-port",
    "-bind",
    "-http",
];

/// Flags that say where, beside one that says only a port.
const HOST_FLAGS: &[&str] = &["--host", "--hostname", "--ip", "-H"];

const LISTEN_VARIABLES: &[&str] = &[
    "PORT",
    "HTTP_PORT",
    "LISTEN",
    "LISTEN_ADDR",
    "LISTEN_ADDRESS",
    "BIND",
    "BIND_ADDR",
];

pub(super) fn listens(
    service: &Service,
    product: Option<&Product>,
    program: &Program,
) -> Vec<Listen> {
    let mut found: Vec<Listen> = product
        .map(|product| product.listens.clone())
        .unwrap_or_default();
    let mut add = |text: &str, transport: &'static str, evidence: &Evidence| {
        if let Some(address) = address::parse(text, Form::Address, None) {
            let (address, port, protocol) = match address {
                Address::Inet { host, port } => (host, port, transport),
                Address::Unix(path) => (path, 0, "unix"),
            };
            if port != 0 || protocol == "unix" {
                found.push(Listen {
                    address,
                    port,
                    protocol: protocol.to_owned(),
                    evidence: evidence.clone(),
                });
            }
        }
    };
    for socket in &service.sockets {
        add(
            &socket.address,
            socket_protocol(socket.kind),
            &socket.evidence,
        );
    }
    // A pack knows its product's flags: `-p` may be a file there.
    if product.is_none() && service.sockets.is_empty() {
        let evidence = service
            .commands
            .start
            .first()
            .map_or(&service.evidence, |command| &command.evidence);
        let flags = syntax::read_flags(&program.args);
        let of = |names: &'static [&str]| {
            let named = flags.iter();
            let named = named.filter(move |(flag, _)| names.contains(&flag.as_str()));
            named.filter_map(|(_, args)| args.first().map(String::as_str))
        };
        let host = of(HOST_FLAGS).next();
        for value in of(LISTEN_FLAGS) {
            let is_port = value.parse::<u16>().is_ok();
            let whole = host
                .filter(|_| is_port)
                .map(|host| format!("{host}:{value}"));
            add(whole.as_deref().unwrap_or(value), "tcp", evidence);
        }
        for (_, value) in service
            .environment
            .variables
            .iter()
            .filter(|(name, _)| LISTEN_VARIABLES.contains(&name.as_str()))
        {
            add(value, "tcp", evidence);
        }
    }
    found.sort();
    found.dedup_by(|a, b| (&a.address, a.port, &a.protocol) == (&b.address, b.port, &b.protocol));
    found
}

fn socket_protocol(kind: SocketKind) -> &'static str {
    if kind == SocketKind::Datagram {
        "udp"
    } else {
        "tcp"
    }
}
