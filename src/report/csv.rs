//! CSV for spreadsheets (RFC 4180, a header line, every field quoted): one row for each workload, or one for each concern.
//!
//! A spreadsheet takes a field that starts with `=`, `+`, `-` or `@` for a formula, and the machine wrote these fields: such
//! a field gets an apostrophe in front, which spreadsheets take as "this is text".

use super::words;
use crate::product::Listen;
use crate::scan::Scan;

/// Columns of a workload's row, before its scores.
const COLUMNS: [&str; 17] = [
    "workload",
    "title",
    "kind",
    "score",
    "verdict",
    "certainty",
    "target",
    "raised_score",
    "raised_by",
    "services",
    "user",
    "schedule",
    "listens",
    "connects",
    "data_bytes",
    "packages",
    "concerns",
];

/// One row for each workload, the lowest score first. Lists are joined by `; `, sizes are bytes; a score for each target
/// profile ends the row.
pub fn workloads(scan: &Scan) -> String {
    let targets: Vec<&String> = scan
        .workloads
        .first()
        .map_or(Vec::new(), |w| w.targets.keys().collect());
    let mut text = String::new();
    let header = COLUMNS.into_iter().map(str::to_owned);
    row(
        &mut text,
        header.chain(targets.iter().map(|name| format!("score_{name}"))),
    );
    for workload in words::by_score(scan) {
        let assessment = &workload.assessment;
        let raise = assessment.raise_to.as_ref();
        let own = scan
            .concerns
            .iter()
            .filter(|c| c.workload.as_ref() == Some(&workload.id));
        let joined = |items: Vec<String>| items.join("; ");
        let fields = [
            workload.id.clone(),
            workload.title.clone(),
            workload.kind.clone(),
            assessment.score.to_string(),
            words::verdict(assessment.verdict).to_owned(),
            words::certainty(assessment.certainty).to_owned(),
            assessment.target.clone(),
            raise
                .map(|raise| raise.score.to_string())
                .unwrap_or_default(),
            raise
                .map(|raise| joined(raise.by.clone()))
                .unwrap_or_default(),
            joined(workload.services.clone()),
            workload.user.clone(),
            workload.schedule.clone().unwrap_or_default(),
            joined(workload.listens.iter().map(Listen::shown).collect()),
            joined(
                workload
                    .connects
                    .iter()
                    .map(|connect| connect.to.clone())
                    .collect(),
            ),
            workload
                .data
                .iter()
                .map(|data| data.bytes)
                .sum::<u64>()
                .to_string(),
            joined(workload.packages.clone()),
            own.count().to_string(),
        ];
        let scores = targets.iter().map(|name| {
            let found = workload.targets.get(*name);
            found
                .map(|found| found.score.to_string())
                .unwrap_or_default()
        });
        row(&mut text, fields.into_iter().chain(scores));
    }
    text
}

/// One row for each concern, the worst first, with the first place it was seen at and how many there are.
pub fn concerns(scan: &Scan) -> String {
    const COLUMNS: [&str; 12] = [
        "severity", "rule", "title", "detail", "workload", "path", "line", "offset", "excerpt",
        "places", "remedy", "question",
    ];
    let mut text = String::new();
    row(&mut text, COLUMNS.into_iter().map(str::to_owned));
    for concern in &scan.concerns {
        let first = concern.evidence.first();
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let fields = [
            words::severity(concern.severity).to_owned(),
            concern.rule.clone(),
            concern.title.clone(),
            concern.detail.clone(),
            concern.workload.clone().unwrap_or_default(),
            first
                .map(|evidence| evidence.path.to_string())
                .unwrap_or_default(),
            number(first.and_then(|evidence| evidence.line).map(u64::from)),
            number(first.and_then(|evidence| evidence.offset)),
            first
                .map(|evidence| evidence.excerpt.clone())
                .unwrap_or_default(),
            concern.evidence.len().to_string(),
            concern.remedy.clone(),
            concern.question.clone().unwrap_or_default(),
        ];
        row(&mut text, fields.into_iter());
    }
    text
}

fn row(text: &mut String, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quoted(&field));
    }
    text.push_str("\r\n");
}

/// A field in quotes that no spreadsheet takes for a formula. Line ends become spaces: a row is a line. What would
/// not be seen, or would steer a terminal, is written out.
fn quoted(field: &str) -> String {
    // The full-width forms count too: some spreadsheets read them alike.
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let flat = field.replace(['\r', '\n', '\t'], " ");
    let flat = crate::path::sanitise(&flat);
    let formula = flat.trim_start().starts_with(FORMULA);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", flat.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        assert_eq!(quoted("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        for start in ["+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"] {
            assert!(quoted(start).contains('\''), "{start:?}");
        }
        assert_eq!(quoted("a \"b\"\nc"), "\"a \"\"b\"\" c\"");
        assert_eq!(quoted("/etc/a=b"), "\"/etc/a=b\"");
    }
}
