//! Which packages come with which, as far as the machine has them.
//!
//! One index and one walk for everybody who asks. What differs is whose question it is: what a package may rely on, what
//! of that an image has beyond its base, and what an installer brings by itself.

use crate::fact::Package;
use std::collections::{BTreeSet, HashMap};

/// The packages of a machine, by the names that dependencies use.
pub struct Installed<'a> {
    packages: &'a [Package],
    /// Places among the packages; several architectures of a package have one name.
    named: HashMap<&'a str, Vec<usize>>,
    provided: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Installed<'a> {
    pub fn new(packages: &'a [Package]) -> Self {
        let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut provided: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, package) in packages.iter().enumerate() {
            named.entry(&package.name).or_default().push(at);
            for name in &package.provides {
                provided.entry(name).or_default().push(at);
            }
        }
        Self {
            packages,
            named,
            provided,
        }
    }

    /// A package by its own name, whatever its architecture.
    pub fn package(&self, name: &str) -> Option<&'a Package> {
        self.packages.get(*self.named.get(name)?.first()?)
    }

    /// Packages and all that they rely on, as places among the machine's packages. Of alternatives all that are installed
    /// count, by their names or by what they provide.
    pub fn closure<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> BTreeSet<usize> {
        let first = names.into_iter().flat_map(|name| self.meeting(name));
        self.walk(first, |package| self.needs(package))
    }

    /// The same without packages that `is_left` says: they are not followed either, but where they are asked for by name.
    pub fn closure_but<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        is_left: impl Fn(usize, &Package) -> bool,
    ) -> BTreeSet<usize> {
        let is_taken = |at: &usize| self.packages.get(*at).is_some_and(|p| !is_left(*at, p));
        let first = names.into_iter().flat_map(|name| self.meeting(name));
        self.walk(first, |package| {
            let needs = self.needs(package).into_iter();
            needs.filter(is_taken).collect()
        })
    }

    /// The same by names, without what every base image has: that is neither asked for nor followed.
    pub fn beyond_base<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> BTreeSet<&'a str> {
        self.names(&self.beyond_base_places(names))
    }

    /// The same as places among the machine's packages.
    pub fn beyond_base_places<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> BTreeSet<usize> {
        let is_brought = |at: &usize| self.packages.get(*at).is_some_and(|p| !p.essential);
        let first = names.into_iter().flat_map(|name| self.meeting(name));
        self.walk(first.filter(is_brought), |package| {
            let needs = self.needs(package).into_iter();
            needs.filter(is_brought).collect()
        })
    }

    /// What a package itself names among its dependencies, as far as it is installed.
    pub fn needed_by(&self, name: &str) -> Vec<&'a Package> {
        let needs = self.package(name).map(|package| self.needs(package));
        let needs = needs.unwrap_or_default().into_iter();
        needs.filter_map(|at| self.packages.get(at)).collect()
    }

    /// What an installer brings along with a package in any case: of alternatives it takes the first, unless it is told
    /// another, and which package stands for a name that several provide is not known before.
    pub fn brought_with(&self, name: &str) -> BTreeSet<&'a str> {
        let certain = |package: &Package| -> Vec<usize> {
            let first = package.depends.iter().filter_map(|group| group.first());
            let named = first.filter_map(|name| self.named.get(name.as_str()));
            named.flatten().copied().collect()
        };
        let asked = self.package(name).into_iter();
        let found = self.walk(asked.flat_map(certain), certain);
        self.names(&found)
    }

    /// Every package that is reached from the first ones, these included.
    fn walk(
        &self,
        first: impl Iterator<Item = usize>,
        next: impl Fn(&'a Package) -> Vec<usize>,
    ) -> BTreeSet<usize> {
        let mut waiting: Vec<usize> = first.collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = waiting.pop() {
            if let Some(package) = self.packages.get(at).filter(|_| seen.insert(at)) {
                waiting.extend(next(package));
            }
        }
        seen
    }

    fn needs(&self, package: &Package) -> Vec<usize> {
        let names = package.depends.iter().flatten();
        names.flat_map(|name| self.meeting(name)).collect()
    }

    /// What meets a dependency: a package that is called so, or that provides it.
    fn meeting(&self, name: &str) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let named = self.named.get(name).into_iter().flatten();
        let provided = self.provided.get(name).into_iter().flatten();
        named.chain(provided).copied()
    }

    fn names(&self, places: &BTreeSet<usize>) -> BTreeSet<&'a str> {
        let packages = places.iter().filter_map(|at| self.packages.get(*at));
        packages.map(|package| package.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    fn package(name: &str, depends: &[&[&str]], provides: &[&str]) -> Package {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Package {
            name: name.into(),
            version: "1".into(),
            arch: "all".into(),
            source: name.into(),
            essential: name == "base",
            depends: depends.iter().map(|group| words(group)).collect(),
            provides: words(provides),
            ..Package::new(Evidence::file(&"/x".into()))
        }
    }

    #[test]
    fn one_machine_three_questions() {
        let packages = [
            package("app", &[&["base"], &["mta-default", "mta"], &["lib"]], &[]),
            package("base", &[&["under"]], &[]),
            package("under", &[], &[]),
            package("postal", &[&["app"]], &["mta"]),
            package("lib", &[], &[]),
            package("other", &[], &[]),
        ];
        let installed = Installed::new(&packages);
        let all: Vec<usize> = installed.closure(["app"]).into_iter().collect();
        assert_eq!(
            all,
            [0, 1, 2, 3, 4],
            "a circle ends, what is provided counts"
        );
        let beyond = installed.beyond_base(["app", "base"]);
        assert_eq!(beyond, BTreeSet::from(["app", "lib", "postal"]));
        let brought = installed.brought_with("app");
        assert_eq!(brought, BTreeSet::from(["base", "lib", "under"]));
        assert!(installed.package("mta").is_none() && installed.package("lib").is_some());
    }
}
