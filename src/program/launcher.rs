//! Programs that prepare and then become another, and where their command begins on the line. Which there are is data.

use crate::walk::glob;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    launcher: Vec<Launcher>,
    interpreter: Vec<Interpreter>,
    runner: Vec<Runner>,
    host: Vec<Host>,
}

/// A program that is known by a file beside it, which tells what it runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    beside: Vec<String>,
    ending: String,
}

/// What a program of this name runs, by the endings of files beside it.
pub(super) fn hosted(name: &str, is_beside: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut all = FILE.host.iter();
    let host = all.find(|host| {
        let mut beside = host.beside.iter();
        beside.any(|ending| is_beside(&format!("{name}{ending}")))
    })?;
    Some(format!("{name}{}", host.ending))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runner {
    names: Vec<String>,
    verbs: Vec<String>,
    plain: Vec<String>,
    takes: Vec<String>,
    within: Vec<String>,
    pub(super) file: String,
    pub(super) key: String,
}

/// The runner of a base name.
pub(super) fn runner(base: &str) -> Option<&'static Runner> {
    let mut all = FILE.runner.iter();
    all.find(|known| known.names.iter().any(|name| name == base))
}

impl Runner {
    /// The name of the line, and the directory that an option names.
    pub(super) fn line<'a>(&self, rest: &'a [String]) -> Option<(&'a str, Option<&'a str>)> {
        let (mut within, mut is_run, mut at) = (None, false, 0);
        while let Some(word) = rest.get(at) {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => (flag, Some(value)),
                _ => (word.as_str(), None),
            };
            if self.takes.iter().any(|known| known == flag) {
                let value = value.or_else(|| rest.get(at + 1).map(String::as_str));
                if self.within.iter().any(|known| known == flag) {
                    within = value;
                }
                at += if word.contains('=') { 1 } else { 2 };
            } else if word.starts_with('-') {
                at += 1;
            } else if !is_run && self.verbs.contains(word) {
                is_run = true;
                at += 1;
            } else {
                let is_one = is_run || self.plain.contains(word);
                return is_one.then_some((word.as_str(), within));
            }
        }
        None
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interpreter {
    names: Vec<String>,
    #[serde(default)]
    takes: Vec<String>,
    #[serde(default)]
    program: Vec<String>,
    /// Words that may come first.
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    pub(super) class: bool,
    #[serde(default)]
    pub(super) listed: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Launcher {
    names: Vec<String>,
    #[serde(default)]
    takes: Vec<String>,
    #[serde(default)]
    line: Vec<String>,
    #[serde(default)]
    before: usize,
    /// Options with which none of the words in `before` is there.
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    assignments: bool,
    /// Where the environments are that it runs its command in, the first that is there; and options that name one.
    #[serde(default)]
    pub(super) environments: Vec<String>,
    #[serde(default)]
    pub(super) options: BTreeMap<String, Vec<String>>,
}

/// What a launcher starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Started<'a> {
    /// Settings before the command, and the command.
    Words(&'a [String], &'a [String]),
    Line(&'a str),
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    let text = include_str!("../../detectors/launchers.toml");
    toml::from_str(text).unwrap_or_default()
});

/// The interpreter of a base name: a language and perhaps a version.
pub(super) fn interpreter(base: &str) -> Option<&'static Interpreter> {
    let stem = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let mut all = FILE.interpreter.iter();
    all.find(|known| known.names.iter().any(|name| name == stem))
}

impl Interpreter {
    /// Where the program stands among its words, and whether an option names it.
    pub(super) fn program(&self, rest: &[String]) -> Option<(usize, bool)> {
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            if self.program.contains(word) {
                return rest.get(at + 1).map(|_| (at + 1, true));
            }
            if self.takes.contains(word) {
                at += 2;
            } else if word.starts_with('-') || self.verbs.contains(word) {
                at += 1;
            } else {
                return Some((at, false));
            }
        }
        None
    }
}

/// The launcher of a base name.
pub(super) fn of(base: &str) -> Option<&'static Launcher> {
    let mut all = FILE.launcher.iter();
    all.find(|launcher| launcher.names.iter().any(|name| glob::matches(name, base)))
}

