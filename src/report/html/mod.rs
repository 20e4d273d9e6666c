//! report.html: one file that needs nothing else. No request leaves it (Content-Security-Policy `default-src 'none'`, script
//! and style by their digests), and every value of the machine is escaped by the template engine or stands in a block of
//! JSON that no markup can end.
//!
//! What a machine has few of (workloads, targets, steps) is written as HTML and reads without a script; what it may have
//! thousands of (concerns, packages, files) is data that the script shows as it is asked for.

mod card;
mod coverage;
mod data;
mod first;
mod kernel;
mod left;
mod network;
mod page;
mod rules;
mod services;
mod targets;
mod templates;
mod texts;
mod words;

use super::Artefacts;
use super::digest;
use crate::render::Error;
use crate::scan::Scan;

const STYLE: &str = include_str!("../../../templates/report/style.css");
const SCRIPT: &str = include_str!("../../../templates/report/script.js");

/// What stands around the page: the policy and what it allows.
#[derive(serde::Serialize)]
struct Document<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    /// JSON, safe inside a script element.
    data: String,
    page: page::Page<'a>,
}

/// The report as one HTML file.
pub fn html(scan: &Scan, artefacts: &Artefacts) -> Result<String, Error> {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest::source(SCRIPT),
        digest::source(STYLE)
    );
    let mut texts = texts::Texts::default();
    let kernels = kernel::Kernels::new(scan, &mut texts);
    let page = page::page(scan, artefacts, &kernels);
    templates::fill(&Document {
        policy,
        style: STYLE,
        script: SCRIPT,
        data: data::data(scan, &artefacts.shown, &kernels, texts),
        page,
    })
}
