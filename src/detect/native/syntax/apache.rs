//! Apache httpd: one directive a line, `\` continues, `<Section argument>` nests ("Configuration Files" in its manual).

use super::{Reader, words};
use std::collections::BTreeMap;

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
            if blocks.pop().is_some_and(|name| name.is_empty()) {
                out.conditions.pop();
            }
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
            // A condition is no block: it is noted on what stands under it, and whether it holds shows in reading on.
            let is_condition = name.to_ascii_lowercase().starts_with("if");
            if is_condition {
                out.conditions.push(format!("{name} {}", args.join(" ")));
            }
            let name = if is_condition {
                String::new()
            } else {
                name.clone()
            };
            count += 1;
            if !name.is_empty() {
                out.setting(&blocks, &name, args, count, number);
            }
            instances.push(if name.is_empty() { block } else { count });
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
                out.setting(&blocks, name, args, block, number);
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
    fn sections_and_conditions() {
        let text = "Define root /srv/w\n<VirtualHost *:8081>\n  DocumentRoot \"${root}/a b\"\n  <IfModule mod_x.c>\n    Header set A \\\n      B\n  </IfModule>\n</VirtualHost>\nIncludeOptional sites-enabled/*.conf\nListen 81\n";
        assert_eq!(
            shown(Apache, text),
            [
                "Define=root,/srv/w@1",
                "VirtualHost=*:8081@2",
                "VirtualHost/DocumentRoot=/srv/w/a b@3",
                "VirtualHost/Header=set,A,B@5",
                "Listen=81@10"
            ]
        );
        assert_eq!(
            includes(Apache, text),
            [("/etc/x/sites-enabled/*.conf".to_owned(), String::new())]
        );
    }
}
