//! The summary on a terminal: what the machine is, what moves, what stays, what stands in the way. No line is wider than
//! the terminal; colour marks verdicts and severities and nothing else, and never says more than the word beside it.

use super::Style;
use super::text::{columns, cut, wrap};
use crate::fact::Evidence;
use crate::path::sanitise;
use crate::product::{Disposition, Listen};
use crate::render;
use crate::report;
use crate::rule::{Severity, Verdict};
use crate::scan::{Scan, Workload};
use crate::text::list;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Entries of a list that are shown; the report has them all.
const SHOWN: usize = 12;

/// Questions that are shown.
const ASKED: usize = 4;

/// Widest column of ids.
const ID: usize = 30;

/// The summary of a scan. Every name of the machine is sanitised.
pub fn terminal(scan: &Scan, style: &Style) -> String {
    let mut text = head(scan, style);
    workloads(&mut text, scan, style);
    left_behind(&mut text, scan, style);
    asked(&mut text, scan, style);
    first(&mut text, scan, style);
    concerns(&mut text, scan, style);
    unexamined(&mut text, scan, style);
    text
}

fn head(scan: &Scan, style: &Style) -> String {
    let os = scan.machine.os.as_ref();
    let os = os.map_or("an unknown system", |os| os.pretty_name.as_str());
    let name = scan.machine.hostname.as_deref().unwrap_or("the machine");
    let name = sanitise(name);
    let os = cut(
        &sanitise(os),
        style.width.saturating_sub(columns(&name) + 2),
    );
    let mut text = format!("{}  {os}\n", style.paint("1", &name));
    let counts = format!(
        "{} files, {} packages, {} services and jobs that start",
        scan.coverage.files_seen, scan.packages.count, scan.totals.services
    );
    text.push_str(&wrap("", &counts, 0, style.width));
    let whole = &scan.assessment;
    let verdict = report::verdict(whole.verdict);
    let line = format!(
        "{verdict} {}/100: {}",
        whole.score,
        sanitise(&whole.summary)
    );
    let line = wrap("", &line, 2, style.width);
    text.push_str(&painted(&line, verdict, colour(whole.verdict), style));
    let certainty = report::certainty_said(whole.certainty);
    text.push_str(&wrap("", &format!("{certainty}."), 2, style.width));
    text.push('\n');
    text
}

/// Paints the first occurrence of a word: colour comes after wrapping, for it takes no columns.
fn painted(text: &str, word: &str, code: &str, style: &Style) -> String {
    text.replacen(word, &style.paint(code, word), 1)
}

fn heading(text: &mut String, title: &str, style: &Style) {
    text.push_str(&style.paint("1", title));
    text.push('\n');
}

fn workloads(text: &mut String, scan: &Scan, style: &Style) {
    let sorted = report::by_score(scan);
    if sorted.is_empty() {
        return;
    }
    let widest = sorted.iter().map(|workload| columns(&workload.id)).max();
    let width = widest.unwrap_or_default().min(ID);
    heading(text, "Workloads, lowest score first", style);
    for workload in sorted {
        row(text, workload, width, style);
    }
    text.push('\n');
}

/// Score, id, title, and in what is left of the line, or on the next, where it listens or when it runs.
fn row(text: &mut String, workload: &Workload, width: usize, style: &Style) {
    let assessment = &workload.assessment;
    let indent = 2 + 3 + 2 + width + 2;
    let room = style.width.saturating_sub(indent).max(10);
    let id = cut(&sanitise(&workload.id), width);
    let score = style.paint(
        colour(assessment.verdict),
        &format!("{:>3}", assessment.score),
    );
    let title = cut(&sanitise(&workload.title), room);
    let notes = notes(workload);
    let pad = " ".repeat(width - columns(&id));
    let _ = write!(text, "  {score}  {id}{pad}  {title}");
    if notes.is_empty() {
        text.push('\n');
    } else if columns(&title) + 2 + columns(&notes) <= room {
        let _ = writeln!(text, "  {notes}");
    } else {
        text.push('\n');
        let blanks = " ".repeat(indent);
        text.push_str(&wrap(&blanks, &notes, indent, style.width));
    }
    let mut more = Vec::new();
    if assessment.verdict != Verdict::Container {
        more.push(report::verdict(assessment.verdict).to_owned());
    }
    if let Some(raise) = &assessment.raise_to {
        more.push(format!(
            "{} with {} fixed",
            raise.score,
            raise.by.join(", ")
        ));
    }
    if !more.is_empty() {
        let blanks = " ".repeat(indent);
        let line = wrap(&blanks, &sanitise(&more.join("; ")), indent, style.width);
        let word = report::verdict(assessment.verdict);
        text.push_str(&painted(&line, word, colour(assessment.verdict), style));
    }
}

fn notes(workload: &Workload) -> String {
    let place = |listen: &Listen| match listen.port {
        0 => listen.address.clone(),
        port if listen.protocol == "tcp" => format!("{}:{port}", listen.address),
        port => format!("{}:{port}/{}", listen.address, listen.protocol),
    };
    let mut notes: Vec<String> = workload.listens.iter().take(4).map(place).collect();
    notes.extend(workload.schedule.clone());
    sanitise(&notes.join(" ")).into_owned()
}

