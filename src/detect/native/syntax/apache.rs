//! Apache httpd: one directive a line, `\` continues, `<Section argument>` nests ("Configuration Files" in its manual).

use super::{Reader, words};
use crate::path::MachinePath;
use crate::words::budget::Budget;
use crate::words::expand::braced;
use std::collections::BTreeMap;

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    let mut place = Place {
        blocks: Vec::new(),
        instances: vec![0],
        count: 0,
        passed: 0,
    };
    let mut defines: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = (1u32..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if out.is_full() {
            return;
        }
        let mut logical = line.trim().to_owned();
        while logical.ends_with('\\') {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim());
        }
        if logical.is_empty() || logical.starts_with('#') {
            continue;
        }
        if let Some(section) = logical.strip_prefix('<') {
            if section.starts_with('/') {
                place.close(out);
            } else {
                place.open(out, &words(section.trim_end_matches('>')), number);
            }
            continue;
        }
        if place.passed > 0 {
            continue;
        }
        let parts: Vec<String> = words(&logical)
            .iter()
            .map(|word| expand(word, &defines, &out.budget))
            .collect();
        let Some((name, args)) = parts.split_first() else {
            continue;
        };
        let blocks = &place.blocks;
        let block = place.instances.last().copied().unwrap_or(0);
        match (name.to_ascii_lowercase().as_str(), args) {
            ("include" | "includeoptional", [pattern, ..]) => {
                let pattern = if pattern.ends_with('/') {
                    format!("{pattern}*")
                } else {
                    pattern.clone()
                };
                out.include(blocks, &pattern, number);
            }
            ("define", [variable, value, ..]) => {
                defines.insert(variable.clone(), value.clone());
                out.setting(blocks, name, args, block, number);
            }
            // Relative paths start there, wherever the file itself lies ("ServerRoot" in the manual).
            ("serverroot", [root, ..]) if blocks.is_empty() && root.starts_with('/') => {
                out.base = MachinePath::new(root);
                out.setting(blocks, name, args, block, number);
            }
            _ => out.setting(blocks, name, args, block, number),
        }
    }
}

/// Which sections a line stands in.
struct Place {
    blocks: Vec<String>,
    instances: Vec<u32>,
    count: u32,
    /// Sections that are open inside of one that is too deep.
    passed: usize,
}

impl Place {
    fn open(&mut self, out: &mut Reader<'_>, parts: &[String], line: u32) {
        let Some((name, args)) = parts.split_first() else {
            return;
        };
        if self.passed > 0 || !out.may_nest(self.blocks.len()) {
            self.passed += 1;
            return;
        }
        let block = self.instances.last().copied().unwrap_or(0);
        self.count += 1;
        // A condition is no block: it is noted on what stands under it, and whether it holds shows in reading on.
        if name.to_ascii_lowercase().starts_with("if") {
            out.conditions.push(format!("{name} {}", args.join(" ")));
            self.instances.push(block);
            self.blocks.push(String::new());
        } else {
            out.setting(&self.blocks, name, args, self.count, line);
            self.instances.push(self.count);
            self.blocks.push(name.clone());
        }
    }

    fn close(&mut self, out: &mut Reader<'_>) {
        if self.passed > 0 {
            self.passed -= 1;
            return;
        }
        if self.blocks.pop().is_some_and(|name| name.is_empty()) {
            out.conditions.pop();
        }
        if self.instances.len() > 1 {
            self.instances.pop();
        }
    }
}

/// `${NAME}` where a Define of this file says so; environment variables stay for the pack to fill in.
fn expand(word: &str, defines: &BTreeMap<String, String>, budget: &Budget) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((head, tail)) = rest.split_once('$') {
        out.push_str(head);
        let known = braced(tail).and_then(|(name, after)| Some((defines.get(name)?, after)));
        if let Some((value, after)) = known.filter(|(value, _)| budget.take(value.len())) {
            out.push_str(value);
            rest = after;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
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
