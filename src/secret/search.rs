//! Looks through a file for secrets: one pass over its bytes, and the grammar only where that stops.

use super::call;
use super::data::DATA;
use super::grammar::{self, Given, How, Style};
use super::key::{self, Telling};
use super::nature::Nature;
use super::place::{self, Places};
use super::sieve::{self, Hit, What};
use super::{token, url, value};
use std::ops::Range;

/// A secret in a file: where, what it is, and the name it is given to, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Of its first byte, or of its name's.
    pub offset: usize,
    pub kind: &'static str,
    pub key: String,
}

/// Longest name, in bytes.
const LONGEST_NAME: usize = 96;

/// Secrets in `text`, in the order of their places. Those in `counts` count: what stands outside is only context.
pub(super) fn search(
    text: &[u8],
    nature: Nature,
    counts: Range<usize>,
    mut found: impl FnMut(Found),
) {
    // A place's mark may stand on either side of its secret.
    let within =
        counts.start.saturating_sub(place::LONGEST)..counts.end.saturating_add(place::LONGEST);
    let mut finds = Finds {
        text,
        nature,
        counts,
        found: Vec::new(),
        places: Places::default(),
        forms: 0,
        names: 0,
        urls: 0,
    };
    sieve::find(text, within, |hit| finds.hit(hit));
    // Where two begin together, in the order of these kinds.
    finds.found.sort_by_key(|(rank, hit)| (hit.offset, *rank));
    for (_, hit) in finds.found {
        found(hit);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Form,
    Name,
    Call,
    Place,
    Url,
}

struct Finds<'a> {
    text: &'a [u8],
    nature: Nature,
    counts: Range<usize>,
    found: Vec<(Rank, Found)>,
    places: Places,
    /// How far each kind was read.
    forms: usize,
    names: usize,
    urls: usize,
}

impl Finds<'_> {
    fn hit(&mut self, hit: Hit) {
        if matches!(hit.what, What::Form(_) | What::Armour) {
            self.form(hit);
        } else if self.nature.has_settings() {
            match hit.what {
                What::Name => self.name(hit),
                What::Place(_) => self.place(hit),
                What::Call(call) => self.call(hit, call),
                _ => self.url(hit),
            }
        }
    }

    fn push(&mut self, rank: Rank, offset: usize, kind: &'static str, key: String) {
        self.found.push((rank, Found { offset, kind, key }));
    }

    fn word(&self, at: &Range<usize>) -> String {
        let bytes = self.text.get(at.clone()).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn form(&mut self, hit: Hit) {
        if hit.start < self.forms {
            return;
        }
        let Some(form) = token::at(self.text, hit) else {
            return;
        };
        self.forms = hit.end;
        let word = self.word(&form.at);
        let is_real = form.proven || (form.kind != "private-key" && self.nature.is_own());
        if self.counts.contains(&form.at.start)
            && is_real
            && !value::is_example(&word)
            && self.nature.takes_form(form.kind, &word)
        {
            self.push(Rank::Form, form.at.start, form.kind, String::new());
        }
    }

    fn place(&mut self, hit: Hit) {
        let is_command = self.nature.style() == Style::Shell || self.nature.is_settings();
        let mut places = std::mem::take(&mut self.places);
        places.at(self.text, hit, is_command, |at, kind| {
            let word = self.word(&at);
            if self.counts.contains(&at.start)
                && value::is_secret_value(&word)
                && self
                    .nature
                    .takes(Telling::Strong, "password", &word, How::Bare)
            {
                self.push(Rank::Place, at.start, kind, String::new());
            }
        });
        self.places = places;
    }

    fn url(&mut self, hit: Hit) {
        if hit.start < self.urls {
            return;
        }
        let Some(at) = url::at(self.text, hit.end) else {
            return;
        };
        self.urls = at.end;
        if self.counts.contains(&at.start)
            && !in_comment(self.text, at.start)
            && self
                .nature
                .takes_in_url(&self.word(&at), url::is_literal(self.text, hit.end))
        {
            self.push(Rank::Url, at.start, "connection-string", String::new());
        }
    }

    fn call(&mut self, hit: Hit, call: usize) {
        if self.nature.style() != Style::Code
            || !self.counts.contains(&hit.start)
            || in_comment(self.text, hit.start)
        {
            return;
        }
        let Some(at) = call::argument(self.text, hit, call) else {
            return;
        };
        let word = self.word(&at);
        // `readPassword("Again: ")`
        if value::is_secret_value(&word)
            && !word.trim_end().ends_with(':')
            && self
                .nature
                .takes(Telling::Strong, "password", &word, How::Quoted(b'"'))
        {
            let name = self.word(&(hit.start..hit.end - 1));
            self.push(Rank::Call, hit.start, "password", name);
        }
    }

    /// A name of a secret that is given one.
    fn name(&mut self, hit: Hit) {
        if hit.start < self.names || !self.counts.contains(&hit.start) {
            return;
        }
        let text = self.text;
        let name = name_at(text, hit.start, hit.end);
        self.names = name.end;
        let Some(key) = text
            .get(name.clone())
            .and_then(|name| std::str::from_utf8(name).ok())
        else {
            return;
        };
        let telling = key::telling(key);
        if telling == Telling::No {
            return;
        }
        let given = grammar::given(text, &name, self.nature.style());
        // A list of words has tokens too.
        let has_rows = telling == Telling::Strong && key::kind_of(key) != "token";
        let rows = || {
            let rows = has_rows.then(|| grammar::columns(text, &name));
            rows.into_iter().flatten().map(in_row)
        };
        let mut given: Vec<Given> = given.map_or_else(|| rows().collect(), |given| vec![given]);
        given.retain(|given| is_given(text, self.nature, (&name, key, telling), given));
        if let Some(first) = given.first() {
            self.push(Rank::Name, name.start, key::kind_of(key), key.to_owned());
            self.names = self.names.max(first.value.end);
        }
    }
}

