//! What the kernel of the engine's machine says of a container's processes: listeners, user, capabilities (proc(5)).

use std::collections::BTreeSet;

/// A socket that listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Socket {
    pub port: u16,
    /// Only for the container itself.
    pub local: bool,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
}

/// Listeners in a file like /proc/net/tcp, tcp6, udp, udp6.
pub fn sockets(text: &str, protocol: &'static str) -> BTreeSet<Socket> {
    // TCP_LISTEN, and TCP_CLOSE, which is a UDP socket that is bound and not connected.
    let state = if protocol == "tcp" { "0A" } else { "07" };
    let lines = text.lines().skip(1).take(10_000);
    let found = lines.filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (address, port) = fields.nth(1)?.split_once(':')?;
        if fields.nth(1)? != state {
            return None;
        }
        Some(Socket {
            port: u16::from_str_radix(port, 16).ok()?,
            local: is_local(address),
            protocol,
        })
    });
    found.collect()
}

/// 127.0.0.0/8 and ::1, in the order of a little-endian machine's bytes or a big-endian one's.
fn is_local(address: &str) -> bool {
    match address.len() {
        8 => address.starts_with("7F") || address.ends_with("7F"),
        32 => {
            let zeros = address.bytes().filter(|digit| *digit == b'0').count();
            let mapped = address.contains("FFFF")
                && (address.ends_with("7F") || address.get(24..26) == Some("7F"));
            mapped
                || zeros == 31 && (address.ends_with("01000000") || address.ends_with("00000001"))
        }
        _ => false,
    }
}

/// What /proc/PID/status says of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Effective; as the reader sees it.
    pub uid: u32,
    /// A bit for each capability.
    pub capabilities: u64,
    pub name: String,
}

pub fn status(text: &str) -> Option<Status> {
    let field = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    Some(Status {
        uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
        capabilities: u64::from_str_radix(field("CapEff")?, 16).ok()?,
        name: field("Name")?.chars().take(64).collect(),
    })
}

/// The number that a user has in a container, by its /proc/PID/uid_map.
pub fn inner(map: &str, outside: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let numbers: Vec<u32> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [inside, first, count] = numbers.as_slice() else {
            return None;
        };
        let at = outside.checked_sub(*first).filter(|at| at < count)?;
        inside.checked_add(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn listeners_of_both_families() {
        let text = "  sl  local_address rem_address   st\n   0: 00000000:1F90 00000000:0000 0A 00000000\n   1: 0100007F:18EC 00000000:0000 0A 0\n   2: 0100007F:18ED 00000000:0001 01 0\n";
        let found = sockets(text, "tcp");
        let found: Vec<_> = found.iter().map(|s| (s.port, s.local)).collect();
        assert_eq!(found, [(6380, true), (8080, false)]);
        let six = "h\n 0: 00000000000000000000000001000000:0050 0:0 0A\n 1: 00000000000000000000000000000000:0051 0:0 0A\n";
        let six: Vec<_> = sockets(six, "tcp")
            .iter()
            .map(|s| (s.port, s.local))
            .collect();
        assert_eq!(six, [(80, true), (81, false)]);
    }

    #[test]
    fn users_and_capabilities() {
        let read = status("Name:\tnginx\nUid:\t100033\t100033\t1\t1\nCapEff:\t00000000000000c1\n")
            .unwrap();
        assert_eq!(
            (read.uid, read.capabilities, read.name.as_str()),
            (100_033, 0xc1, "nginx")
        );
        assert_eq!(
            inner(
                "         0       1000          1\n         1     100000      65536\n",
                100_033
            ),
            Some(34)
        );
        assert_eq!(inner("0 0 4294967295", 33), Some(33));
        assert_eq!(inner("", 33), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read(text in "\\PC{0,200}") {
            let _ = (sockets(&text, "tcp"), sockets(&format!("h\n{text}"), "udp"), status(&text), inner(&text, 5));
        }
    }
}
