//! Internal snapshots: named, so that a reader knows the image holds more states than the one that is read.

use super::FORMAT;
use super::header::Header;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use crate::disk::image::RawFile;

/// Length of an entry before its extra data and names.
const FIXED: usize = 40;
/// Snapshots that are named; of more there is only the number.
const NAMED: u32 = 16;

/// A sentence about the snapshots of an image; `None` where there are none.
pub(super) fn note(file: &RawFile, header: &Header) -> Option<String> {
    if header.snapshots == 0 {
        return None;
    }
    // The current state is whole even where this table is damaged.
    let names = names(file, header).unwrap_or_default();
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    let list = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    Some(format!(
        "the image holds {} internal snapshots{list}; its current state is read",
        header.snapshots
    ))
}

fn names(file: &RawFile, header: &Header) -> Result<Vec<String>, DiskError> {
    let mut names = Vec::new();
    let mut at = header.snapshots_offset;
    for _ in 0..header.snapshots.min(NAMED) {
        let fixed = file.up_to(at, FIXED)?;
        let view = Structure::new(FORMAT, "snapshot", &fixed);
        let (id, name) = (u64::from(view.be16(12)?), view.be16(14)?);
        let extra = u64::from(view.be32(36)?);
        let behind = u64::try_from(FIXED).unwrap_or_default() + extra + id;
        let start = at
            .checked_add(behind)
            .ok_or_else(|| view.damaged("too long"))?;
        let bytes = file.up_to(start, usize::from(name))?;
        names.push(String::from_utf8_lossy(&bytes).into_owned());
        at += (behind + u64::from(name)).next_multiple_of(8);
    }
    Ok(names)
}
