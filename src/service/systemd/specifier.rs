//! Specifiers of systemd.unit(5), as far as a powered-off disk knows their values.

use super::owner::Owner;
use crate::words::budget::Budget;

/// Replaces `%` specifiers in a value of the unit `name` of a manager, as far as the budget goes.
pub fn expand(
    text: &str,
    name: &str,
    (hostname, owner): (&str, &Owner),
    budget: &Budget,
) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let last = prefix.rsplit('-').next().unwrap_or(prefix);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let rest = chars.as_str();
        let before = out.len();
        match chars.next() {
            Some('i') => out.push_str(instance),
            Some('I') => out.push_str(&unescape(instance)),
            Some('n') => out.push_str(name),
            Some('N') => out.push_str(stem),
            Some('p') => out.push_str(prefix),
            Some('P') => out.push_str(&unescape(prefix)),
            Some('j') => out.push_str(last),
            Some('J') => out.push_str(&unescape(last)),
            Some('f') => {
                out.push('/');
                out.push_str(&unescape(if instance.is_empty() {
                    prefix
                } else {
                    instance
                }));
            }
            Some('H' | 'q') => out.push_str(hostname),
            Some('l') => out.push_str(hostname.split('.').next().unwrap_or(hostname)),
            Some('d') => out.push_str(&credentials(name)),
            Some('T') => out.push_str("/tmp"),
            Some('V') => out.push_str("/var/tmp"),
            Some('%') | None => out.push('%'),
            // Boot id, machine id, kernel release and the like are not on the disk, or change.
            Some(other) => match owner.specifier(other) {
                Some(value) => out.push_str(&value),
                None => out.extend(['%', other]),
            },
        }
        if !budget.take(out.len() - before) {
            let written = rest.strip_suffix(chars.as_str()).unwrap_or_default();
            out.truncate(before);
            out.push('%');
            out.push_str(written);
        }
    }
    out
}

/// The directory of a unit's credentials.
pub fn credentials(name: &str) -> String {
    format!("{}/{name}", crate::service::CREDENTIALS)
}

/// systemd-escape(1) undone: `-` is `/`, `\xNN` a byte.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail
            .strip_prefix(b"x")
            .and_then(|hex| hex.get(..2))
            .and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex
            .filter(|_| *first == b'\\')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (_, Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
                continue;
            }
            (b'-', None) => bytes.push(b'/'),
            (other, None) => bytes.push(*other),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers() {
        let name = "a-b@15-main.service";
        assert_eq!(
            expand(
                "%i %I %n %N %p %j %t 100%%",
                name,
                ("h.x", &Owner::default()),
                &Budget::of(1 << 10)
            ),
            "15-main 15/main a-b@15-main.service a-b@15-main a-b b /run 100%"
        );
        assert_eq!(unescape("a\\x2db-c"), "a-b/c");
        assert_eq!(
            expand("%", name, ("", &Owner::default()), &Budget::of(1 << 10)),
            "%"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in ".{0,60}", name in ".{0,30}") {
            let _ = expand(&text, &name, ("h", &Owner::default()), &Budget::of(1 << 10));
        }
    }
}
