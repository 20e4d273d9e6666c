//! What a file is, from its name and first bytes: decides how its lines are read, and how sure a hit has to be.
//!
//! A machine's own settings and code are full of its secrets. Third-party code, manuals, translations and vocabularies are full of
//! words about secrets: there a value counts only where it looks like nothing else.

use super::data::DATA;
use super::grammar::{How, Style};
use super::key::Telling;
use super::value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    style: Style,
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Own,
    /// Somebody else's code.
    Vendored,
    Prose,
    Translation,
    /// A dictionary of words and numbers: every word is in it.
    Dictionary,
    /// A compiled program, or somebody else's manual: names, messages, tables and examples.
    Mute,
    Binary,
}

impl Nature {
    /// Of a file at `path`, `head` being its first bytes.
    pub fn of(path: &str, head: &[u8]) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let style = style(&name, head);
        let directories = || path.split('/').rev().skip(1);
        let vendored =
            || directories().any(|part| DATA.natures.vendored.iter().any(|dir| dir == part));
        let prose = is_prose(&name, directories());
        let source = if is_program(&name, head) || (prose && vendored()) {
            Source::Mute
        } else if is_binary(head) {
            Source::Binary
        } else if is_translation(&name, directories()) {
            Source::Translation
        } else if prose {
            Source::Prose
        } else if name.ends_with(".json") && is_dictionary(head) {
            Source::Dictionary
        } else if vendored() {
            Source::Vendored
        } else {
            Source::Own
        };
        Self { style, source }
    }

    pub(super) fn style(self) -> Style {
        self.style
    }

    pub(super) fn is_settings(self) -> bool {
        self.style == Style::Settings && matches!(self.source, Source::Own | Source::Vendored)
    }

    pub(super) fn is_own(self) -> bool {
        self.source == Source::Own
    }

    /// Whether names and places mean anything in it.
    pub(super) fn has_settings(self) -> bool {
        !matches!(self.source, Source::Dictionary | Source::Mute)
    }

    /// Text of the machine's own, where addresses of neighbours stand.
    pub fn is_own_text(self) -> bool {
        matches!(
            self.source,
            Source::Own | Source::Translation | Source::Dictionary
        )
    }

    /// Whether a published form is a secret here: manuals and tests show headers, hashes and web tokens of nobody.
    pub(super) fn takes_form(self, kind: &str, word: &str) -> bool {
        let lower = word.to_ascii_lowercase();
        let is_shown = kind == "password-hash"
            || ["basic ", "bearer ", "eyj"]
                .iter()
                .any(|start| lower.starts_with(start));
        match self.source {
            Source::Own => true,
            Source::Binary => kind != "token" || !is_shown,
            _ => !is_shown,
        }
    }

    /// A plain word or number that a program of the machine's own gives to what can be nothing but a secret.
    pub(super) fn takes_plain(self, word: &str, how: How) -> bool {
        let is_mark = |byte: u8| b"!@#$%&*+?~=".contains(&byte);
        let has_mark = word.bytes().skip(1).any(is_mark);
        let is_plain = word.bytes().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || (has_mark && (byte.is_ascii_uppercase() || is_mark(byte)))
        });
        self.is_own()
            && self.style == Style::Code
            && matches!(how, How::Quoted(_) | How::Constant)
            && word.len() >= 8
            && is_plain
            && !value::is_prose(word)
            && !value::is_example(word)
    }

    /// `is_literal`: in single quotes, where most languages put nothing in.
    pub(super) fn takes_in_url(self, word: &str, is_literal: bool) -> bool {
        if !value::is_secret_value(word)
            || word.starts_with(['<', '[', '{', '$', '%', '*']) && !value::is_mixed(word, 6)
        {
            return false;
        }
        match (self.source, self.style) {
            (Source::Own, Style::Code) => {
                let is_word =
                    word.len() < 5 || (value::is_message(word) && !value::is_mixed(word, 6));
                let is_filled =
                    word.contains(['{', '+', '(']) || (word.contains('$') && !is_literal);
                !is_word && !value::is_example(word) && !is_filled
            }
            (Source::Own, _) => true,
            _ => value::is_random(word) && !value::is_example(word),
        }
    }

    /// Whether the value of a secret's name is a secret here.
    pub(super) fn takes(self, telling: Telling, kind: &str, word: &str, how: How) -> bool {
        let word = word.trim();
        let is_random = || value::is_random(word) && !value::is_example(word);
        if telling == Telling::Number {
            return self.is_own() && value::is_digits(word);
        }
        if telling == Telling::Weak {
            return self.is_own() && self.style != Style::Code && is_random();
        }
        match (self.source, self.style) {
            (Source::Own, Style::Code) => in_code(kind, word, how),
            (Source::Own, _) => in_settings(kind, word, how),
            // Examples of manuals and tests are tokens more often than passwords.
            (Source::Translation | Source::Vendored | Source::Prose | Source::Binary, _) => {
                kind != "token"
                    && is_random()
                    && !value::is_prose(word)
                    && !value::is_identifier(word)
                    && !value::is_expression(word)
            }
            (Source::Dictionary | Source::Mute, _) => false,
        }
    }
}

