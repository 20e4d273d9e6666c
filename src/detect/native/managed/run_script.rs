//! Scripts that a manager runs for a service and that become its program: the lines of a shell's or of execline's, joined
//! over their ends, as they are written. An environment directory's file is the value of the variable that it is called by.

use super::super::reference::secret_names;
use super::Reader;
use crate::detect::FileView;
use crate::fact::Masking;
use crate::words;

/// Lines of one script.
const MOST: usize = 500;

/// The key of a script's line; its section is the interpreter's name.
pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let text = file.text();
    let first = text.lines().next().unwrap_or_default();
    let interpreter = first
        .strip_prefix("#!")
        .map(words::trim)
        .unwrap_or_default();
    let name = words::parts(interpreter)
        .find(|word| !word.starts_with('-') && !word.ends_with("/env"))
        .unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
    let lines = lines(text);
    if reader.masking == Masking::Masked {
        for (_, line) in &lines {
            reader.secrets.extend(secret_names(None, line));
        }
    }
    reader.is_cut |= lines.len() > MOST;
    for (number, line) in lines.into_iter().take(MOST) {
        match assignment(&line) {
            Some((variable, value)) => {
                let value = words::shell(value).into_iter().next().unwrap_or_default();
                reader.variable(&name, variable, &value, number);
            }
            None => reader.line(&name, "line", &line, number),
        }
    }
}

/// The first line of the file, blanks at its end cut; an empty file takes its variable away.
pub(super) fn variable(reader: &mut Reader, file: &FileView<'_>) {
    let name = file.path.name().into_owned();
    if let Some(line) = file.text().lines().next() {
        let value = line.trim_end_matches([' ', '\t']).replace('\0', "\n");
        reader.variable("", &name, &value, 1);
    }
}

/// Lines joined over backslashes, each with the number of its first; comments are dropped.
fn lines(text: &str) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1u32..).zip(text.lines()) {
        let trimmed = words::trim(line);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            is_open = false;
            continue;
        }
        let body = trimmed.strip_suffix('\\').unwrap_or(trimmed);
        match found.last_mut().filter(|_| is_open) {
            Some((_, last)) => {
                last.push(' ');
                last.push_str(words::trim(body));
            }
            None => found.push((number, words::trim(body).to_owned())),
        }
        is_open = body.len() < trimmed.len();
    }
    found
}

/// `NAME=value` or `export NAME=value` alone on its line.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let body = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = words::trim(body).split_once('=')?;
    let is_alone = words::shell(value).len() <= 1 && !value.contains(['`', ';', '&', '|']);
    (words::expand::is_name(name) && is_alone).then_some((name, value))
}
