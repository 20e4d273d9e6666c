//! `transvase explain`: what a rule or a pack means.

use super::nearest::suggestion;
use super::packs;
use crate::assess;
use crate::cli::Global;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::rule::catalogue;
use crate::ui;
use std::fmt::Write as _;

pub(super) fn run(global: &Global, id: Option<&str>) -> Result<ExitStatus, Error> {
    let Some(id) = id else {
        ui::show(&rules());
        return Ok(ExitStatus::Done);
    };
    let packs = packs(global)?;
    let mut text = String::new();
    if let Some(rule) = catalogue::rule(id) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", rule.id, rule.title);
        let usual = assess::usual();
        let points = assess::points(rule, usual);
        let severity = format!("{:?}", rule.severity).to_lowercase();
        let _ = writeln!(
            text,
            "severity {severity}, {points} points on {}\n",
            usual.id
        );
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
        let known: Vec<String> = known.collect();
        return Err(Error::Other(format!(
            "no rule or pack is called {id:?}.{} `transvase explain` lists the rules, `transvase detectors list` the packs",
            suggestion(id, &known)
        )));
    }
    ui::show(&text);
    Ok(ExitStatus::Done)
}

/// All rules with their severities.
fn rules() -> String {
    let rules = catalogue::rules();
    let width = rules.keys().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for rule in rules.values() {
        let severity = crate::report::severity(rule.severity);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {severity:8}  {}", rule.id, rule.title);
    }
    text
}
