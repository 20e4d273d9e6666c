//! Instances: units that a generator makes at boot, and the variables a unit's name carries.

use super::Pack;
use super::file::Instances;
use crate::detect::Want;
use crate::detect::native::syntax;
use crate::fact::{Evidence, Facts, Syntax};
use crate::path::MachinePath;
use crate::service::GeneratedUnit;
use crate::walk::glob;
use std::collections::BTreeMap;

/// The files that say whether an instance starts are read first.
pub(super) fn wants(pack: &Pack) -> Vec<Want> {
    let unless = pack
        .file
        .instances
        .iter()
        .filter_map(|instances| instances.unless.as_ref());
    unless
        .map(|unless| {
            let any = (1..10).fold(unless.path.clone(), |path, i| {
                path.replace(&format!("{{{i}}}"), "*")
            });
            syntax::want(Syntax::Columns, &any)
        })
        .collect()
}

pub(super) fn units(pack: &Pack, facts: &Facts) -> Vec<GeneratedUnit> {
    pack.file
        .instances
        .iter()
        .flat_map(|instances| made(instances, facts))
        .collect()
}

fn made(instances: &Instances, facts: &Facts) -> Vec<GeneratedUnit> {
    let mut found = Vec::new();
    for place in facts.tree.find(&instances.each) {
        let Some(stars) = captures(&instances.each, &place.named.text()) else {
            continue;
        };
        let fill = |text: &str| fill(text, &stars);
        let off = instances.unless.as_ref().is_some_and(|unless| {
            let key = (MachinePath::new(fill(&unless.path)), Syntax::Columns);
            let words = facts
                .documents
                .get(&key)
                .and_then(|document| document.settings.first());
            words.is_some_and(|setting| unless.words.contains(&setting.key))
        });
        if !off {
            found.push(GeneratedUnit {
                name: fill(&instances.unit),
                wanted_by: instances.wanted_by.clone(),
                evidence: Evidence::file(&place.named),
                command: instances.command.iter().map(|word| fill(word)).collect(),
                environment: (instances.environment.iter())
                    .map(|(name, value)| (name.clone(), fill(value)))
                    .collect(),
            });
        }
    }
    found
}

/// What the stars of a path pattern stand for: `1`, `2`, …, one a component that is a pattern. Of a component with one
/// star the star's part, of any other pattern the whole name.
pub fn captures(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let parts = |text: &str| -> Vec<String> {
        text.split('/')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (pattern, path) = (parts(pattern), parts(path));
    if pattern.len() != path.len() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (part, name) in pattern.iter().zip(&path) {
        if !glob::matches(part, name) {
            return None;
        }
        if glob::is_pattern(part) {
            let starred = part
                .split_once('*')
                .filter(|(head, tail)| !glob::is_pattern(head) && !glob::is_pattern(tail))
                .and_then(|(head, tail)| name.strip_prefix(head)?.strip_suffix(tail));
            let stands = starred.unwrap_or(name).to_owned();
            found.insert((found.len() + 1).to_string(), stands);
        }
    }
    Some(found)
}

/// `{name}` replaced by what is known; the rest stays.
pub fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('{') {
        out.push_str(head);
        match tail.split_once('}') {
            Some((name, after)) if variables.contains_key(name) => {
                out.push_str(variables.get(name).map_or("", String::as_str));
                rest = after;
            }
            _ => {
                out.push('{');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a variable of a pack was left as it is; the words that stand for several are none.
pub(super) fn is_open(text: &str) -> bool {
    const SEVERAL: &[&str] = &["program", "args", "executable", "arguments", "settings"];
    let inner = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    inner
        .into_iter()
        .any(|(name, _)| is_name(name) && !SEVERAL.contains(&name))
}

/// The variables that a unit's name carries under a pattern such as `postgresql@{1}-{2}.service`.
pub(super) fn of_name(pattern: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut pattern = pattern;
    let mut rest = name;
    while let Some((literal, tail)) = pattern.split_once('{') {
        rest = rest.strip_prefix(literal)?;
        let (variable, after) = tail.split_once('}')?;
        let next = after.split('{').next().unwrap_or_default();
        let end = if next.is_empty() {
            rest.len()
        } else {
            rest.find(next)?
        };
        found.insert(variable.to_owned(), rest.get(..end)?.to_owned());
        rest = rest.get(end..)?;
        pattern = after;
    }
    (rest == pattern).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_names() {
        let stars = captures("/etc/p/*/*/x.conf", "/etc/p/15/main/x.conf").unwrap();
        assert_eq!(
            fill("p@{1}-{2}.service {3}", &stars),
            "p@15-main.service {3}"
        );
        assert_eq!(captures("/etc/*/x", "/etc/a/b/x"), None);
        assert_eq!(captures("/etc/u/*.ini", "/etc/u/a.ini").unwrap()["1"], "a");
        let named = of_name("p@{1}-{2}.service", "p@15-main-2.service").unwrap();
        assert_eq!((named["1"].as_str(), named["2"].as_str()), ("15", "main-2"));
        assert_eq!(of_name("p@{1}.service", "q@1.service"), None);
        assert!(is_open("{data}/x") && !is_open("a{{ b }}") && !is_open("{args}"));
    }
}
