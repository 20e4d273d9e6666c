//! Calls that take a password as a literal argument: `connect("db", "user", "s3cret")`.

use super::data::DATA;
use super::sieve::Hit;
use std::ops::Range;

/// Longest list of arguments that is read, in bytes.
const FAR: usize = 1024;

/// The literal that stands where this call takes its password.
pub(super) fn argument(text: &[u8], hit: Hit, call: usize) -> Option<Range<usize>> {
    let before = hit.start.checked_sub(1).and_then(|at| text.get(at));
    let is_method = text.get(hit.start) == Some(&b'.');
    let is_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if is_word && !is_method {
        return None;
    }
    let place = DATA.calls.values().nth(call).copied()?;
    let rest = text.get(hit.end..text.len().min(hit.end + FAR))?;
    let at = arguments(rest).nth(place.saturating_sub(1))?;
    let argument = rest.get(at.clone())?;
    let prefix = usize::from(matches!(argument.first(), Some(b'b' | b'@')));
    let quote = argument
        .get(prefix)
        .filter(|byte| matches!(byte, b'"' | b'\''))?;
    let is_closed = argument.len() > prefix + 1 && argument.last() == Some(quote);
    is_closed.then(|| hit.end + at.start + prefix + 1..hit.end + at.end - 1)
}

/// Arguments of a call up to its closing bracket, blanks taken off; what is in quotes or brackets stays together. `name=` in front of
/// one goes.
fn arguments(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut all = Vec::new();
    let trimmed = |from: usize, to: usize| {
        let part = text.get(from..to).unwrap_or_default();
        let start = from + part.len() - part.trim_ascii_start().len();
        start..start + part.trim_ascii().len()
    };
    let (mut start, mut depth, mut quote, mut skip) = (0, 0usize, None, false);
    for (at, byte) in text.iter().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if !skip && open == *byte => quote = None,
            (Some(_), _) => {}
            _ if skip => {}
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')') if depth == 0 => {
                all.push(trimmed(start, at));
                break;
            }
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                all.push(trimmed(start, at));
                start = at + 1;
            }
            _ => {}
        }
        skip = *byte == b'\\' && !skip;
    }
    all.into_iter()
}
