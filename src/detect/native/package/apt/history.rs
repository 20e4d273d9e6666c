//! What apt was told to install from a file: its log has the command lines.

use super::doc;
use super::packed::unpacked;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::archive::OfArchive;
use crate::fact::{Evidence, Fact, Facts};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

/// Bytes of one log, unpacked.
const LARGEST: u64 = 64 << 20;

/// A longer line is no command line.
const LINE: u64 = 64 << 10;

/// Packages of one log.
const MOST: usize = 2_000;

pub struct History;

impl History {
    pub(super) const ID: &str = "packages/apt-history";
}

impl Detector for History {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        doc(
            "Packages that were installed from files",
            "command lines in apt's log that name files of packages",
            "what dpkg installed without apt, and logs that were removed",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: LARGEST,
            total: 4 * LARGEST,
            streamed: true,
            ..Interest::default()
        }
    }

    fn inspect(&self, _: &FileView<'_>, _: &mut Sink) {}

    fn stream(&self, file: &FileView<'_>, content: &mut dyn Read, _: &Facts, sink: &mut Sink) {
        let unpacked = unpacked(&file.path.name(), content).take(LARGEST);
        let mut text = BufReader::new(unpacked);
        let (mut known, mut line) = (BTreeSet::new(), Vec::new());
        for number in 1u32.. {
            line.clear();
            // What is damaged ends the log; nobody's packages are in what follows.
            match text.by_ref().take(LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let Some(command) = line.strip_prefix(b"Commandline:") else {
                continue;
            };
            let command = String::from_utf8_lossy(command);
            for name in named(&command) {
                if known.len() < MOST && known.insert(name.to_owned()) {
                    // The rest of the command may hold anything.
                    let evidence = Evidence::line(file.path, number, &format!("install {name}"));
                    sink.fact(Fact::Archive(OfArchive::Installed(
                        name.to_owned(),
                        evidence,
                    )));
                }
            }
        }
    }
}

/// Packages of the files that a command line names: `./name_1.0_all.deb`.
fn named(command: &str) -> impl Iterator<Item = &str> {
    let files = command
        .split_whitespace()
        .filter_map(|word| word.strip_suffix(".deb"));
    let names = files.map(|file| file.rsplit('/').next().unwrap_or(file));
    let names = names.map(|name| name.split('_').next().unwrap_or(name));
    names.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names() {
        let found: Vec<&str> =
            named("apt-get -y install ./a_1.0_all.deb /tmp/b-c_2%3a1_amd64.deb d e.deb .deb")
                .collect();
        assert_eq!(found, ["a", "b-c", "e"]);
    }
}
