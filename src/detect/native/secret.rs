//! Reads a whole file that would be copied into an image, and names each place in it that holds a secret.

use super::peer;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Evidence, Fact, Peer, SecretRef};
use crate::secret::{is_secret_key, is_secret_value, redact_line};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Places named in one file; the file is kept apart as a whole anyhow.
const MOST: usize = 50;

/// Asked for by whoever plans to copy a file: interest is by want only.
pub struct Content;

impl Content {
    pub const ID: &str = "secret/content";
}

/// `NAME = "value"`, `name: value`, `"name": "value"`, `define('NAME', 'value')`, `<name>value</name>`, `$name['x'] = '…'`.
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<key>[A-Za-z_][A-Za-z0-9_.-]*)['"]?\]?\s*
        (?: (?:=>|:=|=|:)\s*(?P<quoted>"[^"\n]+"|'[^'\n]+')
          | ,\s*(?P<argument>"[^"\n]+"|'[^'\n]+')\s*\)
          | (?:=|:\s|\s)\s*(?P<bare>[^\s"'(){}\[\],;<>=:][^\s"'(){}\[\],;<>]*)\s*;?\s*$
          | >\s*(?P<element>[^<>\s][^<>\n]*)</ )"#,
    )
    .ok()
});

/// A value that is neither a place holder of a format string nor of a prepared statement.
static IN_LITERAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?P<key>password|passwd|pwd)=(?P<value>[^\s'";&,%{}$+?:()\[\]]+)"#).ok()
});

impl Detector for Content {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Secrets in files that would be copied",
            recognises: "assignments to names that mean a secret, connection strings with passwords, private keys, tokens of documented form, password hashes",
            why: "a secret copied into an image is in every registry and cache the image reaches",
            cannot_see: "secrets without a telling name or form, encrypted stores, binary key stores other than PKCS#12 and JKS",
            references: &[
                "https://docs.docker.com/build/building/secrets/",
                "RFC 7468",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 16 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if let Some(kind) = key_store(file.bytes) {
            push(sink, kind, "", Evidence::file(file.path));
            return;
        }
        let head = file
            .bytes
            .get(..file.bytes.len().min(8192))
            .unwrap_or_default();
        if head.contains(&0) {
            return;
        }
        let language = language(file);
        let mut found = 0;
        for (number, line) in file.lines() {
            if line.len() > 4096 || found >= MOST {
                continue;
            }
            let comment = line.trim_start().starts_with(['#', ';', '*'])
                || line.trim_start().starts_with("//");
            for peer in if comment {
                Vec::new()
            } else {
                peer::of_line(line)
            } {
                // Only the peer: the line may hold a password in a form that redaction does not know.
                let evidence = Evidence::line(file.path, number, &peer.to);
                sink.fact(Fact::Peer(Peer { evidence, ..peer }));
            }
            if let Some((kind, key)) = secret(line, language) {
                let shown = if language == Language::Passwords {
                    crate::secret::MASK.to_owned()
                } else if key.is_empty() {
                    redact_line(line).text.into_owned()
                } else {
                    format!("{key} = {}", crate::secret::MASK)
                };
                push(sink, kind, &key, Evidence::line(file.path, number, &shown));
                found += 1;
            }
        }
    }
}

fn push(sink: &mut Sink, kind: &str, key: &str, evidence: Evidence) {
    sink.fact(Fact::Secret(SecretRef {
        kind: kind.to_owned(),
        key: key.to_owned(),
        evidence,
    }));
}

/// PKCS#12 (a DER sequence holding version 3 and the pkcs7-data object id) and Java key stores.
fn key_store(bytes: &[u8]) -> Option<&'static str> {
    const PKCS7_DATA: &[u8] = &[
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,
    ];
    let head = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    let pkcs12 = head.first() == Some(&0x30)
        && head.windows(3).any(|w| w == [0x02, 0x01, 0x03])
        && head.windows(PKCS7_DATA.len()).any(|w| w == PKCS7_DATA);
    if pkcs12 || head.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        Some("key-store")
    } else {
        None
    }
}

