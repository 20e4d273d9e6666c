//! Whether a name says that its value is a secret: `DB_PASSWORD`, `requirepass`, `secretKey`; not `password_file`.

use super::data::DATA;

/// A name longer than this is a piece of something else.
const LONGEST: usize = 96;

/// How much a name tells about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Telling {
    /// Nothing.
    No,
    /// A secret where the value looks like one.
    Weak,
    /// A secret where the value is a number of four digits or more.
    Number,
    /// A secret, unless the value is none.
    Strong,
}

pub fn is_secret_key(key: &str) -> bool {
    telling(key) == Telling::Strong
}

/// What the last component of a name says (`spring.datasource.password`).
pub(super) fn telling(key: &str) -> Telling {
    let Some(name) = Name::of(key) else {
        return Telling::No;
    };
    let names = &DATA.names;
    let Some(end) = name.word(name.count.saturating_sub(1)) else {
        return Telling::No;
    };
    let words = || (0..name.count).filter_map(|at| name.word(at));
    if names.about.contains(end) || words().any(|word| word == "no" || word == "public") {
        return Telling::No;
    }
    let mut suffixes = (0..name.count).filter_map(|from| name.from(from));
    if suffixes.clone().any(|joined| names.never.contains(joined)) {
        return Telling::No;
    }
    let ends = |word: &str| names.ends.iter().any(|end| word.ends_with(end.as_str()));
    if suffixes.any(|joined| names.words.contains(joined))
        || words().any(|word| word == "secret" || (ends(word) && !word.starts_with("no")))
    {
        Telling::Strong
    } else if names.numbers.contains(end) && name.count > 1 {
        Telling::Number
    } else if names.weak.contains(end) {
        // `s3a.secret.key`: a name of two components is one of two words.
        let whole = key.rsplit_once('.').and_then(|(before, end)| {
            let before = before.rsplit('.').next()?;
            names
                .opens
                .iter()
                .any(|open| open == before)
                .then(|| format!("{before}{end}").to_ascii_lowercase())
        });
        if whole.is_some_and(|whole| names.words.contains(&whole)) {
            Telling::Strong
        } else {
            Telling::Weak
        }
    } else {
        Telling::No
    }
}

/// A name's words in lower case, joined: `dbPassword`, `DB_PASSWORD` and `db-password` are two words each.
struct Name {
    joined: [u8; LONGEST],
    length: usize,
    starts: [usize; LONGEST],
    count: usize,
}

impl Name {
    /// `None` for what is too long to be a name, or has no word. Numbers at the end go: `password1` is one of several.
    fn of(key: &str) -> Option<Self> {
        let last = key.rsplit(['/', '.']).next().unwrap_or(key);
        let last = last.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
        if last.len() >= LONGEST {
            return None;
        }
        let mut name = Self {
            joined: [0; LONGEST],
            length: 0,
            starts: [0; LONGEST],
            count: 0,
        };
        let (mut lower, mut open) = (false, false);
        for (at, byte) in last.bytes().enumerate() {
            let is_letter = byte.is_ascii_alphanumeric() || byte >= 0x80;
            // `dbPassword`, and the end of an acronym: `APIToken`.
            let next = last.as_bytes().get(at + 1);
            let ends_acronym = !lower && next.is_some_and(u8::is_ascii_lowercase);
            if !is_letter || (byte.is_ascii_uppercase() && (lower || ends_acronym)) {
                open = false;
            }
            if is_letter {
                if !open {
                    *name.starts.get_mut(name.count)? = name.length;
                    name.count += 1;
                    open = true;
                }
                *name.joined.get_mut(name.length)? = byte.to_ascii_lowercase();
                name.length += 1;
            }
            lower = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        }
        (name.count > 0).then_some(name)
    }

    /// All words from one on, joined.
    fn from(&self, at: usize) -> Option<&str> {
        let start = *self.starts.get(..self.count)?.get(at)?;
        std::str::from_utf8(self.joined.get(start..self.length)?).ok()
    }

    fn word(&self, at: usize) -> Option<&str> {
        let starts = self.starts.get(..self.count)?;
        let (start, end) = (*starts.get(at)?, starts.get(at + 1).copied());
        std::str::from_utf8(self.joined.get(start..end.unwrap_or(self.length))?).ok()
    }
}

