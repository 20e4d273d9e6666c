//! What an application's configuration says by the custom of the field: where it listens, whom it asks, which paths it
//! uses. No product is known here; the words are data, `detectors/customs.toml`.

use crate::fact::profile::Active;
use crate::fact::{Document, Evidence, Setting, Syntax};
use crate::path::MachinePath;
use crate::product::{Connect, Listen, is_loopback};
use crate::words::address::{self, Address, Form};
use crate::words::budget::Budget;
use crate::words::expand::substitute;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub file: Vec<File>,
    pub passed: Passed,
    key: Keys,
    means: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub names: Vec<String>,
    pub syntax: Syntax,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passed {
    pub names: Vec<String>,
    pub directories: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    listen: Vec<Vec<String>>,
    host: Vec<Vec<String>>,
    port: Vec<Vec<String>>,
    peers: Vec<Vec<String>>,
    own: Vec<String>,
    kinds: Vec<String>,
    databases: Vec<String>,
    kept: Vec<String>,
    by_socket: Vec<String>,
    nobody: Vec<String>,
}

pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        toml::from_str(include_str!("../../detectors/customs.toml")).unwrap_or_default()
    });
    &TABLE
}

/// The host of a database server of this machine, whose port nobody wrote down: settled once all servers are known.
pub(super) const LOCAL_DATABASE: &str = "localhost";

/// Addresses and paths kept of one application.
const MOST: usize = 256;

/// What a configuration says.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub listens: Vec<Listen>,
    pub connects: Vec<Connect>,
    pub paths: Vec<Place>,
}

/// A path that a setting names.
#[derive(Debug)]
pub(super) struct Place {
    pub path: MachinePath,
    /// Its key speaks of something that is written.
    pub is_kept: bool,
    pub evidence: Evidence,
}

/// One setting, its key in words.
struct Spoken<'a> {
    words: Vec<String>,
    value: Cow<'a, str>,
    setting: &'a Setting,
}

impl Said {
    /// `variables` is what the application finds in its environment: `${PORT:-8080}` is 8080 only where nobody says otherwise.
    pub fn of<'a>(
        documents: impl IntoIterator<Item = &'a Document>,
        variables: &BTreeMap<String, String>,
        mut active: Active,
    ) -> Self {
        let mut said = Self::default();
        let documents: Vec<&Document> = documents.into_iter().collect();
        for setting in documents.iter().flat_map(|document| &document.settings) {
            active.learn(&setting.key, &setting.args);
        }
        let in_force = |document: &&Document| active.counts(&document.path.name());
        for document in documents.into_iter().filter(in_force) {
            let settings = document.settings.iter();
            let settings = settings.filter(|setting| active.hold(&setting.conditions));
            let spoken: Vec<Spoken<'_>> = settings
                .filter_map(|setting| spoken(setting, variables))
                .collect();
            let by_key = by_key(&spoken);
            for one in &spoken {
                said.setting(document, &by_key, one);
            }
        }
        said.connects.sort();
        said.connects.dedup_by(|a, b| a.to == b.to);
        said.listens.sort();
        said.listens.dedup_by(|a, b| {
            (&a.address, a.port, &a.protocol) == (&b.address, b.port, &b.protocol)
        });
        said
    }

    fn setting(&mut self, document: &Document, all: &ByKey<'_>, one: &Spoken<'_>) {
        let is_full = self.connects.len() + self.listens.len() + self.paths.len() >= MOST;
        if one.setting.secret || is_full || one.value.len() > 1_024 {
            return;
        }
        let evidence = || document.evidence(one.setting);
        let keys = &table().key;
        if one.value.starts_with('/') && !one.value.contains(['$', '%', '{', '*', ' ', '\n']) {
            self.paths.push(Place {
                path: MachinePath::new(&*one.value),
                is_kept: one.words.iter().any(|word| keys.kept.contains(word)),
                evidence: evidence(),
            });
            return;
        }
        if one.value.contains("://") {
            let urls = one
                .value
                .split([',', ' '])
                .filter(|part| part.contains("://"));
            let found = urls.filter_map(address::url).filter(is_somebody);
            self.connects
                .extend(found.map(|address| connect(&address, one, evidence())));
            return;
        }
        if let Some(stem) = one.stem(&keys.peers) {
            let scheme = scheme(stem, all, one);
            let parts = one
                .value
                .split([',', ' ', ';'])
                .filter(|part| !part.is_empty());
            for part in parts {
                let address = address::parse(part, Form::Address, scheme.and_then(port_of));
                let address = address
                    .filter(is_somebody)
                    .filter(|_| part.contains(['.', ':']));
                self.connects
                    .extend(address.map(|address| connect(&address, one, evidence())));
            }
            return;
        }
        if one.ends(&keys.listen) {
            self.listen(one, evidence());
            return;
        }
        if let Some(stem) = one.stem(&keys.host) {
            self.host(all, one, stem, evidence());
            return;
        }
        if let Some(stem) = one.stem(&keys.port) {
            // A port whose host is nobody's, where servers say theirs.
            let has_host = keys
                .host
                .iter()
                .any(|host| all.beside(one, stem, host).is_some());
            if !has_host && is_own(stem) {
                self.listen(one, evidence());
            }
        }
    }

    /// A value that is an address to listen on, or a port.
    fn listen(&mut self, one: &Spoken<'_>, evidence: Evidence) {
        if !one.value.contains(|c: char| c.is_ascii_digit()) {
            return;
        }
        if let Some(Address::Inet { host, port }) = address::parse(&one.value, Form::Address, None)
            && port != 0
        {
            self.listens.push(listener(host, port, evidence));
        }
    }

    fn host(&mut self, all: &ByKey<'_>, one: &Spoken<'_>, stem: &[String], evidence: Evidence) {
        let keys = &table().key;
        let beside = keys
            .port
            .iter()
            .find_map(|port| all.beside(one, stem, port));
        let port = beside.and_then(|other| other.value.parse::<u16>().ok());
        let scheme = scheme(stem, all, one);
        let default = port.or_else(|| scheme.and_then(port_of));
        match address::parse(&one.value, Form::Address, default) {
            Some(Address::Inet { host, port }) if port != 0 => {
                let everywhere = matches!(host.as_str(), "0.0.0.0" | "::");
                if everywhere || is_loopback(&host) && is_own(stem) && scheme.is_none() {
                    if default.is_some() || one.value.contains(':') {
                        self.listens.push(listener(host, port, evidence));
                    }
                    return;
                }
                let address = Address::Inet { host, port };
                // A number alone is no host.
                if is_somebody(&address) && one.value.parse::<u16>().is_err() {
                    self.connects.push(connect(&address, one, evidence.clone()));
                }
            }
            _ => {}
        }
        // Clients take the server's socket where the host is `localhost` and no port is said.
        let is_database = scheme
            .is_some_and(|scheme| keys.by_socket.iter().any(|own| own == scheme))
            || is_any_database(stem);
        if one.value == LOCAL_DATABASE && port.is_none() && is_database {
            self.connects.push(Connect {
                to: LOCAL_DATABASE.to_owned(),
                via: one.setting.key.clone(),
                evidence,
            });
        }
    }
}

