//! Services of xinetd (xinetd.conf(5)): `service NAME`, and what stands between braces; `includedir` reads in a directory.

use super::Reader;
use crate::detect::FileView;
use crate::path::MachinePath;
use crate::words;

pub(super) fn read(reader: &mut Reader, file: &FileView<'_>) {
    let mut section = String::new();
    let mut number_of_services = 0usize;
    for (number, line) in (1u32..).zip(file.text().lines()) {
        let line = words::trim(line);
        if line.is_empty() || line.starts_with('#') || line == "{" {
            continue;
        }
        let (first, rest) = line.split_once(words::is_blank).unwrap_or((line, ""));
        let rest = words::trim(rest);
        match first {
            "}" => section.clear(),
            "service" | "defaults" if section.is_empty() => {
                // Two services of one name are two.
                number_of_services += 1;
                let name = rest.trim_end_matches('{');
                section = format!("{first} {number_of_services} {}", words::trim(name));
                reader.setting(&section, first, words::trim(name), number);
            }
            "includedir" => reader.include(MachinePath::new(rest).join("*").text().into_owned()),
            "include" => reader.include(rest.to_owned()),
            _ if !section.is_empty() => {
                let Some(at) = line.find('=') else {
                    continue;
                };
                let (key, value) = line.split_at_checked(at).unwrap_or((line, ""));
                let key = key.trim_end_matches(['+', '-']);
                let value = words::trim(value.trim_start_matches('='));
                match words::trim(key) {
                    key @ ("server_args" | "server") => reader.line(&section, key, value, number),
                    "env" => {
                        for word in words::split(value) {
                            let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                            reader.variable(&section, name, value, number);
                        }
                    }
                    key => reader.setting(&section, key, value, number),
                }
            }
            _ => {}
        }
    }
}
