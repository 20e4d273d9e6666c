//! A unit as loaded, and what its name says (systemd.unit(5)).

use super::owner::Owner;
use crate::fact::{Evidence, UnitEntry};
use crate::path::MachinePath;
use crate::words::budget::Budget;
use std::sync::Arc;

/// A unit as loaded: every assignment in force, in merge order.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// Its own name, aliases resolved: `postgresql@15-main.service`.
    pub name: String,
    pub masked: bool,
    pub entries: Vec<(MachinePath, UnitEntry)>,
    /// Fragment first, then drop-ins.
    pub files: Vec<MachinePath>,
    /// Other names that are links to it, sorted.
    pub aliases: Vec<String>,
    /// There were more assignments than anybody writes.
    pub is_cut: bool,
    /// Whose manager has it.
    pub owner: Arc<Owner>,
}

impl Unit {
    /// Values of a list setting: an empty assignment drops those before it.
    pub fn list<'a>(&'a self, section: &'a str, key: &'a str) -> Vec<&'a (MachinePath, UnitEntry)> {
        let mut found = Vec::new();
        for item in self.all(section, key) {
            if item.1.value.is_empty() {
                found.clear();
            } else {
                found.push(item);
            }
        }
        found
    }

    /// Every assignment of a setting, in merge order, empty ones too.
    pub fn all<'a>(
        &'a self,
        section: &'a str,
        key: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a (MachinePath, UnitEntry)> {
        self.entries
            .iter()
            .filter(move |(_, entry)| entry.section == section && entry.key == key)
    }

    /// Whether a setting is made anywhere with this value.
    pub fn sets(&self, key: &str, value: &str) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|(_, entry)| entry.key == key && entry.value == value)
    }

    /// The last value of a plain setting; empty counts as unset.
    pub fn value<'a>(
        &'a self,
        section: &'a str,
        key: &'a str,
    ) -> Option<&'a (MachinePath, UnitEntry)> {
        self.all(section, key)
            .next_back()
            .filter(|(_, entry)| !entry.value.is_empty())
    }

    /// Assignments of a dependency setting. Dependencies only add up: an empty one takes nothing back.
    pub fn dependencies<'a>(
        &'a self,
        key: &'a str,
    ) -> impl Iterator<Item = &'a (MachinePath, UnitEntry)> {
        self.all("Unit", key)
    }

    /// One name of a dependency setting or directory as this unit means it.
    pub fn dependency(&self, name: &str) -> String {
        instantiate(&self.expand(name), &self.name)
    }

    /// A name or an address with what stands for the unit's own name put in. Valid ones are short: what became too long is
    /// none, cut or not.
    pub fn expand(&self, text: &str) -> String {
        let place = ("", &*self.owner);
        super::specifier::expand(text, &self.name, place, &Budget::of(text.len()))
    }
}

/// An assignment as it is written, for a report to show.
pub(super) fn evidence(path: &MachinePath, entry: &UnitEntry) -> Evidence {
    let text = format!("{}={}", entry.key, entry.value);
    Evidence::line(path, entry.line, &text)
}

pub(super) fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "yes" | "y" | "true" | "t" | "on"
    )
}

/// Whether a unit may be called so (systemd.unit(5), "Description"); also keeps names that feed on themselves short.
pub fn is_valid(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    name.len() < 256 && name.chars().all(plain) && !name.starts_with(['.', '@'])
}

/// `a@b.service` → (`a@.service`, `b`).
pub fn template(name: &str) -> Option<(String, String)> {
    let (stem, rest) = name.split_once('@')?;
    let (instance, suffix) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| (format!("{stem}@.{suffix}"), instance.to_owned()))
}

/// Whether a name is a template's own: `a@.service`.
pub fn is_template(name: &str) -> bool {
    name.split_once('@')
        .is_some_and(|(_, rest)| rest.starts_with('.') && rest.matches('.').count() == 1)
}

/// Whether a link from one name to another makes an alias: plain to plain, template to template, instance to the same
/// instance or to its template, always of one type.
pub fn is_alias(name: &str, target: &str) -> bool {
    let kind = |name: &str| name.rsplit_once('.').map(|(_, kind)| kind.to_owned());
    let instance = |name: &str| template(name).map(|(_, instance)| instance);
    let shape = if is_template(name) {
        is_template(target)
    } else if let Some(own) = instance(name) {
        is_template(target) || instance(target) == Some(own)
    } else {
        !target.contains('@')
    };
    is_valid(target) && shape && kind(name) == kind(target)
}

/// A template named in another unit stands for the instance of that unit, or of its prefix where it has none.
fn instantiate(name: &str, owner: &str) -> String {
    let Some((stem, suffix)) = name.split_once("@.").filter(|_| is_template(name)) else {
        return name.to_owned();
    };
    let instance = template(owner).map(|(_, instance)| instance);
    let stem_of_owner = owner.rsplit_once('.').map_or(owner, |(stem, _)| stem);
    let prefix = stem_of_owner.split('@').next().unwrap_or_default();
    format!("{stem}@{}.{suffix}", instance.as_deref().unwrap_or(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_taken_apart() {
        assert_eq!(
            template("a@b.service"),
            Some(("a@.service".into(), "b".into()))
        );
        assert_eq!(template("a@.service"), None);
        assert_eq!(template("a.service"), None);
        assert!(is_template("a@.service") && !is_template("a@.b.service"));
        assert!(is_valid("a-b\\x2d@c:1.service"));
        assert!(!is_valid("a b.service") && !is_valid(&"a".repeat(256)));
    }

    #[test]
    fn aliases_are_of_a_kind() {
        for (name, target, fits) in [
            ("a.service", "b.service", true),
            ("a.service", "b.socket", false),
            ("a.service", "b@x.service", false),
            ("a@.service", "b@.service", true),
            ("a@.service", "b@x.service", false),
            ("a@x.service", "b@.service", true),
            ("a@x.service", "b@x.service", true),
            ("a@x.service", "b@y.service", false),
        ] {
            assert_eq!(is_alias(name, target), fits, "{name} {target}");
        }
    }

    #[test]
    fn templates_take_their_owner_s_instance() {
        assert_eq!(instantiate("a@.service", "b@1.socket"), "a@1.service");
        assert_eq!(
            instantiate("a@.service", "multi-user.target"),
            "a@multi-user.service"
        );
        assert_eq!(instantiate("a@x.service", "b@1.socket"), "a@x.service");
    }
}