fn left_behind(text: &mut String, scan: &Scan, style: &Style) {
    for (disposition, title) in [
        (Disposition::Keep, "Stays on a machine"),
        (Disposition::Drop, "Left out"),
    ] {
        let kinds = report::kinds(scan, Some(disposition));
        if kinds.is_empty() {
            continue;
        }
        heading(text, title, style);
        for kind in kinds.iter().take(SHOWN) {
            let line = format!("{}: {}", kind.names(3), kind.reason);
            text.push_str(&wrap("  ", &sanitise(&line), 4, style.width));
        }
        more(text, kinds.len());
    }
    let platform = scan.totals.platform;
    if platform > 0 {
        let line = format!(
            "{platform} services and jobs are the platform's work in a container (ssh, cron, logs, boot)."
        );
        text.push_str(&wrap("", &line, 0, style.width));
        text.push('\n');
    }
}

/// How many of a list are not shown, and the empty line after it.
fn more(text: &mut String, count: usize) {
    let more = count.saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text.push('\n');
}

/// The questions whose answers gain most.
fn asked(text: &mut String, scan: &Scan, style: &Style) {
    let questions = report::questions(scan);
    if questions.is_empty() {
        return;
    }
    heading(text, "What to answer first (--answers)", style);
    for question in questions.iter().take(ASKED) {
        let whose = match question.workload.as_str() {
            "" => "the machine",
            id => id,
        };
        let line = format!("{} {}", question.question, question.detail);
        let before = format!("  +{:<2} {}: ", question.points, sanitise(whose));
        text.push_str(&wrap(&before, &sanitise(&line), 6, style.width));
    }
    let more = questions.len().saturating_sub(ASKED);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text.push('\n');
}

fn first(text: &mut String, scan: &Scan, style: &Style) {
    let steps = report::steps(scan);
    if steps.is_empty() {
        return;
    }
    heading(text, "What to do first", style);
    for (step, number) in steps.iter().take(3).zip(1..) {
        let whose = match step.workloads.as_slice() {
            [] => String::new(),
            ids => format!(" ({})", list(ids, 3)),
        };
        let line = format!("{}{whose}", step.what);
        let before = format!("  {number}. ");
        text.push_str(&wrap(&before, &sanitise(&line), 5, style.width));
    }
    text.push('\n');
}

fn concerns(text: &mut String, scan: &Scan, style: &Style) {
    let shown: Vec<_> = scan
        .concerns
        .iter()
        .filter(|concern| concern.severity >= Severity::Major && !concern.is_unknown())
        .collect();
    if shown.is_empty() {
        return;
    }
    heading(text, "What stands in the way", style);
    let mut lines: Vec<(Severity, String)> = shown
        .into_iter()
        .map(|concern| {
            let place = concern.evidence.first().map(Evidence::place);
            let (rule, detail) = (&concern.rule, &concern.detail);
            let line = format!("{rule}: {detail}  {}", place.unwrap_or_default());
            (concern.severity, line)
        })
        .collect();
    // Two workloads that read one file stand in the way once.
    let mut known = BTreeSet::new();
    lines.retain(|line| known.insert(line.clone()));
    for (severity, line) in lines.iter().take(SHOWN) {
        let word = report::severity(*severity);
        let before = format!("  {word:7}  ");
        let line = wrap(&before, &sanitise(line), 11, style.width);
        let code = if *severity == Severity::Blocker {
            "31"
        } else {
            "33"
        };
        text.push_str(&painted(&line, word, code, style));
    }
    more(text, lines.len());
}

fn unexamined(text: &mut String, scan: &Scan, style: &Style) {
    let parts = &scan.coverage.unexamined;
    if parts.is_empty() {
        return;
    }
    heading(text, "Not examined", style);
    for part in parts.iter().take(SHOWN) {
        let line = format!("{}: {}", part.path, part.reason);
        text.push_str(&wrap("  ", &sanitise(&line), 4, style.width));
    }
    more(text, parts.len());
}

fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Container => "32",
        Verdict::ContainerWithChanges => "33",
        Verdict::IsolatedContainer => "35",
        Verdict::KeepVm => "31",
    }
}

/// What to do with what was written.
pub fn next_steps(scan: &Scan, out: &Path, written: render::Options) -> String {
    let render::Options {
        with_secrets,
        with_data,
        formats,
    } = written;
    let out = out.display().to_string();
    let out = sanitise(&out);
    let mut text =
        format!("Written to {out}. Next:\n  open {out}/report.html, or less {out}/report.md\n");
    if !report::questions(scan).is_empty() {
        let _ = writeln!(
            text,
            "  answer what you can in {out}/questions.toml, and run again with --answers and that file"
        );
    }
    let secrets = scan.workloads.iter().any(|w| {
        w.plan
            .as_ref()
            .is_some_and(|plan| !plan.state.secrets.is_empty())
    });
    if secrets && !with_secrets {
        let _ = writeln!(
            text,
            "  put the secrets that {out}/README.md lists into {out}/secrets (or run again with --with-secrets)"
        );
    }
    if !with_data && scan.workloads.iter().any(|w| !w.data.is_empty()) {
        let _ = writeln!(
            text,
            "  volumes start empty; run again with --with-data to carry the machine's data over"
        );
    }
    if scan
        .workloads
        .iter()
        .all(|workload| workload.plan.is_none())
    {
        text.push_str("  nothing moves to a container, so that there is nothing to start\n");
        return text;
    }
    if formats.oci {
        let _ = writeln!(
            text,
            "  podman pull oci:{out}/workloads/ID/oci     (or skopeo copy oci:{out}/oci:ID:latest docker://REGISTRY/ID)"
        );
    }
    if formats.compose {
        let _ = writeln!(
            text,
            "  cd {out} && podman-compose up --build     (or docker compose up --build)\n  transvase record {out} HOST, then transvase verify {out}: whether they answer as the machine does"
        );
    }
    text
}