fn in_settings(kind: &str, word: &str, how: How) -> bool {
    let is_small = word.len() < 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_marked = kind == "token"
        && (word.len() < 6
            || word.starts_with(['<', '^', '('])
            || (word.starts_with(['/', '#'])
                && !(value::is_mixed(word, 8)
                    && word
                        .chars()
                        .skip(1)
                        .all(|c| c.is_alphanumeric() || "+/=".contains(c)))));
    let is_sentence = word.contains(char::is_whitespace) && value::is_message(word);
    !(how == How::Bare && is_small || is_marked || is_sentence)
}

fn in_code(kind: &str, word: &str, how: How) -> bool {
    // `"$Config{mail}"` is what a variable holds.
    let is_variable = how != How::Quoted(b'\'')
        && word
            .strip_prefix('$')
            .is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    // `` `pwd` `` is a command in most languages, and a text with blanks in hardly any.
    let is_command = how == How::Quoted(b'`') && word.contains(char::is_whitespace);
    // `"_auth_user"`, `urllib2`
    let is_name = kind != "password" && word.starts_with('_') && !value::is_mixed(word, 8)
        || how == How::Indirect
            && word.ends_with(|c: char| c.is_ascii_digit())
            && word
                .strip_suffix(|c: char| c.is_ascii_digit())
                .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_lowercase()));
    // `f"Bearer {key}"`, `"Login Auth=" + x`: the rest is put in later.
    let is_half = word.split_once(' ').is_some_and(|(_, rest)| {
        rest.starts_with(['{', '$', '<', '+'])
            || value::is_format(rest)
            || word.ends_with('=') && !rest.contains(' ')
    }) && kind != "password";
    if is_variable
        || is_half
        || is_command
        || is_name
        || value::is_expression(word)
        || value::is_example(word)
        || word.contains("${")
        || word.contains("%s")
        || word.contains("{}")
        || word.contains("#{")
    {
        return false;
    }
    // Among `host=… user=…` it is what it is.
    if how == How::Member {
        let is_name = value::is_identifier(word) && word.contains(char::is_alphabetic);
        return kind == "password" && !value::is_message(word) && !is_name;
    }
    // `getElementById('password1')`
    if value::is_mixed(word, 6) && (how != How::Indirect || !value::is_message(word)) {
        // `field2`, `step1_token`
        return kind == "password" || value::is_mixed(word, 8);
    }
    // A label has a word or two; `not-a-real-password` has more.
    let parts = word.split(['-', '_', ' ']).count();
    let is_label =
        value::is_prose(word) && !(how == How::Constant && parts > 2 && !word.contains(' '));
    if how == How::Indirect || is_label {
        return false;
    }
    let words = word.split_whitespace().count();
    match kind {
        "password" => word.len() >= 5,
        "secret" => {
            words > 1
                || word.len() >= 16
                || (word.len() >= 8
                    && word.contains(|c: char| {
                        c.is_ascii_punctuation() && c != '_' && c != '-' && c != '.'
                    }))
        }
        _ => false,
    }
}

fn ends(name: &str, list: &[String]) -> bool {
    list.iter().any(|end| name.ends_with(end.as_str()))
}

fn style(name: &str, head: &[u8]) -> Style {
    let first = head
        .get(..memchr::memchr(b'\n', head).unwrap_or(head.len()).min(128))
        .unwrap_or_default();
    let interpreter = first.strip_prefix(b"#!").map(<[u8]>::trim_ascii);
    if ends(name, &DATA.natures.code) {
        Style::Code
    } else if ends(name, &DATA.natures.shell)
        || interpreter.is_some_and(|line| {
            line.ends_with(b"sh") || line.ends_with(b"sh -e") || line.ends_with(b"sh -x")
        })
    {
        Style::Shell
    } else if interpreter.is_some_and(|line| !line.is_empty()) {
        Style::Code
    } else {
        Style::Settings
    }
}

