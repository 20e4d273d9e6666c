//! Every quoting, read back by the smallest reader of its language.

use transvase::path::{MachinePath, is_unsafe, sanitise};
use transvase::quote;

pub fn read(text: &str) {
    let whole = text.replace('\0', "");
    let word = quote::shell(text);
    assert_eq!(shell(&word), whole, "{word}");
    assert!(!word.contains(|c| is_unsafe(c) && c != '\n' && c != '\t'));
    let line = whole.replace('\n', "");
    let word = quote::build_shell(text);
    assert_eq!(shell(&word), line, "{word}");
    assert!(!word.contains(|c| is_unsafe(c) && c != '\t'));
    let word = quote::exec(&[text, "b"]);
    let back: Vec<String> = serde_json::from_str(&word).unwrap_or_default();
    assert_eq!(back, [whole.as_str(), "b"], "{word}");
    if let Some(word) = quote::dockerfile_word(text) {
        assert_eq!(dockerfile(&word), text, "{word}");
        assert!(!word.contains(is_unsafe));
    }
    let word = quote::yaml_interpolated(text);
    assert_eq!(
        serde_saphyr::from_str::<String>(&word).ok().as_deref(),
        Some(text),
        "{word}"
    );
    let document = serde_json::json!({ text: [text] }).to_string();
    let safe = quote::json_document(document.clone());
    assert!(!safe.contains(is_unsafe), "{safe}");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&safe).ok(),
        serde_json::from_str::<serde_json::Value>(&document).ok()
    );
    for shown in [
        quote::markdown(text),
        quote::code(text),
        quote::prose(text),
        quote::comment(text),
        quote::dotenv(text),
        quote::build_path("", &MachinePath::new(text)),
        sanitise(text).into_owned(),
    ] {
        assert!(!shown.contains(is_unsafe), "{shown:?} of {text:?}");
    }
}

/// A word of a shell: bare characters, both quotes, and printf of bytes, which is all that is ever written.
fn shell(word: &str) -> String {
    const PRINTED: &str = "\"$(printf '";
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        if let Some(printed) = rest.strip_prefix(PRINTED) {
            let (numbers, behind) = printed.split_once("')\"").unwrap_or_default();
            let numbers = numbers.split('\\').skip(1);
            bytes.extend(numbers.map(|number| u8::from_str_radix(number, 8).unwrap_or_default()));
            rest = behind;
        } else if let Some(inner) = rest.strip_prefix('\'') {
            let (inner, behind) = inner.split_once('\'').unwrap_or_default();
            bytes.extend(inner.bytes());
            rest = behind;
        } else if let Some(inner) = rest.strip_prefix('"') {
            let end = closing(inner);
            bytes.extend(unescaped(&inner[..end], "$`").bytes());
            rest = &inner[end + 1..];
        } else if let Some(behind) = rest.strip_prefix("\\'") {
            bytes.push(b'\'');
            rest = behind;
        } else {
            assert!(
                c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c),
                "{c:?} is bare in {word}"
            );
            bytes.push(u8::try_from(c).unwrap_or_default());
            rest = &rest[1..];
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where double quotes end.
fn closing(inner: &str) -> usize {
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(inner.len())
}

/// `meant`: what would mean something as it stands.
fn unescaped(inner: &str, meant: &str) -> String {
    let (mut value, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        assert!(!meant.contains(c), "{c} means something in {inner}");
        value.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    value
}

/// As the reference says of ENV ("Escape", "Environment replacement").
fn dockerfile(word: &str) -> String {
    let inner = word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'));
    unescaped(inner.unwrap_or_default(), "$")
}
