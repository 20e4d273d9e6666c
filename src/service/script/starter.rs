//! Programs and functions that a script has start others: each with options of its own.

use super::builtin::base;
use super::option::{DAEMON, DAEMONIZE, FUNCTION, PROCESS, PROGRAM, Read, SUDO, switched};
use super::{Around, Plainness, Script};
use crate::path::MachinePath;

impl Script<'_> {
    /// Whether a command is one that starts another; what it starts is kept.
    pub(super) fn starter(&mut self, name: &str, argv: &[String], output: &[String]) -> bool {
        let args = argv.get(1..).unwrap_or_default();
        let is_path = argv.first().is_some_and(|word| word.contains('/'));
        let around = Around {
            is_login: false,
            ..self.around.clone()
        };
        let plain = Some(Plainness::Starter);
        match name {
            "start-stop-daemon" | "supervise-daemon" => {
                let read = self.daemon(name, args, around);
                self.started(read, plain, output);
            }
            "daemon"
                if is_path
                    || args
                        .iter()
                        .any(|word| word == "--" || word.starts_with("--name")) =>
            {
                self.started(Read::of(args, PROGRAM, around), plain, output);
            }
            "daemon" => {
                let mut read = Read::of(args, FUNCTION, around);
                // All of it is a line for a shell.
                read.line = Some(read.rest.join(" "));
                read.rest.clear();
                self.started(read, plain, output);
            }
            "startproc" | "start_daemon" => {
                self.started(Read::of(args, PROCESS, around), plain, output);
            }
            "daemonize" => {
                let mut read = Read::of(args, DAEMONIZE, around);
                read.around.is_put_behind = true;
                self.started(read, plain, output);
            }
            "su" | "runuser" => {
                self.started(switched(args, around), Some(Plainness::Behind), output);
            }
            "sudo" | "doas" => self.started(
                Read::of(args, SUDO, around),
                Some(Plainness::Behind),
                output,
            ),
            "setuidgid" | "s6-setuidgid" | "su-exec" | "gosu" => {
                let mut read = Read::of(args, &[], around);
                if !read.rest.is_empty() {
                    let user = read.rest.remove(0);
                    read.account(&user);
                }
                self.started(read, Some(Plainness::Behind), output);
            }
            "nohup" | "setsid" => {
                let mut read = Read::of(args, &[], around);
                read.around.is_put_behind = true;
                self.started(read, Some(Plainness::Behind), output);
            }
            // Red Hat's: a message, and the command it is about.
            "action" if !is_path => {
                let read = Read {
                    around,
                    rest: args.get(1..).unwrap_or_default().to_vec(),
                    ..Read::default()
                };
                self.started(read, self.around.plainness, output);
            }
            _ => return false,
        }
        true
    }

    /// start-stop-daemon(8), or OpenRC's supervise-daemon, whose first word may be the service's name.
    fn daemon(&self, name: &str, args: &[String], around: Around) -> Read {
        let supervises = name == "supervise-daemon";
        let is_named = args.first().is_some_and(|word| !word.starts_with('-'));
        let from = usize::from(supervises && is_named);
        let mut read = Read::of(args.get(from..).unwrap_or_default(), DAEMON, around);
        read.asks |= !read.starts;
        read.around.is_put_behind |= supervises;
        if let Some(user) = read.owner.take().filter(|_| self.is_openrc()) {
            read.account(&user);
        }
        read
    }

    fn is_openrc(&self) -> bool {
        let mut programs = [
            "/sbin/openrc-run",
            "/usr/bin/openrc-run",
            "/usr/sbin/openrc-run",
        ]
        .iter();
        programs.any(|path| self.facts.tree.exists(&MachinePath::new(path)))
    }

    fn started(&mut self, read: Read, plainness: Option<Plainness>, output: &[String]) {
        if read.asks {
            return;
        }
        let mut around = read.around;
        around.plainness = match (self.around.plainness, plainness) {
            (Some(outer), Some(own)) => Some(outer.min(own)),
            (outer, own) => outer.or(own),
        };
        let outer = std::mem::replace(&mut self.around, around);
        let directory = self.directory.clone();
        let umask = self.umask;
        if let Some(to) = read.directory {
            self.directory = Some(
                directory
                    .clone()
                    .unwrap_or_else(MachinePath::root)
                    .join(&to),
            );
        }
        if let Some(mask) = read
            .umask
            .and_then(|mask| u32::from_str_radix(&mask, 8).ok())
        {
            self.umask = Some(mask);
        }
        let output: Vec<String> = output.iter().cloned().chain(read.output).collect();
        if let Some(line) = read.line {
            self.nested(&line, &read.rest);
        } else {
            let mut argv: Vec<String> = read.program.into_iter().collect();
            let is_named = !argv.is_empty();
            let rest = read.rest.into_iter();
            argv.extend(rest.skip_while(|word| word == "--"));
            // `supervise-daemon … PROGRAM -- ARGUMENTS`.
            if !is_named
                && plainness == Some(Plainness::Starter)
                && argv.get(1).is_some_and(|word| word == "--")
            {
                argv.remove(1);
            }
            self.inner(argv, &output);
        }
        self.around = outer;
        self.directory = directory;
        self.umask = umask;
    }

    /// A command that another one becomes.
    fn inner(&mut self, mut argv: Vec<String>, output: &[String]) {
        while let Some((name, value)) = argv.first().and_then(|word| word.split_once('=')) {
            if !crate::words::expand::is_name(name) {
                break;
            }
            self.around
                .settings
                .push((name.to_owned(), value.to_owned()));
            argv.remove(0);
        }
        let name = argv
            .first()
            .map(|word| base(word).to_owned())
            .unwrap_or_default();
        if !self.starter(&name, &argv, output) {
            self.run(argv, output);
        }
    }
}
