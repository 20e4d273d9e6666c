//! Objects and arrays: JSON, YAML, TOML. A key is the path to a scalar; an array's scalars are arguments of one setting.
//!
//! The libraries give values without places, so the line of a setting is that of the next occurrence of its key.

use super::Reader;
use serde_json::Value;

/// Deeper documents are not configuration.
const DEPTH: usize = 40;

pub(super) fn read_json(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    Lines::new(text).value(out, &mut Vec::new(), &value);
    Ok(())
}

pub(super) fn read_yaml(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let value: Value =
        serde_saphyr::from_str(text).map_err(|_| "not YAML that we can read".to_owned())?;
    Lines::new(text).value(out, &mut Vec::new(), &value);
    Ok(())
}

pub(super) fn read_toml(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let value: Value = toml::from_str(text).map_err(|_| "not TOML".to_owned())?;
    Lines::new(text).value(out, &mut Vec::new(), &value);
    Ok(())
}

struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            at: 0,
        }
    }

    /// The line of a key, looked for from the last one on, then from the start (maps may come sorted).
    fn find(&mut self, key: &str) -> u32 {
        let after = self
            .lines
            .iter()
            .enumerate()
            .skip(self.at)
            .find(|(_, line)| line.contains(key));
        let found = after.or_else(|| {
            self.lines
                .iter()
                .enumerate()
                .find(|(_, line)| line.contains(key))
        });
        if let Some((at, _)) = found {
            self.at = at;
        }
        u32::try_from(self.at.saturating_add(1)).unwrap_or(u32::MAX)
    }

    fn value(&mut self, out: &mut Reader<'_>, path: &mut Vec<String>, value: &Value) {
        if path.len() > DEPTH {
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
        out.setting(blocks, key, args, 0, line);
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
        assert_eq!(shown(Syntax::Toml, "[a]\nb = 1\n"), ["a/b=1@2"]);
    }
}
