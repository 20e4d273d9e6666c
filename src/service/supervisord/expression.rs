//! Expressions in values: Python's string formatting.

use crate::words::budget::Budget;
use std::collections::BTreeMap;

/// Python's `%(name)s` and `%(name)02d`; `%%` is a percent sign. What is not known stays as written.
pub(super) fn expand(
    text: &str,
    here: &str,
    known: &BTreeMap<String, String>,
    budget: &Budget,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('%') {
        out.push_str(head);
        if let Some(after) = tail.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let put = expression(tail).and_then(|(name, width, after)| {
            let value = if name == "here" {
                here
            } else {
                known.get(name)?
            };
            budget
                .take(value.len().saturating_add(width))
                .then(|| (format!("{value:0>width$}"), after))
        });
        if let Some((value, after)) = put {
            out.push_str(&value);
            rest = after;
        } else {
            out.push('%');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

/// Name and width of an expression, and what follows it.
fn expression(text: &str) -> Option<(&str, usize, &str)> {
    let (name, after) = text.strip_prefix('(')?.split_once(')')?;
    let digits = after.find(|c: char| !c.is_ascii_digit())?;
    let (width, after) = after.split_at_checked(digits)?;
    let after = after.strip_prefix(['s', 'd'])?;
    let width = if width.is_empty() {
        0
    } else {
        width.parse().ok()?
    };
    (width <= 16).then_some((name, width, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_pythons() {
        let known = BTreeMap::from([
            ("process_num".to_owned(), "7".to_owned()),
            ("ENV_A".to_owned(), "x".to_owned()),
        ]);
        let of = |text| expand(text, "/etc/s", &known, &Budget::new(1_000));
        assert_eq!(
            of("%(here)s/%(ENV_A)s_%(process_num)02d 5%% %(no)s %"),
            "/etc/s/x_07 5% %(no)s %"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "[%()a-z0-9é]{0,60}") {
            let _ = expand(&text, "/", &BTreeMap::new(), &Budget::new(1_000));
        }
    }
}