fn is_prose<'a>(name: &str, mut directories: impl Iterator<Item = &'a str>) -> bool {
    let natures = &DATA.natures;
    let stem = name.split('.').next().unwrap_or(name);
    ends(name, &natures.prose)
        || natures.prose_names.iter().any(|known| known == stem)
        || directories.any(|part| {
            natures
                .prose_directories
                .iter()
                .any(|known| part.eq_ignore_ascii_case(known))
        })
}

/// ELF, PE, Mach-O and Java classes by their first bytes, Python's byte code by its name.
fn is_program(name: &str, head: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [
        b"\x7fELF",
        b"MZ",
        b"\xca\xfe\xba\xbe",
        b"\xcf\xfa\xed\xfe",
        b"\xfe\xed\xfa\xcf",
    ];
    let is_long = head.len() > 64 && is_binary(head);
    name.ends_with(".pyc") || (is_long && STARTS.iter().any(|start| head.starts_with(start)))
}

/// By its ending, its directory, or a name that is a language's: `fr.json`, `messages_de.properties`.
fn is_translation<'a>(name: &str, mut directories: impl Iterator<Item = &'a str>) -> bool {
    let natures = &DATA.natures;
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let data = [
        "json",
        "yml",
        "yaml",
        "properties",
        "js",
        "php",
        "ts",
        "ini",
        "xml",
        "txt",
        "py",
        "toml",
    ]
    .contains(&end);
    let parts: Vec<&str> = stem.split(['_', '-', '.']).collect();
    let is_language = |part: &str| natures.languages.iter().any(|known| known == part);
    let language = data
        && parts.len() < 4
        && parts
            .iter()
            .skip(1)
            .all(|part| part.len() == 2 || part.len() == 4)
        && parts.first().is_some_and(|part| is_language(part));
    let named = data
        && parts
            .first()
            .is_some_and(|first| natures.translation_names.iter().any(|known| known == first))
        && parts.get(1).is_none_or(|part| is_language(part));
    ends(name, &natures.translation)
        || language
        || named
        || directories.any(|part| {
            let part = part.to_ascii_lowercase();
            natures.translation_directories.contains(&part)
        })
}

/// `{"word": 1, "other": 2}`: names and numbers, and no text given to any.
fn is_dictionary(head: &[u8]) -> bool {
    let numbers = head
        .windows(3)
        .filter(|three| {
            three.starts_with(b"\":")
                && (three.ends_with(b" ") || three.last().is_some_and(u8::is_ascii_digit))
        })
        .count();
    let texts =
        memchr::memmem::find(head, b"\": \"").or_else(|| memchr::memmem::find(head, b"\":\""));
    numbers > 50 && texts.is_none()
}

/// More control characters than a text has by accident.
fn is_binary(head: &[u8]) -> bool {
    // Without a branch, and in pieces whose count fits into a byte: so many bytes are looked at together.
    let odd = |byte: &u8| {
        let usual = [b'\t', b'\n', b'\r', 0x0c, 0x1b];
        let is_other = usual.iter().map(|known| u8::from(byte != known));
        is_other.fold(u8::from(*byte < 0x20), |odd, other| odd & other)
    };
    let pieces = head.chunks(128);
    let counts = pieces.map(|piece| piece.iter().map(odd).sum::<u8>());
    counts.map(usize::from).sum::<usize>() * 10 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natures_of_files() {
        let source = |path: &str| Nature::of(path, b"text").source;
        for path in [
            "/srv/x/locale/de/LC_MESSAGES/x.po",
            "/srv/app/fr.json",
            "/srv/app/pt-BR.yml",
            "/srv/app/messages_de.properties",
            "/srv/i18n/a.js",
        ] {
            assert_eq!(source(path), Source::Translation, "{path}");
        }
        for path in [
            "/srv/app/config.json",
            "/srv/app/.env",
            "/srv/app/db.php",
            "/srv/app/settings.py",
            "/etc/default/app",
        ] {
            assert_eq!(source(path), Source::Own, "{path}");
        }
        assert_eq!(source("/srv/app/README.txt"), Source::Prose);
        assert_eq!(source("/srv/app/node_modules/x/index.js"), Source::Vendored);
        assert_eq!(Nature::of("/x", &[0u8; 100]).source, Source::Binary);
        assert_eq!(
            Nature::of("/x", b"DB=1\n\0DB_PASSWORD=abc\n plus text").source,
            Source::Own
        );
        assert_eq!(
            Nature::of("/x", b"#!/usr/bin/python3 -u\n").style,
            Style::Code
        );
        assert_eq!(Nature::of("/x", b"#!/bin/sh -e\n").style, Style::Shell);
    }
}
