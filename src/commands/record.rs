//! `transvase record`: what the machine answers as long as it runs.

use super::files;
use crate::cli::{Global, Record};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::path::sanitise;
use crate::ui;
use crate::verify::{self, recorded::Answer};

pub(super) fn run(global: &Global, args: &Record) -> Result<ExitStatus, Error> {
    if let Some(path) = args.path.iter().find(|path| !path.starts_with('/')) {
        return Err(Error::Other(format!(
            "--path {path}: expected a path that starts with /"
        )));
    }
    let scan = files::scan_of(&args.out)?;
    let packs = super::packs(global)?;
    let listeners = verify::listeners(&scan, &packs);
    let mut told = |what: &str| {
        if global.verbose > 0 {
            ui::err(&format!("transvase: asking {}\n", sanitise(what)));
        }
    };
    let recorded = verify::record(&scan, &listeners, &args.host, &args.path, &mut told)
        .map_err(|error| Error::Other(error.to_string()))?;
    let output = args.output.clone();
    let output = output.unwrap_or_else(|| args.out.join("recorded.json"));
    super::deliver(&recorded.to_json(), Some(&output))?;
    if !global.quiet {
        for heard in &recorded.listeners {
            let said = in_short(&heard.answer);
            let line = format!(
                "{} {}/{}: {said}\n",
                heard.workload, heard.port, heard.protocol
            );
            ui::err(&sanitise_lines(&line));
        }
        for left in &recorded.left_out {
            let line = format!(
                "{} {}/{}: not asked: {}\n",
                left.workload, left.port, left.protocol, left.why
            );
            ui::err(&sanitise_lines(&line));
        }
    }
    Ok(ExitStatus::Done)
}

fn sanitise_lines(text: &str) -> String {
    let lines = text.lines().map(|line| sanitise(line) + "\n");
    lines.collect()
}

fn in_short(answer: &Answer) -> String {
    if !answer.open {
        return "no answer".to_owned();
    }
    let mut parts = Vec::new();
    if let Some(tls) = &answer.tls {
        parts.push(format!("{} {}", tls.version, tls.subject));
    }
    if let Some(talk) = &answer.talk {
        parts.push(talk.said.clone());
    }
    for page in answer.pages.iter().take(3) {
        parts.push(format!("{}{} {}", page.host, page.path, page.status));
    }
    if answer.pages.len() > 3 {
        parts.push(format!("and {} pages more", answer.pages.len() - 3));
    }
    if parts.is_empty() {
        "takes connections".to_owned()
    } else {
        parts.join(", ")
    }
}