fn in_row(value: Range<usize>) -> Given {
    Given {
        value,
        how: How::Constant,
    }
}

/// Whether what a name is given is a secret.
fn is_given(
    text: &[u8],
    nature: Nature,
    (name, key, telling): (&Range<usize>, &str, Telling),
    given: &Given,
) -> bool {
    let word = text
        .get(given.value.clone())
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    // `X_PASSWORD_NAME = 'X_PASSWORD'`, `authorization: "https://…/authorize"`
    let is_name =
        word.contains(['_', '-']) && key.starts_with(word.as_ref()) || is_name_of(key, &word);
    let is_page = value::is_address(&word) && !key.to_ascii_lowercase().contains("hook");
    // `INVALID_TOKEN: "invalid-token"`, `input_token: "nextToken"`
    let is_code = word.contains(['-', '_'])
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte));
    let is_message = nature.style() == Style::Code && is_code && !key::is_no_message(key);
    let is_path = word
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || b"-_/@.:".contains(&byte));
    let is_kept = nature.style() == Style::Code && is_path && key::keeps(key);
    let is_never = DATA.names.never.contains(&word.to_ascii_lowercase());
    let is_name = is_name || is_message || is_kept || is_never;
    if !value::is_secret_value(&word) || word.eq_ignore_ascii_case(key) || is_name || is_page {
        return false;
    }
    let is_constant = key::is_constant(key) && !repeats(key, &word);
    let how = match given.how {
        How::Quoted(_) if is_constant => How::Constant,
        How::Indirect if is_constant || (is_default(text, name, key) && is_word(&word)) => {
            How::Constant
        }
        how => how,
    };
    if in_comment(text, name.start) {
        return nature.is_settings()
            && value::is_random(&word)
            && !value::is_prose(&word)
            && !value::is_example(&word);
    }
    let kind = key::kind_of(key);
    nature.takes(telling, kind, &word, how)
        || (telling == Telling::Strong
            && nature.takes_plain(&word, how)
            && (kind == "secret"
                || key::is_constant(key)
                || key::opens(key)
                // `token = 'identifier'` is what a parser reads.
                || !word.bytes().all(|byte| byte.is_ascii_lowercase())))
}

