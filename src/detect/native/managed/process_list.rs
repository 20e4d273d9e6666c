//! Lists of processes of a process manager for scripts: what it saved of those that ran, and what it is told to run. Both
//! are literals, as JSON, YAML or exported by a script.

use super::Reader;
use super::literal::{Value, exported};
use crate::detect::FileView;
use crate::words;

/// Names of a setting where a saved process and a written one differ, and what it is called here.
const KEYS: &[(&str, &str)] = &[
    ("name", "name"),
    ("pm_exec_path", "script"),
    ("script", "script"),
    ("pm_cwd", "cwd"),
    ("cwd", "cwd"),
    ("args", "args"),
    ("exec_interpreter", "interpreter"),
    ("interpreter", "interpreter"),
    ("interpreter_args", "node_args"),
    ("node_args", "node_args"),
    ("instances", "instances"),
    ("exec_mode", "mode"),
    ("uid", "user"),
    ("gid", "group"),
    ("kill_timeout", "kill_timeout"),
    ("autorestart", "autorestart"),
    ("cron_restart", "cron_restart"),
    ("pm_out_log_path", "output"),
    ("out_file", "output"),
    ("pm_err_log_path", "output"),
    ("error_file", "output"),
    ("status", "status"),
];

/// Processes of one list.
const MOST: usize = 4_000;

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) -> Result<(), String> {
    let name = file.path.name();
    let value = if name.ends_with(".yml") || name.ends_with(".yaml") {
        let value = serde_saphyr::from_str(file.text());
        let value = value.map_err(|_| "not YAML that we can read".to_owned())?;
        Some(of_yaml(&value))
    } else {
        exported(file.text(), file.path)
    };
    let value = value.ok_or("what it says is computed when it is read")?;
    let listed = value.get("apps").map(|(apps, _)| apps);
    match listed.unwrap_or(&value) {
        Value::List(items) => {
            reader.is_cut |= items.len() > MOST;
            for (number, item) in items.iter().take(MOST).enumerate() {
                process(reader, &number.to_string(), item);
            }
        }
        Value::Map(_) => process(reader, "0", listed.unwrap_or(&value)),
        _ => return Err("what it says is computed when it is read".to_owned()),
    }
    Ok(())
}

fn process(reader: &mut Reader, section: &str, value: &Value) {
    let Value::Map(entries) = value else {
        reader.setting(section, "computed", "script", 1);
        return;
    };
    for (key, value, line) in entries {
        let known = KEYS.iter().find(|(written, _)| written == key);
        match (known, value) {
            (Some((_, key)), Value::Computed) => {
                reader.setting(section, "computed", key, *line);
            }
            (Some((_, key @ ("args" | "node_args"))), value) => {
                if let Some(words) = arguments(value) {
                    reader.line(section, key, &words, *line);
                } else {
                    reader.setting(section, "computed", key, *line);
                }
            }
            (Some((_, key)), Value::Text(text)) => reader.setting(section, key, text, *line),
            (None, Value::Map(variables)) if key == "env" || key.starts_with("env_") => {
                let of = format!("{section}/{key}");
                let of = if key == "env" { section } else { &of };
                for (name, value, line) in variables {
                    match value {
                        Value::Text(text) => reader.variable(of, name, text, *line),
                        Value::Computed => reader.setting(of, "computed", name, *line),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Words as a unit would write them.
fn arguments(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Nothing => Some(String::new()),
        Value::List(items) => {
            let words = items.iter().map(|item| match item {
                Value::Text(text) => Some(words::quote(text)),
                _ => None,
            });
            Some(words.collect::<Option<Vec<_>>>()?.join(" "))
        }
        Value::Map(_) | Value::Computed => None,
    }
}

fn of_yaml(value: &serde_json::Value) -> Value {
    use serde_json::Value as Yaml;
    match value {
        Yaml::Null => Value::Nothing,
        Yaml::String(text) => Value::Text(text.clone()),
        Yaml::Array(items) => Value::List(items.iter().map(of_yaml).collect()),
        Yaml::Object(map) => {
            let entries = map.iter();
            Value::Map(
                entries
                    .map(|(key, value)| (key.clone(), of_yaml(value), 1))
                    .collect(),
            )
        }
        other => Value::Text(other.to_string()),
    }
}
