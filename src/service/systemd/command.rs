//! Command lines of units: prefixes, specifiers, variables (systemd.service(5), "Command Lines").

use super::owner::Owner;
use super::{specifier, unit};
use crate::fact::{Evidence, UnitEntry};
use crate::path::MachinePath;
use crate::service::Command;
use crate::words;
use crate::words::budget::{Budget, WORDS};
use crate::words::expand::braced;

/// What a unit's values are expanded with.
pub struct Context<'a> {
    pub name: &'a str,
    pub hostname: &'a str,
    pub owner: &'a Owner,
    pub environment: &'a [(String, String)],
    /// Variables that the run may set though the disk does not; `None` where any may be.
    pub open: Option<&'a [String]>,
    /// What all of the unit's values may become.
    pub budget: &'a Budget,
}

impl Context<'_> {
    pub fn expand(&self, text: &str) -> String {
        specifier::expand(text, self.name, (self.hostname, self.owner), self.budget)
    }

    /// One Exec line; several commands may be joined by ` ; `.
    pub fn commands(&self, path: &MachinePath, entry: &UnitEntry) -> Vec<Command> {
        let evidence = unit::evidence(path, entry);
        words::commands(&entry.value)
            .iter()
            .filter_map(|words| self.command(words, &evidence))
            .collect()
    }

    fn command(&self, words: &[String], evidence: &Evidence) -> Option<Command> {
        let (first, rest) = words.split_first()?;
        let path = first.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let prefix = first.strip_suffix(path).unwrap_or_default();
        // With `@` the second word is the process's own name for itself.
        let rest = if prefix.contains('@') {
            rest.get(1..).unwrap_or_default()
        } else {
            rest
        };
        let mut argv = vec![self.expand(path)];
        for word in rest {
            if argv.len() >= WORDS {
                argv.truncate(WORDS);
                self.budget.refuse();
                break;
            }
            if prefix.contains(':') {
                argv.push(self.expand(word));
            } else {
                argv.extend(self.variables(&self.expand(word)));
            }
        }
        Some(Command {
            argv,
            ignore_failure: prefix.contains('-'),
            privileged: prefix.contains(['+', '!']),
            evidence: evidence.clone(),
        })
    }

    /// The value of a variable; empty where nothing sets it, `None` where only the run knows.
    fn value(&self, name: &str) -> Option<&str> {
        let known = self.environment.iter().rfind(|(known, _)| known == name);
        let unset = || {
            let open = self.open?;
            (!open.iter().any(|known| known == name)).then_some("")
        };
        known.map(|(_, value)| value.as_str()).or_else(unset)
    }

    /// `$NAME` as a word of its own is split into words; `${NAME}` is put in its place; `$$` is a dollar. The text of a
    /// variable that only the run knows stays.
    fn variables(&self, word: &str) -> Vec<String> {
        if let Some(name) = word.strip_prefix('$').filter(|name| is_name(name)) {
            let value = self.value(name);
            let value = value.filter(|value| self.budget.take(value.len()));
            return value.map_or_else(|| vec![word.to_owned()], words::split);
        }
        let mut out = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((head, tail)) = rest.split_once('$') {
            out.push_str(head);
            rest = match (braced(tail), tail.strip_prefix('$')) {
                (Some((name, after)), _) if is_name(name) => {
                    let value = self.value(name);
                    match value.filter(|value| self.budget.take(value.len())) {
                        Some(text) => out.push_str(text),
                        None => out.extend(["${", name, "}"]),
                    }
                    after
                }
                (_, Some(after)) => {
                    out.push('$');
                    after
                }
                _ => {
                    out.push('$');
                    tail
                }
            };
        }
        out.push_str(rest);
        vec![out]
    }
}

fn is_name(text: &str) -> bool {
    text.chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(value: &str, open: Option<&[String]>) -> Vec<Vec<String>> {
        let environment = [
            ("OPTS".to_owned(), "-a \"b c\"".to_owned()),
            ("PORT".to_owned(), "80".to_owned()),
        ];
        let context = Context {
            name: "x@y.service",
            hostname: "h",
            owner: &Owner::default(),
            environment: &environment,
            open,
            budget: &Budget::of(1 << 10),
        };
        let entry = UnitEntry {
            section: "Service".into(),
            key: "ExecStart".into(),
            value: value.into(),
            line: 1,
            secret: false,
            references: std::collections::BTreeSet::new(),
        };
        context
            .commands(&"/etc/x".into(), &entry)
            .into_iter()
            .map(|command| command.argv)
            .collect()
    }

    #[test]
    fn prefixes_specifiers_variables() {
        assert_eq!(
            argv("-/bin/a $OPTS --port=${PORT} %i $$x", None),
            [["/bin/a", "-a", "b c", "--port=80", "y", "$x"]]
        );
        assert_eq!(
            argv("@/bin/a own -b ; +/bin/c $NONE", None),
            [vec!["/bin/a", "-b"], vec!["/bin/c", "$NONE"]]
        );
        assert!(argv("", None).is_empty());
    }

    #[test]
    fn what_nothing_sets_is_nothing() {
        let open = ["HOME".to_owned()];
        assert_eq!(
            argv("/bin/a $NONE x${NONE}y $HOME ${HOME}", Some(&open)),
            [["/bin/a", "xy", "$HOME", "${HOME}"]]
        );
    }
}
