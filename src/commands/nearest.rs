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
        Some((edits, candidate)) if edits <= 1 + id.chars().count() / 5 => {
            format!(" Did you mean {candidate}?")
        }
        _ => String::new(),
    }
}

/// Letters left out, put in, wrong, or two in the wrong order (optimal string alignment), over three rows.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let (mut before, mut last) = (Vec::new(), None);
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let swapped = last == Some(*y) && j.checked_sub(1).and_then(|j| b.get(j)) == Some(&x);
            let best = (at(&row, j) + usize::from(x != *y))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            next.push(if swapped {
                best.min(at(&before, j - 1) + 1)
            } else {
                best
            });
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(
            (
                distance("ngnix", "nginx"),
                distance("", "ab"),
                distance("ab", "")
            ),
            (1, 2, 2)
        );
        let known = ["web/server", "kernel/host-sysctl"].map(str::to_owned);
        assert_eq!(
            suggestion("web/servre", &known),
            " Did you mean web/server?"
        );
        assert_eq!(suggestion("server", &known), " Did you mean web/server?");
        assert_eq!(suggestion("something-else", &known), "");
        assert_eq!(
            suggestion("nope", &["opt".to_owned()]),
            "",
            "short names are not alike that fast"
        );
    }
}
