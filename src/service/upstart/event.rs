//! What happens at boot, and so which `start on` comes true (upstart-events(7)).

use super::job::Job;
use crate::fact::Evidence;
use crate::service::sysv::Levels;
use crate::walk::glob;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// Events of every boot: of upstart itself, mountall, ifup, udev's and the sockets' bridge.
const AT_BOOT: &[&str] = &[
    "startup",
    "virtual-filesystems",
    "local-filesystems",
    "remote-filesystems",
    "all-swaps",
    "filesystem",
    "mounting",
    "mounted",
    "net-device-added",
    "net-device-up",
    "static-network-up",
    "socket",
    "container",
    "stopped-udev",
    "graphics-device-added",
    "tty-device-added",
    "drm-device-added",
    "deconfiguring-networking-none",
    "dbus",
    "networking",
];

/// Terms of one expression, and groups in groups.
const MOST: usize = 200;
const DEPTH: usize = 20;

/// Rounds until nothing more starts: each round starts one job at least.
const ROUNDS: usize = 64;

/// Which jobs start at boot.
pub(super) struct World<'a> {
    jobs: &'a BTreeMap<String, Job>,
    levels: &'a Levels,
    starting: BTreeSet<&'a str>,
    emitted: BTreeSet<&'a str>,
}

impl<'a> World<'a> {
    pub(super) fn new(jobs: &'a BTreeMap<String, Job>, levels: &'a Levels) -> Self {
        let mut world = Self {
            jobs,
            levels,
            starting: BTreeSet::new(),
            emitted: BTreeSet::new(),
        };
        for _ in 0..ROUNDS {
            let more: Vec<&str> = jobs
                .iter()
                .filter(|(name, job)| !world.starting.contains(name.as_str()) && world.comes(job))
                .map(|(name, _)| name.as_str())
                .collect();
            if more.is_empty() {
                break;
            }
            for name in more {
                world.starting.insert(name);
                let job = jobs.get(name);
                world.emitted.extend(
                    job.into_iter()
                        .flat_map(|job| job.emits.iter().map(String::as_str)),
                );
            }
        }
        world
    }

    /// What says that a job starts, where it does.
    pub(super) fn starts(&self, name: &str) -> Option<Evidence> {
        let job = self.jobs.get(name)?;
        let (_, evidence) = job.start_on.as_ref()?;
        self.starting.contains(name).then(|| evidence.clone())
    }

    fn comes(&self, job: &Job) -> bool {
        let Some((expression, _)) = &job.start_on else {
            return false;
        };
        let spaced = expression.replace('(', " ( ").replace(')', " ) ");
        let words = words::shell(&spaced);
        let mut words = words.iter().map(String::as_str).take(MOST).peekable();
        self.either(&mut words, 0)
    }

    /// `a and b or c`, read from left to right as upstart does.
    fn either<'w>(
        &self,
        words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>,
        depth: usize,
    ) -> bool {
        let mut so_far = self.term(words, depth);
        while let Some(word) = words.next() {
            match word {
                "and" => so_far &= self.term(words, depth),
                "or" => so_far |= self.term(words, depth),
                // The end of a group.
                _ => break,
            }
        }
        so_far
    }

    fn term<'w>(
        &self,
        words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>,
        depth: usize,
    ) -> bool {
        let Some(first) = words.next() else {
            return false;
        };
        if first == "(" && depth < DEPTH {
            // What recurses would be a type in a type without end.
            let mut inside: Vec<&str> = Vec::new();
            let mut open = 1usize;
            for word in words.by_ref() {
                match word {
                    "(" => open += 1,
                    ")" => open -= 1,
                    _ => {}
                }
                if open == 0 {
                    break;
                }
                inside.push(word);
            }
            let mut inside: std::iter::Peekable<Box<dyn Iterator<Item = &str>>> =
                (Box::new(inside.into_iter()) as Box<dyn Iterator<Item = &str>>).peekable();
            return self.either(&mut inside, depth + 1);
        }
        let mut arguments: Vec<&str> = Vec::new();
        while let Some(word) = words.next_if(|word| !matches!(*word, "and" | "or" | ")" | "(")) {
            arguments.push(word);
        }
        self.happens(first, &arguments)
    }

    fn happens(&self, event: &str, arguments: &[&str]) -> bool {
        match event {
            "runlevel" => self.is_level(arguments, true),
            "started" | "starting" => self
                .jobs_of(arguments)
                .any(|name| self.starting.contains(name)),
            "stopped" | "stopping" => {
                let is_over = |name: &str| {
                    let job = self.jobs.get(name);
                    self.starting.contains(name) && job.is_some_and(|job| job.is_task)
                };
                self.jobs_of(arguments).any(is_over)
                    && self.is_level(arguments.get(1..).unwrap_or_default(), false)
            }
            // The loopback is up on every machine, and so is another.
            event => {
                AT_BOOT.contains(&event)
                    || self.emitted.contains(event)
                    || event.ends_with("-device-added")
            }
        }
    }

    /// The jobs that an event is about: by its first argument, or `JOB=`.
    fn jobs_of<'n>(&'n self, arguments: &[&str]) -> impl Iterator<Item = &'n str> {
        let named = arguments.first().copied().unwrap_or_default();
        let named = arguments
            .iter()
            .find_map(|word| word.strip_prefix("JOB="))
            .unwrap_or(named)
            .to_owned();
        let names = self.jobs.keys().map(String::as_str);
        names.filter(move |name| glob::matches(&named, name))
    }

    /// `[2345]` or `RUNLEVEL=[2345]`; an event that says nothing of levels is of any.
    fn is_level(&self, arguments: &[&str], by_place: bool) -> bool {
        let named = arguments.iter().find_map(|word| {
            let (name, pattern) = word.split_once('=')?;
            match name {
                "RUNLEVEL" => Some(self.levels.fit(pattern)),
                "RUNLEVEL!" => Some(!self.levels.fit(pattern)),
                _ => None,
            }
        });
        let placed = arguments
            .first()
            .filter(|word| by_place && !word.contains('='));
        named
            .or_else(|| placed.map(|pattern| self.levels.fit(pattern)))
            .unwrap_or(true)
    }
}
