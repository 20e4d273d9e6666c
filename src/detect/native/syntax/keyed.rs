//! One key a line: `key = value`, `key value…`, and Java's `key: value`.

use super::{Reader, words};
use crate::fact::profile;
use crate::path::MachinePath;
use crate::words::fallback::spelled;

/// postgresql.conf and sysctl.conf: the equals sign may be missing, values may stand in single quotes.
pub(super) fn read_equals(out: &mut Reader<'_>, text: &str, path: &MachinePath) {
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let end = line
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(line.len());
        let (key, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let rest = rest.trim_start();
        // `=`, and `+=`, `:=`, `==` of the languages that have more than one.
        let sign = ["+=", ":=", "==", "="]
            .iter()
            .find_map(|sign| rest.strip_prefix(sign));
        let value = value(sign.unwrap_or(rest).trim());
        match key {
            "include" | "include_if_exists" => out.include_beside(path, &value, number),
            "include_dir" => {
                out.include_beside(path, &format!("{value}/*.conf"), number);
                // The directory has to be there, empty or not.
                let beside = path.parent().unwrap_or_else(MachinePath::root);
                let directory = beside.join(&value).text().into_owned();
                out.setting(&[], key, &[directory], 0, number);
            }
            "" => {}
            _ => out.setting(&[], key, &[value], 0, number),
        }
    }
}

/// A quoted value keeps its `#`; two quotes inside are one.
fn value(text: &str) -> String {
    // lighttpd and its kin quote with `"`, and close a block's head on the same line.
    if let Some((inner, _)) = text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        return inner.to_owned();
    }
    let Some(inner) = text.strip_prefix('\'') else {
        return text
            .split(" #")
            .next()
            .unwrap_or(text)
            .split("\t#")
            .next()
            .unwrap_or(text)
            .trim()
            .to_owned();
    };
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.next_if_eq(&'\'').is_some() => out.push('\''),
            '\'' => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// redis.conf, sshd_config, chrony.conf: a key and words; `include` reads on.
pub(super) fn read_space(out: &mut Reader<'_>, text: &str) {
    for (number, line) in (1u32..).zip(text.lines()) {
        if line.trim_start().starts_with([';', '!']) {
            continue;
        }
        // The configuration of some servers is code.
        let parts = words(&spelled(line));
        let Some((key, args)) = parts.split_first() else {
            continue;
        };
        if key.eq_ignore_ascii_case("include") {
            for pattern in args {
                out.include(&[], pattern, number);
            }
        } else if key.eq_ignore_ascii_case("include_dir") {
            for directory in args {
                out.include(&[], &format!("{directory}/*.conf"), number);
            }
        } else {
            out.setting(&[], key, args, 0, number);
        }
    }
}

/// java.util.Properties: `=`, `:` or white space after the key, `\` continues, `!` and `#` comment.
pub(super) fn read_properties(out: &mut Reader<'_>, text: &str) {
    let is_border = |line: &str| matches!(line.trim_end(), "#---" | "!---");
    let has_several = text.lines().any(is_border);
    let mut block = u32::from(has_several);
    if has_several {
        out.conditions = conditions_of(text.lines(), is_border);
    }
    let mut lines = (1u32..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if is_border(line) {
            block = block.saturating_add(1);
            out.conditions = conditions_of(lines.clone().map(|(_, line)| line), is_border);
        }
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        while logical.ends_with('\\') && !logical.ends_with("\\\\") {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start());
        }
        let end = logical
            .find(|c: char| matches!(c, '=' | ':') || c.is_whitespace())
            .unwrap_or(logical.len());
        let (key, rest) = logical.split_at_checked(end).unwrap_or((&logical, ""));
        let rest = rest.trim_start();
        let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
        if matches!(key, "include" | "include-toplevel") {
            out.include(&[], value.trim_matches('"'), number);
            continue;
        }
        out.setting(
            &[],
            key,
            &[value.replace("\\:", ":").replace("\\=", "=")],
            block,
            number,
        );
    }
    out.conditions.clear();
}

/// Lines of a document in which it says of which profiles it is.
const FIRST: usize = 256;

/// Of which profiles the document is whose lines come next.
fn conditions_of<'a>(
    lines: impl Iterator<Item = &'a str>,
    is_border: impl Fn(&str) -> bool,
) -> Vec<String> {
    let own = lines.take(FIRST).take_while(|line| !is_border(line));
    let found = own.filter_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        profile::condition(key.trim(), value.trim())
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::{includes, shown};
    use crate::fact::Syntax;

    #[test]
    fn equals() {
        let text = "port = 5433\t# c\nlisten_addresses = '*'\nshared_buffers 128MB\ninclude_dir 'conf.d'\nnet.ipv4.ip_forward=1\n";
        assert_eq!(
            shown(Syntax::KeyEquals, text),
            [
                "port=5433@1",
                "listen_addresses=*@2",
                "shared_buffers=128MB@3",
                "include_dir=/etc/x/conf.d@4",
                "net.ipv4.ip_forward=1@5"
            ]
        );
        assert_eq!(
            includes(Syntax::KeyEquals, text)[0].0,
            "/etc/x/conf.d/*.conf"
        );
    }

    #[test]
    fn space() {
        let text = "bind 127.0.0.1 -::1\nrequirepass \"a b\"\ninclude /etc/y.conf\nsave \"\"\n";
        assert_eq!(
            shown(Syntax::KeySpace, text),
            [
                "bind=127.0.0.1,-::1@1",
                "requirepass=[redacted]@2",
                "save=@4"
            ]
        );
        assert_eq!(includes(Syntax::KeySpace, text)[0].0, "/etc/y.conf");
    }

    #[test]
    fn properties() {
        assert_eq!(
            shown(Syntax::Properties, "server.port=8\\\n 081\n! c\na : b\n"),
            ["server.port=8081@1", "a=b@4"]
        );
    }
}
