//! Files of variables that applications read themselves at their start: who they connect to stands in them.

use super::{Workload, connect};
use crate::fact::{Facts, Syntax};
use crate::path::MachinePath;
use crate::walk::Entry;
use std::collections::BTreeSet;

/// Names of such files, in an application's own directory; those for development and tests are not the machine's.
const NAMES: &[&str] = &[".env", ".env.local", ".env.production"];

/// Files of one workload.
const MOST: usize = 64;

/// Files of variables where a workload's programs are at home: at the top of what it carries, beside its programs and
/// those above them, and where it works.
pub fn files(workload: &Workload, facts: &Facts) -> BTreeSet<MachinePath> {
    let is_carried = |path: &MachinePath| {
        let mut claims = workload.claims.iter();
        claims.any(|claim| path.is_within(claim))
    };
    let services = workload.services.iter();
    let works = services.filter_map(|service| service.working_directory.clone());
    let beside = workload.executables.iter();
    let beside = beside.flat_map(|path| std::iter::successors(path.parent(), MachinePath::parent));
    let directories = workload.claims.iter().cloned().chain(works).chain(beside);
    let directories: BTreeSet<MachinePath> = directories.filter(is_carried).collect();
    let files = directories
        .iter()
        .flat_map(|dir| NAMES.iter().map(|name| dir.join(name)));
    let there = files.filter(|path| facts.tree.get(path).is_some_and(Entry::is_file));
    there.take(MOST).collect()
}

/// Adds whom they name.
pub(super) fn add_connects(workloads: &mut [Workload], facts: &Facts) {
    for workload in workloads {
        for path in files(workload, facts) {
            let Some(document) = facts.documents.get(&(path, Syntax::Environment)) else {
                continue;
            };
            let settings = document.settings.iter();
            let variables = settings.map(|setting| {
                let value = setting.args.first().cloned().unwrap_or_default();
                (setting.key.clone(), value)
            });
            let variables: Vec<(String, String)> = variables.collect();
            let place = |name: &str| {
                let mut settings = document.settings.iter();
                let setting = settings.find(|setting| setting.key == name);
                setting.map_or_else(
                    || crate::fact::Evidence::file(&document.path),
                    |setting| document.evidence(setting),
                )
            };
            for found in connect::of_variables(&variables, &place) {
                let is_known = workload.connects.iter().any(|known| known.to == found.to);
                if !is_known && !connect::reaches(&found, workload) {
                    workload.connects.push(found);
                }
            }
        }
        workload.connects.sort();
    }
}
