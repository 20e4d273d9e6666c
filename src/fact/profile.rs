//! Profiles of an application: parts of its configuration that count only where one is on. The words are data,
//! `detectors/profiles.toml`.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    only: Vec<String>,
    files: Vec<String>,
    arguments: Vec<String>,
    variables: Vec<String>,
    keys: Vec<String>,
    default: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../detectors/profiles.toml")).unwrap_or_default()
});

/// The kind of a setting's condition that names profiles.
const KIND: &str = "Profile";

/// The condition of a document that has this setting.
pub fn condition(key: &str, value: &str) -> Option<String> {
    let key = key.replace('/', ".");
    let is_one = TABLE.only.contains(&key);
    is_one.then(|| format!("{KIND} {value}"))
}

/// The profiles that are on.
#[derive(Debug, Clone, Default)]
pub struct Active {
    on: BTreeSet<String>,
    /// The command line or the environment says so, and no file says otherwise.
    is_settled: bool,
}

impl Active {
    pub fn new<'a>(
        argv: impl Iterator<Item = &'a String>,
        variables: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let of_line = argv.filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            let is_one = TABLE.arguments.iter().any(|known| known == name);
            is_one.then_some(value)
        });
        let of_line: Vec<&str> = of_line.collect();
        let set = variables.filter(|(name, _)| TABLE.variables.contains(name));
        let mut set = set.map(|(_, value)| value.as_str());
        let mut found = Self::default();
        if let Some(value) = of_line.last().copied().or_else(|| set.next()) {
            found.add(value);
            found.is_settled = true;
        }
        found
    }

    fn add(&mut self, value: &str) {
        let names = value.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
        self.on.extend(names);
    }

    /// Takes note of a setting that says which are on.
    pub fn learn(&mut self, key: &str, args: &[String]) {
        if !self.is_settled && TABLE.keys.contains(&key.replace('/', ".")) {
            for value in args {
                self.add(value);
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.on.contains(name) || (self.on.is_empty() && name == TABLE.default)
    }

    /// Whether what stands under these conditions counts; others than profiles are for somebody else.
    pub fn hold(&self, conditions: &[String]) -> bool {
        let named = conditions.iter().filter_map(|condition| {
            let (kind, text) = condition.split_once(' ')?;
            (kind == KIND).then_some(text)
        });
        named.into_iter().all(|text| self.holds(text))
    }

    /// `prod`, `!dev`, `prod & eu`, `a | b`, `a,b`; what has brackets is taken for true.
    fn holds(&self, text: &str) -> bool {
        let one = |name: &str| match name.trim().strip_prefix('!') {
            Some(name) => !self.has(name.trim()),
            None => self.has(name.trim()),
        };
        text.contains(['(', '$']) || text.split([',', '|']).any(|all| all.split('&').all(one))
    }

    /// Whether a file counts, by its name without directory.
    pub fn counts(&self, name: &str) -> bool {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let profile = TABLE.files.iter().find_map(|file| {
            let rest = stem.strip_prefix(file.as_str())?;
            rest.strip_prefix('-')
        });
        profile.is_none_or(|profile| self.has(profile))
    }

    /// The only one that is on, for whoever looks for a file by it.
    pub fn only(&self) -> Option<&str> {
        let mut on = self.on.iter();
        on.next().filter(|_| self.on.len() == 1).map(String::as_str)
    }

    /// Names of the variables that say which are on.
    pub fn variables() -> impl Iterator<Item = &'static str> {
        TABLE.variables.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_by_what_is_on() {
        let argv = ["java", "--spring.profiles.active=prod,eu"].map(str::to_owned);
        let mut active = Active::new(argv.iter(), std::iter::empty());
        active.learn("spring/profiles/active", &["dev".to_owned()]);
        let holds = |text: &str| {
            let condition = condition("spring/config/activate/on-profile", text);
            active.hold(&condition.into_iter().collect::<Vec<_>>())
        };
        assert!(holds("prod") && holds("dev,eu") && holds("prod & eu") && holds("!dev"));
        assert!(!holds("dev") && !holds("prod & us") && !holds("default") && !holds("!prod"));
        assert!(active.counts("application-prod.yml") && active.counts("application.yml"));
        assert!(!active.counts("application-dev.yml") && active.counts("my-dev.yml"));
        assert!(Active::default().counts("application-default.yml"));
    }
}