/// `RESET_PASSWORD = 'user/reset-password'`, `PRIVATE_KEY = "private_key"`: the value says the name again, or a part of it.
fn repeats(name: &str, value: &str) -> bool {
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let (name, value) = (letters(name), letters(value));
    value.contains(&name) || name.contains(&value)
}

/// `X_SIGNING_KEY = 'settings:mailEventsSigningKey'`: the name again, as it is written elsewhere.
fn is_name_of(name: &str, value: &str) -> bool {
    let mut words = name.rsplit('_');
    let end = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let end = format!("{}{}", end.1, end.0).to_ascii_lowercase();
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == ':' || c == '.';
    let has_humps = value.contains(char::is_lowercase) && value.contains(char::is_uppercase);
    has_humps
        && value.len() >= 20
        && end.len() >= 6
        && value.chars().all(is_letter)
        && value.to_ascii_lowercase().ends_with(&end)
}

/// Words that are no message's: alone and not like a sentence's first, or none of a sentence.
fn is_word(word: &str) -> bool {
    let is_capital = word.starts_with(char::is_uppercase)
        && word.chars().skip(1).all(|c| c.is_lowercase() || c == ' ');
    !is_capital && !value::is_prose(word)
}

/// Whether a value in a variable's or a setting's place is what it is set to: `define('DB_PASSWORD', …)`, `${mail.password:…}`,
/// `env.DB_PASS || …`, `setProperty("password", …)`.
fn is_default(text: &[u8], name: &Range<usize>, key: &str) -> bool {
    let before = text.get(name.start.saturating_sub(32)..name.start);
    let before = before.unwrap_or_default();
    let is_named = matches!(before.last(), Some(b'"' | b'\'' | b'{')) || key.contains("env.");
    let lower = before.trim_ascii_end().to_ascii_lowercase();
    let call = lower.strip_suffix(b"\"").unwrap_or(&lower);
    is_named
        && (key::is_constant(key)
            || key::is_setting(key)
            || DATA
                .names
                .setters
                .iter()
                .any(|setter| call.ends_with(setter.as_bytes())))
}

/// The name around a marker.
pub(super) fn name_at(text: &[u8], start: usize, end: usize) -> Range<usize> {
    let is_name = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') || *byte >= 0x80
    };
    let is_edge = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte < 0x80;
    // A marker may begin or end with what parts names.
    let start = start
        + text
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| is_edge(byte) && **byte != b'_')
            .count();
    let before = text
        .get(start.saturating_sub(LONGEST_NAME)..start)
        .unwrap_or_default();
    let after = text
        .get(end..text.len().min(end + LONGEST_NAME))
        .unwrap_or_default();
    let back = before.iter().rev().take_while(|byte| is_name(byte)).count();
    let on = after.iter().take_while(|byte| is_name(byte)).count();
    let (mut from, mut to) = (start - back, end + on);
    // `--password`, `x.password.`: neither dashes nor dots are at a name's edges.
    while from < start && matches!(text.get(from), Some(b'-' | b'.')) {
        from += 1;
    }
    while to > end && matches!(text.get(to - 1), Some(b'-' | b'.')) {
        to -= 1;
    }
    from..to
}

