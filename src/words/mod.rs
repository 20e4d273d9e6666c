//! Words of a command line, an assignment list or an environment file, quoted as systemd does it (systemd.syntax(7),
//! "Quoting"; systemd.exec(5), `EnvironmentFile=`), and as a shell does it.

pub mod address;
pub mod armour;
pub mod budget;
pub mod expand;
pub mod fallback;
pub mod flags;
pub mod line;
pub mod script;
pub mod sh;
pub mod start;

use std::iter::Peekable;
use std::str::CharIndices;

/// What parts words in units, job tables and shells: these, and none of Unicode's other white space.
pub fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Without blanks at either end.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// What blanks part, no quotes known.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_blank).filter(|part| !part.is_empty())
}

/// Splits at white space; single and double quotes group, C-style escapes are undone. An escape that systemd does not
/// know stays as written, backslash and all.
pub fn split(text: &str) -> Vec<String> {
    scan(text).into_iter().map(|(word, _)| word).collect()
}

/// Command lines joined by a `;` that stands alone and unquoted; `\;` is the character itself.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let mut lines = vec![Vec::new()];
    for (word, raw) in scan(text) {
        match (raw, lines.last_mut()) {
            (";", _) => lines.push(Vec::new()),
            ("\\;", Some(line)) => line.push(";".to_owned()),
            (_, Some(line)) => line.push(word),
            (_, None) => {}
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Each word with the text it was written as.
fn scan(text: &str) -> Vec<(String, &str)> {
    let mut words = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_blank(c) && quote.is_none() {
            if let Some(from) = start.take() {
                words.push((finish(&mut word), text.get(from..at).unwrap_or_default()));
            }
            continue;
        }
        start.get_or_insert(at);
        match (c, quote) {
            ('\\', _) => escape(text, &mut chars, &mut word),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, _) => push(&mut word, c),
        }
    }
    if let Some(from) = start {
        words.push((finish(&mut word), text.get(from..).unwrap_or_default()));
    }
    words
}

fn finish(word: &mut Vec<u8>) -> String {
    String::from_utf8_lossy(&std::mem::take(word)).into_owned()
}

fn push(word: &mut Vec<u8>, c: char) {
    word.extend(c.encode_utf8(&mut [0; 4]).bytes());
}

/// What follows a backslash.
fn escape(text: &str, chars: &mut Peekable<CharIndices<'_>>, word: &mut Vec<u8>) {
    let Some((at, c)) = chars.next() else {
        return word.push(b'\\');
    };
    let (radix, from, digits) = match c {
        'x' => (16, at + 1, 2),
        'u' => (16, at + 1, 4),
        'U' => (16, at + 1, 8),
        '0'..='7' => (8, at, 3),
        _ => {
            match simple(c) {
                Some(plain) => push(word, plain),
                None => word.extend("\\".bytes().chain(c.encode_utf8(&mut [0; 4]).bytes())),
            }
            return;
        }
    };
    let number = text
        .get(from..from + digits)
        .filter(|number| number.chars().all(|c| c.is_digit(radix)))
        .and_then(|number| u32::from_str_radix(number, radix).ok())
        .filter(|value| *value != 0);
    // `\xNN` and octal are bytes, `\u` and `\U` characters.
    let is_byte = !matches!(c, 'u' | 'U');
    let mut bytes = [0; 4];
    let value = match number {
        Some(value) if is_byte => u8::try_from(value).ok().map(|byte| {
            bytes = [byte, 0, 0, 0];
            bytes.get(..1).unwrap_or_default()
        }),
        Some(value) => char::from_u32(value).map(|c| c.encode_utf8(&mut bytes).as_bytes()),
        None => None,
    };
    let Some(value) = value else {
        word.push(b'\\');
        return push(word, c);
    };
    word.extend_from_slice(value);
    while chars.next_if(|(at, _)| *at < from + digits).is_some() {}
}

fn simple(c: char) -> Option<char> {
    Some(match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        's' => ' ',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '"' | '\'' => c,
        _ => return None,
    })
}

/// Words of a shell's command line: nothing is special in single quotes, little in double ones.
pub fn shell(text: &str) -> Vec<String> {
    let words = shell_quoted(text).into_iter();
    words.map(|(word, _)| word).collect()
}

/// The same, and whether any of the word was quoted: what is not, a shell splits again once variables are in.
pub fn shell_quoted(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut open: Option<(String, bool)> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_blank(c) && quote.is_none() {
            words.extend(open.take());
            continue;
        }
        let (word, quoted) = open.get_or_insert_default();
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                *quoted = true;
            }
            ('\\', None) => word.extend(chars.next()),
            ('\\', Some('"')) => match chars.next_if(|c| "\"\\`$".contains(*c)) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            (c, _) => word.push(c),
        }
    }
    words.extend(open);
    words
}

