//! Objects and arrays: JSON, YAML, TOML. A key is the path to a scalar; an array's scalars are arguments of one setting.
//!
//! The libraries give values without places, so the line of a setting is that of the next occurrence of its key.

use super::Reader;
use crate::fact::profile;
use crate::words::budget::Budget;
use serde_json::Value;

/// How often a document may be gone through for the lines of its keys; later ones get that of the last found.
const PASSES: usize = 64;

pub(super) fn read_json(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    Lines::new(text).value(out, &mut Vec::new(), &value);
    Ok(())
}

pub(super) fn read_yaml(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|_| "not YAML that we can read".to_owned())?;
    let mut lines = Lines::new(text);
    let is_one = documents.len() < 2;
    for (number, document) in (1u32..).zip(&documents) {
        lines.block = if is_one { 0 } else { number };
        out.conditions = condition_of(document, &mut Vec::new(), DEEPEST);
        lines.value(out, &mut Vec::new(), document);
    }
    out.conditions.clear();
    Ok(())
}

pub(super) fn read_toml(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let value: Value = toml::from_str(text).map_err(|_| "not TOML".to_owned())?;
    Lines::new(text).value(out, &mut Vec::new(), &value);
    Ok(())
}

/// Levels above the key by which a document says when it counts.
const DEEPEST: usize = 4;

/// Of which profiles a document is, where it says so.
fn condition_of(value: &Value, path: &mut Vec<String>, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(map) if depth > 0 => {
            for (key, inner) in map {
                path.push(key.clone());
                found.extend(condition_of(inner, path, depth - 1));
                path.pop();
            }
        }
        Value::Object(_) => {}
        Value::Array(items) => {
            let names: Vec<String> = items.iter().map(text).collect();
            found.extend(profile::condition(&path.join("."), &names.join(",")));
        }
        scalar => found.extend(profile::condition(&path.join("."), &text(scalar))),
    }
    found
}

struct Lines<'a> {
    all: Vec<&'a str>,
    at: usize,
    /// The document of several.
    block: u32,
    /// Bytes that may still be gone through: maps come sorted, and a key may stand anywhere.
    budget: Budget,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            all: text.lines().collect(),
            at: 0,
            block: 0,
            budget: Budget::new(text.len().saturating_mul(PASSES).saturating_add(1 << 20)),
        }
    }

    /// The line of a key, looked for from the last one on, then from the start (maps may come sorted).
    fn find(&mut self, key: &str) -> u32 {
        let (before, after) = self.all.split_at_checked(self.at).unwrap_or_default();
        let after = (self.at..).zip(after);
        let lines = after.chain((0..).zip(before));
        let mut near = lines.take_while(|(_, line)| self.budget.take(line.len()));
        if let Some((at, _)) = near.find(|(_, line)| line.contains(key)) {
            self.at = at;
        }
        u32::try_from(self.at.saturating_add(1)).unwrap_or(u32::MAX)
    }

    fn value(&mut self, out: &mut Reader<'_>, path: &mut Vec<String>, value: &Value) {
        if out.is_full() || !out.may_nest(path.len()) {
            return;
        }
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    self.find(key);
                    path.push(key.clone());
                    self.value(out, path, inner);
                    path.pop();
                }
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                for item in items {
                    self.value(out, path, item);
                }
            }
            Value::Array(items) => {
                self.scalar(out, path, &items.iter().map(text).collect::<Vec<_>>());
            }
            scalar => self.scalar(out, path, &[text(scalar)]),
        }
    }

    fn scalar(&mut self, out: &mut Reader<'_>, path: &[String], args: &[String]) {
        let Some((key, blocks)) = path.split_last() else {
            return;
        };
        let line = self.find(key);
        out.setting(blocks, key, args, self.block, line);
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax;

    #[test]
    fn three_notations() {
        assert_eq!(
            shown(
                Syntax::Json,
                "{\n \"a\": {\"port\": 80},\n \"l\": [\"x\", \"y\"]\n}"
            ),
            ["a/port=80@2", "l=x,y@3"]
        );
        assert_eq!(
            shown(
                Syntax::Yaml,
                "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n"
            ),
            ["network/ethernets/eth0/dhcp4=true@4"]
        );
        let two = "port: 1\n---\nspring.config.activate.on-profile: x\nport: 2\n";
        assert_eq!(
            shown(Syntax::Yaml, two),
            [
                "port=1@1",
                "spring.config.activate.on-profile=x@3",
                "port=2@4"
            ]
        );
        assert_eq!(shown(Syntax::Toml, "[a]\nb = 1\n"), ["a/b=1@2"]);
    }
}