/// The settings of one document by their words.
struct ByKey<'a>(BTreeMap<Vec<String>, Vec<&'a Spoken<'a>>>);

fn by_key<'a>(spoken: &'a [Spoken<'a>]) -> ByKey<'a> {
    let mut found: BTreeMap<Vec<String>, Vec<&Spoken<'_>>> = BTreeMap::new();
    for one in spoken {
        found.entry(one.words.clone()).or_default().push(one);
    }
    ByKey(found)
}

impl<'a> ByKey<'a> {
    /// The setting of the same block that has another last word.
    fn beside(&self, one: &Spoken<'_>, stem: &[String], last: &[String]) -> Option<&'a Spoken<'a>> {
        let words: Vec<String> = stem.iter().chain(last).cloned().collect();
        let near = self.0.get(&words)?;
        let same = near
            .iter()
            .find(|other| other.setting.block == one.setting.block);
        same.or(near.first()).copied()
    }
}

impl Spoken<'_> {
    fn ends(&self, ends: &[Vec<String>]) -> bool {
        ends.iter().any(|end| self.words.ends_with(end))
    }

    /// What stands before one of these.
    fn stem(&self, ends: &[Vec<String>]) -> Option<&[String]> {
        let end = ends.iter().find(|end| self.words.ends_with(end))?;
        self.words.get(..self.words.len() - end.len())
    }
}

fn spoken<'a>(setting: &'a Setting, variables: &BTreeMap<String, String>) -> Option<Spoken<'a>> {
    let value = setting.args.first()?.trim().trim_matches(['"', '\'']);
    let value = if value.contains('$') && value.len() <= 1_024 {
        let budget = Budget::new(value.len().saturating_mul(8));
        Cow::Owned(substitute(value, variables, &budget))
    } else {
        Cow::Borrowed(value)
    };
    let words = words(&setting.key);
    (!value.is_empty() && !words.is_empty()).then_some(Spoken {
        words,
        value,
        setting,
    })
}

/// `dbHost`, `DB_HOST`, `db.host` and `db/host` alike.
fn words(key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in key.split(['/', '.', '_', '-', ':']) {
        let mut word = String::new();
        let mut lower = false;
        for c in part.chars() {
            if c.is_ascii_uppercase() && lower {
                found.push(std::mem::take(&mut word));
            }
            lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            word.push(c.to_ascii_lowercase());
        }
        if !word.is_empty() {
            found.push(word);
        }
    }
    found
}

fn is_own(stem: &[String]) -> bool {
    let own = &table().key.own;
    stem.last().is_none_or(|last| own.contains(last))
}

fn is_any_database(stem: &[String]) -> bool {
    let databases = &table().key.databases;
    stem.iter().any(|word| databases.contains(word))
}

