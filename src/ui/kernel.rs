//! What programs ask of the kernel, for a terminal.

use super::Style;
use crate::kernel::need::{Ask, Degree, Kind};
use crate::kernel::place::Delta;
use crate::kernel::program::Program;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Places where the code does not tell that are shown.
const MOST: usize = 5;

pub fn terminal(programs: &[Program], style: &Style) -> String {
    let all: Vec<String> = programs.iter().map(|program| one(program, style)).collect();
    all.join("\n")
}

// Writing to a String cannot fail.
fn one(program: &Program, style: &Style) -> String {
    let mut text = String::new();
    let of = if program.path == program.program {
        String::new()
    } else {
        format!(" ({})", program.program)
    };
    let kernel = program
        .kernel
        .as_ref()
        .map(|kernel| format!(", Linux {kernel} or later"))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{}{of}  {}, {}{kernel}",
        style.paint("1", &program.path.to_string()),
        program.linkage,
        program.instruction_set
    );
    for missing in &program.missing {
        let _ = writeln!(
            text,
            "{} {} needs {}, which is not there",
            style.paint("31", "missing"),
            missing.by,
            crate::path::sanitise(&missing.name)
        );
    }
    section(
        &mut text,
        style,
        "Asks for",
        program.asks.iter().filter(|ask| ask.degree == Degree::Asks),
    );
    section(
        &mut text,
        style,
        "Could use",
        program
            .asks
            .iter()
            .filter(|ask| ask.degree == Degree::Reaches && ask.kind != Kind::Feature),
    );
    let names: Vec<&str> = program
        .syscalls
        .iter()
        .map(|call| call.name.as_str())
        .collect();
    let _ = writeln!(
        text,
        "\n{}",
        style.paint("1", &format!("{} system calls", names.len()))
    );
    wrap(&mut text, &names, style.width);
    let _ = writeln!(text, "\n{}", style.paint("1", "Where it would run"));
    for delta in &program.targets {
        let _ = writeln!(text, "  {:22} {}", delta.title, verdict(delta));
    }
    if !program.unresolved.is_empty() {
        let _ = writeln!(
            text,
            "\n{}",
            style.paint(
                "33",
                &format!(
                    "Not followed: {} places, so more calls are possible",
                    program.unresolved.len()
                )
            )
        );
        for open in program.unresolved.iter().take(MOST) {
            let _ = writeln!(
                text,
                "  {}@{:#x}  {}",
                open.place.path, open.place.offset, open.reason
            );
        }
    }
    text
}

/// One line for what is done, whichever of its calls does it.
fn section<'a>(text: &mut String, style: &Style, title: &str, asks: impl Iterator<Item = &'a Ask>) {
    let mut rows: BTreeMap<(&str, &str), Vec<&Ask>> = BTreeMap::new();
    for ask in asks {
        rows.entry((&ask.does, &ask.capability))
            .or_default()
            .push(ask);
    }
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", style.paint("1", title));
    for ((does, capability), asks) in rows {
        let names: Vec<String> = asks
            .iter()
            .map(|ask| crate::path::sanitise(&ask.what).into_owned())
            .collect();
        let wants = if capability.is_empty() {
            String::new()
        } else {
            format!(" ({capability})")
        };
        let place = asks
            .first()
            .map(|ask| ask.evidence.place())
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {does}{wants}: {}  {}",
            crate::text::list(&names, 4),
            style.paint("2", &place)
        );
    }
}

fn verdict(delta: &Delta) -> String {
    let asked = delta
        .refused
        .iter()
        .filter(|refused| refused.degree == Degree::Asks)
        .count();
    let reached = delta.refused.len().saturating_sub(asked);
    let also = if reached == 0 {
        String::new()
    } else {
        format!("; {reached} calls it could make are refused")
    };
    if delta.add.is_empty() {
        return format!("as it is{also}");
    }
    let names: Vec<&str> = delta
        .add
        .iter()
        .filter(|add| add.possible == delta.fits)
        .map(|add| add.what.as_str())
        .collect();
    if delta.fits {
        format!("with {}{also}", names.join(", "))
    } else {
        format!("not: {} cannot be had{also}", names.join(", "))
    }
}

fn wrap(text: &mut String, names: &[&str], width: usize) {
    let mut line = String::from(" ");
    for name in names {
        if line.chars().count() + name.len() + 1 > width {
            let _ = writeln!(text, "{line}");
            line = String::from(" ");
        }
        let _ = write!(line, " {name}");
    }
    let _ = writeln!(text, "{line}");
}
