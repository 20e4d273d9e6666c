//! A word with what it stands for put in, as a shell would: quotes undone, variables in, and what is not quoted parted again.

use super::lex::closing;
use crate::words::expand::is_name;
use crate::words::is_blank;

/// What a variable is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Unset,
    Text(String),
    /// It gets its value when it is run.
    Unknown,
}

/// What a script finds around it.
pub trait World {
    fn value(&self, name: &str) -> Value;

    /// `$1` and on.
    fn arguments(&self) -> Vec<String>;

    fn assign(&mut self, name: &str, value: String);

    /// What a command prints, where that can be told.
    fn output(&mut self, command: &str) -> Option<String>;

    /// Whether a pattern fits a whole text.
    fn matches(&self, pattern: &str, text: &str) -> bool;

    /// Whether so many bytes more may be made.
    fn affords(&self, bytes: usize) -> bool;
}

/// Words in words.
const DEPTH: usize = 12;

/// Patterns are tried at each place of a value up to this long.
const LONGEST: usize = 4_096;

/// What replacing may make of a value.
const LARGEST: usize = 1 << 20;

/// The words that one word as written becomes.
pub fn fields(raw: &str, world: &mut dyn World) -> Vec<String> {
    let mut out = Fields::default();
    put(raw, world, &mut out, false, 0);
    out.done.extend(out.open);
    out.done
}

/// The same as one text, as an assignment has it.
pub fn text(raw: &str, world: &mut dyn World) -> String {
    deeper(raw, world, 0)
}

fn deeper(raw: &str, world: &mut dyn World, depth: usize) -> String {
    let mut out = Fields {
        is_whole: true,
        ..Fields::default()
    };
    put(raw, world, &mut out, false, depth);
    out.open.unwrap_or_default()
}

#[derive(Default)]
struct Fields {
    done: Vec<String>,
    open: Option<String>,
    /// Nothing is parted.
    is_whole: bool,
}

impl Fields {
    fn add(&mut self, text: &str) {
        self.open.get_or_insert_default().push_str(text);
    }

    /// What a variable brought: unquoted, its blanks part words.
    fn bring(&mut self, text: &str, quoted: bool) {
        if quoted || self.is_whole {
            return self.add(text);
        }
        for c in text.chars() {
            if is_blank(c) {
                self.done.extend(self.open.take());
            } else {
                self.open.get_or_insert_default().push(c);
            }
        }
    }
}

fn put(raw: &str, world: &mut dyn World, out: &mut Fields, quoted: bool, depth: usize) {
    let mut rest = raw;
    let mut quoted = quoted;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = tail;
        match c {
            '\\' => {
                let next = tail.chars().next();
                let is_special = next.is_some_and(|c| "\"\\`$\n".contains(c));
                match next {
                    Some(_) if quoted && !is_special => out.add("\\"),
                    Some('\n') => rest = tail.get(1..).unwrap_or_default(),
                    Some(c) => {
                        out.add(c.encode_utf8(&mut [0; 4]));
                        rest = tail.get(c.len_utf8()..).unwrap_or_default();
                    }
                    None => {}
                }
            }
            '\'' if !quoted => {
                let (inside, after) = tail.split_once('\'').unwrap_or((tail, ""));
                out.add(inside);
                rest = after;
            }
            '"' => {
                quoted = !quoted;
                out.add("");
            }
            // `$"…"` and `$'…'` are quotes.
            '$' if !quoted && tail.starts_with(['"', '\'']) => {}
            '$' => rest = reference(tail, world, out, quoted, depth),
            '`' => {
                let end = closing(tail, '`');
                let command = tail.get(..end).unwrap_or_default();
                substitute(command, ("`", "`"), world, out, quoted);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            '~' if out.open.is_none() && out.done.is_empty() && !quoted => {
                match (
                    tail.is_empty() || tail.starts_with('/'),
                    world.value("HOME"),
                ) {
                    (true, Value::Text(home)) => out.add(&home),
                    _ => out.add("~"),
                }
            }
            // Only what stands in for a variable has blanks here.
            c => out.bring(c.encode_utf8(&mut [0; 4]), quoted),
        }
    }
}

fn substitute(
    command: &str,
    (open, close): (&str, &str),
    world: &mut dyn World,
    out: &mut Fields,
    quoted: bool,
) {
    match world.output(command) {
        Some(text) if world.affords(text.len()) => out.bring(&text, quoted),
        // As written, in one piece.
        _ => out.add(&format!("{open}{command}{close}")),
    }
}

/// What follows a dollar sign; returns what follows that.
fn reference<'a>(
    tail: &'a str,
    world: &mut dyn World,
    out: &mut Fields,
    quoted: bool,
    depth: usize,
) -> &'a str {
    if let Some(inside) = tail.strip_prefix('(') {
        let end = closing(inside, '(');
        let command = inside.get(..end).unwrap_or_default();
        substitute(command, ("$(", ")"), world, out, quoted);
        return inside.get(end + 1..).unwrap_or_default();
    }
    if let Some(inside) = tail.strip_prefix('{') {
        let end = closing(inside, '{');
        let written = inside.get(..end).unwrap_or_default();
        braced(written, world, out, quoted, depth);
        return inside.get(end + 1..).unwrap_or_default();
    }
    let special = tail
        .chars()
        .next()
        .filter(|c| "@*#?$!-0123456789".contains(*c));
    let end = match special {
        Some(c) => c.len_utf8(),
        None => tail
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(tail.len()),
    };
    let (name, after) = tail.split_at_checked(end).unwrap_or((tail, ""));
    if name.is_empty() {
        out.add("$");
    } else if matches!(name, "@" | "*") {
        all(world, out, quoted && name == "@");
    } else {
        bring(name, world.value(name), world, out, quoted);
    }
    after
}

