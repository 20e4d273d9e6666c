//! Sections and `key = value`, in the dialects of my.cnf, php.ini, FPM pools, supervisord, uWSGI and NetworkManager.
//!
//! Keys without a value are settings too (`skip-networking`); a key may repeat. `;` and `#` start a comment at the start
//! of a line, and after white space behind a value.

use super::Reader;
use crate::path::MachinePath;

pub(super) fn read(out: &mut Reader<'_>, text: &str, path: &MachinePath) {
    let mut section: Vec<String> = Vec::new();
    let mut count = 0;
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(pattern) = line.strip_prefix("!includedir") {
            out.include_beside(path, &format!("{}/*.cnf", pattern.trim()), number);
            continue;
        }
        if let Some(pattern) = line.strip_prefix("!include") {
            out.include_beside(path, pattern.trim(), number);
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            count += 1;
            section = vec![name.trim().to_owned()];
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (line, None),
        };
        let value = value.map(value_of);
        let is_include = key == "include"
            || (key == "files" && section.first().is_some_and(|name| name == "include"));
        if let Some(patterns) = value.as_ref().filter(|_| is_include) {
            for pattern in patterns.split_whitespace() {
                out.include_beside(path, pattern, number);
            }
            continue;
        }
        let args: Vec<String> = value.into_iter().collect();
        out.setting(&section, key, &args, count, number);
    }
}

fn value_of(value: &str) -> String {
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\''))
        && let Some(inner) = value.get(1..).and_then(|rest| rest.split(quote).next())
    {
        return inner.to_owned();
    }
    let cut = value
        .find(" ;")
        .or_else(|| value.find(" #"))
        .or_else(|| value.find("\t;"))
        .or_else(|| value.find("\t#"));
    value
        .get(..cut.unwrap_or(value.len()))
        .unwrap_or(value)
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::{includes, shown};
    use crate::fact::Syntax::Ini;

    #[test]
    fn dialects() {
        let text = "[mysqld]\nskip-networking\nport = 3307 # c\ndatadir=\"/srv/my sql\"\n; no\n!includedir /etc/mysql/conf.d/\n[www]\nlisten = /run/php.sock\ninclude=pool.d/*.conf\n";
        assert_eq!(
            shown(Ini, text),
            [
                "mysqld/skip-networking=@2",
                "mysqld/port=3307@3",
                "mysqld/datadir=/srv/my sql@4",
                "www/listen=/run/php.sock@8"
            ]
        );
        let found: Vec<String> = includes(Ini, text)
            .into_iter()
            .map(|(pattern, _)| pattern)
            .collect();
        assert_eq!(found, ["/etc/mysql/conf.d/*.cnf", "/etc/x/pool.d/*.conf"]);
    }
}
