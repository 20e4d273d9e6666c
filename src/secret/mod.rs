//! Secrets: recognised and taken out before a text becomes a fact, and looked for in what would be copied.
//!
//! Everything that leaves a detector as text passes through [`redact`] (a value whose key is known) or [`redact_line`]
//! (free text: command lines, excerpts). What is kept of a connection string is scheme, user, address and database,
//! since those are facts; the password is not. Files are looked through by [`Search`], whatever their size.

mod call;
mod data;
mod file;
mod grammar;
mod key;
mod line;
mod nature;
mod place;
mod search;
mod sieve;
mod stream;
mod token;
mod url;
mod value;

pub use file::{is_packed, kind_of_file, named_files};
pub use key::is_secret_key;
pub use line::redact_line;
pub use nature::Nature;
pub use stream::{Hit, Search};
pub use value::is_secret_value;

use std::borrow::Cow;

/// What stands in place of a secret.
pub const MASK: &str = "[redacted]";

/// A text without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    pub text: Cow<'a, str>,
    /// `password`, `token`, `private-key`, `connection-string`; `None` where there was nothing to hide.
    pub kind: Option<&'static str>,
}

/// The value of a setting or variable named `key`, its secret taken out.
pub fn redact<'a>(key: Option<&str>, value: &'a str) -> Redacted<'a> {
    let telling = key.map_or(key::Telling::No, key::telling);
    let is_secret = match telling {
        key::Telling::No => false,
        key::Telling::Weak => value::is_random(value),
        key::Telling::Number => value::is_digits(value),
        key::Telling::Strong => is_secret_value(value),
    };
    if let Some(key) = key.filter(|_| is_secret) {
        // What a connection string tells but for its password are facts, whatever it is called.
        if !value.contains(char::is_whitespace)
            && url::all(value.as_bytes(), &sieve::all(value.as_bytes()))
                .next()
                .is_some()
        {
            return redact_line(value);
        }
        return Redacted {
            text: Cow::Borrowed(MASK),
            kind: Some(key::kind_of(key)),
        };
    }
    // Some names say by their value's form what it is: `BASIC_AUTH=user:password`.
    if let Some(key) = key.filter(|_| telling != key::Telling::No) {
        let whole = format!("{key}={value}");
        let shown = redact_line(&whole);
        if let Some(rest) = shown
            .kind
            .and_then(|_| shown.text.strip_prefix(key)?.strip_prefix('='))
        {
            return Redacted {
                text: Cow::Owned(rest.to_owned()),
                kind: shown.kind,
            };
        }
    }
    redact_line(value)
}
