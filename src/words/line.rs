//! A line of shell taken apart into its commands: which of them stays, where its output goes. Nothing is evaluated.

use super::{is_blank, parts};
use crate::words::expand::is_name;

/// One command of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simple {
    /// `NAME=value` before it, and what the line exported until then.
    pub settings: Vec<(String, String)>,
    /// Each with whether any of it was quoted.
    pub words: Vec<(String, bool)>,
    /// Files that its output goes to.
    pub output: Vec<String>,
    /// Where an earlier `cd` of the line went.
    pub directory: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String, bool),
    /// `;`, `&`, `&&`, `|`, `||`, `(`, `)`.
    Control(&'static str),
    /// A redirection, and whether it is of output; the file is the next word.
    Redirect(bool),
}

/// Commands that only end or wait for another, and words of the language.
const NOTHING: &[&str] = &[
    "wait", "true", ":", "exit", "return", "fi", "done", "esac", "trap", "echo", "printf", "sleep",
];

/// Words that stand before a command without being one.
const BEFORE: &[&str] = &["then", "else", "do", "{", "}", "!", "if", "while", "elif"];

const CONTROLS: &[&str] = &["&&", "||", "|&", ";;", ";", "|", "&", "(", ")", "\n"];

/// The command of a line that stays when the others are through: the last that is no alternative to another, and of a
/// pipeline the first, since what follows only reads it.
pub fn main(line: &str) -> Option<Simple> {
    let mut chosen: Option<Simple> = None;
    let (mut settings, mut directory) = (Vec::new(), None);
    for (number, (joined, tokens)) in commands(&tokens(line)).into_iter().enumerate() {
        let mut simple = simple(tokens);
        let first = simple.words.first().map_or("", |(word, _)| word.as_str());
        match first {
            "cd" => {
                directory = simple.words.get(1).map(|(word, _)| word.clone());
                continue;
            }
            "export" | "set" => {
                let set = simple.words.iter().skip(1);
                settings.extend(set.filter_map(|(word, _)| assignment(word)));
                continue;
            }
            "" => {
                settings.append(&mut simple.settings);
                continue;
            }
            _ if NOTHING.contains(&first) => continue,
            _ => {}
        }
        let is_other = matches!(joined, "||" | "|" | "|&") && number > 0;
        if is_other && chosen.is_some() {
            continue;
        }
        simple.settings.splice(0..0, settings.iter().cloned());
        simple.directory.clone_from(&directory);
        chosen = Some(simple);
    }
    chosen
}

/// Runs of tokens, each with what parts it from the one before.
fn commands(tokens: &[Token]) -> Vec<(&'static str, &[Token])> {
    let mut found = Vec::new();
    let (mut from, mut joined) = (0, ";");
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Control(control) = token {
            found.push((joined, tokens.get(from..at).unwrap_or_default()));
            (from, joined) = (at + 1, control);
        }
    }
    found.push((joined, tokens.get(from..).unwrap_or_default()));
    found.retain(|(_, tokens)| !tokens.is_empty());
    found
}

fn simple(tokens: &[Token]) -> Simple {
    let mut found = Simple::default();
    let mut tokens = tokens.iter();
    while let Some(token) = tokens.next() {
        match token {
            Token::Redirect(is_output) => {
                if let Some(Token::Word(file, _)) = tokens.next()
                    && *is_output
                    && file.contains('/')
                    && !file.starts_with("/dev/")
                {
                    found.output.push(file.clone());
                }
            }
            Token::Word(word, quoted) => {
                let is_first = found.words.is_empty();
                if is_first && !quoted && BEFORE.contains(&word.as_str()) {
                    continue;
                }
                match assignment(word).filter(|_| is_first) {
                    Some(set) => found.settings.push(set),
                    None => found.words.push((word.clone(), *quoted)),
                }
            }
            Token::Control(_) => {}
        }
    }
    found
}

fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}

fn tokens(line: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if is_blank(c) && c != '\n' {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        } else if c == '#' {
            rest = rest
                .find('\n')
                .and_then(|end| rest.get(end..))
                .unwrap_or_default();
        } else if let Some((is_output, after)) = redirection(rest) {
            found.extend(is_output.map(Token::Redirect));
            rest = after;
        } else if let Some(control) = CONTROLS.iter().find(|control| rest.starts_with(**control)) {
            found.push(Token::Control(control));
            rest = rest.get(control.len()..).unwrap_or_default();
        } else {
            let (word, quoted, after) = word(rest);
            found.push(Token::Word(word, quoted));
            rest = after;
        }
    }
    found
}

/// `> file`, `2>> file`, `&> file`, `< file`; of `2>&1` and `>&-` nothing stays.
fn redirection(text: &str) -> Option<(Option<bool>, &str)> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let body = digits
        .strip_prefix('&')
        .filter(|_| digits.len() == text.len());
    let sign = body.filter(|body| body.starts_with('>')).unwrap_or(digits);
    let after = sign.strip_prefix(['>', '<'])?;
    let is_output = sign.starts_with('>');
    if let Some(copy) = after.strip_prefix('&') {
        let end = copy.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        if end.len() < copy.len() {
            return Some((None, end));
        }
        return Some((Some(is_output), copy));
    }
    Some((Some(is_output), after.trim_start_matches(['>', '<', '|'])))
}