/// The scheme that the words before a host speak of, or a setting beside it.
fn scheme(stem: &[String], all: &ByKey<'_>, one: &Spoken<'_>) -> Option<&'static str> {
    let by_words = stem.iter().rev().find_map(|word| scheme_of(word));
    by_words.or_else(|| {
        let kinds = table().key.kinds.iter();
        let mut beside = kinds.filter_map(|kind| all.beside(one, stem, std::slice::from_ref(kind)));
        beside.find_map(|other| words(&other.value).iter().find_map(|word| scheme_of(word)))
    })
}

fn scheme_of(word: &str) -> Option<&'static str> {
    let means = table().means.get(word).map(String::as_str);
    address::scheme(means.unwrap_or(word))
}

fn port_of(scheme: &str) -> Option<u16> {
    address::port_of(scheme)
}

fn listener(address: String, port: u16, evidence: Evidence) -> Listen {
    Listen {
        address,
        port,
        protocol: "tcp".to_owned(),
        evidence,
    }
}

fn connect(address: &Address, one: &Spoken<'_>, evidence: Evidence) -> Connect {
    Connect {
        to: address.shown(),
        via: one.setting.key.clone(),
        evidence,
    }
}

/// Somebody's address: not every address, nor what examples have.
fn is_somebody(address: &Address) -> bool {
    match address {
        Address::Unix(path) => path.len() > 1,
        Address::Inet { host, .. } => {
            let nobody = &table().key.nobody;
            let is_name = host.chars().any(|c| c.is_ascii_alphanumeric());
            is_name && !matches!(host.as_str(), "0.0.0.0" | "::") && !nobody.contains(host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::native::syntax::{Reading, read};
    use crate::fact::Masking;

    fn said(syntax: Syntax, text: &str) -> (Vec<String>, Vec<String>) {
        let path = MachinePath::new("/srv/a/config");
        let read = read(&Reading::main(syntax, &path), &path, text, Masking::Masked).unwrap();
        let said = Said::of([&read.document], &BTreeMap::new(), Active::default());
        let listens = said.listens.iter().map(Listen::shown).collect();
        (listens, said.connects.into_iter().map(|c| c.to).collect())
    }

    #[test]
    fn the_words_are_read() {
        assert!(table().file.len() > 5 && table().key.own.len() > 5);
        assert_eq!(
            words("spring.datasource/dbHost"),
            ["spring", "datasource", "db", "host"]
        );
        assert_eq!(words("HTTP_PORT"), ["http", "port"]);
    }

    #[test]
    fn where_an_application_listens_and_whom_it_asks() {
        let ini = "[server]\nlisten = 0.0.0.0:7070\n[db]\nhost = legacy-db\nport = 3306\n[cache]\nredis_host = 10.0.0.9\n";
        let (listens, connects) = said(Syntax::Ini, ini);
        assert_eq!(listens, ["0.0.0.0:7070/tcp"]);
        assert_eq!(connects, ["10.0.0.9:6379", "legacy-db:3306"]);
        let yaml = "server:\n  port: 8443\nspring:\n  kafka:\n    bootstrap-servers: k1.example.net:9092,k2.example.net:9092\n  datasource:\n    url: jdbc:postgresql://db.example.net/orders\nsite: https://example.com/\n";
        let (listens, connects) = said(Syntax::Yaml, yaml);
        assert_eq!(listens, ["0.0.0.0:8443/tcp"]);
        let expected = [
            "db.example.net:5432",
            "k1.example.net:9092",
            "k2.example.net:9092",
        ];
        assert_eq!(connects, expected);
        let env = "DB_CONNECTION=mysql\nDB_HOST=db.example.net\nMAIL_HOST=smtp.example.net\nMAIL_PORT=587\nAPP_PORT=8080\nCACHE_DRIVER=file\n";
        let (listens, connects) = said(Syntax::Environment, env);
        assert_eq!(listens, ["0.0.0.0:8080/tcp"]);
        assert_eq!(connects, ["db.example.net:3306", "smtp.example.net:587"]);
        let php = "define('DB_HOST', 'localhost');\ndefine('WP_REDIS_HOST', '10.0.0.50');\n";
        let (listens, connects) = said(Syntax::Script, php);
        assert!(listens.is_empty());
        assert_eq!(connects, ["10.0.0.50:6379", "localhost"]);
    }

    #[test]
    fn what_says_nothing() {
        let ini = "[server]\nhost = none\nname = a:1\n[mail]\nport = 25\nreport = 20\n[limits]\nlisten_backlog = 128\n";
        assert_eq!(said(Syntax::Ini, ini), (Vec::new(), Vec::new()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s)[ -~\n]{0,300}") {
            for syntax in [Syntax::Ini, Syntax::Yaml, Syntax::Properties, Syntax::Script] {
                let path = MachinePath::new("/x");
                if let Ok(read) = read(&Reading::main(syntax, &path), &path, &text, Masking::Masked) {
                    let _ = Said::of([&read.document], &BTreeMap::new(), Active::default());
                }
            }
        }
    }
}
