//! TOML 1.0: a string on one line, whatever is in it.

use crate::path::is_unsafe;
use std::fmt::Write as _;

/// A basic string (TOML 1.0, "String"). What steers or is not seen is written by its number, so that a line stays a line.
pub fn toml(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_unsafe(c) || c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_reader_of_toml_finds_the_same(text in ".{0,40}") {
            let line = format!("a = [{}]", toml(&text));
            proptest::prop_assert_eq!(line.lines().count(), 1);
            let read: ::toml::Table = ::toml::from_str(&line).unwrap();
            proptest::prop_assert_eq!(read["a"][0].as_str(), Some(text.as_str()));
        }
    }
}
