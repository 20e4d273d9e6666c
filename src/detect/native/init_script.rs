//! System V init scripts: the LSB header, literal variables, and the daemon's command line as the script starts it.
//!
//! Nothing is evaluated: a variable counts only where its value is literal or made of earlier literals. What a script
//! decides at run time stays unknown, and the rule that reports a legacy start says so.

use super::secret::{redact, redact_line};
use super::syntax;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, InitScript, Syntax};
use crate::path::MachinePath;
use crate::workload::service::words;
use std::collections::BTreeMap;

pub struct InitScripts;

/// Lines kept of one script; most have one or two.
const MOST_STARTS: usize = 32;

/// Names kept of one script.
const MOST_COMPUTED: usize = 500;

impl Detector for InitScripts {
    fn id(&self) -> &'static str {
        "services/sysv"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "System V init scripts",
            recognises: "scripts in /etc/init.d: LSB header, literal variables, and the start-stop-daemon, daemon, su or runuser line",
            why: "the daemon's own command line is what a container runs",
            cannot_see: "what a script decides at run time",
            references: &[
                "LSB 5.0, 22.7 Comment Conventions for Init Scripts",
                "start-stop-daemon(8)",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            globs: vec!["/etc/init.d/*".into()],
            limit: 1 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if !file.bytes.starts_with(b"#!") {
            return;
        }
        let header = header(file.text());
        let list = |key: &str| {
            header
                .get(key)
                .map(|value| value.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default()
        };
        let variables = variables(file.text());
        let lines = logical_lines(file.text());
        let sources = sources(&lines, &variables);
        sink.wants.extend(
            sources
                .iter()
                .map(|path| syntax::want(Syntax::Environment, &path.text())),
        );
        let starts = lines
            .iter()
            .filter(|line| starter(&words::shell(line)).is_some());
        let shown = variables.iter().map(|(name, value)| {
            let value = redact(Some(name), value).text.into_owned();
            (name.clone(), value)
        });
        sink.fact(Fact::InitScript(InitScript {
            path: file.path.clone(),
            provides: list("Provides"),
            required_start: list("Required-Start"),
            default_start: list("Default-Start"),
            description: header.get("Short-Description").cloned().unwrap_or_default(),
            computed: computed(&lines, &variables),
            variables: shown.collect(),
            sources,
            starts: starts
                .take(MOST_STARTS)
                .map(|line| redact_line(line).text.into_owned())
                .collect(),
            evidence: file.evidence(
                1,
                header.get("Short-Description").map_or("", String::as_str),
            ),
        }));
    }
}

/// The comment block between `### BEGIN INIT INFO` and `### END INIT INFO`.
fn header(text: &str) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("### BEGIN INIT INFO"))
        .skip(1);
    let block = lines.take_while(|line| !line.starts_with("### END INIT INFO"));
    let pair = |line: &str| {
        let (key, value) = line.trim_start_matches('#').split_once(':')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    block.filter_map(pair).collect()
}

/// Lines joined over backslashes, comments dropped.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            continue;
        }
        let body = trimmed.strip_suffix('\\').unwrap_or(trimmed);
        match lines.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(body);
            }
            None => lines.push(body.to_owned()),
        }
        open = body.len() < trimmed.len();
    }
    lines
}

/// Top-level assignments whose value is literal once earlier ones are put in; the first stands.
fn variables(text: &str) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for line in logical_lines(text) {
        let line = line.strip_prefix("export ").unwrap_or(&line);
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let words = words::shell(value);
        let (Some(value), true) = (
            words.first().cloned().or(Some(String::new())),
            is_name(name),
        ) else {
            continue;
        };
        let value = expand(&value, &known);
        if !value.contains(['$', '`']) {
            known.entry(name.to_owned()).or_insert(value);
        }
    }
    known
}

