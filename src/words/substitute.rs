//! Variables of a shell inside configuration: `${NAME}`, `${NAME:-default}` and `$NAME`.

use super::budget::Budget;
use super::expand::braced;
use std::collections::BTreeMap;

/// `${NAME}` and `$NAME` replaced where the name is known, as far as the budget goes.
pub fn substitute(text: &str, names: &BTreeMap<String, String>, budget: &Budget) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        out.push_str(head);
        let (name, after, written) = braced(tail).map_or_else(
            || {
                let end = tail
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(tail.len());
                let (name, after) = tail.split_at_checked(end).unwrap_or((tail, ""));
                (name, after, format!("${name}"))
            },
            |(name, after)| (name, after, format!("${{{name}}}")),
        );
        // `${NAME:default}`, and a shell's `${NAME:-default}`.
        let parted = name.split_once(':').filter(|_| written.starts_with("${"));
        let default = parted.map(|(_, default)| default.trim_start_matches('-').to_owned());
        let name = parted.map_or(name, |(name, _)| name);
        let value = names.get(name).or(default.as_ref());
        match value.filter(|value| budget.take(value.len())) {
            Some(value) => out.push_str(value),
            None => out.push_str(&written),
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
