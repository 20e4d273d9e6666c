//! Conditions of configuration that are decided while it is read: `<IfModule>`, `<IfDefine>`, `<IfFile>` of Apache's
//! language, in the order of reading, as the server itself decides them ("core" in its manual).

use crate::fact::profile::Active;
use crate::path::MachinePath;
use crate::walk::Tree;
use std::collections::BTreeSet;

/// Compiled into every build that loads others: what `httpd -l` lists.
const BUILT_IN: &[&str] = &[
    "core_module",
    "so_module",
    "http_module",
    "log_config_module",
    "logio_module",
    "unixd_module",
    "version_module",
    "watchdog_module",
];

/// What is known by now.
pub(super) struct Conditions {
    /// Modules by identifier (`ssl_module`).
    modules: BTreeSet<String>,
    defines: BTreeSet<String>,
    profiles: Active,
}

impl Conditions {
    /// Names defined on the command line (`-D NAME`, `-DNAME`).
    pub(super) fn new<'a>(argv: impl Iterator<Item = &'a String>, profiles: Active) -> Self {
        let mut defines = BTreeSet::new();
        let mut next = false;
        for word in argv {
            match word.strip_prefix("-D") {
                Some("") => next = true,
                Some(name) => {
                    defines.insert(name.to_owned());
                }
                None if next => {
                    defines.insert(word.clone());
                    next = false;
                }
                None => {}
            }
        }
        Self {
            modules: BTreeSet::new(),
            defines,
            profiles,
        }
    }

    /// Takes note of what later conditions ask for; a define with a value is a variable too.
    pub(super) fn learn(&mut self, key: &str, args: &[String]) -> Option<(String, String)> {
        self.profiles.learn(key, args);
        let name = key.rsplit('/').next().unwrap_or(key);
        if name.eq_ignore_ascii_case("LoadModule") {
            self.modules.extend(args.first().cloned());
        } else if name.eq_ignore_ascii_case("Define") {
            self.defines.extend(args.first().cloned());
            return Some((args.first()?.clone(), args.get(1)?.clone()));
        }
        None
    }

    pub(super) fn hold(&self, conditions: &[String], tree: &Tree) -> bool {
        let mut all = conditions.iter();
        all.all(|condition| self.holds(condition, tree)) && self.profiles.hold(conditions)
    }

    fn holds(&self, condition: &str, tree: &Tree) -> bool {
        let (kind, text) = condition.split_once(' ').unwrap_or((condition, ""));
        let (name, wanted) = match text.strip_prefix('!') {
            Some(name) => (name, false),
            None => (text, true),
        };
        match kind.to_ascii_lowercase().as_str() {
            "ifmodule" => self.has_module(name).is_none_or(|has| has == wanted),
            "ifdefine" => self.defines.contains(name) == wanted,
            "iffile" => tree.exists(&MachinePath::new("/").join(name)) == wanted,
            // Versions and what a request decides: taken as said.
            _ => true,
        }
    }

    /// By identifier, or by the name of its source (`mod_ssl.c`). A build that loads nothing has everything built in, and
    /// nobody can say what: `None`.
    fn has_module(&self, name: &str) -> Option<bool> {
        if self.modules.is_empty() {
            return None;
        }
        let identifier = match name
            .strip_prefix("mod_")
            .and_then(|rest| rest.strip_suffix(".c"))
        {
            Some(stem) => format!("{stem}_module"),
            None => name.to_owned(),
        };
        Some(self.modules.contains(&identifier) || BUILT_IN.contains(&identifier.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_order_of_reading() {
        let tree = Tree::new(Vec::new());
        let argv = ["-D", "X", "-DFOREGROUND"].map(str::to_owned);
        let mut conditions = Conditions::new(argv.iter(), Active::default());
        let holds =
            |conditions: &Conditions, text: &str| conditions.hold(&[text.to_owned()], &tree);
        assert!(holds(&conditions, "IfModule ssl_module"));
        conditions.learn("LoadModule", &["mime_module".into(), "x.so".into()]);
        assert!(!holds(&conditions, "IfModule ssl_module"));
        assert!(holds(&conditions, "IfModule !mod_ssl.c"));
        assert!(holds(&conditions, "IfModule mod_mime.c"));
        assert!(holds(&conditions, "IfModule mod_log_config.c"));
        assert!(holds(&conditions, "IfDefine X") && holds(&conditions, "IfDefine FOREGROUND"));
        assert!(!holds(&conditions, "IfDefine Y") && holds(&conditions, "IfVersion >= 2.4"));
        let learned = conditions.learn("VirtualHost/Define", &["Y".into(), "/srv".into()]);
        assert_eq!(learned, Some(("Y".into(), "/srv".into())));
        assert!(holds(&conditions, "IfDefine Y") && !holds(&conditions, "IfFile /etc/no"));
    }
}
