//! What a mistyped id was meant to be.

/// ` Did you mean X?` for an id that is a few edits from a known one, or has a known one's last part; else nothing.
pub(super) fn suggestion(id: &str, known: &[String]) -> String {
    let last = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
    let near = known
        .iter()
        .map(|candidate| {
            let whole = distance(id, candidate);
            // `host-sysctl` for `kernel/host-sysctl`: the family left out is one mistake, not seven.
            let part = distance(id, &last(candidate)) + 1;
            (whole.min(part), candidate)
        })
        .min();
    match near {
        Some((edits, candidate)) if edits <= 1 + id.chars().count().div_ceil(3) => {
            format!(" Did you mean {candidate}?")
        }
        _ => String::new(),
    }
}

/// Levenshtein's, by characters, over one row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (y, (above, before)) in b.iter().zip(row.iter().skip(1).zip(&row)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((before + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        assert_eq!(distance("kitten", "sitting"), 3);
        let known = ["web/server", "kernel/host-sysctl"].map(str::to_owned);
        assert_eq!(
            suggestion("web/servre", &known),
            " Did you mean web/server?"
        );
        assert_eq!(suggestion("server", &known), " Did you mean web/server?");
        assert_eq!(suggestion("something-else", &known), "");
    }
}
