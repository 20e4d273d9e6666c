//! A physical volume: its label, and the metadata of the group it belongs to (lvm2's lib/format_text/layout.h).

use super::text::{self, Value};
use super::{FORMAT, damaged};
use crate::disk::bytes::{Structure, agree};
use crate::disk::{BlockDevice, DiskError, crc32};
use std::sync::Arc;

const SECTOR: u64 = 512;
/// The label is in one of the first four sectors.
const SECTORS: u64 = 4;
/// Bytes of a label's sector, and of the header of a metadata area.
const HEADER: usize = 512;
/// LVM's checksums begin with this.
const SEED: u32 = 0xf597_a6cf;
/// The longest metadata read, in bytes; the area that LVM makes has one MiB.
const TEXT: usize = 4 << 20;

/// A physical volume.
pub(super) struct Physical {
    pub(super) device: Arc<dyn BlockDevice>,
    /// 32 letters.
    pub(super) id: String,
    /// The newest readable copy of the group's metadata; a volume may hold none.
    pub(super) metadata: Option<Value>,
}

/// Reads a label; `None` where there is none.
pub(super) fn read(device: &Arc<dyn BlockDevice>) -> Result<Option<Physical>, DiskError> {
    for sector in 0..SECTORS {
        let Some(bytes) = block(device, sector * SECTOR)? else {
            break;
        };
        let view = Structure::new(FORMAT, "label", &bytes);
        if view.slice(0, 8)? == b"LABELONE" && view.slice(24, 8)? == b"LVM2 001" {
            return physical(device, &view).map(Some);
        }
    }
    Ok(None)
}

fn block(device: &Arc<dyn BlockDevice>, at: u64) -> Result<Option<[u8; HEADER]>, DiskError> {
    let mut bytes = [0; HEADER];
    if at.checked_add(SECTOR).is_none_or(|end| end > device.size()) {
        return Ok(None);
    }
    device.read_at(at, &mut bytes)?;
    Ok(Some(bytes))
}

fn physical(device: &Arc<dyn BlockDevice>, view: &Structure<'_>) -> Result<Physical, DiskError> {
    let header = usize::try_from(view.le32(20)?).unwrap_or(usize::MAX);
    let id = view.slice(header, 32)?;
    // Behind the UUID and the size: the areas of data, then those of metadata, each list ended by zeros.
    let mut at = header.saturating_add(40);
    let mut lists = [Vec::new(), Vec::new()];
    for list in &mut lists {
        loop {
            let (start, size) = (view.le64(at)?, view.le64(at + 8)?);
            at += 16;
            if start == 0 {
                break;
            }
            list.push((start, size));
        }
    }
    let [_, areas] = lists;
    let mut metadata: Option<Value> = None;
    for (start, size) in areas {
        // One damaged copy is what the others are for.
        let Ok(Some(found)) = area(device, start, size) else {
            continue;
        };
        if metadata
            .as_ref()
            .is_none_or(|held| seqno(held) < seqno(&found))
        {
            metadata = Some(found);
        }
    }
    Ok(Physical {
        device: Arc::clone(device),
        id: String::from_utf8_lossy(id).into_owned(),
        metadata,
    })
}

/// How often the group was changed: the greatest is the newest.
pub(super) fn seqno(metadata: &Value) -> u64 {
    let mut sections = metadata.entries().iter();
    sections
        .find_map(|(_, value)| value.number("seqno").ok())
        .unwrap_or_default()
}

/// The metadata in an area: its header says where the text is, and the text may go round from the end to the beginning.
fn area(device: &Arc<dyn BlockDevice>, start: u64, size: u64) -> Result<Option<Value>, DiskError> {
    let Some(bytes) = block(device, start)? else {
        return Ok(None);
    };
    let view = Structure::new(FORMAT, "metadata area", &bytes);
    if view.slice(4, 16)? != b" LVM2 x[5A%r0N*>" {
        return Err(view.damaged("its magic number is missing"));
    }
    let (offset, length, checksum) = (view.le64(40)?, view.le64(48)?, view.le32(56)?);
    if offset == 0 || length == 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > TEXT || offset < SECTOR || offset >= size {
        return Err(view.damaged(format_args!("{length} bytes of text at {offset}")));
    }
    let behind = usize::try_from(size - offset)
        .unwrap_or(usize::MAX)
        .min(length);
    let mut text = vec![0; length];
    let (first, round) = text.split_at_mut(behind);
    let at = |offset: u64| {
        start
            .checked_add(offset)
            .ok_or_else(|| damaged("an area beyond any disk"))
    };
    device.read_at(at(offset)?, first)?;
    device.read_at(at(SECTOR)?, round)?;
    if !agree(|| crc32::extend(SEED, &text), checksum) {
        return Err(view.damaged("the checksum of its text is wrong"));
    }
    text::parse(&text).map(Some)
}
