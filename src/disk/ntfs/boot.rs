//! The boot sector: sizes, and where the table of files begins. Linux-NTFS project, "NTFS Documentation", "$Boot".

use super::FORMAT;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes that are read.
pub const SIZE: usize = 512;
/// Largest cluster that Windows makes.
const MOST_CLUSTER: u64 = 2 << 20;

/// What the boot sector says.
#[derive(Debug, Clone, Copy)]
pub struct Boot {
    /// Bytes.
    pub cluster: u64,
    /// Clusters of the file system.
    pub clusters: u64,
    /// Bytes.
    pub size: u64,
    /// First cluster of the table of files.
    pub table: u64,
    /// Bytes of a record in it.
    pub record: usize,
    pub serial: u64,
}

impl Boot {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "boot sector", bytes);
        let sector = u64::from(view.le16(11)?);
        if !sector.is_power_of_two() || !(256..=4096).contains(&sector) {
            return Err(view.damaged(format_args!("sectors of {sector} bytes")));
        }
        // Beyond 128 the negative of a power of two.
        let per_cluster = match view.u8(13)? {
            count @ 1..=128 => u64::from(count),
            power => 1_u64
                .checked_shl(u32::from(power.wrapping_neg()))
                .unwrap_or(0),
        };
        let cluster = sector.saturating_mul(per_cluster);
        if !cluster.is_power_of_two() || !(512..=MOST_CLUSTER).contains(&cluster) {
            return Err(view.damaged(format_args!("clusters of {cluster} bytes")));
        }
        let sectors = view.le64(40)?;
        let size = sectors.checked_mul(sector);
        let size = size.ok_or_else(|| view.damaged(format_args!("{sectors} sectors")))?;
        let record = match view.u8(64)?.cast_signed() {
            count @ 1.. => cluster.saturating_mul(u64::from(count.unsigned_abs())),
            power => 1_u64
                .checked_shl(u32::from(power.unsigned_abs()))
                .unwrap_or(0),
        };
        if !record.is_power_of_two() || !(512..=65_536).contains(&record) {
            return Err(view.damaged(format_args!("records of {record} bytes")));
        }
        Ok(Self {
            cluster,
            clusters: size / cluster,
            size,
            table: view.le64(48)?,
            record: usize::try_from(record).unwrap_or_default(),
            serial: view.le64(72)?,
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
    }
}