/// One word, its quotes undone; what a command puts in stays as written.
fn word(text: &str) -> (String, bool, &str) {
    let mut word = String::new();
    let (mut quote, mut quoted, mut depth, mut ticks) = (None, false, 0usize, false);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let opens = c == '(' && word.ends_with('$');
        let inside = quote.is_some() || depth > 0 || ticks || opens;
        let ends = is_blank(c) || ";&|<>()".contains(c);
        if ends && !inside {
            // What is no word at all is passed over, so that reading goes on.
            let at = if word.is_empty() && !quoted {
                at + c.len_utf8()
            } else {
                at
            };
            return (word, quoted, text.get(at..).unwrap_or_default());
        }
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) if depth == 0 && !ticks => {
                quote = Some(c);
                quoted = true;
            }
            ('\\', None) => word.extend(chars.next().map(|(_, c)| c)),
            ('\\', Some('"')) => match chars.next_if(|(_, c)| "\"\\`$".contains(*c)) {
                Some((_, escaped)) => word.push(escaped),
                None => word.push('\\'),
            },
            _ => {
                let is_open = c == '(' && (word.ends_with('$') || depth > 0);
                depth = match c {
                    '(' if is_open && quote != Some('\'') => depth + 1,
                    ')' => depth.saturating_sub(1),
                    _ => depth,
                };
                ticks ^= c == '`' && quote != Some('\'');
                word.push(c);
            }
        }
    }
    (word, quoted, "")
}

/// The first word of a text, and whether any of it was quoted.
pub fn first(text: &str) -> (String, bool) {
    let (word, quoted, _) = word(super::trim(text));
    (word, quoted)
}

/// Words with variables put in: what is not quoted, a shell splits again.
pub fn expanded(words: &[(String, bool)], put_in: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for (word, quoted) in words {
        if !word.contains(['$', '`']) {
            found.push(word.clone());
            continue;
        }
        let text = put_in(word);
        if *quoted || text.contains(['$', '`']) {
            found.push(text);
        } else {
            found.extend(parts(&text).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let Some(found) = main(line) else {
            return String::new();
        };
        let words: Vec<&str> = found.words.iter().map(|(word, _)| word.as_str()).collect();
        let output = found.output.iter().map(|file| format!(" >{file}"));
        let settings = found.settings.iter();
        let settings = settings.map(|(name, value)| format!(" {name}={value}"));
        let directory = found
            .directory
            .iter()
            .map(|directory| format!(" @{directory}"));
        let more: Vec<String> = output.chain(settings).chain(directory).collect();
        words.join("|") + &more.concat()
    }

    #[test]
    fn the_command_that_stays() {
        for (line, wanted) in [
            (
                "/opt/k/start.sh /opt/k/s.conf > /opt/k/console.log 2>&1",
                "/opt/k/start.sh|/opt/k/s.conf >/opt/k/console.log",
            ),
            (
                "exec /opt/a -x >>/var/log/a 2>&1 </dev/null",
                "exec|/opt/a|-x >/var/log/a",
            ),
            ("/opt/a >/dev/null 2>&1", "/opt/a"),
            ("/opt/a &>/var/log/a.log", "/opt/a >/var/log/a.log"),
            (
                "cd /srv/x && A=1 exec ./run 'b c'",
                "exec|./run|b c A=1 @/srv/x",
            ),
            ("ulimit -n 4096; /opt/a | tee /var/log/x", "/opt/a"),
            ("/opt/a 2>&1 | logger -t a", "/opt/a"),
            ("export A='1 2' B=3; /opt/a || exit 1", "/opt/a A=1 2 B=3"),
            ("/opt/a & wait", "/opt/a"),
            ("test -d /x || mkdir /x; /opt/a", "/opt/a"),
            (
                "[ -x /opt/a ] && { /opt/a --on=$(hostname -f) ; }",
                "/opt/a|--on=$(hostname -f)",
            ),
            ("if [ -f /x ]; then /opt/a; fi", "/opt/a"),
            ("", ""),
        ] {
            assert_eq!(shown(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_not_quoted_is_split_again() {
        let found = main("java $OPTS \"$ONE\"").unwrap_or_default();
        let put = |text: &str| text.replace("$OPTS", "-a -b").replace("$ONE", "c d");
        assert_eq!(expanded(&found.words, &put), ["java", "-a", "-b", "c d"]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in "(?s).{0,120}") {
            let _ = main(&line);
        }

        #[test]
        fn any_line_of_signs_survives(line in "[a &|;<>()$`'\"\\\\\n=/0-9{}]{0,40}") {
            let _ = main(&line);
        }
    }
}
