//! Secrets by reference: in `--password=${P}` and `PGPASSWORD=$P` nothing is to be hidden, and yet P's value is a secret,
//! wherever P gets it.
//!
//! Each reference is replaced by a value nobody has, and what the rules of `secret` take out of that text is the answer:
//! so a reference is judged exactly as the value in its place would be.

use crate::secret::{is_secret_value, redact};
use std::collections::BTreeSet;

/// What the values begin with that stand for references; a number and `z` follow.
const PROBE: &str = "hunter2x";

/// The value that stands for the reference with this number.
fn probe(number: usize) -> String {
    format!("{PROBE}{number}z")
}

/// The numbers of those values that a text still shows.
fn shown(text: &str) -> BTreeSet<usize> {
    let parts = text.split(PROBE).skip(1);
    let numbers = parts.filter_map(|part| part.split_once('z')?.0.parse().ok());
    numbers.collect()
}

/// Variables that a text has where a secret stands; `key` is what the text is the value of.
pub(crate) fn secret_names(key: Option<&str>, text: &str) -> BTreeSet<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut probed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        probed.push_str(head);
        // A unit writes `$$P` for a shell's `$P`.
        let tail = tail.trim_start_matches('$');
        let Some((name, after)) = name(tail) else {
            probed.push('$');
            rest = tail;
            continue;
        };
        probed.push_str(&probe(names.len()));
        names.push(name);
        rest = after;
    }
    if names.is_empty() {
        return BTreeSet::new();
    }
    probed.push_str(rest);
    let shown = shown(&redact(key, &probed).text);
    let named = names.iter().enumerate();
    named
        .filter(|(number, _)| !shown.contains(number))
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

/// The name of a reference, and what follows it: `P}`, `{P}`, `{P:-default}`.
fn name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{');
    let body = inner.unwrap_or(text);
    let end = body
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(body.len());
    let (name, after) = body.split_at_checked(end)?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let after = match inner {
        Some(_) => after.split_once('}')?.1,
        None => after,
    };
    Some((name, after))
}

/// Whether a variable of a known name has something to hide.
pub(crate) fn is_hidden(names: &BTreeSet<String>, name: &str, value: &str) -> bool {
    names.contains(name) && is_secret_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(key: Option<&str>, text: &str) -> Vec<String> {
        secret_names(key, text).into_iter().collect()
    }

    #[test]
    fn a_reference_is_what_its_value_would_be() {
        for (text, wanted) in [
            ("/bin/app --user=$U --password=${P}", &["P"][..]),
            ("/bin/sh -c 'exec mysqldump -u $$U -p$$P db'", &["P"]),
            ("PGPASSWORD=${P:-x} psql -p $PORT", &["P"]),
            ("tool --token $T --secret \"$S\" $X", &["S", "T"]),
            ("postgres://app:$PW@db/x", &["PW"]),
            ("/bin/app --port=${PORT} $OPTS $$ ${ $1", &[]),
            ("/bin/app --password-file=$P", &[]),
            (
                "/opt/app/run --password=${P} --port=${PORT} -x ${S} /opt/app/tool",
                &["P"],
            ),
        ] {
            assert_eq!(names(None, text), wanted, "{text}");
        }
        assert_eq!(names(Some("DB_PASSWORD"), "$P"), ["P"]);
        assert_eq!(names(Some("DB_HOST"), "$P"), [] as [&str; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in ".{0,80}") {
            let _ = secret_names(None, &text);
        }
    }
}
