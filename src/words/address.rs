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
    /// How mail is handed on: `lmtp:unix:private/x`, `unix:/run/x.sock`, `local:/run/x.sock`, `inet:8891@localhost`,
    /// `inet:127.0.0.1:8891`, `private/x`. A relative socket starts where its product keeps them.
    Transport,
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
        Form::Transport => transport(text),
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

fn transport(text: &str) -> Option<Address> {
    let known = ["unix:", "local:", "inet:", "inet6:"];
    let at = known
        .iter()
        .find_map(|kind| Some((text.find(kind)?, *kind)));
    let Some((at, kind)) = at else {
        let is_path = text.contains('/') && !text.contains([':', '=', '$', '[']);
        return is_path.then(|| Address::Unix(text.to_owned()));
    };
    let rest = text.get(at + kind.len()..)?.split([' ', ',']).next()?;
    if kind.starts_with("inet") {
        return match rest.split_once('@') {
            Some((port, host)) => host_port(&format!("{host}:{port}"), None),
            None => host_port(rest, None),
        };
    }
    (!rest.is_empty()).then(|| Address::Unix(rest.to_owned()))
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

/// Every address of a list: parted by commas, or the hosts of one URL (`kafka://a:1,b:2/x`).
pub fn all(text: &str, form: Form, default_port: Option<u16>) -> Vec<Address> {
    let mut scheme = "";
    let mut found = Vec::new();
    if form == Form::Url && !text.contains("://") && !text.starts_with("jdbc:") {
        return keyed(text).into_iter().collect();
    }
    let signs: &[char] = if form == Form::Url {
        &[',', ';', ' ']
    } else {
        &[',']
    };
    let parts = text.split(signs).filter(|part| !part.is_empty());
    for part in parts.take(MOST) {
        // The hosts of a URL after its first have its scheme.
        let whole = match part.split_once("://") {
            Some((before, _)) => {
                scheme = part.get(..before.len() + 3).unwrap_or_default();
                part.to_owned()
            }
            None if form == Form::Url && !scheme.is_empty() && is_host_port(part) => {
                format!("{scheme}{part}")
            }
            // `host:2181/path`.
            None if form == Form::Address && part.contains(':') && !part.contains("unix") => {
                part.split('/').next().unwrap_or(part).to_owned()
            }
            None => part.to_owned(),
        };
        found.extend(parse(&whole, form, default_port));
        if form != Form::Url && !matches!(form, Form::Address) {
            break;
        }
    }
    found
}

/// `Server=tcp:a,1433;Database=x`, `Host=a;Port=5432`, `host=a port=5433 dbname=x`.
fn keyed(text: &str) -> Option<Address> {
    let sign = if text.contains(';') { ';' } else { ' ' };
    let pairs = text.split(sign).filter_map(|pair| pair.split_once('='));
    let pairs: BTreeMap<String, &str> = pairs
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let of = |names: &[&str]| names.iter().find_map(|name| pairs.get(*name).copied());
    let named = of(&["host"]).map(|host| (host, Some(5432)));
    let other = of(&[
        "server",
        "data source",
        "addr",
        "address",
        "network address",
    ]);
    // Drivers of several databases write these; without a port it is none that can be known.
    let (host, default) = named.or_else(|| other.map(|host| (host, None)))?;
    let (host, beside) = host
        .split_once(',')
        .map_or((host, None), |(host, port)| (host, Some(port)));
    let port = beside
        .or_else(|| of(&["port"]))
        .and_then(|port| port.trim().parse().ok());
    host_port(host.trim_start_matches("tcp:"), port.or(default))
}

/// Addresses of one list.
const MOST: usize = 256;

fn is_host_port(text: &str) -> bool {
    let host = text.split(['/', '?']).next().unwrap_or(text);
    let parted = host.rsplit_once(':');
    parted.is_some_and(|(host, port)| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
        !host.is_empty() && host.chars().all(fits) && port.parse::<u16>().is_ok()
    })
}

/// Where a listener is heard: like [`parse`], and of a URL no host, `*` and `+` are every address.
pub fn heard(text: &str, form: Form, default_port: Option<u16>) -> Option<Address> {
    let text = text.trim().trim_matches(['"', '\'']);
    let parted = text
        .split_once("://")
        .filter(|(scheme, rest)| !scheme.ends_with("unix") && !rest.starts_with("unix:"));
    let Some((scheme, rest)) = parted else {
        return parse(text, form, default_port);
    };
    let authority = rest.split(['/', '?']).next()?;
    let authority = authority
        .strip_prefix('+')
        .map_or_else(|| authority.to_owned(), |rest| format!("*{rest}"));
    let own = SCHEMES.get(&scheme.to_ascii_lowercase()).copied();
    host_port(&authority, own.filter(|port| *port != 0).or(default_port))
}

#[derive(Deserialize)]
struct Schemes {
    ports: BTreeMap<String, u16>,
}

