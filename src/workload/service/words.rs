//! Words of a command line or an assignment list, split and quoted as systemd.service(5) and systemd.exec(5) do it.

/// Splits at white space; single and double quotes group, C-style escapes are undone.
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut inside = false;
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                inside = true;
                escape(&mut chars, &mut word);
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                inside = true;
                quote = Some(c);
            }
            (c, None) if c.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                    inside = false;
                }
            }
            (c, _) => {
                inside = true;
                word.push(c);
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}

/// The escapes of systemd.syntax(7), "Quoting".
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    let Some(c) = chars.next() else {
        word.push('\\');
        return;
    };
    let (radix, digits) = match c {
        'x' => (16, 2),
        'u' => (16, 4),
        'U' => (16, 8),
        '0'..='7' => (8, 3),
        _ => {
            word.push(match c {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                's' => ' ',
                't' => '\t',
                'v' => '\u{b}',
                other => other,
            });
            return;
        }
    };
    let mut value = if radix == 8 {
        c.to_digit(8).unwrap_or(0)
    } else {
        0
    };
    for _ in 0..(if radix == 8 { digits - 1 } else { digits }) {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
            break;
        };
        value = value.saturating_mul(radix).saturating_add(digit);
        chars.next();
    }
    word.extend(char::from_u32(value));
}

/// One word as a unit file would write it: quoted where it must be.
pub fn quote(word: &str) -> String {
    if !word.is_empty()
        && !word.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '\\')
    {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_quoting() {
        assert_eq!(
            split(r#"/bin/a  "b c" 'd "e' f\x20g \t"#),
            ["/bin/a", "b c", "d \"e", "f g", "\t"]
        );
        assert_eq!(split(r#"a"" "" "#), ["a", ""]);
        assert_eq!(split(r"\101 \u00e4"), ["A", "ä"]);
    }

    proptest::proptest! {
        #[test]
        fn quoting_round_trips(word in "[^\u{0}]{0,40}") {
            proptest::prop_assert_eq!(split(&quote(&word)), vec![word]);
        }

        #[test]
        fn any_text_survives(text in ".{0,200}") {
            let _ = split(&text);
        }
    }
}
