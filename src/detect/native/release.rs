//! What named a release before os-release(5): a line of words, a number alone, or the Linux Standard Base's assignments.
//! Which files there are, and what they call distributions, is `detectors/releases.toml`.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, OsRelease};
use crate::words;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    files: Vec<File>,
    distribution: Vec<Distribution>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    #[serde(default)]
    keys: Vec<String>,
    id: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Distribution {
    begins: String,
    id: String,
    #[serde(default)]
    like: Vec<String>,
    /// Of `7.11` the release is 7.
    #[serde(default)]
    whole: bool,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../detectors/releases.toml")).unwrap_or_default()
});

/// A name for people has no more characters.
const LONGEST: usize = 120;

/// Releases older than os-release, and machines whose os-release is empty.
pub struct Former;

impl Detector for Former {
    fn id(&self) -> &'static str {
        "machine/release"
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Operating system, by older files",
            recognises: "redhat-release and its kin, SuSE-release, alpine-release, debian_version, lsb-release",
            why: "a machine without os-release has a release too, and its support has ended",
            cannot_see: "releases that an administrator wrote over these files",
            references: &[
                "lsb_release(1)",
                "initscripts of Red Hat Enterprise Linux 6",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: TABLE.files.iter().map(|file| file.path.clone()).collect(),
            limit: 64 << 10,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let path = file.path.text();
        let mut files = (0u8..).zip(&TABLE.files);
        let Some((rank, known)) = files.find(|(_, known)| known.path == path) else {
            return;
        };
        let mut lines = file
            .lines()
            .map(|(number, line)| (number, words::trim(line)));
        let Some((number, first)) =
            lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        else {
            return;
        };
        let values = |key: &str| {
            let mut lines = file.text().lines().filter_map(|line| line.split_once('='));
            let value = lines.find(|(name, _)| words::trim(name) == key)?.1;
            Some(words::trim(value).trim_matches(['"', '\'']).to_owned())
        };
        let (name, version, codename) = match (known.keys.as_slice(), &known.id) {
            ([id, release, codename, title], _) => {
                let Some(id) = values(id) else {
                    return;
                };
                let version = values(release).unwrap_or_default();
                let name = values(title).unwrap_or_else(|| format!("{id} {version}"));
                (name, version, values(codename).unwrap_or_default())
            }
            (_, Some(_)) => {
                let title = known.title.as_deref().unwrap_or_default();
                (format!("{title} {first}"), first.to_owned(), String::new())
            }
            _ => (first.to_owned(), version_of(first, &values), String::new()),
        };
        let id = known
            .keys
            .first()
            .and_then(|key| values(key))
            .unwrap_or_else(|| name.clone());
        let mut distributions = TABLE.distribution.iter();
        let Some(distribution) = distributions.find(|one| id.starts_with(&one.begins)) else {
            sink.unexamined(file.path, self.id(), "names no distribution that is known");
            return;
        };
        let is_number = version.starts_with(|c: char| c.is_ascii_digit());
        let version = if is_number { version } else { String::new() };
        let major = version.split('.').next().unwrap_or_default().to_owned();
        sink.fact(Fact::FormerRelease(
            rank,
            OsRelease {
                id: distribution.id.clone(),
                id_like: distribution.like.clone(),
                version_id: if distribution.whole { major } else { version },
                codename: codename.to_ascii_lowercase(),
                parent: String::new(),
                pretty_name: name.chars().take(LONGEST).collect(),
                evidence: file.evidence(number, first),
            },
        ));
    }
}

/// The first number of a line, with the service pack that another line has: `VERSION = 11`, `PATCHLEVEL = 4`.
fn version_of(line: &str, values: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(version) = values("VERSION") {
        let level = values("PATCHLEVEL").filter(|level| level != "0");
        return level.map_or(version.clone(), |level| format!("{version}.{level}"));
    }
    let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let version = words::parts(line).find(is_version).unwrap_or_default();
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    version
        .get(..end.unwrap_or(version.len()))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Purpose;
    use crate::walk::Entry;

    fn of(path: &str, text: &str) -> String {
        let path = path.into();
        let entry = Entry::file(&path, 0o644);
        let purpose = Purpose::default();
        let mut sink = Sink::default();
        Former.inspect(
            &FileView::new(&path, &entry, text.as_bytes(), &purpose),
            &mut sink,
        );
        let found = sink.facts.into_iter().filter_map(|fact| match fact {
            Fact::FormerRelease(_, os) => {
                Some(format!("{} {} {}", os.id, os.version_id, os.codename))
            }
            _ => None,
        });
        found.collect::<Vec<_>>().join(";")
    }

    #[test]
    fn files_of_the_time_before() {
        for (path, text, wanted) in [
            (
                "/etc/centos-release",
                "CentOS release 6.10 (Final)\n",
                "centos 6.10 ",
            ),
            (
                "/etc/redhat-release",
                "CentOS Linux release 7.9.2009 (Core)\n",
                "centos 7.9.2009 ",
            ),
            (
                "/etc/redhat-release",
                "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n",
                "rhel 5.11 ",
            ),
            (
                "/etc/redhat-release",
                "Red Hat Enterprise Linux ES release 4 (Nahant Update 9)\n",
                "rhel 4 ",
            ),
            (
                "/etc/oracle-release",
                "Oracle Linux Server release 6.10\n",
                "ol 6.10 ",
            ),
            (
                "/etc/system-release",
                "Amazon Linux AMI release 2018.03\n",
                "amzn 2018.03 ",
            ),
            (
                "/etc/SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles 11.4 ",
            ),
            (
                "/etc/SuSE-release",
                "openSUSE 13.1 (x86_64)\nVERSION = 13.1\nCODENAME = Bottle\n",
                "opensuse 13.1 ",
            ),
            ("/etc/alpine-release", "3.10.2\n", "alpine 3.10.2 "),
            ("/etc/debian_version", "7.11\n", "debian 7 "),
            ("/etc/debian_version", "wheezy/sid\n", "debian  "),
            (
                "/etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\nDISTRIB_DESCRIPTION=\"Ubuntu 10.04.4 LTS\"\n",
                "ubuntu 10.04 lucid",
            ),
            ("/etc/lsb-release", "LSB_VERSION=base-4.0-amd64\n", ""),
            ("/etc/redhat-release", "\n", ""),
            ("/etc/redhat-release", "Somebody's own 3\n", ""),
        ] {
            assert_eq!(of(path, text), wanted, "{path} {text}");
        }
    }

    #[test]
    fn the_table_is_read() {
        assert!(TABLE.files.len() > 5 && TABLE.distribution.len() > 5);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,200}") {
            for file in &TABLE.files {
                let _ = of(&file.path, &text);
            }
        }
    }
}
