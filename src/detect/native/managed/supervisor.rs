//! Sections and `key = value` as Python's configparser reads them for supervisord: keys in any case, values that indented
//! lines continue, comments behind a blank; and `environment=`, which has quotes and commas of its own.

use super::super::reference::secret_names;
use super::Reader;
use crate::detect::FileView;
use crate::fact::Masking;
use crate::path::MachinePath;
use crate::words;

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let assignments = assignments(file.text());
    if reader.masking == Masking::Masked {
        for one in &assignments {
            reader
                .secrets
                .extend(secret_names(None, &shelled(&one.value)));
        }
    }
    let here = file.path.parent().unwrap_or_else(MachinePath::root);
    for one in assignments {
        let (section, line) = (one.section.as_str(), one.line);
        match one.key.as_str() {
            "environment" => {
                for (name, value) in pairs(&one.value) {
                    reader.variable(section, &name, &value, line);
                }
            }
            "files" if section == "include" => {
                for pattern in words::parts(&one.value) {
                    let pattern = pattern.replace("%(here)s", &here.text());
                    reader.include(here.join(&pattern).text().into_owned());
                }
            }
            key if key.ends_with("command") => reader.line(section, key, &one.value, line),
            key => reader.setting(section, key, &one.value, line),
        }
    }
}

struct Assignment {
    section: String,
    key: String,
    value: String,
    line: u32,
}

fn assignments(text: &str) -> Vec<Assignment> {
    let mut found: Vec<Assignment> = Vec::new();
    let mut section = String::new();
    let mut is_open = false;
    for (number, line) in (1u32..).zip(text.lines()) {
        let body = uncommented(line);
        let trimmed = words::trim(body);
        if trimmed.is_empty() {
            // A blank line ends a value, a comment on a line of its own does not.
            is_open &= !words::trim(line).is_empty();
            continue;
        }
        let is_indented = line.starts_with([' ', '\t']);
        if let Some(last) = found.last_mut().filter(|_| is_open && is_indented) {
            last.value.push('\n');
            last.value.push_str(trimmed);
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            words::trim(name).clone_into(&mut section);
            is_open = false;
            continue;
        }
        let Some((key, value)) = trimmed.split_once(['=', ':']) else {
            continue;
        };
        is_open = true;
        found.push(Assignment {
            section: section.clone(),
            key: words::trim(key).to_lowercase(),
            value: words::trim(value).to_owned(),
            line: number,
        });
    }
    found
}

/// A line without its comment, which begins the line or follows a blank.
fn uncommented(line: &str) -> &str {
    let mut blank = true;
    for (at, c) in line.char_indices() {
        if blank && matches!(c, ';' | '#') {
            return line.get(..at).unwrap_or_default();
        }
        blank = words::is_blank(c);
    }
    line
}

/// `A="1",B='two, words',C=3`: commas and blanks part what no quotes hold together.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, tail)) = rest.split_once('=') {
        let name = name.trim_matches(|c| words::is_blank(c) || c == ',');
        let tail = tail.trim_start_matches(words::is_blank);
        let quote = tail.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quoted = quote.and_then(|quote| tail.get(1..)?.split_once(quote));
        let (value, after) = quoted.unwrap_or_else(|| {
            let end = tail.find(|c| c == ',' || words::is_blank(c));
            tail.split_at_checked(end.unwrap_or(tail.len()))
                .unwrap_or((tail, ""))
        });
        found.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

/// `%(ENV_P)s` as a shell would write it, for who knows where secrets stand on a line.
fn shelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("%(ENV_") {
        out.push_str(head);
        let (name, after) = tail.split_once(")s").unwrap_or(("", tail));
        out.extend(["${", name, "}"]);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::native::Managers;
    use crate::detect::{Detector, Sink};
    use crate::fact::Fact;
    use crate::fact::{Dialect, Managed};
    use crate::walk::Entry;

    fn read(text: &str) -> Managed {
        let path = MachinePath::new("/etc/s/supervisord.conf");
        let entry = Entry::file(&path, 0o644);
        let purpose = Managers::purpose(Dialect::Supervisor);
        let view = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        let mut sink = Sink::default();
        Managers.inspect(&view, &mut sink);
        match sink.facts.remove(0) {
            Fact::Managed(found) => found,
            other => panic!("{other:?}"),
        }
    }

    fn shown(text: &str) -> Vec<String> {
        let entries = read(text).entries.into_iter();
        let entries = entries.map(|e| format!("{}/{}={}@{}", e.section, e.key, e.value, e.line));
        entries.collect()
    }

    #[test]
    fn lines_are_those_of_the_config_parser() {
        let text = "[program:a]\nCommand = /bin/a -x ; b\n  --y ; c\n# d\n  --z=1;2\n\n  user=no\nUser: app #1\n[include]\nfiles = conf.d/*.conf %(here)s/b.ini\n";
        assert_eq!(
            shown(text),
            [
                "program:a/command=/bin/a -x\n--y\n--z=1;2@2",
                "program:a/user=no@7",
                "program:a/user=app@8"
            ]
        );
        assert_eq!(
            read(text).includes,
            ["/etc/s/conf.d/*.conf", "/etc/s/b.ini"]
        );
    }

    #[test]
    fn environment_has_commas_and_quotes() {
        let text = "[program:a]\nenvironment=A=\"1, 2\",B='c\"d',\n  C=/x/y-z,D=\"\" , DB_PASSWORD=\"geheim1\"\n";
        assert_eq!(
            shown(text),
            [
                "program:a/environment=\"A=1, 2\"@2",
                "program:a/environment=\"B=c\\\"d\"@2",
                "program:a/environment=C=/x/y-z@2",
                "program:a/environment=D=@2",
                "program:a/environment=DB_PASSWORD=[redacted]@2",
            ]
        );
    }

    #[test]
    fn a_variable_that_a_command_has_for_its_password_is_hidden() {
        let text = "[program:a]\ncommand=/bin/a --password=%(ENV_P)s\nenvironment=P=geheim1x\n";
        assert_eq!(shown(text)[1], "program:a/environment=P=[redacted]@3");
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s)[ -~\n\t=\"',%]{0,300}") {
            let _ = (assignments(&text), pairs(&text), shelled(&text));
        }
    }
}
