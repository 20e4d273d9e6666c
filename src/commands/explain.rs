//! `transvase explain`: what a rule or a pack means.

use super::packs;
use crate::assess::catalogue;
use crate::cli::Global;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::ui;
use std::fmt::Write as _;

pub(super) fn run(global: &Global, id: &str) -> Result<ExitStatus, Error> {
    let packs = packs(global)?;
    let mut text = String::new();
    if let Some(rule) = catalogue::rule(id) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", rule.id, rule.title);
        let points = rule.points(crate::assess::Target::Docker);
        let severity = format!("{:?}", rule.severity).to_lowercase();
        let _ = writeln!(text, "severity {severity}, {points} points on docker\n");
        let _ = writeln!(text, "Why it matters in a container\n  {}\n", rule.why);
        let _ = writeln!(text, "What to do\n  {}\n", rule.remedy);
        let _ = writeln!(text, "What it cannot see\n  {}", rule.cannot_see);
    } else if let Some(pack) = packs.get(id) {
        let file = &pack.file;
        let _ = writeln!(text, "{}: {}", file.id, file.title);
        let disposition = file.disposition.map(|d| format!("{d:?}").to_lowercase());
        let _ = writeln!(
            text,
            "{}, {}\n",
            file.kind,
            disposition.unwrap_or_else(|| "rules".into())
        );
        let _ = writeln!(text, "Why it matters in a container\n  {}\n", file.why);
        let _ = writeln!(text, "What it cannot see\n  {}", file.cannot_see);
        if !file.links.is_empty() {
            let _ = writeln!(text, "\nReferences\n  {}", file.links.join("\n  "));
        }
    } else {
        let known = catalogue::rules()
            .keys()
            .cloned()
            .chain(packs.iter().map(|pack| pack.file.id.clone()));
        let near = nearest(id, known.collect());
        return Err(Error::Other(format!(
            "no rule or pack is called {id:?}; did you mean {near}?"
        )));
    }
    ui::out(&text);
    Ok(ExitStatus::Done)
}

/// The known id with the fewest edits between.
fn nearest(id: &str, mut known: Vec<String>) -> String {
    known.sort_by_key(|candidate| distance(id, candidate));
    known.into_iter().next().unwrap_or_default()
}

/// Levenshtein's, by characters, over one row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (y, (above, before)) in b.iter().zip(row.iter().skip(1).zip(&row)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((before + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(
            nearest("web/ngnix", vec!["web/nginx".into(), "kernel/x".into()]),
            "web/nginx"
        );
    }
}
