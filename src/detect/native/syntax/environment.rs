//! `NAME=value` lines: systemd's EnvironmentFile=, /etc/default, and a shell's plain assignments.

use super::Reader;
use crate::fact::Setting;
use crate::words;

/// Lines of one value; a key or a chain of certificates has fewer.
const MOST_LINES: usize = 2_000;

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    let mut lines = (1u32..).zip(text.lines());
    let mut is_open = false;
    while let Some((number, line)) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if logical.starts_with(['#', ';']) {
            continue;
        }
        // A quoted value goes on over lines as it stands, and one that no quote ends is a line like any other.
        let more = lines.clone().map(|(_, line)| line);
        match End::of(&logical) {
            End::Here => {}
            End::Continued => {
                while logical.ends_with('\\') {
                    logical.pop();
                    let Some((_, next)) = lines.next() else { break };
                    logical.push_str(next.trim());
                }
            }
            // What ends nowhere is looked for once: a file may be made of such lines.
            End::Quoted(_) if is_open => {}
            End::Quoted(quote) => {
                if let Some((whole, count)) = closed(&logical, quote, more) {
                    logical = whole;
                    lines.by_ref().take(count).for_each(drop);
                } else {
                    is_open = true;
                }
            }
        }
        let exported = logical.strip_prefix("export ");
        let assignment = exported.unwrap_or(&logical);
        let Some((name, value)) = assignment.split_once('=') else {
            continue;
        };
        let name = name.trim();
        if is_name(name) {
            let block = if exported.is_some() {
                Setting::EXPORTED
            } else {
                0
            };
            out.setting(&[], name, &[words::assigned(value)], block, number);
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// How a line of an assignment ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Here,
    /// With a backslash.
    Continued,
    /// Within this quote.
    Quoted(char),
}

impl End {
    fn of(line: &str) -> Self {
        let value = line
            .strip_prefix("export ")
            .unwrap_or(line)
            .split_once('=')
            .filter(|(name, _)| is_name(name.trim()))
            .map(|(_, value)| value);
        let open = value.and_then(open_quote);
        match open {
            Some(quote) => Self::Quoted(quote),
            None if line.trim_end().ends_with('\\') => Self::Continued,
            None => Self::Here,
        }
    }
}

/// The quote that a value's first line leaves open. As in [`words::assigned`], one opens a value or follows a closed one.
fn open_quote(value: &str) -> Option<char> {
    let mut rest = value.trim_start();
    loop {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let Some(end) = closing(rest.get(1..)?, quote) else {
            return Some(quote);
        };
        rest = rest.get(1 + end + 1..)?.trim_start();
    }
}

/// Where a quote ends.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some(at);
        }
        if c == '\\' && quote == '"' {
            chars.next();
        }
    }
    None
}

/// A first line with those up to the end of its quote, and how many they are.
fn closed<'t>(
    first: &str,
    mut quote: char,
    more: impl Iterator<Item = &'t str>,
) -> Option<(String, usize)> {
    let mut whole = first.to_owned();
    for (count, line) in (1..=MOST_LINES).zip(more) {
        // Within double quotes, a backslash at the end joins the lines.
        let backslashes = whole.len() - whole.trim_end_matches('\\').len();
        if quote == '"' && backslashes % 2 == 1 {
            whole.pop();
        } else {
            whole.push('\n');
        }
        whole.push_str(line);
        let after = closing(line, quote).and_then(|end| line.get(end + 1..));
        match after.map(open_quote) {
            Some(Some(next)) => quote = next,
            Some(None) => return Some((whole, count)),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Environment;

    #[test]
    fn assignments() {
        assert_eq!(
            shown(
                Environment,
                "A=1\nexport B=\"x y\" # c\nC='a#b'\nD=a#b c\nif [ x = y ]; then\nDB_PASSWORD=x1\nE=1\\\n2\n"
            ),
            [
                "A=1@1",
                "B=x y@2",
                "C=a#b@3",
                "D=a#b c@4",
                "DB_PASSWORD=[redacted]@6",
                "E=12@7"
            ]
        );
    }

    #[test]
    fn a_quoted_value_has_lines() {
        assert_eq!(
            shown(
                Environment,
                "CERT='-----A\n b\\\n-----'\nB=\"x\\\ny\n\\\"z\" 'q\nr'\nC=it's\nD='open\nE=1\n"
            ),
            [
                "CERT=-----A\n b\\\n-----@1",
                "B=xy\n\"zq\nr@4",
                "C=it's@8",
                "D=open@9",
                "E=1@10"
            ]
        );
    }
}
