//! Scripts: the interpreter, and the paths and commands a script names.
//!
//! No shell is evaluated. A word at the start of a simple command and every absolute path are kept, with their lines;
//! whether they lead anywhere is for the reader of the facts to see.

use super::reference::{is_hidden, secret_names};
use crate::detect::FileView;
use crate::fact::{Script, ScriptReference, SecretRef};
use crate::secret::MASK;
use crate::words;
use crate::words::script::words as script_words;
use std::collections::BTreeSet;

/// References kept of one script.
const MOST: usize = 2_000;

pub(super) fn read(file: &FileView<'_>) -> Script {
    let first = file.lines().next().map_or("", |(_, line)| line);
    let interpreter: Vec<String> = first
        .trim_start_matches("#!")
        .split_whitespace()
        .map(str::to_owned)
        .take(8)
        .collect();
    let shell = interpreter.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(name, "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash")
    });
    let mut references: Vec<ScriptReference> = Vec::new();
    let mut secrets = BTreeSet::new();
    for (line, text) in file.lines().skip(1) {
        let text = text.trim();
        if text.starts_with('#') || text.len() > 4096 {
            continue;
        }
        if secrets.len() < MOST {
            secrets.extend(secret_names(None, text));
        }
        for word in script_words(text, shell) {
            if references.len() < MOST && !references.iter().any(|known| known.word == word) {
                references.push(ScriptReference { word, line });
            }
        }
    }
    let own = if shell {
        Own::read(file)
    } else {
        Own::default()
    };
    Script {
        path: file.entry.path.clone(),
        interpreter,
        references,
        secrets,
        main: own.main,
        variables: own.variables,
    }
}

/// What a shell script does in its own name.
#[derive(Default)]
struct Own {
    main: Option<String>,
    variables: Vec<(String, String)>,
}

/// Variables kept of one script, and lines looked at for them: a start script has hundreds.
const MOST_VARIABLES: usize = 200;
const MOST_LINES: usize = 5_000;

impl Own {
    fn read(file: &FileView<'_>) -> Self {
        let mut found = Self::default();
        let mut last = None;
        let lines = words::expand::logical_lines(file.text()).into_iter();
        for line in lines.take(MOST_LINES).filter(|line| line.len() <= 4096) {
            found.variable(file, &line);
            let Some(simple) = words::line::main(&line) else {
                continue;
            };
            let first = simple.words.first().map_or("", |(word, _)| word.as_str());
            // `exec 2>&1` only redirects.
            if first == "exec" && simple.words.len() > 1 {
                found.main = Some(line);
            } else if first.contains('/') || first.starts_with('$') {
                last = Some(line);
            }
        }
        let main = found.main.or(last);
        found.main = main.map(|line| file.masking.redact_line(&line).text.into_owned());
        found
    }

    fn variable(&mut self, file: &FileView<'_>, line: &str) {
        let set = line.strip_prefix("export ").unwrap_or(line).split_once('=');
        let Some((name, value)) = set.filter(|(name, _)| words::expand::is_name(name)) else {
            return;
        };
        let is_new = self.variables.iter().all(|(known, _)| known != name);
        if is_new && self.variables.len() < MOST_VARIABLES {
            let value = file.masking.redact(Some(name), value).text.into_owned();
            let (value, _) = words::line::first(&value);
            self.variables.push((name.to_owned(), value));
        }
    }
}

/// Variables that a script both sets and uses as secrets; the script is not to be carried as it is.
pub(super) fn own_secrets<'f>(
    file: &'f FileView<'_>,
    names: &'f BTreeSet<String>,
) -> impl Iterator<Item = SecretRef> + 'f {
    let lines = file.lines().filter(|_| !names.is_empty());
    lines.filter_map(|(line, text)| {
        let text = text.trim_start();
        let text = text.strip_prefix("export ").unwrap_or(text);
        let (name, value) = text.split_once('=')?;
        let value = words::shell(value).into_iter().next()?;
        let is_literal = !value.contains(['$', '`']);
        (is_literal && is_hidden(names, name, &value)).then(|| SecretRef {
            kind: "password".to_owned(),
            key: name.to_owned(),
            evidence: file.evidence(line, &format!("{name}={MASK}")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::path::MachinePath;
    use crate::walk::Entry;

    #[test]
    fn a_script_that_holds_what_it_uses_is_named() {
        let text = "#!/bin/sh\nexport P='a b'\nQ=$1\nPORT=80\nPGPASSWORD=$P psql -p $PORT\ncurl -u app:$Q x\n";
        let path = MachinePath::new("/opt/x");
        let entry = Entry::file(&path, 0o755);
        let purpose = Purpose::default();
        let file = FileView::new(&path, &entry, text.as_bytes(), &purpose);
        let script = read(&file);
        assert_eq!(script.secrets.iter().collect::<Vec<_>>(), ["P", "Q"]);
        let own: Vec<SecretRef> = own_secrets(&file, &script.secrets).collect();
        let said: Vec<(&str, Option<u32>, &str)> = own
            .iter()
            .map(|secret| {
                (
                    secret.key.as_str(),
                    secret.evidence.line,
                    secret.evidence.excerpt.as_str(),
                )
            })
            .collect();
        assert_eq!(said, [("P", Some(2), "P=[redacted]")]);
    }
}