/// Functions that take a password, and which argument it is, from 1; data, since libraries are products.
static CALLS: LazyLock<BTreeMap<String, usize>> = LazyLock::new(|| {
    let file: Result<BTreeMap<String, BTreeMap<String, usize>>, _> =
        toml::from_str(include_str!("../../../detectors/secrets.toml"));
    file.ok()
        .and_then(|mut file| file.remove("calls"))
        .unwrap_or_default()
});

static CALL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\((?P<args>[^()]*)\)").ok());

/// A password handed over as a literal: `connect("db", "user", "secret")`.
fn handed_over(line: &str) -> Option<String> {
    let captures = CALL.as_ref()?.captures_iter(line).find(|captures| {
        let name = captures.name("name").map_or("", |name| name.as_str());
        let argument = CALLS.get(name).and_then(|at| {
            let args = captures.name("args").map_or("", |args| args.as_str());
            args.split(',').nth(at.saturating_sub(1)).map(str::trim)
        });
        let literal = |text: &str| {
            let inner = text
                .strip_prefix(['"', '\''])
                .and_then(|text| text.strip_suffix(['"', '\'']));
            inner.is_some_and(is_secret_value)
        };
        argument.is_some_and(literal)
    })?;
    captures.name("name").map(|name| name.as_str().to_owned())
}

/// What a file's name and first bytes say about the lines in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// A programming language: an unquoted value is an expression, not a value.
    Code,
    /// A shell's: command lines hold passwords too.
    Shell,
    /// `address:port:database:user:password`, as a password file of a database client is written.
    Passwords,
    Other,
}

fn language(file: &FileView<'_>) -> Language {
    let name = file.path.name();
    let code = [
        ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".php", ".pl", ".pm", ".go", ".java", ".c",
        ".h", ".lua",
    ];
    let first = file.lines().next().map_or("", |(_, line)| line);
    let interpreter = first.strip_prefix("#!").unwrap_or_default();
    if name.starts_with('.') && name.ends_with("pass") {
        Language::Passwords
    } else if code.iter().any(|end| name.ends_with(end)) {
        Language::Code
    } else if name.ends_with(".sh") || interpreter.trim_end().ends_with("sh") {
        Language::Shell
    } else if !interpreter.is_empty() {
        Language::Code
    } else {
        Language::Other
    }
}

/// The kind of secret on a line, and the name it is assigned to.
fn secret(line: &str, language: Language) -> Option<(&'static str, String)> {
    let trimmed = line.trim_start();
    let comment = ["#", "//", "*", ";", "--", "<!--"]
        .iter()
        .any(|start| trimmed.starts_with(start));
    if language == Language::Passwords {
        let fields: Vec<&str> = line.split(':').collect();
        let last = fields.get(4).filter(|_| !comment)?;
        return is_secret_value(last).then(|| ("password", String::new()));
    }
    if let Some(kind) = redact_line(line).kind {
        // In code, `password=password` and the like are arguments, not values: only forms that stand for themselves count.
        let sure = kind != "password" || language == Language::Shell;
        if sure && !(comment && ["connection-string", "password"].contains(&kind)) {
            return Some((kind, String::new()));
        }
    }
    if comment {
        return None;
    }
    assigned(line, language)
        .or_else(|| handed_over(line).map(|function| ("password", function)))
        .or_else(|| in_literal(line))
}

/// The first assignment of a value to a secret's name.
fn assigned(line: &str, language: Language) -> Option<(&'static str, String)> {
    let pattern = ASSIGNMENT.as_ref()?;
    let mut from = 0;
    while let Some(captures) = pattern.captures_at(line, from) {
        let key = captures.name("key")?;
        let quoted = captures
            .name("quoted")
            .or(captures.name("argument"))
            .or(captures.name("element"));
        let bare = captures.name("bare").filter(|_| language != Language::Code);
        if let Some(value) = quoted.or(bare) {
            let value = value.as_str().trim_matches(['"', '\'']);
            // A sentence is a message about passwords, not one.
            let sentence = value.split_whitespace().count() > 3;
            let own_name = value.eq_ignore_ascii_case(key.as_str());
            if is_secret_key(key.as_str()) && is_secret_value(value) && !sentence && !own_name {
                return Some(("password", key.as_str().to_owned()));
            }
        }
        // On behind the name only: the value may hold an assignment of its own, or be the next one's name.
        from = key.end();
    }
    None
}

