//! Why programs make calls, for a terminal.

use super::Style;
use crate::kernel::program::Program;
use crate::kernel::way::{Certainty, Step, Way};
use std::fmt::Write as _;

pub fn terminal(programs: &[Program], calls: &[String], style: &Style) -> String {
    let all = programs.iter().map(|program| one(program, calls, style));
    let all: Vec<String> = all.collect();
    all.join("\n")
}

// Writing to a String cannot fail.
fn one(program: &Program, calls: &[String], style: &Style) -> String {
    let mut text = format!("{}\n", style.paint("1", &program.path.to_string()));
    let ways = program.ways.as_deref().unwrap_or_default();
    for call in calls {
        match ways.iter().find(|way| way.call == *call) {
            Some(way) => shown(&mut text, way, style),
            None => {
                let _ = writeln!(text, "\n{}  not made", style.paint("1", call));
            }
        }
    }
    text
}

fn shown(text: &mut String, way: &Way, style: &Style) {
    let rests = match way.certainty {
        Certainty::Calls => "by calls alone",
        Certainty::Pointer => "through an address that code takes",
        Certainty::Table => "through an address that data holds",
        Certainty::Name => "through a name that is looked up",
        Certainty::Opened => "through a file that is opened at run time",
        Certainty::Number => "with a number that is not known",
    };
    let _ = writeln!(text, "\n{}  {rests}", style.paint("1", &way.call));
    for step in &way.steps {
        let is_weak = step.how.certainty() == way.certainty && way.certainty > Certainty::Calls;
        let colour = if is_weak { "33" } else { "2" };
        let _ = writeln!(
            text,
            "  {} {}",
            style.paint(colour, &format!("{:24}", step.how.says())),
            place(step)
        );
    }
}

fn place(step: &Step) -> String {
    let name = step.name.as_deref().unwrap_or_default();
    let name = crate::path::sanitise(name);
    if step.offset == 0 {
        return format!("{}  {name}", step.path).trim_end().to_owned();
    }
    format!("{}@{:#x}  {name}", step.path, step.offset)
        .trim_end()
        .to_owned()
}
