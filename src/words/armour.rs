//! Base64 as armour around bytes (RFC 4648; RFC 7468).

/// The bytes of a block; blanks between are passed over. `None` for what is no base64.
pub fn decoded(body: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for c in body
        .bytes()
        .filter(|c| !c.is_ascii_whitespace() && *c != b'=')
    {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 255).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_the_rfc() {
        for (coded, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm9v\nYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decoded(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decoded("a-b"), None);
    }
}
