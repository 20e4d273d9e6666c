//! Unit files as systemd.syntax(7) writes them: sections, assignments, continuation lines.

use super::reference::secret_names;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::unit::{MANAGER, QUADLETS, SUFFIXES, TIERS};
use crate::fact::{Fact, Masking, UnitEntry, UnitFile};
use crate::secret::{MASK, is_secret_key, is_secret_value, redact_line};
use crate::words;
use std::borrow::Cow;
use std::collections::BTreeSet;

pub struct Units;

impl Units {
    pub const ID: &str = "services/systemd";
}

impl Detector for Units {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "systemd units",
            recognises: "unit fragments and drop-ins in every tier of the unit search path",
            why: "they say what runs, as whom, and with which limits",
            cannot_see: "units generated at boot, but for those that packs describe; units of users who do not linger start when they log in",
            references: &["systemd.unit(5)", "systemd.syntax(7)"],
        }
    }

    fn interest(&self) -> Interest {
        let suffixes = SUFFIXES;
        let mut globs = Vec::new();
        // What the manager itself gives every unit.
        for directory in MANAGER {
            globs.push(format!("{directory}/system.conf"));
            globs.push(format!("{directory}/system.conf.d/*.conf"));
        }
        for directory in QUADLETS {
            for kind in ["container", "kube", "pod"] {
                globs.push(format!("{directory}/*.{kind}"));
                globs.push(format!("{directory}/*/*.{kind}"));
            }
        }
        for tier in TIERS {
            globs.extend(suffixes.iter().map(|suffix| format!("{tier}/*.{suffix}")));
            globs.push(format!("{tier}/*.d/*.conf"));
        }
        Interest {
            globs,
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        sink.fact(Fact::Unit(UnitFile {
            path: file.path.clone(),
            entries: entries(file.text(), file.masking),
        }));
    }
}

/// Assignments in order. A comment between continued lines is dropped, as systemd drops it.
pub fn entries(text: &str, masking: Masking) -> Vec<UnitEntry> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut open: Option<(u32, String)> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1u32..).zip(text.lines()) {
        let trimmed = words::trim(line);
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        let (start, mut logical) = open.take().unwrap_or((number, String::new()));
        // A continued line keeps its indentation.
        logical.push_str(line);
        // An even number of backslashes is so many of the character itself.
        let backslashes = logical.len() - logical.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            logical.pop();
            logical.push(' ');
            open = Some((start, logical));
            continue;
        }
        assign(
            &mut found,
            &mut section,
            start,
            words::trim(&logical),
            masking,
        );
    }
    if let Some((start, logical)) = open {
        assign(
            &mut found,
            &mut section,
            start,
            words::trim(&logical),
            masking,
        );
    }
    found
}

fn assign(
    found: &mut Vec<UnitEntry>,
    section: &mut String,
    line: u32,
    text: &str,
    masking: Masking,
) {
    if let Some(name) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        name.clone_into(section);
        return;
    }
    let Some((key, value)) = text.split_once('=') else {
        return;
    };
    let (key, value) = (words::trim(key), words::trim(value));
    let references = references(key, value);
    let (value, secret) = match (key, masking) {
        (_, Masking::Disclosed) => (value.to_owned(), false),
        ("Environment", _) => environment(value),
        ("SetCredential", _) => credential(value),
        _ => {
            let (whole, has_whole) = quoted(key, value);
            let redacted = redact_line(&whole);
            let secret = has_whole || redacted.kind.is_some();
            (redacted.text.into_owned(), secret)
        }
    };
    found.push(UnitEntry {
        section: section.clone(),
        key: key.to_owned(),
        value,
        line,
        secret,
        references,
    });
}

fn references(key: &str, value: &str) -> BTreeSet<String> {
    if key.starts_with("Exec") {
        return secret_names(None, value);
    }
    let words = if key == "Environment" {
        words::split(value)
    } else {
        Vec::new()
    };
    let set = words.iter().filter_map(|word| word.split_once('='));
    set.flat_map(|(name, value)| secret_names(Some(name), value))
        .collect()
}

