//! What a service has its manager start, as its command line says.

use crate::fact::{Dialect, Facts, Managed, UnitEntry};
use crate::path::MachinePath;
use crate::service::{Service, Services, managed};
use crate::words;

/// Commands that start what is named behind them.
const STARTS: &[&str] = &[
    "start",
    "startOrRestart",
    "startOrReload",
    "restart",
    "reload",
];

/// Endings of files that say what to start; any other file is a program.
const LISTS: &[&str] = &[
    ".json",
    ".yml",
    ".yaml",
    ".config.js",
    ".config.cjs",
    ".config.mjs",
];

/// Options of the command line that take a word; what they say is called as in a file, or of no matter here.
const OPTIONS: &[(&str, &str)] = &[
    ("--name", "name"),
    ("-n", "name"),
    ("--interpreter", "interpreter"),
    ("--interpreter-args", "node_args"),
    ("--node-args", "node_args"),
    ("--instances", "instances"),
    ("-i", "instances"),
    ("--cwd", "cwd"),
    ("--uid", "user"),
    ("-u", "user"),
    ("--gid", "group"),
    ("--kill-timeout", "kill_timeout"),
    ("--output", "output"),
    ("-o", "output"),
    ("--error", "output"),
    ("-e", "output"),
    ("--env", ""),
    ("--only", ""),
    ("--max-memory-restart", ""),
    ("--log", ""),
    ("-l", ""),
    ("--cron", ""),
    ("-c", ""),
    ("--namespace", ""),
    ("-p", ""),
    ("--pid", ""),
];

/// What a service has its manager start.
pub(super) enum Started {
    Listed {
        file: MachinePath,
        /// Names of those that are meant.
        only: Option<String>,
        /// Which variables beside the usual ones: `--env production`.
        with: Option<String>,
    },
    /// One program, by its path: a list of one.
    Named(Managed),
}

pub(super) fn masters(facts: &Facts, found: &Services) -> Vec<(usize, Started)> {
    let services = found.services.iter().enumerate();
    let enabled = services.filter(|(_, service)| service.enabled && service.stays.is_none());
    let masters = enabled.filter_map(|(at, service)| {
        let args = managed::arguments(service, "pm2")?;
        Some((at, started(facts, service, &args)?))
    });
    masters.collect()
}

fn started(facts: &Facts, service: &Service, args: &[String]) -> Option<Started> {
    let mut plain = plain(args);
    let first = plain.next()?;
    if first == "resurrect" {
        let home = home(facts, service);
        let saved = ["dump.pm2", "dump.pm2.bak"].map(|name| home.join(name));
        let file = saved.into_iter().find(|path| facts.tree.exists(path))?;
        return Some(Started::Listed {
            file,
            only: None,
            with: None,
        });
    }
    let named = if STARTS.contains(&first) {
        plain.next()?
    } else {
        first
    };
    let here = directory(service);
    if LISTS.iter().any(|end| named.ends_with(end)) {
        return Some(Started::Listed {
            file: here.join(named),
            only: managed::option(args, "", &["--only"]),
            with: managed::option(args, "", &["--env"]),
        });
    }
    let is_file = named.contains(['/', '.']);
    is_file.then(|| Started::Named(of_line(service, args, named)))
}

/// Words of a command line that are neither options nor their words, up to the program's own.
fn plain(args: &[String]) -> impl Iterator<Item = &str> {
    let mut takes = false;
    let own = args.iter().take_while(|word| *word != "--");
    own.filter_map(move |word| {
        let is_taken = std::mem::take(&mut takes);
        takes = OPTIONS.iter().any(|(option, _)| option == word);
        (!is_taken && !word.starts_with('-')).then_some(word.as_str())
    })
}

/// A command line as a list of one program.
fn of_line(service: &Service, args: &[String], program: &str) -> Managed {
    let evidence = service
        .commands
        .start
        .first()
        .map(|command| &command.evidence);
    let evidence = evidence.unwrap_or(&service.evidence);
    let mut entries = Vec::new();
    let mut put = |key: &str, value: String| {
        entries.push(UnitEntry {
            section: "0".to_owned(),
            key: key.to_owned(),
            value,
            line: evidence.line.unwrap_or(1),
            secret: false,
            references: std::collections::BTreeSet::new(),
        });
    };
    put("script", program.to_owned());
    for (option, key) in OPTIONS.iter().filter(|(_, key)| !key.is_empty()) {
        let own = args.split(|word| word == "--").next().unwrap_or_default();
        if let Some(value) = managed::option(own, "", &[option]) {
            put(key, value);
        }
    }
    let mut rest = args
        .iter()
        .skip_while(|word| *word != "--")
        .skip(1)
        .peekable();
    if rest.peek().is_some() {
        let words: Vec<String> = rest.map(|word| words::quote(word)).collect();
        put("args", words.join(" "));
    }
    Managed {
        path: evidence.path.clone(),
        dialect: Dialect::ProcessList,
        entries,
        includes: Vec::new(),
    }
}

/// Where it keeps what it saved.
fn home(facts: &Facts, service: &Service) -> MachinePath {
    let mut variables = service.environment.variables.iter();
    if let Some((_, home)) = variables.rfind(|(name, _)| name == "PM2_HOME") {
        return MachinePath::new(home);
    }
    let user = facts.user(&service.user);
    let home = user.map_or("/root", |user| user.home.as_str());
    MachinePath::new(home).join(".pm2")
}

/// Where it is started, and so what it names relatively.
pub(super) fn directory(service: &Service) -> MachinePath {
    let own = service.working_directory.clone();
    own.unwrap_or_else(MachinePath::root)
}
