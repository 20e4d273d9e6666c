//! Dockerfiles: the parser's own words (ENV, WORKDIR), the JSON form of commands, and shell words inside RUN, where a
//! newline would end the instruction.

use super::shell::{is_bare, must_be_printed, printed, shell_comment};
use super::yaml::{Reader, double_quoted};
use crate::path::{MachinePath, is_unsafe};

/// The exec form: a JSON array. Characters that an editor hides are written as escapes, and so is a backslash before a
/// quote or at the end, which linters take for an escaped quote. No program is handed NUL.
pub fn exec<S: AsRef<str>>(argv: &[S]) -> String {
    let words: Vec<String> = argv
        .iter()
        .map(|word| double_quoted(&word.as_ref().replace('\0', ""), Reader::Json))
        .collect();
    format!("[{}]", words.join(", "))
}

/// A value of ENV, or the word of WORKDIR. `None`: it holds a control character, or one that nobody sees, which no
/// Dockerfile can say there but as it is, or a
/// backslash before a quote or at its end, which builders and linters read in different ways.
pub fn dockerfile_word(value: &str) -> Option<String> {
    if value.chars().any(is_unsafe) || value.contains("\\\"") || value.ends_with('\\') {
        return None;
    }
    let mut word = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            word.push('\\');
        }
        word.push(c);
    }
    word.push('"');
    Some(word)
}

/// A shell word inside RUN. Double quotes where the value holds what single quotes would only seem to expand, since
/// linters are right to ask about `'$x'`. What nobody would see is printed by the shell; ends of lines are dropped, for they end the
/// instruction: callers hold none that matter.
pub fn build_shell(value: &str) -> String {
    let value: String = value
        .chars()
        .filter(|c| !matches!(c, '\0' | '\n'))
        .collect();
    if is_bare(&value) {
        return value;
    }
    if value.contains(must_be_printed) {
        return printed(&value, build_shell);
    }
    if !value.contains(['$', '`', '\'']) {
        return format!("'{value}'");
    }
    let mut word = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            word.push('\\');
        }
        word.push(c);
    }
    word.push('"');
    word
}

/// A path that exists where RUN runs. Bytes that a Dockerfile cannot hold become `?`, which the shell matches with them.
pub fn build_path(prefix: &str, path: &MachinePath) -> String {
    let mut bytes = prefix.as_bytes().to_vec();
    bytes.extend_from_slice(path.as_bytes());
    let (mut word, mut literal) = (String::new(), String::new());
    let flush = |literal: &mut String, word: &mut String| {
        if !literal.is_empty() {
            word.push_str(&build_shell(literal));
            literal.clear();
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe(c) {
                flush(&mut literal, &mut word);
                // Shells match `?` with a byte or with a character, as their locale says; only ASCII's are single bytes in both.
                word.push_str(if c.is_ascii() { "?" } else { "*" });
            } else {
                literal.push(c);
            }
        }
        if !chunk.invalid().is_empty() {
            flush(&mut literal, &mut word);
            word.push('*');
        }
    }
    flush(&mut literal, &mut word);
    word
}

/// The text of a comment: one line, nothing that ends it or hides in it, and no parser directive.
pub fn comment(text: &str) -> String {
    shell_comment(text)
}
