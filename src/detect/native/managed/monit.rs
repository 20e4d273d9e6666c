//! Control files of monit (monit(1), "THE MONIT CONTROL FILE"): checks, each with the program that starts what it watches.
//! Key words are in any case and stand among words that mean nothing; strings are in quotes of either kind.

use super::Reader;
use crate::detect::FileView;
use crate::path::MachinePath;

/// A word, whether it was in quotes, and its line.
struct Token {
    text: String,
    is_string: bool,
    line: u32,
}

impl Token {
    fn is(&self, words: &[&str]) -> bool {
        !self.is_string
            && words
                .iter()
                .any(|word| self.text.eq_ignore_ascii_case(word))
    }
}

/// Words that are there for the reader's eye.
const NOISE: &[&str] = &[
    "is", "as", "are", "on", "only", "with", "within", "in", "using", "use", "used", "usage",
    "and", "has", "the", "for", "=",
];

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let tokens = tokens(file.text());
    let tokens: Vec<&Token> = tokens.iter().filter(|token| !token.is(NOISE)).collect();
    let here = file.path.parent().unwrap_or_else(MachinePath::root);
    let (mut section, mut number) = (String::new(), 0usize);
    let mut rest = tokens.as_slice();
    // Of a start line; what follows is the user's of that program, not of another.
    let mut is_start = false;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let mut next = || {
            let (value, after) = rest.split_first()?;
            rest = after;
            Some(value.text.as_str())
        };
        if token.is(&["include"]) {
            section.clear();
            if let Some(pattern) = next() {
                reader.include(here.join(pattern).text().into_owned());
            }
        } else if token.is(&["set"]) {
            section.clear();
        } else if token.is(&["check"]) {
            // Two checks of one name are two.
            number += 1;
            let kind = next().unwrap_or_default().to_lowercase();
            let name = next().unwrap_or_default();
            section = format!("{number} {name}");
            is_start = false;
            reader.setting(&section, "check", &kind, token.line);
        } else if section.is_empty() || token.is_string {
        } else if token.is(&["start"]) {
            is_start = true;
            let mut words = std::iter::from_fn(&mut next);
            if let Some(line) = words.find(|word| !word.eq_ignore_ascii_case("program")) {
                reader.line(&section, "start", line, token.line);
            }
        } else if token.is(&["then", "else"]) {
            next();
        } else if token.is(&["stop", "restart", "exec", "if", "depends", "every"]) {
            is_start = false;
        } else if token.is(&["pidfile", "mode", "onreboot"])
            || is_start && token.is(&["uid", "gid"])
        {
            let key = token.text.to_lowercase();
            reader.setting(&section, &key, next().unwrap_or_default(), token.line);
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1u32;
    while let Some(c) = chars.next() {
        let start = line;
        match c {
            '\n' => line = line.saturating_add(1),
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' | '\'' => {
                let mut word = String::new();
                for next in chars.by_ref() {
                    line = line.saturating_add(u32::from(next == '\n'));
                    if next == c {
                        break;
                    }
                    word.push(next);
                }
                found.push(Token {
                    text: word,
                    is_string: true,
                    line: start,
                });
            }
            '=' => found.push(Token {
                text: "=".to_owned(),
                is_string: false,
                line,
            }),
            c if c.is_whitespace() || matches!(c, ',' | ';') => {}
            c => {
                let mut word = String::from(c);
                let is_in = |c: &char| !c.is_whitespace() && !matches!(c, '"' | '=' | ',' | ';');
                while let Some(next) = chars.next_if(is_in) {
                    word.push(next);
                }
                found.push(Token {
                    text: word,
                    is_string: false,
                    line,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::native::Managers;
    use crate::detect::{Detector, Sink};
    use crate::fact::{Dialect, Fact};
    use crate::walk::Entry;

    fn shown(text: &str) -> (Vec<String>, Vec<String>) {
        let path = MachinePath::new("/etc/monit/monitrc");
        let entry = Entry::file(&path, 0o600);
        let purpose = Managers::purpose(Dialect::Monit);
        let view = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        let mut sink = Sink::default();
        Managers.inspect(&view, &mut sink);
        let Fact::Managed(found) = sink.facts.remove(0) else {
            panic!("no manager's file");
        };
        let entries = found.entries.into_iter();
        let entries = entries.map(|e| format!("{}/{}={}@{}", e.section, e.key, e.value, e.line));
        (entries.collect(), found.includes)
    }

    #[test]
    fn checks_are_read_among_words_that_mean_nothing() {
        let text = "set httpd port 2812 and allow admin:geheim1\ninclude /etc/monit/conf-enabled/*\nCHECK PROCESS app WITH PIDFILE /run/app.pid # start = \"no\"\n  START PROGRAM = \"/opt/app/run -p 80\"\n    as uid \"shop\" and gid shop with timeout 60 seconds\n  stop program = '/opt/app/stop' as uid root\n  if not exist then start\ncheck process b matching \"b -x\"\n  start \"/bin/b --password=geheim1x\"\n  mode manual\n";
        let (entries, includes) = shown(text);
        assert_eq!(
            entries,
            [
                "1 app/check=process@3",
                "1 app/pidfile=/run/app.pid@3",
                "1 app/start=/opt/app/run -p 80@4",
                "1 app/uid=shop@5",
                "1 app/gid=shop@5",
                "2 b/check=process@8",
                "2 b/start=/bin/b --password=[redacted]@9",
                "2 b/mode=manual@10",
            ]
        );
        assert_eq!(includes, ["/etc/monit/conf-enabled/*"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s)[ -~\n\t=\"'#]{0,300}") {
            let _ = tokens(&text);
            let _ = shown(&text);
        }
    }
}
