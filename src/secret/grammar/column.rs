//! Values that stand apart from their names: rows of a table behind the names of its columns, as SQL and CSV write them.

use std::ops::Range;

/// Longest list of columns, all rows that are read, and how many.
const LIST: usize = 4 << 10;
const FAR: usize = 64 << 10;
const ROWS: usize = 1000;

/// What rows have in the column of this name: `INSERT INTO t (a, name) VALUES ('x', 'value'), …`, `COPY t (a, name) FROM stdin;` and
/// lines of tabs; a text's first line, where those behind it have as many cells.
pub(in crate::secret) fn columns(text: &[u8], name: &Range<usize>) -> Vec<Range<usize>> {
    let Some((column, end)) = column(text, name) else {
        return cells(text, name);
    };
    let at = end + blanks(text, end);
    if starts(text, at, b"values") {
        rows(text, at + b"values".len(), column)
    } else if starts(text, at, b"from stdin") {
        lines(text, at, column)
    } else {
        Vec::new()
    }
}

/// Which column a name is, and where the list ends that it is in.
fn column(text: &[u8], name: &Range<usize>) -> Option<(usize, usize)> {
    let is_list = |byte: &u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"_`\"[].,\\".contains(byte)
    };
    let before = text.get(name.start.saturating_sub(LIST)..name.start)?;
    let back = before.iter().rev().take_while(|byte| is_list(byte)).count();
    let (head, list) = before.split_at_checked(before.len() - back)?;
    let head = head.strip_suffix(b"(")?;
    let statement = head.get(head.len().saturating_sub(200)..)?;
    let statement = String::from_utf8_lossy(statement).to_ascii_lowercase();
    let mut words = statement.split_whitespace().rev().take(2);
    if !words.any(|word| matches!(word, "into" | "copy")) {
        return None;
    }
    let after = text.get(name.end..text.len().min(name.end + LIST))?;
    let on = after.iter().take_while(|byte| is_list(byte)).count();
    let close = name.end + on;
    (text.get(close) == Some(&b')')).then(|| (memchr::memchr_iter(b',', list).count(), close + 1))
}

fn blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..text.len().min(at + 256)).unwrap_or_default();
    rest.len() - rest.trim_ascii_start().len()
}

fn starts(text: &[u8], at: usize, with: &[u8]) -> bool {
    let part = text.get(at..at + with.len());
    part.is_some_and(|part| part.eq_ignore_ascii_case(with))
}

/// The literal of this column in each row in brackets.
fn rows(text: &[u8], from: usize, column: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let end = text.len().min(from + FAR);
    let mut at = from;
    while all.len() < ROWS && at < end {
        at += blanks(text, at);
        if text.get(at) != Some(&b'(') {
            break;
        }
        let (found, close) = row(text, at + 1..end, column);
        all.extend(found);
        at = close + blanks(text, close);
        if text.get(at) != Some(&b',') {
            break;
        }
        at += 1;
    }
    all
}

/// The first literal in this column, and the end of the row.
fn row(text: &[u8], within: Range<usize>, column: usize) -> (Option<Range<usize>>, usize) {
    let (mut number, mut depth, mut open, mut skip) = (0, 0usize, None, false);
    let mut found = None;
    for at in within.clone() {
        let byte = text.get(at).copied().unwrap_or_default();
        match (open, byte) {
            _ if skip => {}
            (Some((quote, start)), byte) if byte == quote => {
                if number == column && found.is_none() {
                    found = Some(start..at);
                }
                // A quote in it is written twice: the value goes on.
                if let Some(known) = &mut found
                    && number == column
                {
                    known.end = at;
                }
                open = None;
            }
            (None, b'\'' | b'"') => {
                let goes_on = found.as_ref().is_some_and(|found| found.end + 1 == at);
                let start = if goes_on {
                    found.as_ref().map_or(at, |found| found.start)
                } else {
                    at + 1
                };
                open = Some((byte, start));
            }
            (None, b'(') => depth += 1,
            (None, b')') if depth == 0 => return (found, at + 1),
            (None, b')') => depth -= 1,
            (None, b',') if depth == 0 => number += 1,
            _ => {}
        }
        skip = byte == b'\\' && !skip;
    }
    (found, within.end)
}

