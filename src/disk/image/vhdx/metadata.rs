//! The metadata: what kind of disk it is, how large, and its parent's name ([MS-VHDX] section 2.6).

use super::FORMAT;
use super::header::Region;
use crate::disk::DiskError;
use crate::disk::bytes::{Structure, guid, guid_text};
use crate::disk::image::windows;

/// Bytes of the table, at the region's beginning, and of the longest list of a parent's names.
const TABLE: u32 = 64 << 10;
const LOCATOR: u32 = 64 << 10;
/// Entries of the table, by the specification.
const ENTRIES: u16 = 2047;

const FILE_PARAMETERS: [u8; 16] = guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
const DISK_SIZE: [u8; 16] = guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
const SECTOR_SIZE: [u8; 16] = guid("8141bf1d-a96f-4709-ba47-f233a8faab5f");
const PARENT_LOCATOR: [u8; 16] = guid("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");
/// The disk's identity, and the size of a sector of the drive below: nothing that reading needs.
const DISK_ID: [u8; 16] = guid("beca12ab-b2e6-4523-93ef-c309e000c746");
const PHYSICAL_SECTOR: [u8; 16] = guid("cda348c7-445d-4471-9cc9-e9885251c556");

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// In bytes.
    pub(super) block: u64,
    pub(super) size: u64,
    pub(super) sector: u64,
    /// For the difference to another disk.
    pub(super) parent: Option<Parent>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parent {
    /// What the parent's header must have as its data's identity; a second is as good.
    pub(super) ids: Vec<String>,
    /// Relative to the image; or else only the file's name.
    pub(super) name: String,
}

pub(super) fn read(
    region: Region,
    read: impl Fn(u64, usize) -> Result<Vec<u8>, DiskError>,
) -> Result<Metadata, DiskError> {
    let length = |bytes: u32| usize::try_from(bytes).unwrap_or_default();
    let bytes = read(region.offset, length(region.length.min(TABLE)))?;
    let view = Structure::new(FORMAT, "metadata", &bytes);
    if view.slice(0, 8)? != b"metadata" {
        return Err(view.damaged("its magic number is missing"));
    }
    // Some bytes of an item, wherever in the region it is.
    let item = |entry: usize, from: u32, bytes: u32| {
        let at = u64::from(view.le32(entry + 16)?) + u64::from(from);
        if at + u64::from(bytes) > u64::from(region.length) {
            return Err(view.damaged("an item lies beyond its end"));
        }
        read(region.offset.saturating_add(at), length(bytes))
    };
    let number = |entry, from| Structure::new(FORMAT, "metadata", &item(entry, from, 4)?).le32(0);
    let mut metadata = Metadata::default();
    let (mut has_parent, mut locator) = (false, None);
    for entry in 0..view.le16(10)?.min(ENTRIES) {
        let at = 32 + 32 * usize::from(entry);
        match view.array(at)? {
            FILE_PARAMETERS => {
                metadata.block = number(at, 0)?.into();
                has_parent = number(at, 4)? & 2 != 0;
            }
            DISK_SIZE => {
                metadata.size = u64::from(number(at, 4)?) << 32 | u64::from(number(at, 0)?);
            }
            SECTOR_SIZE => metadata.sector = number(at, 0)?.into(),
            PARENT_LOCATOR => locator = Some(item(at, 0, view.le32(at + 20)?.min(LOCATOR))?),
            DISK_ID | PHYSICAL_SECTOR => {}
            other if view.le32(at + 24)? & 4 != 0 => {
                let what = format!("a required item {}, which is not known", guid_text(other));
                return Err(DiskError::unsupported(FORMAT, what));
            }
            _ => {}
        }
    }
    if has_parent {
        let locator = locator.ok_or_else(|| view.damaged("its parent is not named"))?;
        metadata.parent = Some(parent(&Structure::new(FORMAT, "parent locator", &locator))?);
    }
    check(&view, &metadata)?;
    Ok(metadata)
}

fn check(view: &Structure<'_>, metadata: &Metadata) -> Result<(), DiskError> {
    let Metadata {
        block,
        size,
        sector,
        ..
    } = *metadata;
    let block_fits = block.is_power_of_two() && (1 << 20..=256 << 20).contains(&block);
    if !block_fits || !matches!(sector, 512 | 4096) || size > 64 << 40 {
        return Err(view.damaged(format_args!(
            "blocks of {block} bytes, sectors of {sector}, and a disk of {size}"
        )));
    }
    Ok(())
}

/// Keys and values, in UTF-16.
fn parent(view: &Structure<'_>) -> Result<Parent, DiskError> {
    let mut parent = Parent::default();
    let (mut relative, mut absolute) = (None, None);
    for entry in 0..view.le16(18)? {
        let at = 20 + 12 * usize::from(entry);
        let text = |offset: usize, length: usize| -> Result<String, DiskError> {
            let offset = usize::try_from(view.le32(at + offset)?).unwrap_or(usize::MAX);
            let bytes = view.slice(offset, view.le16(at + length)?.into())?;
            Ok(windows::path(bytes, u16::from_le_bytes))
        };
        let value = text(4, 10)?;
        match &*text(0, 8)? {
            "parent_linkage" | "parent_linkage2" => {
                let id = value.trim_matches(['{', '}']).to_ascii_lowercase();
                parent.ids.push(id);
            }
            "relative_path" => relative = Some(value),
            "absolute_win32_path" | "volume_path" => absolute = Some(value),
            _ => {}
        }
    }
    let only_name = absolute.map(|path| windows::file_name(&path).to_owned());
    parent.name = relative
        .or(only_name)
        .ok_or_else(|| view.damaged("it holds no path"))?;
    Ok(parent)
}
