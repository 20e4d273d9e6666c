//! Which images a program without a package could stand on, proven from the symbol versions and libraries it needs. Data:
//! `detectors/candidates.toml`.

use super::lifetime::{end_of_life_of, ended};
use crate::fact::{Elf, ElfKind, Facts};
use crate::program::libraries::Loader;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What programs without a package need of the image below them: the lowest that would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// One of them is linked dynamically.
    pub dynamic: bool,
    /// With musl, not glibc.
    pub musl: bool,
    /// By family of symbol versions: `GLIBC` → `2.34`.
    pub versions: BTreeMap<String, String>,
    /// Libraries beyond the C library's own that they do not bring along.
    pub libraries: BTreeSet<String>,
}

/// An image that could be the base, or why it could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaseChoice {
    pub image: String,
    /// MiB unpacked, about.
    pub size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_until: Option<String>,
    /// `None`: it satisfies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// Why a program cannot stand on an image; `None` where it can, or where nothing is known of the image.
pub fn refusal_of(image: &str, elf: &Elf, facts: &Facts) -> Option<String> {
    refusal(image, &demand(&[elf], facts)?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    candidate: Vec<Candidate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Candidate {
    image: String,
    /// Distribution and version in the table of releases' ends.
    release: (String, String),
    /// MiB unpacked, about.
    size: u32,
    libc: Libc,
    #[serde(default)]
    glibc: Option<String>,
    #[serde(default)]
    glibcxx: Option<String>,
    #[serde(default)]
    cxxabi: Option<String>,
    #[serde(default)]
    openssl: Vec<String>,
    installs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Libc {
    Glibc,
    Musl,
    None,
}

static FILE: LazyLock<Result<File, String>> = LazyLock::new(|| {
    let text = include_str!("../../detectors/candidates.toml");
    toml::from_str(text).map_err(|error| error.to_string())
});

/// Libraries of the C library itself: whoever has it has them.
const OF_GLIBC: [&str; 9] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libanl.so.1",
    "ld-linux",
];

/// What programs need of their base, taken together: the lowest versions that would do. What they bring along themselves is
/// left out. `None` where there is no such program.
pub fn demand(elfs: &[&Elf], facts: &Facts) -> Option<Demand> {
    let loader = Loader::new(facts);
    let own: Vec<&&Elf> = elfs
        .iter()
        .filter(|elf| facts.owner(&elf.path).is_none())
        .collect();
    own.first()?;
    let mut demand = Demand::default();
    for elf in own {
        let interpreter = elf.interpreter.as_deref().unwrap_or_default();
        demand.musl |= interpreter.contains("ld-musl")
            || elf.needed.iter().any(|name| name.starts_with("libc.musl"));
        demand.dynamic |= elf.kind == ElfKind::Dynamic || !elf.needed.is_empty();
        let brings = |name: &str| {
            let found = loader.named(elf, name);
            found.iter().any(|path| facts.owner(path).is_none())
        };
        for (_, version) in elf.versions.iter().filter(|(file, _)| !brings(file)) {
            let number = version.split_once('_');
            let number =
                number.filter(|(_, number)| number.starts_with(|c: char| c.is_ascii_digit()));
            let Some((family, number)) = number else {
                continue;
            };
            let highest = demand.versions.entry(family.to_owned()).or_default();
            if order(number) > order(highest) {
                number.clone_into(highest);
            }
        }
        for name in &elf.needed {
            if !brings(name) && !OF_GLIBC.iter().any(|own| name.starts_with(own)) {
                demand.libraries.insert(name.clone());
            }
        }
    }
    Some(demand)
}

/// `2.34` as numbers, so that 2.4 is before 2.34.
fn order(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}

/// Every candidate with its verdict: those that fit first, the smallest before the others.
pub fn choices(demand: &Demand) -> Vec<BaseChoice> {
    let all = FILE
        .as_ref()
        .map(|file| file.candidate.as_slice())
        .unwrap_or_default();
    let mut choices: Vec<BaseChoice> = all
        .iter()
        .map(|candidate| BaseChoice {
            image: candidate.image.clone(),
            size: candidate.size,
            supported_until: end_of_life_of(&candidate.release.0, &candidate.release.1)
                .map(str::to_owned),
            refusal: candidate.refusal(demand).or_else(|| candidate.ended()),
        })
        .collect();
    choices.sort_by_key(|choice| (choice.refusal.is_some(), choice.size, choice.image.clone()));
    choices
}

/// Why an image will not do; `None` where it will, or where nothing is known of it.
pub fn refusal(image: &str, demand: &Demand) -> Option<String> {
    let all = FILE
        .as_ref()
        .map(|file| file.candidate.as_slice())
        .unwrap_or_default();
    all.iter()
        .find(|candidate| candidate.image == image)?
        .refusal(demand)
}

impl Candidate {
    fn refusal(&self, demand: &Demand) -> Option<String> {
        if !demand.dynamic {
            return None;
        }
        match self.libc {
            Libc::None => {
                return Some("it has no C library, and the program is linked with one".to_owned());
            }
            Libc::Musl if !demand.musl => {
                return Some(
                    "its C library is musl, and the program is linked with glibc".to_owned(),
                );
            }
            Libc::Glibc if demand.musl => {
                return Some(
                    "its C library is glibc, and the program is linked with musl".to_owned(),
                );
            }
            Libc::Glibc | Libc::Musl => {}
        }
        let offers: BTreeMap<&str, Option<&String>> = BTreeMap::from([
            ("GLIBC", self.glibc.as_ref()),
            ("GLIBCXX", self.glibcxx.as_ref()),
            ("CXXABI", self.cxxabi.as_ref()),
        ]);
        for (family, wanted) in &demand.versions {
            match offers.get(family.as_str()) {
                Some(Some(offered)) if order(offered) < order(wanted) => {
                    return Some(format!(
                        "it offers {family}_{offered}, and {family}_{wanted} is needed"
                    ));
                }
                Some(None) if family != "GLIBC" => {
                    return Some(format!(
                        "it has no C++ library, and {family}_{wanted} is needed"
                    ));
                }
                _ => {}
            }
        }
        demand.libraries.iter().find_map(|name| self.lacks(name))
    }

    /// An image whose release gets no more security updates is no base to start on.
    fn ended(&self) -> Option<String> {
        let (id, version) = &self.release;
        ended(id, version).map(|end| format!("its support ended on {end}"))
    }

    fn lacks(&self, name: &str) -> Option<String> {
        let is_openssl = name.starts_with("libssl.so") || name.starts_with("libcrypto.so");
        if is_openssl && !self.openssl.iter().any(|own| own == name) {
            return Some(format!("it has no {name}"));
        }
        let of_cxx = name.starts_with("libstdc++.so") || name.starts_with("libgcc_s.so");
        let has = is_openssl || of_cxx && self.glibcxx.is_some();
        (!has && !self.installs)
            .then(|| format!("it has no {name}, and nothing can be installed in it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn demand(versions: &[(&str, &str)], libraries: &[&str]) -> Demand {
        let owned = |(family, number): &(&str, &str)| ((*family).to_owned(), (*number).to_owned());
        Demand {
            dynamic: true,
            musl: false,
            versions: versions.iter().map(owned).collect(),
            libraries: libraries
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<String>>(),
        }
    }

    fn fitting(demand: &Demand) -> Vec<String> {
        let fits = choices(demand)
            .into_iter()
            .filter(|choice| choice.refusal.is_none());
        fits.map(|choice| choice.image).collect()
    }

    #[test]
    fn the_table_is_whole() {
        let file = FILE.as_ref().expect("detectors/candidates.toml parses");
        for candidate in &file.candidate {
            assert_eq!(
                candidate.libc == Libc::Glibc,
                candidate.glibc.is_some(),
                "{}",
                candidate.image
            );
            let (id, version) = &candidate.release;
            assert!(
                end_of_life_of(id, version).is_some(),
                "{id} {version} has no end"
            );
        }
        assert!(file.candidate.len() >= 18);
    }

    #[test]
    fn the_smallest_that_satisfies_comes_first() {
        let fixed = Demand::default();
        assert_eq!(
            fitting(&fixed)[0],
            "gcr.io/distroless/static-debian12",
            "a static program"
        );
        let c = demand(&[("GLIBC", "2.34")], &[]);
        assert_eq!(fitting(&c)[0], "gcr.io/distroless/base-debian12");
        let cxx = demand(
            &[("GLIBC", "2.34"), ("GLIBCXX", "3.4.29")],
            &["libstdc++.so.6", "libgcc_s.so.1"],
        );
        assert_eq!(fitting(&cxx)[0], "gcr.io/distroless/cc-debian12");
        let old = demand(&[("GLIBC", "2.17")], &["libssl.so.1.1", "libpcre.so.3"]);
        assert_eq!(
            fitting(&old)[0],
            "registry.access.redhat.com/ubi8/ubi-minimal"
        );
    }

    #[test]
    fn refusals_say_what_is_missing() {
        let new = demand(&[("GLIBC", "2.38")], &[]);
        assert_eq!(
            refusal("docker.io/library/debian:12-slim", &new).unwrap(),
            "it offers GLIBC_2.36, and GLIBC_2.38 is needed"
        );
        assert!(refusal("docker.io/library/debian:13-slim", &new).is_none());
        let alpine = refusal("docker.io/library/alpine:3.22", &new).unwrap();
        assert!(alpine.contains("musl"), "{alpine}");
        assert!(order("2.4") < order("2.34"));
    }
}
