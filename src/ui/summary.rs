//! The summary: worst first, a line for each workload, what stays, what to do next.

use super::Style;
use crate::assess::Verdict;
use crate::path::sanitise;
use crate::scan::{Scan, Workload};
use crate::workload::Disposition;
use std::fmt::Write as _;
use std::path::Path;

/// The summary of a scan. Every name of the machine is sanitised.
pub fn terminal(scan: &Scan, style: &Style) -> String {
    let mut text = String::new();
    let os = scan
        .machine
        .os
        .as_ref()
        .map_or("an unknown system", |os| os.pretty_name.as_str());
    let name = scan.machine.hostname.as_deref().unwrap_or("the machine");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}  {}",
        style.paint("1", &sanitise(name)),
        sanitise(os)
    );
    let _ = writeln!(
        text,
        "{} files, {} packages, {} services and jobs that start",
        scan.coverage.files_seen, scan.packages.count, scan.totals.services
    );
    let whole = &scan.assessment;
    let verdict = paint(style, whole.verdict);
    let _ = writeln!(
        text,
        "{verdict} {}/100: {}\n",
        whole.score,
        sanitise(&whole.summary)
    );
    workloads(&mut text, scan, style);
    left_behind(&mut text, scan, style);
    concerns(&mut text, scan, style);
    if !scan.coverage.unexamined.is_empty() {
        let _ = writeln!(text, "{}", style.paint("1", "Not examined"));
        for part in scan.coverage.unexamined.iter().take(10) {
            let _ = writeln!(text, "  {}: {}", part.path, sanitise(&part.reason));
        }
        let more = scan.coverage.unexamined.len().saturating_sub(10);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
        text.push('\n');
    }
    text
}

fn workloads(text: &mut String, scan: &Scan, style: &Style) {
    let mut sorted: Vec<&Workload> = scan.workloads.iter().collect();
    sorted.sort_by(|a, b| {
        a.assessment
            .score
            .cmp(&b.assessment.score)
            .then_with(|| a.id.cmp(&b.id))
    });
    if sorted.is_empty() {
        return;
    }
    let width = sorted
        .iter()
        .map(|workload| workload.id.len())
        .max()
        .unwrap_or_default();
    let _ = writeln!(text, "{}", style.paint("1", "Workloads, worst first"));
    for workload in sorted {
        let mut notes: Vec<String> = workload
            .listens
            .iter()
            .take(4)
            .map(|listen| match listen.port {
                0 => sanitise(&listen.address).into_owned(),
                port => format!("{}:{port}", sanitise(&listen.address)),
            })
            .collect();
        notes.extend(
            workload
                .schedule
                .iter()
                .map(|schedule| sanitise(schedule).into_owned()),
        );
        let assessment = &workload.assessment;
        let line = format!(
            "{:>3}  {:width$}  {}  {}",
            assessment.score,
            workload.id,
            sanitise(&workload.title),
            notes.join(" ")
        );
        let line: String = line.chars().take(style.width.saturating_sub(2)).collect();
        let _ = writeln!(
            text,
            "  {}",
            style.paint(colour(assessment.verdict), line.trim_end())
        );
        if let Some(raise) = &assessment.raise_to {
            let _ = writeln!(
                text,
                "  {:3}  {:width$}  {} with {} mended",
                "",
                "",
                raise.score,
                raise.by.join(", ")
            );
        }
    }
    text.push('\n');
}

fn left_behind(text: &mut String, scan: &Scan, style: &Style) {
    for (disposition, title) in [
        (Disposition::Keep, "Stays on a machine"),
        (Disposition::Drop, "Left out"),
    ] {
        let services = scan
            .services
            .iter()
            .filter(|service| service.disposition == Some(disposition));
        let lines: Vec<String> = services
            .map(|service| {
                format!(
                    "  {}: {}",
                    sanitise(&service.name),
                    sanitise(&service.reason)
                )
            })
            .collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "{}\n{}\n", style.paint("1", title), lines.join("\n"));
        }
    }
    let platform = scan.totals.platform;
    if platform > 0 {
        let _ = writeln!(
            text,
            "{platform} services and jobs are the platform's work in a container (ssh, cron, logs, boot).\n"
        );
    }
}

fn concerns(text: &mut String, scan: &Scan, style: &Style) {
    let shown: Vec<_> = scan
        .concerns
        .iter()
        .filter(|concern| concern.severity >= crate::assess::Severity::Major)
        .collect();
    if shown.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", style.paint("1", "What stands in the way"));
    for concern in shown.iter().take(12) {
        let place = concern
            .evidence
            .first()
            .map(crate::fact::Evidence::place)
            .unwrap_or_default();
        let severity = format!("{:?}", concern.severity).to_lowercase();
        let _ = writeln!(
            text,
            "  {severity:7}  {}: {}  {place}",
            concern.rule,
            sanitise(&concern.detail)
        );
    }
    let more = shown.len().saturating_sub(12);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text.push('\n');
}

fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Container => "32",
        Verdict::ContainerWithChanges => "33",
        Verdict::IsolatedContainer => "35",
        Verdict::KeepVm => "31",
    }
}

/// The verdict as it is written in scan.json.
pub fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Container => "container",
        Verdict::ContainerWithChanges => "container-with-changes",
        Verdict::IsolatedContainer => "isolated-container",
        Verdict::KeepVm => "keep-vm",
    }
}

fn paint(style: &Style, verdict: Verdict) -> String {
    style.paint(colour(verdict), name(verdict))
}

/// What to do with what was written.
pub fn next_steps(scan: &Scan, out: &Path, with_secrets: bool, with_data: bool) -> String {
    let out = out.display().to_string();
    let out = sanitise(&out);
    let mut text = format!("Written to {out}. Next:\n  less {out}/report.md\n");
    let secrets = scan
        .workloads
        .iter()
        .any(|w| w.plan.as_ref().is_some_and(|plan| !plan.secrets.is_empty()));
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
    let _ = writeln!(
        text,
        "  cd {out} && podman-compose up --build     (or docker compose up --build)"
    );
    text
}
