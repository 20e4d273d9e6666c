//! Runs of clusters, stored as lengths and distances of as many bytes as each needs. "NTFS Documentation", "Data Runs".

use super::FORMAT;
use crate::disk::DiskError;

/// Runs that one record may hold: fewer than it has bytes.
const MOST: usize = 65_536;

/// Clusters in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number within the attribute.
    pub first: u64,
    pub length: u64,
    /// Number on the disk; `None` for a hole.
    pub place: Option<u64>,
}

/// Reads the runs of a part that begins at cluster `first` of its attribute.
pub fn parse(bytes: &[u8], first: u64, clusters: u64) -> Result<Vec<Run>, DiskError> {
    let damaged = |what: &str| DiskError::damaged(FORMAT, format!("runs: {what}"));
    let (mut runs, mut rest) = (Vec::new(), bytes);
    let (mut next, mut place) = (first, 0_i64);
    while let Some((head, tail)) = rest.split_first().filter(|(head, _)| **head != 0) {
        let (of_length, of_place) = (usize::from(head & 15), usize::from(head >> 4));
        let (length, tail) = tail
            .split_at_checked(of_length)
            .ok_or_else(|| damaged("they are cut short"))?;
        let (distance, tail) = tail
            .split_at_checked(of_place)
            .ok_or_else(|| damaged("they are cut short"))?;
        rest = tail;
        let length = signed(length).filter(|length| *length > 0);
        let length = length.and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| damaged("one without a length"))?;
        let held = if distance.is_empty() {
            None
        } else {
            let distance = signed(distance).ok_or_else(|| damaged("one too far away"))?;
            place = place
                .checked_add(distance)
                .ok_or_else(|| damaged("one too far away"))?;
            let begin = u64::try_from(place).ok();
            let inside = |begin: &u64| begin.checked_add(length).is_some_and(|end| end <= clusters);
            let begin = begin.filter(inside);
            Some(begin.ok_or_else(|| damaged("one beyond the end of the file system"))?)
        };
        runs.push(Run {
            first: next,
            length,
            place: held,
        });
        // Far below where a multiplication by the cluster's size would overflow.
        next = next
            .checked_add(length)
            .filter(|next| *next < 1 << 42)
            .ok_or_else(|| damaged("too many clusters"))?;
        if runs.len() > MOST {
            return Err(damaged("too many"));
        }
    }
    Ok(runs)
}

/// A number of up to eight bytes, the little end first.
fn signed(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_forward_back_and_holes() {
        let run = |first, length, place| Run {
            first,
            length,
            place,
        };
        let bytes = [0x21, 0x18, 0x34, 0x02, 0x01, 5, 0x11, 0x08, 0xf0, 0, 0xff];
        let expected = [
            run(0, 0x18, Some(0x234)),
            run(0x18, 5, None),
            run(0x1d, 8, Some(0x224)),
        ];
        assert_eq!(parse(&bytes, 0, 1 << 20).unwrap(), expected);
        assert!(parse(&bytes, 0, 0x240).is_err());
        assert!(parse(&[0x11, 8, 0xf0], 0, 1 << 20).is_err());
        assert!(parse(&[0x11, 0, 1], 0, 1 << 20).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_runs_survive(bytes in proptest::collection::vec(0u8.., 0..100), first: u64) {
            let _ = parse(&bytes, first, 1 << 40);
        }
    }
}