/// Whether a name is a variable's (`DB_PASSWORD`) and not a message's: what it is given is its value, be it a word like any other.
pub(super) fn is_constant(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    let is_upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().all(is_upper) && is_no_message(name)
}

/// Whether a name says what its secret opens: `api_token`, `accessToken`.
pub(super) fn opens(key: &str) -> bool {
    is_behind(key, &DATA.names.opens) && is_no_message(key)
}

/// Whether a name is that of a place: `STATE_SESSION_KEY`, `TOKEN_STORAGE_KEY`.
pub(super) fn keeps(key: &str) -> bool {
    is_behind(key, &DATA.names.keeps)
}

/// Whether the word before a name's last is one of these.
fn is_behind(key: &str, words: &[String]) -> bool {
    let Some(name) = Name::of(key) else {
        return false;
    };
    let before = name.count.checked_sub(2).and_then(|at| name.word(at));
    before.is_some_and(|before| words.iter().any(|word| word == before))
}

/// The same of a setting of several parts: `mail.password`, `config.secret_key`.
pub(super) fn is_setting(key: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'_';
    key.contains('.') && key.bytes().all(is_part) && is_no_message(key)
}

pub(super) fn is_no_message(name: &str) -> bool {
    let mut words = name.split(['_', '.']);
    !words.any(|word| {
        DATA.names
            .messages
            .contains(word.to_ascii_lowercase().as_str())
    })
}

/// What a secret under this name is called in reports.
pub(super) fn kind_of(key: &str) -> &'static str {
    let key = key.to_ascii_lowercase();
    if key.contains("pass") || key.contains("pwd") || key.ends_with("pw") || key.ends_with("pin") {
        "password"
    } else if key.contains("token") {
        "token"
    } else {
        "secret"
    }
}

/// Whether a setting of this name leads to a file that is a secret: one that the data name, or a secret's name before
/// `file` or `path`.
pub(super) fn names_a_file(key: &str) -> bool {
    let last = key.rsplit(['/', '.']).next().unwrap_or(key);
    let lower = last.to_ascii_lowercase();
    if DATA.telling.keys.contains(lower.as_str()) {
        return true;
    }
    let stem = ["file", "path"]
        .iter()
        .find_map(|end| lower.strip_suffix(end));
    stem.is_some_and(|stem| {
        let stem = last.get(..stem.len()).unwrap_or_default();
        is_secret_key(stem.trim_end_matches(['_', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for key in [
            "password",
            "DB_PASSWORD",
            "requirepass",
            "secretKey",
            "API_KEY",
            "auth_token",
            "mysql_pass",
            "SECRET_KEY_BASE",
            "DB_PASS",
            "pass",
            "DEFAULT_PASS",
            "default_pass",
            "PGPASSWORD",
            "MYSQL_PWD",
            "REDISCLI_AUTH",
            "javax.net.ssl.keyStorePassword",
            "AccountKey",
            "PresharedKey",
            "bindpw",
            "olcRootPW",
            "APP_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "password1",
            "DB_PASSWORD_2",
            "_authToken",
            "SharedAccessKey",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "password_file",
            "PasswordAuthentication",
            "password_encryption",
            "token_ttl",
            "bypass",
            "compass",
            "keyspace",
            "secret_name",
            "max_tokens",
            "proxy_pass",
            "ProxyPass",
            "NOPASSWD",
            "ssl_certificate_key",
            "aws_access_key_id",
            "next_token",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
        assert_eq!(telling("auth"), Telling::Weak);
        assert_eq!(telling("author"), Telling::No);
    }

    #[test]
    fn settings_that_name_files() {
        for key in [
            "DB_PASSWORD_FILE",
            "passwordFile",
            "auth_file",
            "secretPath",
            "smtp_sasl_password_maps",
        ] {
            assert!(names_a_file(key), "{key}");
        }
        for key in ["password", "log_file", "file", "public_key_file"] {
            assert!(!names_a_file(key), "{key}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_name_survives(key in ".{0,200}") {
            let _ = (telling(&key), names_a_file(&key));
        }
    }
}