/// `$NAME`, `${NAME}` and `${NAME:-default}` replaced by what is known; the rest stays as written.
fn expand(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(head);
        let body = tail.get(1..).unwrap_or_default();
        let (name, default, after) = if let Some(inner) = body.strip_prefix('{') {
            let (inside, after) = inner.split_once('}').unwrap_or((inner, ""));
            let (name, default) = inside
                .split_once(":-")
                .map_or((inside, None), |(n, d)| (n, Some(d)));
            (name, default, after)
        } else {
            let end = body
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(body.len());
            let (name, after) = body.split_at_checked(end).unwrap_or((body, ""));
            (name, None, after)
        };
        match known.get(name).map(String::as_str).or(default) {
            Some(value) => out.push_str(value),
            None => out.push_str(tail.strip_suffix(after).unwrap_or(tail)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Files of settings that a script reads in; libraries of functions are none.
fn sources(lines: &[String], known: &BTreeMap<String, String>) -> Vec<MachinePath> {
    let mut found = Vec::new();
    for line in lines {
        let words = words::shell(line);
        let after = words.iter().zip(words.iter().skip(1));
        for (word, file) in after {
            let file = expand(file.trim_end_matches(';'), known);
            let is_settings = file.starts_with("/etc/") && !file.contains(['$', '`', '*']);
            let path = MachinePath::new(&file);
            if matches!(word.as_str(), "." | "source") && is_settings && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found.truncate(MOST_STARTS);
    found
}

/// Names that are assigned somewhere and have no literal value.
fn computed(lines: &[String], known: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    for line in lines {
        let words: Vec<&str> = line
            .split([' ', '\t', ';', '(', '{', '&', '|', '"'])
            .collect();
        let named = words.iter().zip(words.iter().skip(1));
        found.extend(
            named
                .filter(|(word, _)| matches!(**word, "for" | "read" | "getopts" | "local"))
                .map(|(_, name)| (*name).to_owned()),
        );
        let assigned = words.iter().filter_map(|word| word.split_once('='));
        found.extend(assigned.map(|(name, _)| name.trim_end_matches('+').to_owned()));
    }
    found
        .into_iter()
        .filter(|name| is_name(name) && !known.contains_key(name))
        .take(MOST_COMPUTED)
        .collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// How a script starts its daemon.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    pub daemon: Vec<String>,
    /// `--chuid`, `runuser -u`, `su USER -c`, `--user` of that line.
    pub user: Option<String>,
    pub pid_file: Option<String>,
}

/// The first of a script's lines that starts something, with what its variables stand for.
pub fn started(script: &InitScript, known: &BTreeMap<String, String>) -> Option<Start> {
    let mut start = script.starts.iter().find_map(|line| start(line, known))?;
    // Nobody gives it a value: to a shell it is nothing at all.
    let is_unset = |word: &String| {
        let name = word
            .strip_prefix('$')
            .map(|name| name.trim_matches(['{', '}']));
        name.is_some_and(|name| {
            is_name(name)
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !script.computed.iter().any(|known| known == name)
        })
    };
    start.daemon.retain(|word| !is_unset(word));
    for word in &mut start.daemon {
        *word = redact_line(word).text.into_owned();
    }
    Some(start)
}

/// Where the word stands that starts a daemon.
fn starter(words: &[String]) -> Option<usize> {
    words.iter().position(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(
            name,
            "start-stop-daemon" | "daemon" | "su" | "runuser" | "nohup" | "setsid"
        )
    })
}

/// What a line starts, if anything.
fn start(line: &str, known: &BTreeMap<String, String>) -> Option<Start> {
    let words: Vec<String> = words::shell(line)
        .iter()
        .flat_map(|word| expand_words(word, known))
        .collect();
    let at = starter(&words)?;
    let (name, rest) = words.get(at..)?.split_first()?;
    match name.rsplit('/').next().unwrap_or_default() {
        "start-stop-daemon" => start_stop_daemon(rest),
        "su" | "runuser" => run_as(rest),
        "daemon" => {
            let user = rest
                .iter()
                .find_map(|word| word.strip_prefix("--user="))
                .map(str::to_owned);
            let argv = rest
                .iter()
                .skip_while(|word| word.starts_with(['-', '+']))
                .cloned();
            finish(argv.collect(), user, None)
        }
        _ => finish(rest.to_vec(), None, None),
    }
}

/// An unquoted variable may hold several words.
fn expand_words(word: &str, known: &BTreeMap<String, String>) -> Vec<String> {
    let expanded = expand(word, known);
    if expanded == word {
        vec![expanded]
    } else {
        words::shell(&expanded)
    }
}

fn start_stop_daemon(args: &[String]) -> Option<Start> {
    let mut user = None;
    let mut pid_file = None;
    let mut program = None;
    let mut words = args.iter();
    let mut starts = false;
    while let Some(word) = words.next() {
        let (flag, inline) = word
            .split_once('=')
            .map_or((word.as_str(), None), |(f, v)| (f, Some(v.to_owned())));
        let mut value = || inline.clone().or_else(|| words.next().cloned());
        match flag {
            "--start" | "-S" => starts = true,
            "--chuid" | "-c" => {
                user = value().map(|user| user.split(':').next().unwrap_or_default().to_owned());
            }
            "--pidfile" | "-p" => pid_file = value(),
            "--exec" | "-x" if program.is_none() => program = value(),
            "--startas" | "-a" => program = value(),
            "--name" | "-n" | "--chdir" | "-d" | "--user" | "-u" | "--umask" | "-k"
            | "--nicelevel" | "-N" | "--output" | "-O" | "--signal" | "-s" | "--retry" | "-R"
            | "--group" | "-g" => {
                value();
            }
            "--" => break,
            _ => {}
        }
    }
    let tail = words
        .take_while(|word| !matches!(word.as_str(), "||" | "&&" | ";" | ">" | "2>&1" | "&" | "|"));
    let argv: Vec<String> = program.into_iter().chain(tail.cloned()).collect();
    if starts {
        finish(argv, user, pid_file)
    } else {
        None
    }
}

/// `su [-] USER -c "COMMAND"` and `runuser -u USER -- COMMAND`.
fn run_as(args: &[String]) -> Option<Start> {
    let mut user = None;
    let mut argv = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-" | "-l" | "--login" | "-m" | "-p" => {}
            "-s" | "--shell" => {
                words.next();
            }
            "-u" | "--user" => user = words.next().cloned(),
            "-c" | "--command" => argv = words::shell(words.next()?),
            "--" => {
                argv = words.by_ref().cloned().collect();
            }
            name if user.is_none() => user = Some(name.to_owned()),
            _ => break,
        }
    }
    finish(argv, user, None)
}

/// Cuts redirections and the ampersand; a command that still holds a variable where its program is tells nothing.
fn finish(argv: Vec<String>, user: Option<String>, pid_file: Option<String>) -> Option<Start> {
    let daemon: Vec<String> = argv
        .into_iter()
        .take_while(|word| {
            let bare = word.trim_start_matches(|c: char| c.is_ascii_digit());
            !bare.starts_with(['>', '<', '&', '|', ';'])
        })
        .collect();
    let program = daemon.first()?;
    let plain = program.starts_with('/') && !program.contains('$');
    plain.then_some(Start {
        daemon,
        user: user.filter(|user| !user.contains('$')),
        pid_file: pid_file.filter(|path| path.starts_with('/') && !path.contains('$')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_stop_daemon_lines() {
        let text = "#!/bin/sh\nDAEMON=/opt/acme/bin/acmed\nDAEMON_ARGS=\"--port 9100 --dir ${HOME_DIR:-/opt/acme}\"\nPIDFILE=/run/acme.pid\nRUNAS=acme\n\
            case $1 in start)\n start-stop-daemon --start --background --make-pidfile --pidfile $PIDFILE \\\n  --chuid $RUNAS:acme --exec $DAEMON -- $DAEMON_ARGS || return 2\n";
        let known = variables(text);
        let found = logical_lines(text)
            .iter()
            .find_map(|line| start(line, &known))
            .unwrap();
        assert_eq!(
            found.daemon,
            [
                "/opt/acme/bin/acmed",
                "--port",
                "9100",
                "--dir",
                "/opt/acme"
            ]
        );
        assert_eq!(
            (found.user.as_deref(), found.pid_file.as_deref()),
            (Some("acme"), Some("/run/acme.pid"))
        );
    }

    #[test]
    fn other_ways_to_start() {
        let none = BTreeMap::new();
        let su = start(
            "su - acme -s /bin/sh -c \"/opt/x/run --a 1\" > /dev/null &",
            &none,
        )
        .unwrap();
        assert_eq!(
            (su.daemon.as_slice(), su.user.as_deref()),
            (
                &["/opt/x/run".to_owned(), "--a".into(), "1".into()][..],
                Some("acme")
            )
        );
        let daemon = start("daemon --user=bob /usr/sbin/x -d", &none).unwrap();
        assert_eq!(daemon.daemon, ["/usr/sbin/x", "-d"]);
        assert_eq!(
            start("start-stop-daemon --stop --pidfile /x --exec /y", &none),
            None
        );
        assert_eq!(
            start("nohup /opt/y/z a > /var/log/z 2>&1 &", &none)
                .unwrap()
                .daemon,
            ["/opt/y/z", "a"]
        );
    }

    #[test]
    fn what_is_read_in_and_what_only_the_run_knows() {
        let text = "#!/bin/sh\nNAME=acme\n[ -r /etc/default/$NAME ] && . /etc/default/$NAME; . /lib/lsb/init-functions\n\
            run() {\n CONF=$2\n for each in a b; do :; done\n}\n";
        let (lines, known) = (logical_lines(text), variables(text));
        assert_eq!(sources(&lines, &known), ["/etc/default/acme".into()]);
        assert_eq!(computed(&lines, &known), ["CONF", "each"]);
    }

    #[test]
    fn lsb_header() {
        let found = header(
            "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: acme\n# Default-Start: 2 3 4 5\n### END INIT INFO\n# Not: this\n",
        );
        assert_eq!(found.get("Provides").map(String::as_str), Some("acme"));
        assert!(!found.contains_key("Not"));
    }

    proptest::proptest! {
        #[test]
        fn any_script_survives(text in "(?s).{0,300}") {
            let known = variables(&text);
            for line in logical_lines(&text) {
                let _ = start(&line, &known);
            }
        }
    }
}
