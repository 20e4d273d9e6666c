//! Directives that end with their line, and blocks in braces: dovecot, keepalived, NATS, radiusd, Caddyfile.
//!
//! A key may be followed by `=` or `:`. A block's head is a setting of the first word's name, as in `blocks.rs`, and once
//! more under `@block` with all its words: the head of a Caddyfile's site is an address, not a name.

use super::{Reader, words};
use crate::path::MachinePath;

/// Keys that read on, each relative to the file it stands in.
const INCLUDES: &[&str] = &[
    "include",
    "!include",
    "!include_try",
    "$INCLUDE",
    "$-INCLUDE",
    "import",
];

pub(super) fn read(out: &mut Reader<'_>, text: &str, path: &MachinePath) {
    let mut blocks: Vec<String> = Vec::new();
    let mut instances: Vec<u32> = vec![0];
    let mut count = 0;
    for (number, line) in (1u32..).zip(text.lines()) {
        let mut parts = words(line);
        // `};` closes in the dialects that also know semicolons.
        if let Some(last) = parts.last_mut().filter(|last| last.ends_with(';')) {
            last.pop();
        }
        parts.retain(|part| !part.is_empty());
        let closed = parts.iter().take_while(|part| *part == "}").count();
        for _ in parts.drain(..closed) {
            blocks.pop();
            if instances.len() > 1 {
                instances.pop();
            }
        }
        let closes = parts.len() > 1 && parts.last().is_some_and(|part| part == "}");
        if closes {
            parts.pop();
        }
        let opens = parts.iter().position(|part| part == "{");
        let head = parts
            .get(..opens.unwrap_or(parts.len()))
            .unwrap_or_default();
        let (name, args) = named(head);
        let block = instances.last().copied().unwrap_or(0);
        if out.is_full() {
            return;
        }
        if opens.is_some() && out.may_nest(blocks.len()) {
            count += 1;
            out.setting(&blocks, "@block", head, count, number);
            if !name.is_empty() {
                out.setting(&blocks, &name, &args, count, number);
            }
            blocks.push(name);
            instances.push(count);
            // `x { y = 1 }` on one line.
            let inner = parts
                .get(opens.map_or(0, |at| at + 1)..)
                .unwrap_or_default();
            let (name, args) = named(inner);
            if !name.is_empty() {
                out.setting(&blocks, &name, &args, count, number);
            }
        } else if INCLUDES.contains(&name.as_str()) {
            for pattern in &args {
                out.include_beside(path, pattern, number);
            }
        } else if !name.is_empty() {
            out.setting(&blocks, &name, &args, block, number);
        }
        if closes && blocks.pop().is_some() && instances.len() > 1 {
            instances.pop();
        }
    }
}

/// Key and arguments; `key = value`, `key: value` and `key value` alike.
fn named(words: &[String]) -> (String, Vec<String>) {
    let Some((first, rest)) = words.split_first() else {
        return (String::new(), Vec::new());
    };
    if let Some((key, value)) = first
        .split_once('=')
        .filter(|(key, _)| !key.is_empty() && !key.contains(['/', ':']))
    {
        let value = Some(value.to_owned()).filter(|value| !value.is_empty());
        return (
            key.to_owned(),
            value.into_iter().chain(rest.iter().cloned()).collect(),
        );
    }
    let key = match first.strip_suffix(':') {
        Some(key) if !key.is_empty() => key,
        _ => first,
    };
    let rest = match rest.split_first() {
        Some((mark, rest)) if mark == "=" || mark == ":" => rest,
        _ => rest,
    };
    (key.to_owned(), rest.to_vec())
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::{includes, shown};
    use crate::fact::Syntax::Braces;

    #[test]
    fn dialects() {
        let text = "protocols = imap lmtp # c\nservice imap-login {\n  inet_listener imap {\n    port=1143\n  }\n}\nhost: 127.0.0.1\ncluster { port: 6222 }\n!include conf.d/*.conf\n:8080 {\n\troot * /srv/w\n\treverse_proxy /api/* 127.0.0.1:9000\n}\n";
        assert_eq!(
            shown(Braces, text),
            [
                "protocols=imap,lmtp@1",
                "@block=service,imap-login@2",
                "service=imap-login@2",
                "service/@block=inet_listener,imap@3",
                "service/inet_listener=imap@3",
                "service/inet_listener/port=1143@4",
                "host=127.0.0.1@7",
                "@block=cluster@8",
                "cluster=@8",
                "cluster/port=6222@8",
                "@block=:8080@10",
                ":8080=@10",
                ":8080/root=*,/srv/w@11",
                ":8080/reverse_proxy=/api/*,127.0.0.1:9000@12",
            ]
        );
        assert_eq!(includes(Braces, text)[0].0, "/etc/x/conf.d/*.conf");
    }

    #[test]
    fn damage_is_passed_over() {
        assert_eq!(
            shown(Braces, "}\n} }\na {\n{\n= = =\nb 1\n"),
            ["@block=a@3", "a=@3", "a/@block=@4", "a/===@5", "a/b=1@6"]
        );
    }
}
