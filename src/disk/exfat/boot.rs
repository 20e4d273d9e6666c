//! The boot sector: where everything lies. "exFAT file system specification", section 3.1.

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;
use crate::disk::fat::table::{Layout, Width};

/// Bytes that are read.
pub const SIZE: usize = 512;
/// Clusters there may be.
const MOST: u32 = 0xffff_fff5;

/// What the boot sector says, all places in bytes.
#[derive(Debug, Clone)]
pub struct Boot {
    pub cluster_size: u32,
    /// Where cluster 2, the first, begins.
    pub heap: u64,
    /// The root's first cluster.
    pub root: u32,
    /// The whole file system.
    pub size: u64,
    /// As noted down in hundredths; everything, where that is unknown.
    pub used: u64,
    /// As blkid prints it.
    pub serial: String,
    pub dirty: bool,
    pub table: Layout,
}

impl Boot {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "boot sector", bytes);
        let (sector, cluster) = (u32::from(view.u8(108)?), u32::from(view.u8(109)?));
        if !(9..=12).contains(&sector) || sector + cluster > 25 {
            return Err(view.damaged(format_args!(
                "sectors of 2^{sector} bytes, clusters of 2^{cluster} sectors"
            )));
        }
        let sectors = |count: u64| {
            let bytes = count
                .checked_shl(sector)
                .filter(|bytes| bytes >> sector == count);
            bytes.ok_or_else(|| view.damaged(format_args!("{count} sectors")))
        };
        let clusters = view.le32(92)?;
        if clusters == 0 || clusters > MOST {
            return Err(view.damaged(format_args!("{clusters} clusters")));
        }
        let table = u64::from(view.le32(80)?);
        let length = u64::from(view.le32(84)?);
        // Two tables only where a file system is transactional: the flag says which one holds.
        let second = view.u8(110)? > 1 && view.le16(106)? & 1 != 0;
        let size = sectors(view.le64(72)?)?;
        let hundredths = u64::from(view.u8(112)?);
        Ok(Self {
            cluster_size: 1 << (sector + cluster),
            heap: sectors(u64::from(view.le32(88)?))?,
            root: view.le32(96)?,
            size,
            used: if hundredths <= 100 {
                size / 100 * hundredths
            } else {
                size
            },
            serial: {
                let number = view.le32(100)?;
                format!("{:04X}-{:04X}", number >> 16, number & 0xffff)
            },
            dirty: view.le16(106)? & 2 != 0,
            table: Layout {
                at: sectors(if second { table + length } else { table })?,
                size: sectors(length)?,
                width: Width::Extended,
                clusters,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_sector_survives(bytes in proptest::collection::vec(0u8.., 0..SIZE + 8)) {
            let _ = Boot::parse(&bytes);
        }

        #[test]
        fn plausible_sectors_survive(mut bytes in proptest::collection::vec(0u8.., SIZE)) {
            bytes[108] = 9;
            bytes[109] = 3;
            if let Ok(boot) = Boot::parse(&bytes) {
                proptest::prop_assert!(boot.used <= boot.size);
            }
        }
    }
}
