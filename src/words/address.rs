//! Addresses as configuration writes them, and URLs.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `80`, `*:80`, `127.0.0.1:80`, `[::]:80`, `unix:/path`, `/path`.
    Address,
    /// A port; the address has a source of its own.
    Port,
    /// `scheme://user@host:port/path`.
    Url,
    /// The path of a Unix socket, or of its directory.
    Socket,
    /// A peer as one word among others, with its port or scheme: `10.0.0.1:80`, `https://a`, `unix//run/x.sock`.
    Peer,
    /// A site's name with an optional scheme and port, served at every address: `example.org`, `http://a:8080`, `:80`.
    Site,
    /// `proxy:unix:/path|fcgi://name` or `proxy:fcgi://host:port`: a handler that is a proxy.
    Handler,
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Inet { host: String, port: u16 },
    Unix(String),
}

impl Address {
    /// `host:port`, `[v6]:port`, or the socket's path.
    pub fn shown(&self) -> String {
        match self {
            Self::Inet { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Inet { host, port } => format!("{host}:{port}"),
            Self::Unix(path) => path.clone(),
        }
    }
}

/// Reads an address; `default_port` where none is written. A listener on no host listens on all.
pub fn parse(text: &str, form: Form, default_port: Option<u16>) -> Option<Address> {
    let text = text.trim().trim_matches(['"', '\'']);
    match form {
        Form::Url => url(text),
        Form::Site => site(text),
        Form::Peer => peer(text),
        Form::Socket => text
            .strip_prefix("unix:")
            .unwrap_or(text)
            .starts_with('/')
            .then(|| socket(text)),
        Form::Handler => {
            let target = text.strip_prefix("proxy:")?;
            if target.starts_with("unix:") {
                Some(socket(target))
            } else {
                url(target)
            }
        }
        Form::Address | Form::Port => {
            if text.starts_with('/') || text.starts_with("unix:") {
                return Some(socket(text));
            }
            if text.contains("://") {
                return url(text);
            }
            host_port(text, default_port)
        }
    }
}

/// Words without a port or scheme are options and matchers.
fn peer(text: &str) -> Option<Address> {
    if let Some(path) = text
        .strip_prefix("unix/")
        .filter(|path| path.starts_with('/'))
    {
        return Some(socket(path));
    }
    if text.contains("://") {
        return url(text);
    }
    let is_peer = text.contains(':') && !text.starts_with([':', '/', '{']);
    is_peer.then(|| host_port(text, None)).flatten()
}

/// A site is served at every address; without a port or scheme it has a certificate, and so 443.
fn site(text: &str) -> Option<Address> {
    let text = text.trim_end_matches(',');
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let authority = rest.split('/').next().unwrap_or(rest);
    let name = |c: char| c.is_ascii_alphanumeric() || "*.-_:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(name) {
        return None;
    }
    let default = if scheme == "http" { 80 } else { 443 };
    let after = authority.rsplit(']').next().unwrap_or(authority);
    let port = match after.rsplit_once(':') {
        Some((_, port)) => port.parse().ok()?,
        None => default,
    };
    Some(Address::Inet {
        host: "0.0.0.0".into(),
        port,
    })
}

fn socket(text: &str) -> Address {
    let path = text
        .strip_prefix("unix:")
        .unwrap_or(text)
        .trim_start_matches("//");
    let path = path.split([':', '|']).next().unwrap_or(path);
    Address::Unix(if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    })
}

fn host_port(text: &str, default_port: Option<u16>) -> Option<Address> {
    let everywhere = |host: &str| {
        if matches!(host, "" | "*") {
            "0.0.0.0".to_owned()
        } else {
            host.to_owned()
        }
    };
    if let Ok(port) = text.parse::<u16>() {
        return Some(Address::Inet {
            host: "0.0.0.0".into(),
            port,
        });
    }
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest
            .strip_prefix(':')
            .and_then(|port| port.parse().ok())
            .or(default_port)?;
        return Some(Address::Inet {
            host: host.to_owned(),
            port,
        });
    }
    let colons = text.matches(':').count();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if colons == 1 || host.ends_with(':') && port.len() > 2 => {
            (host, port.parse().ok())
        }
        _ => (text, None),
    };
    let host = if colons > 1 { text } else { host };
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:*%".contains(c);
    if !host.chars().all(is_host) || (colons == 1 && port.is_none()) {
        return None;
    }
    Some(Address::Inet {
        host: everywhere(host),
        port: port.or(default_port)?,
    })
}