/// `$@`: quoted, each argument is a word.
fn all(world: &dyn World, out: &mut Fields, apart: bool) {
    let arguments = world.arguments();
    for (number, argument) in arguments.iter().enumerate() {
        if number > 0 && !out.is_whole {
            out.done.extend(out.open.take());
        } else if number > 0 {
            out.add(" ");
        }
        out.bring(argument, apart);
    }
}

fn bring(written: &str, value: Value, world: &dyn World, out: &mut Fields, quoted: bool) {
    match value {
        Value::Unset => {}
        Value::Text(text) if world.affords(text.len()) => out.bring(&text, quoted),
        // One word, whatever it will be.
        _ => out.add(&format!("${written}")),
    }
}

/// `${NAME…}`.
fn braced(written: &str, world: &mut dyn World, out: &mut Fields, quoted: bool, depth: usize) {
    let whole = format!("{{{written}}}");
    if depth > DEPTH {
        return out.add(&format!("${whole}"));
    }
    if let Some(name) = written.strip_prefix('#').filter(|name| is_name(name)) {
        let value = match world.value(name) {
            Value::Text(text) => Value::Text(text.chars().count().to_string()),
            Value::Unset => Value::Text("0".to_owned()),
            Value::Unknown => Value::Unknown,
        };
        return bring(&whole, value, world, out, quoted);
    }
    let end = written
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|end| *end > 0)
        .unwrap_or(written.len().min(if written.starts_with(['@', '*', '#']) {
            1
        } else {
            written.len()
        }));
    let (name, operation) = written.split_at_checked(end).unwrap_or((written, ""));
    // All of a list.
    let list = operation
        .strip_prefix("[@]")
        .or_else(|| operation.strip_prefix("[*]"));
    let (operation, quoted) = list.map_or((operation, quoted), |rest| (rest, false));
    if matches!(name, "@" | "*") {
        return all(world, out, quoted && name == "@");
    }
    let value = world.value(name);
    let is_empty = value == Value::Unset || value == Value::Text(String::new());
    let (colon, plain) = match operation.strip_prefix(':') {
        Some(plain) if plain.starts_with(['-', '=', '+', '?']) => (true, plain),
        _ => (false, operation),
    };
    let lacks = if colon {
        is_empty
    } else {
        value == Value::Unset
    };
    let sign = plain.chars().next().unwrap_or_default();
    let word = plain.get(sign.len_utf8()..).unwrap_or_default();
    let value = match sign {
        '-' | '=' if lacks => {
            if sign == '=' {
                let text = deeper(word, world, depth + 1);
                world.assign(name, text);
            }
            return put(word, world, out, quoted, depth + 1);
        }
        '+' if lacks => return,
        '+' => return put(word, world, out, quoted, depth + 1),
        '-' | '=' | '?' => value,
        _ => match value {
            Value::Text(text) => {
                changed(&text, operation, world, depth).map_or(Value::Unknown, Value::Text)
            }
            other => other,
        },
    };
    bring(&whole, value, world, out, quoted);
}

/// `#`, `##`, `%`, `%%`, `/`, `//`, `:from:length`; of what else there is nothing is said.
fn changed(text: &str, operation: &str, world: &mut dyn World, depth: usize) -> Option<String> {
    if operation.is_empty() {
        return Some(text.to_owned());
    }
    if text.len() > LONGEST {
        return None;
    }
    let longest = operation.starts_with("##") || operation.starts_with("%%");
    let after = operation
        .get(if longest { 2 } else { 1 }..)
        .unwrap_or_default();
    match operation.chars().next()? {
        sign @ ('#' | '%') => {
            let pattern = deeper(after, world, depth + 1);
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let cut = |at: &usize| {
                let (head, tail) = text.split_at_checked(*at).unwrap_or((text, ""));
                world.matches(&pattern, if sign == '#' { head } else { tail })
            };
            let mut places: Vec<usize> = ends.filter(cut).collect();
            // The shortest that fits first.
            if (sign == '%') != longest {
                places.reverse();
            }
            let at = places.first().copied();
            let kept = at.map_or(text, |at| {
                let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
                if sign == '#' { tail } else { head }
            });
            Some(kept.to_owned())
        }
        '/' => {
            let (is_all, body) = match after.strip_prefix('/') {
                Some(body) => (true, body),
                None => (false, after),
            };
            let (from, to) = body.split_once('/').unwrap_or((body, ""));
            let (from, to) = (deeper(from, world, depth + 1), deeper(to, world, depth + 1));
            let is_plain = !from.is_empty() && !from.contains(['*', '?', '[', '#', '%']);
            let count = if is_all { usize::MAX } else { 1 };
            let is_small = text.len().saturating_mul(to.len()) < LARGEST;
            (is_plain && is_small).then(|| text.replacen(&from, &to, count))
        }
        ':' => {
            let (from, length) = after.split_once(':').unwrap_or((after, ""));
            let from: usize = from.trim().parse().ok()?;
            let rest = text.chars().skip(from);
            match length {
                "" => Some(rest.collect()),
                length => Some(rest.take(length.trim().parse().ok()?).collect()),
            }
        }
        _ => None,
    }
}