impl Launcher {
    /// What the words behind its name start; `None` where that is nothing, or another of its verbs.
    pub(super) fn started<'a>(&self, rest: &'a [String]) -> Option<Started<'a>> {
        let mut left = self.before;
        let mut verb = self.verbs.is_empty();
        let mut settings = None;
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            if let Some(line) = self.line_at(rest, at) {
                return Some(Started::Line(line));
            }
            if self.unless.contains(word) {
                left = 0;
            }
            if self.takes.contains(word) {
                at += 2;
            } else if word.starts_with('-') {
                at += 1;
            } else if !verb {
                if !self.verbs.contains(word) {
                    return None;
                }
                verb = true;
                at += 1;
            } else if self.assignments && is_assignment(word) {
                settings.get_or_insert(at);
                at += 1;
            } else if left > 0 {
                left -= 1;
                at += 1;
            } else {
                break;
            }
        }
        let command = rest.get(at..).filter(|command| !command.is_empty())?;
        let settings = settings.map_or(&[][..], |from| rest.get(from..at).unwrap_or_default());
        Some(Started::Words(settings, command))
    }

    fn line_at<'a>(&self, rest: &'a [String], at: usize) -> Option<&'a str> {
        let word = rest.get(at)?;
        if self.line.contains(word) {
            return rest.get(at + 1).map(String::as_str);
        }
        let (flag, value) = word.split_once('=')?;
        let is_one = flag.starts_with("--") && self.line.iter().any(|known| known == flag);
        is_one.then_some(value)
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(crate::words::expand::is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(line: &str) -> Option<String> {
        let words = crate::words::shell(line);
        let (first, rest) = words.split_first()?;
        Some(match of(first)?.started(rest)? {
            Started::Words(_, words) => words.join(" "),
            Started::Line(line) => format!("[{line}]"),
        })
    }

    #[test]
    fn every_launcher_hands_over_its_command() {
        for (line, wanted) in [
            ("env -i A=1 PATH=/x /opt/a -v", "/opt/a -v"),
            ("env -u X -C /srv node s.js", "node s.js"),
            ("env -S 'a b'", "[a b]"),
            ("nice -n 5 /opt/a", "/opt/a"),
            ("nice -5 /opt/a", "/opt/a"),
            ("ionice -c2 -n 7 /opt/a", "/opt/a"),
            ("chrt -f 10 /opt/a", "/opt/a"),
            ("taskset -c 0,1 /opt/a", "/opt/a"),
            ("chroot --userspec=a:b /srv/root /opt/a -x", "/opt/a -x"),
            ("setpriv --reuid 1000 --clear-groups /opt/a", "/opt/a"),
            ("su - app -c '/opt/a -x'", "[/opt/a -x]"),
            ("su -s /bin/sh -c '/opt/a -x' app", "[/opt/a -x]"),
            ("su app --command=/opt/a", "[/opt/a]"),
            ("runuser -u app -- /opt/a -x", "/opt/a -x"),
            ("runuser app -c '/opt/a'", "[/opt/a]"),
            ("sudo -u app -H A=1 /opt/a", "/opt/a"),
            ("flock -n /run/a.lock /opt/a", "/opt/a"),
            ("flock /run/a.lock -c 'a b'", "[a b]"),
            ("timeout -k 5 1h /opt/a", "/opt/a"),
            ("tini -g -- /opt/a", "/opt/a"),
            ("dumb-init --rewrite 15:3 -- /opt/a", "/opt/a"),
            ("poetry run gunicorn a:b", "gunicorn a:b"),
            ("poetry -C /srv/x run gunicorn a:b", "gunicorn a:b"),
            ("pipenv run python x.py", "python x.py"),
            ("bundle exec puma -C p.rb", "puma -C p.rb"),
            (
                "conda run -n web --no-capture-output uvicorn a",
                "uvicorn a",
            ),
            ("gosu app:app /opt/a", "/opt/a"),
            ("chpst -u app -e ./env /opt/a", "/opt/a"),
        ] {
            assert_eq!(started(line).as_deref(), Some(wanted), "{line}");
        }
        for line in [
            "poetry install",
            "bundle update",
            "su -",
            "env A=1",
            "ls -l",
        ] {
            assert_eq!(started(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_words_survive(words in proptest::collection::vec("[-a-z=/ ]{0,8}", 0..6)) {
            for launcher in &FILE.launcher {
                let _ = launcher.started(&words);
            }
        }
    }
}
