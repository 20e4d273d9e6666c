//! How an init script starts its daemon: the start-stop-daemon, daemon, su, runuser, nohup or setsid line, with what
//! its variables stand for.

use crate::fact::{InitScript, Masking};
use crate::words;
use crate::words::budget::{Budget, WORDS};
use crate::words::expand::{expand, is_name};
use crate::words::start::{inner, starter};
use std::collections::BTreeMap;

/// How a script starts its daemon.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    pub daemon: Vec<String>,
    /// `--chuid`, `runuser -u`, `su USER -c`, `--user` of that line.
    pub user: Option<String>,
    pub pid_file: Option<String>,
    /// The starter puts it into the background: the daemon itself stays in front.
    pub is_put_behind: bool,
}

/// The first of a script's lines that starts something, with what its variables stand for.
pub fn started(
    script: &InitScript,
    known: &BTreeMap<String, String>,
    masking: Masking,
    budget: &Budget,
) -> Option<Start> {
    let mut lines = script.starts.iter();
    let mut start = lines.find_map(|line| start(line, known, budget))?;
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
        *word = masking.redact_line(word).text.into_owned();
    }
    Some(start)
}

/// What a line starts, if anything.
fn start(line: &str, known: &BTreeMap<String, String>, budget: &Budget) -> Option<Start> {
    let words = words::shell_quoted(inner(line));
    let words = words
        .iter()
        .flat_map(|(word, quoted)| expand_words(word, *quoted, known, budget));
    let mut words: Vec<String> = words.take(WORDS + 1).collect();
    if words.len() > WORDS {
        words.truncate(WORDS);
        budget.refuse();
    }
    let at = starter(&words)?;
    let (name, rest) = words.get(at..)?.split_first()?;
    match name.rsplit('/').next().unwrap_or_default() {
        "start-stop-daemon" => start_stop_daemon(rest),
        "su" | "runuser" => run_as(rest).map(|start| behind(start, rest)),
        "daemon" => {
            let user = rest
                .iter()
                .find_map(|word| word.strip_prefix("--user="))
                .map(str::to_owned);
            let argv = rest
                .iter()
                .skip_while(|word| word.starts_with(['-', '+']))
                .cloned();
            finish(argv.collect(), user, None).map(|start| behind(start, rest))
        }
        // nohup and setsid run what they are given where they are; the shell's ampersand does the rest.
        _ => finish(rest.to_vec(), None, None).map(|start| behind(start, rest)),
    }
}

/// The shell's ampersand at the end of the line.
fn behind(start: Start, line: &[String]) -> Start {
    Start {
        is_put_behind: line.iter().any(|word| word == "&"),
        ..start
    }
}

/// An unquoted variable may hold several words, or none.
fn expand_words(
    word: &str,
    quoted: bool,
    known: &BTreeMap<String, String>,
    budget: &Budget,
) -> Vec<String> {
    let expanded = expand(word, known, budget);
    if quoted || expanded == word {
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
    let (mut starts, mut is_put_behind) = (false, false);
    while let Some(word) = words.next() {
        let (flag, inline) = word
            .split_once('=')
            .map_or((word.as_str(), None), |(f, v)| (f, Some(v.to_owned())));
        let mut value = || inline.clone().or_else(|| words.next().cloned());
        match flag {
            "--start" | "-S" => starts = true,
            "--background" | "-b" => is_put_behind = true,
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
    let start = finish(argv, user, pid_file).filter(|_| starts)?;
    Some(Start {
        is_put_behind,
        ..start
    })
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
        is_put_behind: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::expand::{logical_lines, variables};
    use crate::words::start::may_start;

    #[test]
    fn start_stop_daemon_lines() {
        let text = "#!/bin/sh\nDAEMON=/opt/acme/bin/acmed\nDAEMON_ARGS=\"--port 9100 --dir ${HOME_DIR:-/opt/acme}\"\nPIDFILE=/run/acme.pid\nRUNAS=acme\n\
            case $1 in start)\n start-stop-daemon --start --background --make-pidfile --pidfile $PIDFILE \\\n  --chuid $RUNAS:acme --exec $DAEMON -- $DAEMON_ARGS || return 2\n";
        let budget = Budget::of(text.len());
        let known = variables(text, &budget);
        let found = logical_lines(text)
            .iter()
            .find_map(|line| start(line, &known, &budget))
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
        assert!(found.is_put_behind);
    }

    #[test]
    fn other_ways_to_start() {
        let none = BTreeMap::new();
        let su = start(
            "su - acme -s /bin/sh -c \"/opt/x/run --a 1\" > /dev/null &",
            &none,
            &Budget::of(1 << 10),
        )
        .unwrap();
        assert_eq!(
            (su.daemon.as_slice(), su.user.as_deref()),
            (
                &["/opt/x/run".to_owned(), "--a".into(), "1".into()][..],
                Some("acme")
            )
        );
        assert!(su.is_put_behind);
        let daemon = start(
            "daemon --user=bob /usr/sbin/x -d",
            &none,
            &Budget::of(1 << 10),
        )
        .unwrap();
        assert!(!daemon.is_put_behind);
        assert_eq!(daemon.daemon, ["/usr/sbin/x", "-d"]);
        assert_eq!(
            start(
                "start-stop-daemon --stop --pidfile /x --exec /y",
                &none,
                &Budget::of(1 << 10)
            ),
            None
        );
        assert_eq!(
            start(
                "reason=\"`start-stop-daemon --start --pidfile \"/x\" --exec /y -- -a 2>&1`\"",
                &none,
                &Budget::of(1 << 10)
            )
            .unwrap()
            .daemon,
            ["/y", "-a"]
        );
        let settings = BTreeMap::from([("PID".to_owned(), String::new())]);
        let empty = "start-stop-daemon --start --pidfile \"$PID\" --exec /y -- $PID -a";
        assert_eq!(
            start(empty, &settings, &Budget::of(1 << 10))
                .unwrap()
                .daemon,
            ["/y", "-a"]
        );
        assert_eq!(
            start(
                "nohup /opt/y/z a > /var/log/z 2>&1 &",
                &none,
                &Budget::of(1 << 10)
            )
            .unwrap()
            .daemon,
            ["/opt/y/z", "a"]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in ".{0,200}") {
            let known = BTreeMap::from([("A".to_owned(), "b 'c".to_owned())]);
            let _ = (may_start(&line), start(&line, &known, &Budget::of(line.len())));
        }
    }
}
