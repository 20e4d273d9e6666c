//! Directives that end in `;` and blocks in braces: nginx, and those who took after it.
//!
//! From nginx's `ngx_conf_file.c` as documented under "Configuration file's structure"; compared with crossplane.

use super::Reader;
use crate::words::budget::WORDS;

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// With `c_comments`, `// …` and `/* … */` are comments too: named and its kin.
pub(super) fn read(out: &mut Reader<'_>, text: &str, c_comments: bool) {
    let mut blocks: Vec<String> = Vec::new();
    let mut instances: Vec<u32> = vec![0];
    let mut count = 0;
    let mut words: Vec<String> = Vec::new();
    let mut line = 1;
    // Blocks inside of one that is too deep: passed over with all they hold.
    let mut passed = 0usize;
    tokens(text, c_comments, &mut |token, at| {
        if passed > 0 {
            match token {
                Token::Open => passed += 1,
                Token::Close => passed -= 1,
                Token::Word(_) | Token::End => {}
            }
            return true;
        }
        if words.is_empty() {
            line = at;
        }
        match token {
            // One more than a setting may have, so that it is seen to be too long.
            Token::Word(word) if words.len() <= WORDS + 1 => words.push(word),
            Token::Word(_) => {}
            Token::End => {
                directive(
                    out,
                    &blocks,
                    &words,
                    instances.last().copied().unwrap_or(0),
                    line,
                );
                words.clear();
            }
            Token::Open => {
                let name = words.first().cloned().unwrap_or_default();
                count += 1;
                if !words.is_empty() {
                    out.setting(
                        &blocks,
                        &name,
                        words.get(1..).unwrap_or_default(),
                        count,
                        line,
                    );
                }
                words.clear();
                if out.may_nest(blocks.len()) {
                    blocks.push(name);
                    instances.push(count);
                } else {
                    passed = 1;
                }
            }
            Token::Close => {
                words.clear();
                blocks.pop();
                if instances.len() > 1 {
                    instances.pop();
                }
            }
        }
        !out.is_full()
    });
}

fn directive(out: &mut Reader<'_>, blocks: &[String], words: &[String], block: u32, line: u32) {
    let Some((name, args)) = words.split_first() else {
        return;
    };
    if name == "include" {
        for pattern in args {
            out.include(blocks, pattern, line);
        }
        return;
    }
    out.setting(blocks, name, args, block, line);
}

/// Tells each token with its line, until it is told to stop.
fn tokens(text: &str, c_comments: bool, tell: &mut dyn FnMut(Token, u32) -> bool) {
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while let Some(c) = chars.next() {
        let (token, at) = match c {
            '\n' => {
                line += 1;
                continue;
            }
            c if c.is_whitespace() => continue,
            '#' => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '/' if c_comments && chars.peek() == Some(&'/') => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            '/' if c_comments && chars.peek() == Some(&'*') => {
                let mut last = ' ';
                chars.next();
                for c in chars.by_ref() {
                    line += u32::from(c == '\n');
                    if (last, c) == ('*', '/') {
                        break;
                    }
                    last = c;
                }
                continue;
            }
            ';' => (Token::End, line),
            '{' => (Token::Open, line),
            '}' => (Token::Close, line),
            '"' | '\'' => {
                let start = line;
                let mut word = String::new();
                while let Some(next) = chars.next() {
                    match next {
                        '\\' => word.extend(chars.next()),
                        next if next == c => break,
                        next => {
                            line += u32::from(next == '\n');
                            word.push(next);
                        }
                    }
                }
                (Token::Word(word), start)
            }
            first => {
                let mut word = String::from(first);
                let mut variable = first == '$';
                while let Some(next) = chars.peek().copied() {
                    // `${name}` is part of a word, its braces no block.
                    let brace = variable && next == '{';
                    if !brace && (next.is_whitespace() || matches!(next, ';' | '{')) {
                        break;
                    }
                    chars.next();
                    word.push(next);
                    if brace {
                        while let Some(inner) = chars.next_if(|c| *c != '}' && *c != '\n') {
                            word.push(inner);
                        }
                        word.extend(chars.next_if_eq(&'}'));
                    } else if next == '\\' {
                        word.extend(chars.next_if(|c| *c != '\n'));
                    } else if next == '}' {
                        // `}` ends a word only in damaged files; nginx would refuse, we go on.
                    }
                    variable = next == '$';
                }
                (Token::Word(word), line)
            }
        };
        if !tell(token, at) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::{includes, shown};
    use crate::fact::Syntax::{Blocks, CBlocks};

    #[test]
    fn c_comments() {
        let text = "// a\noptions { /* b;\n } */ directory \"/var/x\"; // c\n};\nzone \"a\" { file \"/etc/a//b\"; };\n";
        assert_eq!(
            shown(CBlocks, text),
            [
                "options=@2",
                "options/directory=/var/x@3",
                "zone=a@5",
                "zone/file=/etc/a//b@5"
            ]
        );
    }

    #[test]
    fn nested_blocks() {
        let text = "user www; # c\nhttp {\n  include mime.types;\n  server {\n    listen 8080 default_server;\n    location ~ \\.php$ { fastcgi_pass unix:/run/x.sock; }\n    set $a \"b;{c\";\n    return 301 https://${host}$request_uri;\n  }\n}\n";
        assert_eq!(
            shown(Blocks, text),
            [
                "user=www@1",
                "http=@2",
                "http/server=@4",
                "http/server/listen=8080,default_server@5",
                "http/server/location=~,\\.php$@6",
                "http/server/location/fastcgi_pass=unix:/run/x.sock@6",
                "http/server/set=$a,b;{c@7",
                "http/server/return=301,https://${host}$request_uri@8",
            ]
        );
        assert_eq!(
            includes(Blocks, text),
            [("/etc/x/mime.types".to_owned(), "http".to_owned())]
        );
    }
}
