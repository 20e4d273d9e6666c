//! Lines of a shell script joined over their ends, and variables put in as far as they are known.

use super::budget::Budget;
use super::shell;
use std::collections::BTreeMap;

/// Lines joined over backslashes, comments dropped.
pub fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let trimmed = super::trim(line);
        if trimmed.starts_with('#') {
            continue;
        }
        let body = trimmed.strip_suffix('\\').unwrap_or(trimmed);
        match lines.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(body);
            }
            None => lines.push(body.to_owned()),
        }
        open = body.len() < trimmed.len();
    }
    lines
}

/// `$NAME`, `${NAME}` and `${NAME:-default}` replaced by what is known; the rest stays as written, and so does what the
/// budget has nothing left for.
pub fn expand(text: &str, known: &BTreeMap<String, String>, budget: &Budget) -> String {
    put_in(text, known, budget, &[":-"])
}

/// The same inside configuration, where some products write `${NAME:default}` too.
pub fn substitute(text: &str, known: &BTreeMap<String, String>, budget: &Budget) -> String {
    put_in(text, known, budget, &[":-", ":"])
}

/// `defaults` are the signs that may stand before a default, the longer first.
fn put_in(
    text: &str,
    known: &BTreeMap<String, String>,
    budget: &Budget,
    defaults: &[&str],
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(head);
        let body = tail.get(1..).unwrap_or_default();
        let (name, default, after) = if let Some((inside, after)) = braced(body) {
            let parted = defaults.iter().find_map(|sign| inside.split_once(sign));
            let (name, default) = parted.map_or((inside, None), |(n, d)| (n, Some(d)));
            (name, default, after)
        } else {
            let end = body
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(body.len());
            let (name, after) = body.split_at_checked(end).unwrap_or((body, ""));
            (name, None, after)
        };
        let value = known.get(name).map(String::as_str).or(default);
        match value.filter(|value| budget.take(value.len())) {
            Some(value) => out.push_str(value),
            None => out.push_str(tail.strip_suffix(after).unwrap_or(tail)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The same for variables nobody set: empty, as a shell has them.
pub fn drop_unknown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        out.push_str(head);
        let tail = braced(tail).map_or_else(
            || tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'),
            |(_, after)| after,
        );
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Longer is nobody's variable, and looking for the end of each would take for ever where none has one.
const LONGEST: usize = 1_024;

/// What stands in braces at the start of a text, and what follows them.
pub fn braced(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let near = inner.as_bytes().get(..LONGEST).unwrap_or(inner.as_bytes());
    let end = near.iter().position(|byte| *byte == b'}')?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Top-level assignments whose value is literal once earlier ones are put in; the first stands.
pub fn variables(text: &str, budget: &Budget) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for line in logical_lines(text) {
        let line = line.strip_prefix("export ").unwrap_or(&line);
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let words = shell(value);
        let (Some(value), true) = (
            words.first().cloned().or(Some(String::new())),
            is_name(name),
        ) else {
            continue;
        };
        let value = expand(&value, &known, budget);
        if !value.contains(['$', '`']) {
            known.entry(name.to_owned()).or_insert(value);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown() {
        let names = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(substitute("x${A}y$A/$B", &names, &Budget::of(0)), "x1y1/$B");
        let with_default = |text| substitute(text, &names, &Budget::of(0));
        assert_eq!(with_default("${A:2} ${B:8080} ${C:-x}"), "1 8080 x");
        assert_eq!(drop_unknown("/var/log/a$SUFFIX/b${X}"), "/var/log/a/b");
    }
}