/// In `"--password=two words"` the quotes stand around more than the secret, which ends where they do and not at the first
/// blank. (Without the dash it may be a shell's line.) Words are written anew only where there is such a one.
pub(super) fn quoted<'a>(key: &str, value: &'a str) -> (Cow<'a, str>, bool) {
    fn hidden(word: &str) -> Option<(&str, &str)> {
        let (name, secret) = word.split_once('=').filter(|_| word.starts_with('-'))?;
        let is_whole = secret.contains(words::is_blank) && !name.contains(words::is_blank);
        let is_secret = is_secret_key(name.trim_start_matches('-')) && is_secret_value(secret);
        (is_whole && is_secret).then_some((name, secret))
    }
    let plain = || (Cow::Borrowed(value), false);
    if !key.starts_with("Exec") || !value.contains(['"', '\'']) {
        return plain();
    }
    let words = words::split(value);
    let hides: BTreeSet<&str> = words
        .iter()
        .filter_map(|word| Some(hidden(word)?.1))
        .collect();
    if hides.is_empty() {
        return plain();
    }
    let written = words.iter().map(|word| match hidden(word) {
        Some((name, _)) => format!("{name}={MASK}"),
        // The same again: `-k "two words"`.
        None if hides.contains(word.as_str()) => MASK.to_owned(),
        // Between commands.
        None if word == ";" => word.clone(),
        None => words::quote(word),
    });
    (Cow::Owned(written.collect::<Vec<_>>().join(" ")), true)
}

/// `NAME:VALUE`: the value is a secret whatever its name, or why would it be a credential.
fn credential(value: &str) -> (String, bool) {
    match value.split_once(':') {
        Some((name, secret)) if !secret.is_empty() => (format!("{name}:{MASK}"), true),
        _ => (value.to_owned(), false),
    }
}

/// `A=1 "B=two words"`: each assignment's value redacted by its own name, quotes kept as they were.
fn environment(value: &str) -> (String, bool) {
    let mut secret = false;
    let mut out = Vec::new();
    for word in words::split(value) {
        let Some((name, text)) = word.split_once('=') else {
            out.push(words::quote(&word));
            continue;
        };
        let redacted = Masking::Masked.redact(Some(name), text);
        secret |= redacted.kind.is_some();
        out.push(words::quote(&format!("{name}={}", redacted.text)));
    }
    (out.join(" "), secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_comments_and_resets() {
        let text = "# c\n[Unit]\nDescription = A  b\n[Service]\nExecStart=/bin/a \\\n; between\n  --b \\\n  c\nExecStart=\n";
        let found = entries(text, Masking::Masked);
        let values: Vec<(&str, &str, u32)> = found
            .iter()
            .map(|e| (e.key.as_str(), e.value.as_str(), e.line))
            .collect();
        assert_eq!(
            values,
            [
                ("Description", "A  b", 3),
                ("ExecStart", "/bin/a    --b    c", 5),
                ("ExecStart", "", 9)
            ]
        );
        assert_eq!(found[1].section, "Service");
        let odd = entries(
            "[Service]\nExecStart=/bin/a \\\\\nUser=b\n",
            Masking::Masked,
        );
        assert_eq!(
            (odd[0].value.as_str(), odd[1].value.as_str()),
            ("/bin/a \\\\", "b")
        );
    }

    #[test]
    fn secrets_of_the_environment_stay_behind() {
        let found = entries(
            "[Service]\nEnvironment=PORT=80 \"DB_PASSWORD=a b\" 'X=1 2'\n",
            Masking::Masked,
        );
        assert_eq!(found[0].value, "PORT=80 DB_PASSWORD=[redacted] \"X=1 2\"");
        assert!(found[0].secret);
        let found = entries(
            "[Service]\nSetCredential=key:geheim: 1\nSetCredential=\n",
            Masking::Masked,
        );
        assert_eq!(
            (found[0].value.as_str(), found[0].secret),
            ("key:[redacted]", true)
        );
        assert_eq!((found[1].value.as_str(), found[1].secret), ("", false));
    }

    #[test]
    fn references_are_those_of_what_is_written() {
        let text = "[Service]\nExecStart=/bin/a --password=${P} --port=${PORT}\nEnvironment=A=$X DB_PASSWORD=$Q\n";
        let found = entries(text, Masking::Masked);
        assert_eq!(found[0].references.iter().collect::<Vec<_>>(), ["P"]);
        assert_eq!(found[1].references.iter().collect::<Vec<_>>(), ["Q"]);
    }

    #[test]
    fn a_secret_of_several_words_is_hidden_whole() {
        for (line, wanted) in [
            (
                "/bin/a \"--password=x y\" 'b c' ; /bin/b",
                "/bin/a --password=[redacted] \"b c\" ; /bin/b",
            ),
            ("/bin/a --title='x y' z", "/bin/a --title='x y' z"),
            (
                "/bin/sh -c 'PGPASSWORD=geheim exec a -p 80'",
                "/bin/sh -c 'PGPASSWORD=[redacted] exec a -p 80'",
            ),
            (
                "/bin/a --password='x y' z",
                "/bin/a --password=[redacted] z",
            ),
        ] {
            let found = entries(&format!("[Service]\nExecStart={line}\n"), Masking::Masked);
            assert_eq!(found[0].value, wanted);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,300}") {
            let _ = entries(&text, Masking::Masked);
        }
    }
}
