//! Lines of a shell's script, each where it stands: what they mean is worked out where scripts are gone through.

use super::super::reference::{is_hidden, secret_names};
use super::Reader;
use crate::detect::FileView;
use crate::fact::Masking;
use crate::secret::MASK;
use crate::words;

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let lines: Vec<(u32, &str)> = (1u32..).zip(file.text().lines()).collect();
    of_lines(reader, "", &lines);
}

/// Lines of one section.
pub(super) fn of_lines(reader: &mut Reader, section: &str, lines: &[(u32, &str)]) {
    if reader.masking == Masking::Masked {
        for (_, line) in lines {
            reader.secrets.extend(secret_names(None, line));
        }
    }
    for (number, line) in lines {
        let trimmed = words::trim(line);
        if trimmed.is_empty() {
            continue;
        }
        let (text, secret) = shown(reader, line);
        reader.push(section, "line", text, *number, secret);
    }
}

/// The line without its secrets.
fn shown(reader: &Reader, line: &str) -> (String, bool) {
    if let Some((before, name, value)) = assignment(line) {
        let bare = words::shell(value).into_iter().next().unwrap_or_default();
        let is_asked = reader.masking == Masking::Masked && is_hidden(&reader.secrets, name, &bare);
        let redacted = reader.masking.redact(Some(name), &bare);
        if is_asked || redacted.kind.is_some() {
            let value = if is_asked { MASK } else { &*redacted.text };
            return (format!("{before}{name}='{value}'"), true);
        }
    }
    let redacted = reader.masking.redact_line(line);
    let secret = redacted.kind.is_some();
    (redacted.text.into_owned(), secret)
}

/// `NAME=value` alone on its line, what stands before it, and its parts.
fn assignment(line: &str) -> Option<(&str, &str, &str)> {
    let body = line.trim_start();
    let body = ["export ", "local ", "readonly ", "env "]
        .iter()
        .find_map(|word| body.strip_prefix(word))
        .unwrap_or(body)
        .trim_start();
    let before = line.get(..line.len() - body.len())?;
    let (name, value) = body.split_once('=')?;
    words::expand::is_name(name).then_some((before, name, value))
}

#[cfg(test)]
mod tests {
    use crate::detect::native::Managers;
    use crate::detect::{Detector, FileView, Sink};
    use crate::fact::{Dialect, Fact};
    use crate::path::MachinePath;
    use crate::walk::Entry;

    fn lines(text: &str, dialect: Dialect) -> Vec<String> {
        let path = MachinePath::new("/etc/init.d/x");
        let entry = Entry::file(&path, 0o755);
        let purpose = Managers::purpose(dialect);
        let view = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        let mut sink = Sink::default();
        Managers.inspect(&view, &mut sink);
        let Fact::Managed(found) = sink.facts.remove(0) else {
            panic!("no managed file")
        };
        let entries = found.entries.iter();
        entries
            .map(|e| format!("{}{}: {}", e.section, e.line, e.value))
            .collect()
    }

    #[test]
    fn no_line_shows_a_secret() {
        let text = "#!/bin/sh\n\n  DB_PASSWORD=\"geheim1x\" # c\nexport API_TOKEN='abcd9876efgh'\nX=ok\nK=geheim2y\nexec /opt/run --password=$K --db-password=geheim3z\n";
        let found = lines(text, Dialect::Shell).join("\n");
        assert!(!found.contains("geheim"), "{found}");
        assert!(!found.contains("abcd9876"), "{found}");
        assert!(found.contains("5: X=ok"), "{found}");
    }

    #[test]
    fn no_stanza_shows_a_secret() {
        let text = "env DB_PASSWORD=geheim1x\nenv K=geheim2y\nscript\n  export MY_SECRET=geheim4w\n  exec /opt/run --password=$K\nend script\nexec /opt/y --password geheim3z\n";
        let found = lines(text, Dialect::Upstart).join("\n");
        assert!(!found.contains("geheim"), "{found}");
    }
}
