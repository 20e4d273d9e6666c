//! Apache httpd: one directive a line, `\` continues, `<Section argument>` nests ("Configuration Files" in its manual).

use super::{Reader, words};
use std::collections::BTreeMap;

/// Begins the name of a block that counts only if a module is loaded.
const CONDITION: &str = "IfModule:";

/// Modules that are built in wherever the server is built from its own defaults.
const BUILT_IN: &[&str] = &[
    "core",
    "so",
    "http_core",
    "unixd",
    "version",
    "log_config",
    "logio",
    "watchdog",
];

/// Whether the conditions a setting's key passes through hold, given the modules that are loaded: `ssl_module`, …
pub fn holds(key: &str, loaded: &[String]) -> bool {
    key.split('/')
        .filter_map(|part| part.strip_prefix(CONDITION))
        .all(|module| {
            let (wanted, module) = module
                .strip_prefix('!')
                .map_or((true, module), |module| (false, module));
            let stem = module
                .trim_start_matches("mod_")
                .trim_end_matches(".c")
                .trim_end_matches("_module");
            let has = BUILT_IN.contains(&stem)
                || loaded
                    .iter()
                    .any(|name| name.trim_end_matches("_module") == stem);
            has == wanted
        })
}

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    let mut blocks: Vec<String> = Vec::new();
    let mut instances: Vec<u32> = vec![0];
    let mut count = 0;
    let mut defines: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = (1u32..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut logical = line.trim().to_owned();
        while logical.ends_with('\\') {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim());
        }
        if logical.is_empty() || logical.starts_with('#') {
            continue;
        }
        if logical.starts_with("</") {
            blocks.pop();
            if instances.len() > 1 {
                instances.pop();
            }
            continue;
        }
        let block = instances.last().copied().unwrap_or(0);
        if let Some(section) = logical.strip_prefix('<') {
            let parts = words(section.trim_end_matches('>'));
            let Some((name, args)) = parts.split_first() else {
                continue;
            };
            // Conditions are kept as blocks that settings stand in; whether a module is loaded is known when all files are.
            let lower = name.to_ascii_lowercase();
            let name = match (lower.as_str(), args.first()) {
                ("ifmodule", Some(module)) => format!("{CONDITION}{module}"),
                _ if lower.starts_with("if") => String::new(),
                _ => name.clone(),
            };
            let conditional = name.is_empty() || name.starts_with(CONDITION);
            count += 1;
            if !conditional {
                out.setting(&blocks, &name, args, count, number);
            }
            instances.push(if conditional { block } else { count });
            blocks.push(name);
            continue;
        }
        let parts: Vec<String> = words(&logical)
            .iter()
            .map(|word| expand(word, &defines))
            .collect();
        let Some((name, args)) = parts.split_first() else {
            continue;
        };
        match (name.to_ascii_lowercase().as_str(), args) {
            ("include" | "includeoptional", [pattern, ..]) => {
                let pattern = if pattern.ends_with('/') {
                    format!("{pattern}*")
                } else {
                    pattern.clone()
                };
                out.include(&blocks, &pattern, number);
            }
            ("define", [variable, value, ..]) => {
                defines.insert(variable.clone(), value.clone());
            }
            _ => out.setting(&blocks, name, args, block, number),
        }
    }
}

/// `${NAME}` where a Define of this file says so; environment variables stay for the pack to fill in.
fn expand(word: &str, defines: &BTreeMap<String, String>) -> String {
    let mut out = word.to_owned();
    for (name, value) in defines {
        out = out.replace(&format!("${{{name}}}"), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::{includes, shown};
    use crate::fact::Syntax::Apache;

    #[test]
    fn conditions_hold_by_loaded_modules() {
        let loaded = ["ssl_module".to_owned()];
        for (key, wanted) in [
            ("IfModule:ssl_module/Listen", true),
            ("IfModule:mod_gnutls.c/Listen", false),
            ("A/IfModule:!mod_ssl.c/B", false),
            ("Listen", true),
        ] {
            assert_eq!(super::holds(key, &loaded), wanted, "{key}");
        }
    }

    #[test]
    fn sections_and_conditions() {
        let text = "Define root /srv/w\n<VirtualHost *:8081>\n  DocumentRoot \"${root}/a b\"\n  <IfModule mod_x.c>\n    Header set A \\\n      B\n  </IfModule>\n</VirtualHost>\nIncludeOptional sites-enabled/*.conf\nListen 81\n";
        assert_eq!(
            shown(Apache, text),
            [
                "VirtualHost=*:8081@2",
                "VirtualHost/DocumentRoot=/srv/w/a b@3",
                "VirtualHost/IfModule:mod_x.c/Header=set,A,B@5",
                "Listen=81@10"
            ]
        );
        assert_eq!(
            includes(Apache, text),
            [("/etc/x/sites-enabled/*.conf".to_owned(), String::new())]
        );
    }
}