/// The value of a `NAME=value` line of an environment file: quotes and a shell's escapes are undone, white space counts.
/// Neither variables nor C-style escapes mean anything there. A comment after a closing quote, which only a shell would
/// take for one, is left out: the same files are read by init scripts.
pub fn assigned(value: &str) -> String {
    let mut out = String::new();
    // Without the white space at the end of what is not quoted.
    let mut kept = 0;
    let mut quote: Option<char> = None;
    // Quotes open a value or follow a closed one; later they are characters.
    let mut opens = true;
    let mut chars = trim(value).chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => {
                quote = None;
                opens = true;
            }
            ('\\', Some('"')) => match chars.next_if(|c| "\"\\`$".contains(*c)) {
                Some(escaped) => out.push(escaped),
                None => out.push('\\'),
            },
            (c, Some(_)) => out.push(c),
            ('"' | '\'', None) if opens => quote = Some(c),
            ('#', None) if opens && !out.is_empty() => break,
            (c, None) if opens && is_blank(c) => {}
            (c, None) => {
                opens = false;
                if c == '\\' {
                    out.extend(chars.next());
                } else {
                    out.push(c);
                }
            }
        }
        if quote.is_some() || !is_blank(c) {
            kept = out.len();
        }
    }
    out.truncate(kept);
    out
}

/// One word as a unit file would write it: quoted where it must be.
pub fn quote(word: &str) -> String {
    if !word.is_empty()
        && word != ";"
        && !word.contains(|c: char| is_blank(c) || c == '"' || c == '\'' || c == '\\')
    {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_part_words() {
        let text = "a\u{2028}b\u{a0}c \u{2003}d\t";
        let wanted = ["a\u{2028}b\u{a0}c", "\u{2003}d"];
        assert_eq!(split(text), wanted);
        assert_eq!(shell(text), wanted);
        assert!(parts(text).eq(wanted));
        assert_eq!(assigned("a\u{a0} "), "a\u{a0}");
    }

    #[test]
    fn systemd_quoting() {
        assert_eq!(
            split(r#"/bin/a  "b c" 'd "e' f\x20g \t"#),
            ["/bin/a", "b c", "d \"e", "f g", "\t"]
        );
        assert_eq!(split(r#"a"" "" "#), ["a", ""]);
        assert_eq!(split(r#"a"b c"d"#), ["ab cd"]);
        assert_eq!(split(r"\101 \u00e4 \xc3\xa4"), ["A", "ä", "ä"]);
        assert_eq!(split("a\\"), ["a\\"]);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(
            split(r"\d 's/\./x/' \x4 \08 \x00 \u12"),
            ["\\d", "s/\\./x/", "\\x4", "\\08", "\\x00", "\\u12"]
        );
    }

    #[test]
    fn commands_end_at_a_bare_semicolon() {
        let of = |text| commands(text);
        assert_eq!(of(r"a \; b ; c"), [vec!["a", ";", "b"], vec!["c"]]);
        assert_eq!(of("a ';' \";\" x; y"), [["a", ";", ";", "x;", "y"]]);
        assert!(of(" ; ").is_empty());
    }

    #[test]
    fn shell_quoting() {
        assert_eq!(
            shell(r#"a\ b 'c\n' "d\n\"\$" ''"#),
            ["a b", "c\\n", "d\\n\"$", ""]
        );
    }

    #[test]
    fn environment_files() {
        for (written, value) in [
            (r#""two words"  # c"#, "two words"),
            (r#""a\nb\"\$c""#, "a\\nb\"$c"),
            (r"'single \$x'", "single \\$x"),
            (r#"a "b" c"#, r#"a "b" c"#),
            (r"x\y  ", "xy"),
            (r#""a"'b'c"#, "abc"),
            (r#""kept " "#, "kept "),
            ("p#q # r", "p#q # r"),
            ("", ""),
        ] {
            assert_eq!(assigned(written), value, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn quoting_round_trips(word in "[^\u{0}]{0,40}") {
            let quoted = quote(&word);
            proptest::prop_assert_eq!(split(&quoted), vec![word.clone()]);
            proptest::prop_assert_eq!(commands(&quoted), vec![vec![word]]);
        }

        #[test]
        fn any_text_survives(text in ".{0,200}") {
            let _ = (split(&text), commands(&text), shell(&text), assigned(&text));
        }
    }
}