/// The cell of this column in each line, up to the line that ends the table.
fn lines(text: &[u8], from: usize, column: usize) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let part = text
        .get(from..text.len().min(from + FAR))
        .unwrap_or_default();
    let mut at = from;
    for (number, line) in part.split(|byte| *byte == b'\n').enumerate().take(ROWS) {
        if line.starts_with(b"\\.") {
            break;
        }
        let mut start = at;
        let cell = line
            .split(|byte| *byte == b'\t')
            .enumerate()
            .find_map(|(number, cell)| {
                let here = start..start + cell.len();
                start = here.end + 1;
                (number == column).then_some(here)
            });
        at += line.len() + 1;
        let is_null = |cell: &Range<usize>| text.get(cell.clone()) == Some(b"\\N");
        all.extend(cell.filter(|cell| number > 0 && !cell.is_empty() && !is_null(cell)));
    }
    all
}

/// The cells below a name in a text's first line.
fn cells(text: &[u8], name: &Range<usize>) -> Vec<Range<usize>> {
    let is_first =
        name.start < LIST && !text.get(..name.start).unwrap_or_default().contains(&b'\n');
    let head = text.get(..text.len().min(LIST)).unwrap_or_default();
    let Some(end) = memchr::memchr(b'\n', head).filter(|_| is_first) else {
        return Vec::new();
    };
    let head = head.get(..end).unwrap_or_default().trim_ascii_end();
    let is_name = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. \"".contains(byte);
        !cell.is_empty() && cell.iter().all(is_part)
    };
    let split = |mark: u8, line: Range<usize>| {
        let part = text.get(line.clone()).unwrap_or_default();
        let ends = memchr::memchr_iter(mark, part).map(|at| line.start + at);
        let ends: Vec<usize> = ends
            .chain([line.start + part.trim_ascii_end().len()])
            .collect();
        let starts = [line.start]
            .into_iter()
            .chain(ends.iter().map(|end| end + 1));
        let cells = starts.zip(ends.clone());
        cells.map(|(from, to)| from..to).collect::<Vec<_>>()
    };
    let marks = [b',', b';', b'\t'].into_iter();
    let Some(mark) = marks
        .filter(|mark| head.contains(mark))
        .find(|mark| head.split(|byte| byte == mark).all(is_name))
    else {
        return Vec::new();
    };
    let names = split(mark, 0..end);
    let Some(column) = names.iter().position(|cell| cell.contains(&name.start)) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut at = end + 1;
    for _ in 0..ROWS {
        let rest = text.get(at..text.len().min(at + LIST)).unwrap_or_default();
        let line = at..at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let row = split(mark, line.clone());
        if rest.is_empty() || row.len() != names.len() {
            break;
        }
        all.extend(row.get(column).filter(|cell| !cell.is_empty()).cloned());
        at = line.end + 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<&str> {
        let start = text.find("password").unwrap();
        let found = columns(text.as_bytes(), &(start..start + 8));
        found.into_iter().filter_map(|at| text.get(at)).collect()
    }

    #[test]
    fn rows_of_a_column() {
        for (text, wanted) in [
            (
                "INSERT INTO users (login, password) VALUES ('bob', 'a');",
                &["a"][..],
            ),
            (
                "insert into `u` (`password`, x) values ('a, b', 1),\n ('c''d', 2), (NULL, 3);",
                &["a, b", "c''d"],
            ),
            (
                "INSERT INTO u(a,\n password)\nVALUES(1, MD5('x(y'));",
                &["x(y"],
            ),
            (
                "COPY u (id, password) FROM stdin;\n1\tabc\n2\t\\N\n3\td e\n\\.\nx\ty",
                &["abc", "d e"],
            ),
            ("login,password\nbob,a b\neve,\n", &["a b"]),
            ("a;\"password\"\r\n1;xy\r\n", &["xy"]),
            ("login, the password!\nbob,a", &[]),
            ("x=1\nlogin,password\nbob,a", &[]),
            ("SELECT (login, password) VALUES ('a', 'b')", &[]),
            ("INSERT INTO u (login, password) SELECT 'a', 'b'", &[]),
            ("INSERT INTO u (login, password) VALUES ('a'", &[]),
        ] {
            assert_eq!(values(text), wanted, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(head in "[a-z,( ]{0,8}", tail in "[a-z'\"(),\\\\ \t\n]{0,60}") {
            let text = format!("insert into t ({head}password) values {tail}");
            let start = text.find("password").unwrap();
            for at in columns(text.as_bytes(), &(start..start + 8)) {
                proptest::prop_assert!(text.get(at).is_some());
            }
        }
    }
}