static SCHEMES: LazyLock<BTreeMap<String, u16>> = LazyLock::new(|| {
    let file: Result<Schemes, _> = toml::from_str(include_str!("../../detectors/schemes.toml"));
    file.map(|file| file.ports).unwrap_or_default()
});

/// A scheme by its name, where it is one of a server that is no web server.
pub fn scheme(word: &str) -> Option<&'static str> {
    let (name, port) = SCHEMES.get_key_value(word)?;
    (*port != 0 && !matches!(name.as_str(), "http" | "https")).then_some(name)
}

/// The port of a protocol by its name, where it has one.
pub fn port_of(scheme: &str) -> Option<u16> {
    let port = SCHEMES.get(&scheme.to_ascii_lowercase()).copied();
    port.filter(|port| *port != 0)
}

/// `scheme://[user[:password]@]host[:port][/…]`; of several hosts the first. `None` where no port can be known.
pub fn url(text: &str) -> Option<Address> {
    let (text, is_jdbc) = match text.strip_prefix("jdbc:") {
        Some(text) => (text, true),
        None => (text, false),
    };
    if let Some(place) = text.strip_prefix("oracle:").filter(|_| is_jdbc) {
        return thin(place);
    }
    let (scheme, rest) = text.split_once("://")?;
    // `jdbc:mysql:loadbalance://`, `postgresql+psycopg2://`.
    let scheme = scheme
        .split(if is_jdbc { ':' } else { '+' })
        .next()?
        .to_ascii_lowercase();
    if scheme == "unix" || scheme.ends_with("unix") || rest.starts_with("unix:") {
        return Some(socket(rest));
    }
    let authority = rest.split(['/', '?', '#', ';']).next()?;
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

/// `thin:@//host:1521/service`, `thin:@host:1521:sid`.
fn thin(place: &str) -> Option<Address> {
    let (_, place) = place.split_once('@')?;
    let place = place.trim_start_matches("tcps:").trim_start_matches("tcp:");
    let place = place.trim_start_matches('/');
    let place = place.split(['/', '?']).next()?;
    let mut parts = place.split(':');
    let host = parts
        .next()
        .filter(|host| !host.is_empty() && !host.starts_with('('))?;
    let port = parts.next().and_then(|port| port.parse().ok());
    host_port(host, port.or(Some(1521)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_that_are_urls() {
        for (text, wanted) in [
            ("http://+:5000", "0.0.0.0:5000"),
            ("https://*:5001", "0.0.0.0:5001"),
            ("http://localhost:8080/x", "localhost:8080"),
            ("http://[::]:80", "[::]:80"),
            ("SSL://:9094", "0.0.0.0:9094"),
            ("tcp://0.0.0.0:9292", "0.0.0.0:9292"),
            ("unix:///run/p.sock", "/run/p.sock"),
            (":3000", "0.0.0.0:3000"),
        ] {
            let found = heard(text, Form::Address, None).map(|address| address.shown());
            assert_eq!(found.as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn lists_and_drivers() {
        let shown = |text, form| -> Vec<String> {
            let all = all(text, form, None).into_iter();
            all.map(|address| address.shown()).collect()
        };
        for (text, wanted) in [
            (
                "mongodb://a:27017,b:27018/db?x=1",
                &["a:27017", "b:27018"][..],
            ),
            ("http://e1:9200,http://e2:9201", &["e1:9200", "e2:9201"]),
            (
                "jdbc:mysql:loadbalance://a:3306,b:3307/x",
                &["a:3306", "b:3307"],
            ),
            (
                "jdbc:sqlserver://m.example.net:1433;databaseName=x",
                &["m.example.net:1433"],
            ),
            (
                "Server=tcp:s.example.net,1434;Database=x",
                &["s.example.net:1434"],
            ),
            (
                "host=p.example.net port=5433 dbname=x",
                &["p.example.net:5433"],
            ),
            ("Server=s.example.net;Database=x", &[]),
            (
                "jdbc:oracle:thin:@//o.example.net:1522/svc",
                &["o.example.net:1522"],
            ),
            (
                "jdbc:oracle:thin:@o.example.net:1521:SID",
                &["o.example.net:1521"],
            ),
            (
                "ldaps://l.example.net ldaps://m.example.net:1636",
                &["l.example.net:636", "m.example.net:1636"],
            ),
        ] {
            assert_eq!(shown(text, Form::Url), wanted, "{text}");
        }
        let wanted = ["k1.example.net:9092", "k2.example.net:9093"];
        assert_eq!(
            shown("k1.example.net:9092, k2.example.net:9093", Form::Address),
            wanted
        );
    }

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
            for form in [Form::Address, Form::Port, Form::Url, Form::Socket, Form::Handler, Form::Site, Form::Peer, Form::Transport] {
                let _ = parse(&text, form, Some(1));
            }
        }
    }
}
