//! Whom the files of an application talk to on their own machine: sockets, loopback addresses, and ports.

use crate::fact::{Evidence, Peer};
use crate::path::MachinePath;
use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A socket, an address with its port in one word, the two as neighbours (`('127.0.0.1', 11211)`, `-h localhost -P 3307`,
/// `host=localhost port=5433`), or a port alone (`$port = 3307`, `'DB_PORT', '3307'`).
static PEER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        (?:^|[^A-Z0-9._/-])(?P<socket>/(?:var/)?run/[A-Z0-9._/-]+\.sock(?:et)?)\b
        | \b(?P<inet>(?:127\.0\.0\.1|localhost):[0-9]{2,5})\b
        | \b(?P<host>127\.0\.0\.1|localhost)['"]?\s*[,;]?\s*
          (?:-{1,2}[a-z]*p[a-z]*[\s=]*|['"]?[a-z_]*port['"]?\s*(?:=>|=|:)\s*)?['"]?(?P<beside>[0-9]{2,5})\b
        | (?:\b|_)port['"]?\]?\s*(?:=>|:=|=|:|,)\s*['"]?(?P<port>[0-9]{2,5})\b"#,
    )
    .ok()
});

/// Without one of these nothing is named.
static MARKERS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let markers = ["127.0.0.1", "localhost", ".sock", "port"];
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(markers)
        .ok()
});

/// Whether a text may name anybody; `import` and `support` do not.
pub(super) fn may_name(text: &[u8]) -> bool {
    let hits = MARKERS.as_ref().map(|markers| markers.find_iter(text));
    hits.into_iter().flatten().any(|hit| {
        let before = hit.start().checked_sub(1).and_then(|at| text.get(at));
        hit.pattern().as_usize() < 3 || !before.is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// What a line names, without a place yet.
pub(super) fn of_line(line: &str) -> Vec<Peer> {
    let Some(regex) = PEER.as_ref() else {
        return Vec::new();
    };
    regex.captures_iter(line).filter_map(|c| peer(&c)).collect()
}

fn peer(captures: &Captures<'_>) -> Option<Peer> {
    let text = |name| captures.name(name).map(|found| found.as_str());
    let port = |name| text(name).filter(|port| port.parse::<u16>().is_ok());
    let whole = text("socket").or(text("inet")).map(str::to_owned);
    let beside = port("beside").and_then(|port| Some(format!("{}:{port}", text("host")?)));
    let is_guess = whole.is_none() && beside.is_none();
    let to = whole
        .or(beside)
        .or_else(|| port("port").map(|port| format!("localhost:{port}")))?;
    Some(Peer {
        to,
        is_guess,
        evidence: Evidence::file(&MachinePath::root()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Vec<String> {
        let shown = |peer: Peer| format!("{}{}", peer.to, if peer.is_guess { "?" } else { "" });
        of_line(line).into_iter().map(shown).collect()
    }

    #[test]
    fn peers_of_a_line() {
        assert_eq!(
            named("x('/run/mysqld/mysqld.sock', 'http://127.0.0.1:8000/')"),
            ["/run/mysqld/mysqld.sock", "127.0.0.1:8000"]
        );
        assert!(named("a/run/x.sock 10.127.0.0.1:80x localhost").is_empty());
    }

    #[test]
    fn host_and_port_as_neighbours() {
        for line in [
            "m.addServer('127.0.0.1', 11211)",
            "host='127.0.0.1', port=11211",
            "mysql -h 127.0.0.1 -P 11211",
            "mysql --host=127.0.0.1 --port=11211",
            "host=127.0.0.1 port=11211",
            "'host' => '127.0.0.1', 'port' => '11211'",
        ] {
            assert_eq!(named(line), ["127.0.0.1:11211"], "{line}");
        }
        assert!(named("retry(localhost, 3)").is_empty());
    }

    #[test]
    fn a_port_alone_is_a_guess() {
        for line in [
            "$port = 3307;",
            "define('DB_PORT', '3307');",
            "'port' => 3307,",
            "  port: 3307",
            "v = Valkey(port=3307)",
            "$cfg['port']='3307';",
        ] {
            assert_eq!(named(line), ["localhost:3307?"], "{line}");
        }
        for line in [
            "support = 3307",
            "port = 99999",
            "report: 20",
            "transport=udp",
        ] {
            assert!(named(line).is_empty(), "{line}");
        }
    }
}