/// `password=value` inside a string literal, as the connection strings of libraries are written.
fn in_literal(line: &str) -> Option<(&'static str, String)> {
    let pattern = IN_LITERAL.as_ref()?;
    pattern.captures_iter(line).find_map(|captures| {
        let (key, value) = (captures.name("key")?, captures.name("value")?);
        let before = line.get(..key.start())?;
        let open = ['"', '\'']
            .iter()
            .any(|quote| before.matches(*quote).count() % 2 == 1);
        (open && is_secret_value(value.as_str())).then(|| ("password", key.as_str().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_of_many_languages() {
        for line in [
            "PASSWORD = 's3cret'",
            "  \"password\": \"s3cret\",",
            "define('DB_PASSWORD', 's3cret');",
            "password: s3cret",
            "<password>s3cret</password>",
            "requirepass s3cret",
            "DB_PASSWORD=s3cret",
            "$cfg['password'] = 's3cret';",
            "'password' => 's3cret',",
            "    SECRET_KEY = \"django-insecure-abc\"",
            "$db = new mysqli(null, 'wiki', 'parrot', 'wiki');",
        ] {
            assert!(secret(line, Language::Other).is_some(), "{line}");
        }
        assert!(secret("PASSWORD = 's3cret'", Language::Code).is_some());
    }

    #[test]
    fn beyond_the_first_argument() {
        for line in [
            "connect(host='x', password='s3cret', port=1)",
            "connect(\"dbname=shop user=shop password=s3cret\")",
            "new PDO('mysql:host=x', 'shop', getenv('A')); $password = 's3cret';",
        ] {
            assert!(secret(line, Language::Code).is_some(), "{line}");
        }
        assert!(secret("mysqldump -ps3cret shop", Language::Shell).is_some());
        assert!(secret("curl -u bob:s3cret https://x", Language::Shell).is_some());
        assert!(secret("db:5432:shop:shop:s3cret", Language::Passwords).is_some());
        assert!(secret("db:5432:shop:shop:", Language::Passwords).is_none());
        for line in [
            "connect(f\"dbname=shop password={password}\")",
            "connect(\"dbname=%s password=%s\" % (a, b))",
            "connect(host=\"x\", password=password)",
            "cursor.execute('update u set password=? where id=?')",
        ] {
            assert!(secret(line, Language::Code).is_none(), "{line}");
        }
    }

    #[test]
    fn no_false_alarm() {
        for line in [
            "password = os.environ['DB_PASSWORD']",
            "def login(user, password=None):",
            "# password: example",
            "password = getpass()",
            "raise ValueError('password: must not be empty or so')",
            "self.password = password",
            "password_hash = hash(password)",
            "PasswordAuthentication no",
            "ssl_password_file /etc/x;",
        ] {
            assert!(secret(line, Language::Code).is_none(), "{line}");
        }
    }

    #[test]
    fn never_the_value() {
        let path = "/srv/x.env".into();
        let entry = crate::walk::Entry {
            path: crate::path::MachinePath::new("/srv/x.env"),
            kind: crate::disk::FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 0,
            mtime: 0,
            target: None,
            volume: 0,
            node: crate::disk::NodeId {
                subvolume: 0,
                inode: 0,
            },
        };
        let text = b"A=1\nDB_PASSWORD=geheim1\nURL=postgres://u:geheim2@h/d\n-----BEGIN PRIVATE KEY-----\nnew mysqli(null, 'u', 'geheim3', 'd', 0, '/run/mysqld/mysqld.sock');\n";
        let purpose = crate::detect::Purpose::default();
        let mut sink = Sink::default();
        Content.inspect(&FileView::new(&path, &entry, text, &purpose), &mut sink);
        let shown = format!("{:?}", sink.facts);
        assert!(!shown.contains("geheim"), "{shown}");
        assert_eq!(sink.facts.len(), 5);
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in ".{0,300}") {
            for language in [Language::Code, Language::Shell, Language::Passwords, Language::Other] {
                let _ = secret(&line, language);
            }
        }
    }
}
