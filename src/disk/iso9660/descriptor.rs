//! Volume descriptors: one in each sector from the 16th on. ECMA-119, section 8; Joliet's is told by its escape sequence.

use super::FORMAT;
use super::record::{ROOT_AT, SECTOR};
use crate::disk::bytes::{Structure, label_text};
use crate::disk::{BlockDevice, DiskError};

/// Where the first one stands, in bytes.
pub const FIRST: u64 = 32_768;
/// Descriptors that are looked at.
const MOST: u64 = 64;

/// What the descriptors say.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Bytes.
    pub block_size: u32,
    /// Places of the root's own record, in bytes.
    pub root: u64,
    pub joliet: Option<u64>,
    pub size: u64,
    pub label: String,
    /// As blkid makes one up: the date of the last change.
    pub uuid: String,
}

impl Volume {
    pub fn read(device: &dyn BlockDevice) -> Result<Self, DiskError> {
        let (mut primary, mut joliet) = (None, None);
        for number in 0..MOST {
            let mut bytes = vec![0; usize::from(SECTOR)];
            device.read_at(FIRST + number * u64::from(SECTOR), &mut bytes)?;
            let view = Structure::new(FORMAT, "volume descriptor", &bytes);
            match view.u8(0)? {
                _ if view.slice(1, 5)? != b"CD001" => break,
                1 if primary.is_none() => primary = Some(Self::parse(view)?),
                2 if is_joliet(view)? => joliet = Some(Self::parse(view)?),
                255 => break,
                _ => {}
            }
        }
        let mut primary =
            primary.ok_or_else(|| DiskError::damaged(FORMAT, "no primary volume descriptor"))?;
        if let Some(joliet) = joliet.filter(|joliet| joliet.block_size == primary.block_size) {
            primary.joliet = Some(joliet.root);
        }
        Ok(primary)
    }

    fn parse(view: Structure<'_>) -> Result<Self, DiskError> {
        let block_size = u32::from(view.le16(128)?);
        if !matches!(block_size, 512 | 1024 | 2048) {
            return Err(view.damaged(format_args!("blocks of {block_size} bytes")));
        }
        let bytes = u64::from(block_size);
        let extent = u64::from(view.le32(ROOT_AT + 2)?) + u64::from(view.u8(ROOT_AT + 1)?);
        let changed = [830, 813].into_iter().find_map(|at| {
            let digits = view.slice(at, 16).ok()?;
            let set =
                digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0');
            set.then(|| dashed(digits))
        });
        Ok(Self {
            block_size,
            root: extent * bytes,
            joliet: None,
            size: u64::from(view.le32(80)?) * bytes,
            label: label_text(view.slice(40, 32)?),
            uuid: changed.unwrap_or_default(),
        })
    }
}

fn is_joliet(view: Structure<'_>) -> Result<bool, DiskError> {
    let escape = view.slice(88, 3)?;
    Ok(matches!(escape, b"%/@" | b"%/C" | b"%/E"))
}

fn dashed(digits: &[u8]) -> String {
    let fields = [0..4, 4..6, 6..8, 8..10, 10..12, 12..14, 14..16];
    let texts = fields.map(|field| {
        let digits = digits.get(field).unwrap_or_default();
        String::from_utf8_lossy(digits).into_owned()
    });
    texts.join("-")
}
