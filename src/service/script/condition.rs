//! test(1), as far as the disk and known variables answer it.

use super::Script;
use super::environment::is_unknown;
use crate::disk::FileKind;
use crate::path::MachinePath;
use crate::walk::{Entry, glob};

/// What is there only while the machine runs.
const OF_THE_RUN: &[&str] = &[
    "/run",
    "/var/run",
    "/var/lock",
    "/proc",
    "/sys",
    "/dev",
    "/tmp",
    "/var/tmp",
    "/cgroup",
];

impl Script<'_> {
    /// The words between the brackets.
    pub(super) fn test(&self, words: &[String]) -> Option<bool> {
        if let Some(at) = words.iter().rposition(|word| word == "-o" || word == "||") {
            let (left, right) = (self.test(words.get(..at)?), self.test(words.get(at + 1..)?));
            return match (left, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        if let Some(at) = words
            .iter()
            .rposition(|word| word == "-a" || word == "&&")
            .filter(|at| *at > 0)
        {
            let (left, right) = (self.test(words.get(..at)?), self.test(words.get(at + 1..)?));
            return match (left, right) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.simple_test(&words)
    }

    fn simple_test(&self, words: &[&str]) -> Option<bool> {
        match words {
            ["!", rest @ ..] => self.simple_test(rest).map(|answer| !answer),
            [] => Some(false),
            [word] | ["-n", word] => (!is_unknown(word)).then_some(!word.is_empty()),
            ["-z", word] => (!is_unknown(word)).then_some(word.is_empty()),
            [file, path] if file.len() == 2 && file.starts_with('-') => self.file_test(file, path),
            [left, sign, right] => {
                if is_unknown(left) || is_unknown(right) {
                    return None;
                }
                let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
                let (a, b) = numbers.unwrap_or_default();
                let is_number = numbers.is_some();
                match *sign {
                    "=" | "==" => Some(glob::matches(right, left)),
                    "!=" => Some(!glob::matches(right, left)),
                    "-eq" if is_number => Some(a == b),
                    "-ne" if is_number => Some(a != b),
                    "-gt" if is_number => Some(a > b),
                    "-ge" if is_number => Some(a >= b),
                    "-lt" if is_number => Some(a < b),
                    "-le" if is_number => Some(a <= b),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn file_test(&self, sign: &str, path: &str) -> Option<bool> {
        if is_unknown(path) || !path.starts_with('/') && !path.is_empty() {
            return None;
        }
        if path.is_empty() {
            return Some(false);
        }
        let path = MachinePath::new(path);
        let mut fleeting = OF_THE_RUN.iter().map(MachinePath::new);
        if fleeting.any(|place| path.is_within(&place)) {
            return None;
        }
        let entry = self.facts.tree.get(&path);
        match sign {
            "-e" | "-r" | "-w" => Some(entry.is_some()),
            "-f" => Some(entry.is_some_and(Entry::is_file)),
            "-d" => Some(entry.is_some_and(Entry::is_dir)),
            "-x" => Some(entry.is_some_and(|entry| entry.is_executable() || entry.is_dir())),
            "-s" => Some(entry.is_some_and(|entry| entry.size > 0)),
            "-L" | "-h" => {
                let entry = self.facts.tree.entry(&path);
                Some(entry.is_some_and(|entry| entry.kind == FileKind::Symlink))
            }
            _ => None,
        }
    }
}
