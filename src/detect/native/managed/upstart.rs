//! Jobs of upstart (init(5)): a stanza is a line, which a backslash, an open quote or an open parenthesis continues; scripts
//! stand between `script` and `end script`.

use super::super::reference::secret_names;
use super::Reader;
use super::shell;
use crate::detect::FileView;
use crate::fact::Masking;
use crate::words;

/// Where a script may stand, and its section here.
const SCRIPTS: &[&str] = &["pre-start", "post-start", "pre-stop", "post-stop"];

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let mut lines = (1u32..).zip(file.text().lines()).peekable();
    if reader.masking == Masking::Masked {
        for line in file.text().lines() {
            reader.secrets.extend(secret_names(None, line));
        }
    }
    while let Some((number, line)) = lines.next() {
        let mut whole = without_comment(line).to_owned();
        while is_open(&whole) && whole.len() < LONGEST {
            let Some((_, next)) = lines.next() else {
                break;
            };
            let body = whole.trim_end().trim_end_matches('\\').len();
            whole.truncate(body);
            whole.push(' ');
            whole.push_str(without_comment(next));
        }
        let whole = words::trim(&whole);
        let (first, rest) = parted(whole);
        let (section, word, rest) = match SCRIPTS.iter().find(|name| **name == first) {
            Some(section) => {
                let (word, rest) = parted(rest);
                (*section, word, rest)
            }
            None => ("", first, rest),
        };
        match word {
            "" => {}
            "script" => {
                let mut body: Vec<(u32, &str)> = Vec::new();
                for (number, line) in lines.by_ref() {
                    let mut words = words::parts(line);
                    if words.next() == Some("end") && words.next() == Some("script") {
                        break;
                    }
                    body.push((number, line));
                }
                let section = if section.is_empty() {
                    "script"
                } else {
                    section
                };
                shell::of_lines(reader, section, &body);
            }
            "exec" => reader.line(section, "exec", rest, number),
            "env" => {
                let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
                let value = words::shell(value).into_iter().next().unwrap_or_default();
                reader.variable("", name, &value, number);
            }
            word => reader.setting(section, word, rest, number),
        }
    }
}

/// A stanza has no more bytes.
const LONGEST: usize = 64 << 10;

fn parted(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(words::is_blank).unwrap_or((text, ""));
    (first, words::trim(rest))
}

/// A comment begins with the line or behind a blank, and not in quotes.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('#', None) if words::is_blank(before) => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
        before = c;
    }
    line
}

/// Whether the next line goes on with it.
fn is_open(text: &str) -> bool {
    if text.trim_end().ends_with('\\') {
        return true;
    }
    let is_event =
        words::trim(text).starts_with("start on") || words::trim(text).starts_with("stop on");
    let count = |c| text.matches(c).count();
    is_event && count('(') > count(')')
}