#[derive(Deserialize)]
struct Schemes {
    ports: BTreeMap<String, u16>,
}

static SCHEMES: LazyLock<BTreeMap<String, u16>> = LazyLock::new(|| {
    let file: Result<Schemes, _> = toml::from_str(include_str!("../../detectors/schemes.toml"));
    file.map(|file| file.ports).unwrap_or_default()
});

/// The port of a protocol by its name, where it has one.
pub fn port_of(scheme: &str) -> Option<u16> {
    let port = SCHEMES.get(&scheme.to_ascii_lowercase()).copied();
    port.filter(|port| *port != 0)
}

/// `scheme://[user[:password]@]host[:port][/…]`; of several hosts the first. `None` where no port can be known.
pub fn url(text: &str) -> Option<Address> {
    let text = text.strip_prefix("jdbc:").unwrap_or(text);
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.split('+').next()?.to_ascii_lowercase();
    if scheme == "unix" || scheme.ends_with("unix") || rest.starts_with("unix:") {
        return Some(socket(rest));
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let hosts = authority.rsplit('@').next()?;
    let first = hosts.split(',').next()?;
    if let Some(path) = first
        .strip_prefix("%2F")
        .or_else(|| first.strip_prefix("%2f"))
    {
        return Some(Address::Unix(format!(
            "/{}",
            path.replace("%2F", "/").replace("%2f", "/")
        )));
    }
    let port = SCHEMES.get(&scheme).copied().filter(|port| *port != 0);
    let address = host_port(first, port)?;
    // An upstream's or a variable's name is no address; `0.0.0.0` means nothing to connect to was written.
    matches!(&address, Address::Inet { host, .. } if host != "0.0.0.0" || first.starts_with("0.0.0.0")).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, form: Form) -> Option<String> {
        parse(text, form, Some(80)).map(|address| address.shown())
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("8080", "0.0.0.0:8080"),
            ("*:81", "0.0.0.0:81"),
            ("127.0.0.1:82", "127.0.0.1:82"),
            ("[::]:83", "[::]:83"),
            ("[::1]", "[::1]:80"),
            ("localhost", "localhost:80"),
            ("unix:/run/x.sock", "/run/x.sock"),
            ("/run/y", "/run/y"),
            (":9000", "0.0.0.0:9000"),
            ("::", "[::]:80"),
            ("0.0.0.0", "0.0.0.0:80"),
        ] {
            assert_eq!(
                shown(text, Form::Address).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(shown("a b", Form::Address), None);
        assert_eq!(shown("host:http", Form::Address), None);
    }

    #[test]
    fn urls() {
        assert!(!SCHEMES.is_empty());
        for (text, expected) in [
            (
                "postgresql://shop:[redacted]@127.0.0.1:5433/shop",
                "127.0.0.1:5433",
            ),
            ("postgresql+psycopg2://u@localhost/db", "localhost:5432"),
            ("redis://:[redacted]@localhost:6380/0", "localhost:6380"),
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://unix:/run/app.sock:/", "/run/app.sock"),
            ("jdbc:mysql://db.example:3307/x?user=a", "db.example:3307"),
            ("https://api.example.net/v1", "api.example.net:443"),
        ] {
            assert_eq!(
                url(text).map(|a| a.shown()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(url("http://$upstream/x"), None);
        assert_eq!(url("nothing"), None);
    }

    #[test]
    fn peers() {
        for (text, expected) in [
            ("10.0.0.1:80", Some("10.0.0.1:80")),
            ("https://a.example", Some("a.example:443")),
            ("unix//run/x.sock", Some("/run/x.sock")),
            ("/api/*", None),
            ("*", None),
            ("lb_policy", None),
        ] {
            let found = parse(text, Form::Peer, None).map(|address| address.shown());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn sites() {
        for (text, expected) in [
            (":80", Some("0.0.0.0:80")),
            ("example.org", Some("0.0.0.0:443")),
            ("http://example.org,", Some("0.0.0.0:80")),
            ("https://[::1]:8443/x", Some("0.0.0.0:8443")),
            ("[::1]", Some("0.0.0.0:443")),
            ("(snippet)", None),
            ("{", None),
            ("@named", None),
        ] {
            let found = parse(text, Form::Site, None).map(|address| address.shown());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in ".{0,60}") {
            for form in [Form::Address, Form::Port, Form::Url, Form::Socket, Form::Handler, Form::Site, Form::Peer] {
                let _ = parse(&text, form, Some(1));
            }
        }
    }
}