/// Whether the line is a comment up to this place.
fn in_comment(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(256)..at).unwrap_or_default();
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    let line = before.get(start..).unwrap_or_default().trim_ascii_start();
    let marks: [&[u8]; 8] = [b"#", b"//", b"*", b";", b"-- ", b"<!--", b"/*", b"rem "];
    // `//registry.example.org/:_authToken=`, `//host/share /mnt cifs …`, `#define`
    let is_place = line.strip_prefix(b"//").is_some_and(|rest| {
        let word = rest.iter().take_while(|byte| !byte.is_ascii_whitespace());
        line.ends_with(b":")
            || rest.first().is_some_and(u8::is_ascii_alphanumeric)
                && word.skip(1).any(|byte| *byte == b'/')
    });
    marks.iter().any(|mark| line.starts_with(mark)) && !is_place && !line.starts_with(b"#define")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(path: &str, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        let nature = Nature::of(path, text.as_bytes());
        search(text.as_bytes(), nature, 0..text.len(), |found| {
            all.push(format!("{} {}", found.kind, found.key).trim().to_owned());
        });
        all
    }

    #[test]
    fn a_word_or_a_number_is_a_secret_like_any() {
        for (path, text) in [
            (
                "/srv/a.php",
                "<?php define( 'DB_PASSWORD', 'sunflower' );\n",
            ),
            (
                "/srv/a.php",
                "'password' => env('DB_PASSWORD', 'sunflower'),\n",
            ),
            (
                "/srv/a.js",
                "const p = process.env.DB_PASS || 'sunflower';\n",
            ),
            (
                "/srv/a.js",
                "session({ secret: 'sunflower', resave: false })\n",
            ),
            ("/srv/a.py", "SECRET_KEY = 'sunflower'\n"),
            ("/srv/a.py", "API_TOKEN = '618264792'\n"),
            (
                "/srv/A.java",
                "p.setProperty(\"password\", \"sunflower\");\n",
            ),
            ("/srv/A.java", "@Value(\"${db.password:sunflower}\")\n"),
            (
                "/srv/a.c",
                "setenv(\"DB_PASSWORD\", \"blue river stone\", 1);\n",
            ),
            (
                "/srv/a.sh",
                "#!/bin/sh\ncurl -H \"Authorization: Bearer sunflower\" h\n",
            ),
            (
                "/srv/a.sh",
                "#!/bin/sh\ndocker login -u ci -p 618264792 r\n",
            ),
            ("/srv/a.conf", "APP_TOKEN=/x7/dodogumu=\n"),
        ] {
            assert!(!keys(path, text).is_empty(), "{path}: {text}");
        }
    }

    #[test]
    fn addresses_tables_and_commands_are_none() {
        for (path, text) in [
            (
                "/srv/a.js",
                "x = { token: \"https://h.example/oauth2/token\" }\n",
            ),
            (
                "/srv/a.toml",
                "Win32_Security_Credentials = [\"Win32_Security\"]\n",
            ),
            ("/srv/a.py", "X_PASSWORD_ENV = 'X_PASSWORD'\n"),
            ("/srv/a.py", "SESSION_KEY = \"_auth_user_backend\"\n"),
            (
                "/srv/a.py",
                "VALID_TOKEN = re.compile(r\"(?P<token>[a-z0-9][a-z0-9_]+)\")\n",
            ),
            (
                "/srv/a.py",
                "MovedAttribute(\"HTTPPasswordMgr\", \"urllib2\", \"urllib\"),\n",
            ),
            (
                "/srv/a.py",
                "x = [('authtoken', '0002_auto_20160226_1747')]\n",
            ),
            (
                "/srv/a.py",
                "(\"password\", CharField(verbose_name=\"password\", value=3)),\n",
            ),
            (
                "/srv/a.py",
                "x = f\"Credential={self.aws_access_key_id}/{scope}\"\n",
            ),
            (
                "/srv/a.py",
                "h = {\"Authorization\": f\"Bearer {self.api_key}\"}\n",
            ),
            ("/srv/a.js", "data.key = 'members_signup_access';\n"),
            ("/srv/a.pl", "my $pwd = `cmd /c cd`;\n"),
            (
                "/srv/a.js",
                "x = await reader.password('       Again:     ')\n",
            ),
            (
                "/srv/a.json",
                "{\"start\": \"docker run -v \\\"$PWD\\\":/tmp -w /tmp node:latest\"}\n",
            ),
            (
                "/srv/a.json",
                "{\"--proxy_password\": {\n \"category\": \"x\", \"kind\": \"text\"}}\n",
            ),
            (
                "/srv/a.xml",
                "<key name='a' type='(bdddd)'>\n<default>(1.0,0.5)</default>\n</key>\n",
            ),
            ("/etc/nsswitch.conf", "passwd:         files systemd\n"),
            (
                "/srv/a.txt",
                "# username and password login, session cookies) is beyond\n",
            ),
            (
                "/srv/a.sh",
                "#!/bin/sh\ndocker run -u app -p 127.0.0.1:8080:80/tcp x\n",
            ),
        ] {
            assert!(
                keys(path, text).is_empty(),
                "{path}: {text}: {:?}",
                keys(path, text)
            );
        }
    }

    #[test]
    fn words_about_secrets_are_none() {
        for (path, text) in [
            (
                "/srv/a.js",
                "const RESET_PASSWORD = 'user/reset-password';\n",
            ),
            (
                "/srv/a.py",
                "                    data['password'] = getpass.getpass('Password: ')\n",
            ),
            (
                "/srv/a.py",
                "                        'password': config.get(server, 'password'),\n",
            ),
            (
                "/srv/a.py",
                "        self._config['authkey'] = AuthenticationString(authkey)\n",
            ),
            (
                "/srv/a.py",
                "        self._config = {'authkey': AuthenticationString(os.urandom(32)),\n",
            ),
            (
                "/srv/a.py",
                "            raise TypeError(\"pwd: expected bytes, got %s\" % type(pwd).__name__)\n",
            ),
            (
                "/srv/a.py",
                "NAMES = ['x509_lookup_method_st', 'pem_password_cb',\n    'aes256_ctx1', 'AES_KEY', 'pkcs7_issuer']\n",
            ),
            (
                "/srv/a.json",
                "[\n  \"MYSQL_CACHING_SHA2_PASSWORD\",\n  \"MYSQL_SHA256_X9\"\n]\n",
            ),
            (
                "/srv/a.py",
                "token = \"IDENT\"\nlogin(request, template=\"registration/login.html\")\n",
            ),
            (
                "/srv/fr.json",
                "{\"password\": \"Mot de passe\", \"token\": \"Jeton\"}\n",
            ),
            (
                "/srv/a.pm",
                "=item B<pass>\n\nThe password\nof a user\n\n=item B<x>\n",
            ),
            ("/srv/x.txt", "   credential subsystem.\n"),
            ("/srv/a.lark", "TOKEN: /_?[A-Z][_A-Z0-9]*/\n"),
            (
                "/srv/a.php",
                "<?php $password = $_POST['password']; if ($password == 'x1') {}\n",
            ),
            (
                "/srv/a.js",
                "const password = document.getElementById('password1').value;\n",
            ),
            (
                "/srv/a.yml",
                "password: \"{{ vault_db_password }}\"\ntoken: ${TOKEN}\n",
            ),
            ("/srv/a.c", "\"-----BEGIN RSA PRIVATE KEY-----\"\n"),
            (
                "/srv/a.js",
                "labels = { password: 'Enter your password', token: 'access_token' }\n",
            ),
            (
                "/srv/README.md",
                "Set `DB_PASSWORD=hunter2` and `API_TOKEN=abc123def456ghi789`.\n",
            ),
        ] {
            assert_eq!(keys(path, text), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn secrets_in_many_languages() {
        for (path, text) in [
            (
                "/srv/wp.php",
                "define( 'DB_PASSWORD', 'not-a-real-password' );\n",
            ),
            ("/srv/a.py", "login('bob', 's3cret!')\n"),
            (
                "/srv/a.py",
                "connect(host='x', password='s3cret', port=1)\n",
            ),
            (
                "/srv/a.rb",
                "config.secret_key_base = 'abcdef0123456789abcdef'\n",
            ),
            ("/srv/a.pl", "my $password = 's3cret';\n"),
            (
                "/srv/a.cs",
                "var c = \"Server=db;Password=s3cret1;Port=1\";\n",
            ),
            (
                "/srv/compose.yml",
                "command: [\"run\", \"--password\", \"s3cret\"]\n",
            ),
            (
                "/srv/a.conf",
                "<Directory />\n  SetEnv API_KEY abc123\n</Directory>\n",
            ),
            ("/srv/a.conf", "#password = Zk3jf92KdlsLw0f9\n"),
            ("/srv/x.env", "PASSPHRASE=correct horse battery staple\n"),
        ] {
            assert_eq!(
                keys(path, text).len(),
                1,
                "{path}: {text}: {:?}",
                keys(path, text)
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,400}", path in "/[a-z]{1,8}\\.(py|sh|env|json|xml|md)") {
            let _ = keys(&path, &text);
        }
    }
}
