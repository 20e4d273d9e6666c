//! What a script's words find: variables, arguments, the few commands whose output the disk tells.

use super::{Script, Variable, Worth};
use crate::path::MachinePath;
use crate::walk::glob;
use crate::words;
use crate::words::sh::word::{Value, World, text};

/// A word in which something is left that only the run tells.
pub(super) fn is_unknown(word: &str) -> bool {
    word.contains(['$', '`'])
}

impl World for Script<'_> {
    fn value(&self, name: &str) -> Value {
        if let Ok(number) = name.parse::<usize>() {
            let argument = self.arguments.get(number);
            return argument.map_or(Value::Unset, |text| Value::Text(text.clone()));
        }
        match name {
            "#" => return Value::Text(self.arguments.len().saturating_sub(1).to_string()),
            "?" | "$" | "!" | "-" => return Value::Unknown,
            _ => {}
        }
        match self.variables.get(name).map(|variable| &variable.worth) {
            Some(Worth::Text(text)) => Value::Text(text.clone()),
            Some(Worth::Unknown) => Value::Unknown,
            None => Value::Unset,
        }
    }

    fn arguments(&self) -> Vec<String> {
        self.arguments.get(1..).unwrap_or_default().to_vec()
    }

    fn assign(&mut self, name: &str, value: String) {
        self.put(name, value);
    }

    fn output(&mut self, command: &str) -> Option<String> {
        let words = words::shell_quoted(command);
        let mut known = Vec::new();
        for (word, quoted) in &words {
            let whole = text(
                &if *quoted {
                    format!("\"{word}\"")
                } else {
                    word.clone()
                },
                self,
            );
            if is_unknown(&whole) || whole.contains(['|', ';', '&', '>', '<']) {
                return None;
            }
            known.push(whole);
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        match known.as_slice() {
            ["echo", rest @ ..] => Some(rest.join(" ")),
            ["basename", path] => Some(base(path).to_owned()),
            ["basename", path, ending] => {
                let base = base(path);
                Some(base.strip_suffix(ending).unwrap_or(base).to_owned())
            }
            ["dirname", path] => {
                let parent = MachinePath::new(path).parent()?;
                Some(parent.text().into_owned())
            }
            ["readlink", "-f" | "-e" | "-m", path] | ["realpath", path]
                if path.starts_with('/') =>
            {
                let real = self.facts.tree.resolve(&MachinePath::new(path))?;
                Some(real.text().into_owned())
            }
            ["which", name] | ["command", "-v", name] | ["type", "-p", name] => {
                let found = self.located(name);
                found.starts_with('/').then_some(found)
            }
            ["uname"] => Some("Linux".to_owned()),
            ["id", "-u"] => Some("0".to_owned()),
            ["id", "-un"] | ["whoami"] => Some("root".to_owned()),
            ["hostname" | "uname", "-n"] | ["hostname"] => {
                self.facts.hostname.as_ref().map(|(name, _)| name.clone())
            }
            _ => None,
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        glob::matches(pattern, text)
    }

    fn affords(&self, bytes: usize) -> bool {
        self.budget.take(bytes)
    }
}

fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// Where programs are looked for where no variable says so.
const PLACES: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/sbin",
    "/usr/sbin",
    "/bin",
    "/usr/bin",
];

impl Script<'_> {
    /// Gives a variable its value. Where only the run decides whether it is come to, what is known already stays.
    pub(super) fn put(&mut self, name: &str, value: String) {
        let known = self.variables.get(name).map(|variable| &variable.worth);
        let is_kept = self.maybe > 0 && matches!(known, Some(Worth::Text(_)));
        if !words::expand::is_name(name) {
            return;
        }
        if is_kept {
            let known = self.variables.get_mut(name);
            if let Some(known) = known.filter(|known| known.worth != Worth::Text(value)) {
                known.is_doubtful = true;
            }
            return;
        }
        let evidence = self.evidence(&format!("{name}={value}"));
        let worth = if is_unknown(&value) {
            Worth::Unknown
        } else {
            Worth::Text(value)
        };
        let variable = Variable {
            worth,
            is_doubtful: false,
            evidence,
        };
        if self.exports_all {
            self.exported.insert(name.to_owned());
        }
        self.variables.insert(name.to_owned(), variable);
    }

    pub(super) fn unknown(&mut self, name: &str) {
        if words::expand::is_name(name) {
            let evidence = self.evidence(name);
            let worth = Worth::Unknown;
            self.variables.insert(
                name.to_owned(),
                Variable {
                    worth,
                    is_doubtful: false,
                    evidence,
                },
            );
        }
    }

    /// Whether a word as written has a variable that may have another value.
    pub(super) fn is_doubtful(&self, written: &str) -> bool {
        let names = written.split('$').skip(1).map(|tail| {
            let tail = tail.trim_start_matches('{');
            let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            tail.get(..end.unwrap_or(tail.len())).unwrap_or_default()
        });
        let mut known = names.filter_map(|name| self.variables.get(name));
        known.any(|variable| variable.is_doubtful)
    }

    pub(super) fn unset(&mut self, name: &str) {
        if self.maybe == 0 {
            self.variables.remove(name);
            self.exported.remove(name);
        }
    }

    /// A program that only the search path leads to.
    pub(super) fn located(&self, name: &str) -> String {
        if name.contains('/') || name.is_empty() {
            return name.to_owned();
        }
        let own = match self.value("PATH") {
            Value::Text(path) => path,
            _ => String::new(),
        };
        let own = own
            .split(':')
            .filter(|place| place.starts_with('/'))
            .take(32);
        let mut places = own
            .chain(PLACES.iter().copied())
            .map(|place| MachinePath::new(place).join(name));
        let is_program = |path: &MachinePath| {
            let entry = self.facts.tree.get(path);
            entry.is_some_and(|entry| entry.is_file() && entry.is_executable())
        };
        let found = places.find(is_program);
        found.map_or_else(|| name.to_owned(), |path| path.text().into_owned())
    }

    /// What the processes that are started now find in their environment.
    pub(super) fn environment(&self) -> super::Environment {
        let mut found = super::Environment::default();
        if !self.around.is_login {
            for name in &self.exported {
                let Some(variable) = self.variables.get(name) else {
                    continue;
                };
                if let Worth::Text(value) = &variable.worth
                    && !is_usual(name, value)
                {
                    found.put(name, value.clone(), variable.evidence.clone());
                }
            }
        }
        for (name, value) in &self.around.settings {
            if !is_unknown(value) && !is_usual(name, value) {
                found.put(
                    name,
                    value.clone(),
                    self.evidence(&format!("{name}={value}")),
                );
            }
        }
        found
    }
}

/// A search path that every machine and image has.
fn is_usual(name: &str, value: &str) -> bool {
    name == "PATH" && value.split(':').all(|place| PLACES.contains(&place))
}
