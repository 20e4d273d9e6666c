//! The boot sector: where everything lies. "FAT: General Overview of On-Disk Format", "Boot Sector and BPB".

use super::FORMAT;
use super::chain::Chains;
use super::directory::Place;
use super::table::{Layout, Width};
use crate::disk::DiskError;
use crate::disk::bytes::{Structure, label_text};

/// Bytes that are read.
pub const SIZE: usize = 512;
/// Clusters that an entry of the table can number: what is beyond has a meaning of its own.
const MOST_12: u32 = 0xff4;
const MOST_16: u32 = 0xfff4;
const MOST_32: u32 = 0x0fff_fff6;
/// Entries of a table that are looked at to count the free ones.
const MOST_COUNTED: u32 = 1 << 20;

/// What the boot sector says, all places in bytes.
#[derive(Debug, Clone)]
pub struct Boot {
    pub cluster_size: u32,
    /// Where cluster 2, the first, begins.
    pub heap: u64,
    pub root: Place,
    /// No directory entry lies before this.
    pub entries_from: u64,
    /// The whole file system.
    pub size: u64,
    /// Whether first clusters have upper halves: FAT32.
    pub wide: bool,
    /// Of the volume, as blkid prints it.
    pub serial: String,
    pub label: String,
    pub dirty: bool,
    info: Option<u64>,
    table: Layout,
}

/// Whether a first sector may be one of FAT. A boot record of partitions ends in the same mark; its code does not fit.
pub fn looks_right(bytes: &[u8]) -> bool {
    let at = |at| bytes.get(at).copied().unwrap_or_default();
    let named = [54, 82].iter().any(|at| {
        let name = bytes.get(*at..at + 3);
        name == Some(b"FAT")
    });
    let jump = matches!((at(0), at(2)), (0xeb, 0x90) | (0xe9, _));
    let marked = (at(510), at(511)) == (0x55, 0xaa);
    // BitLocker's boot sector is made up as one of FAT.
    let encrypted = bytes.get(3..11) == Some(b"-FVE-FS-");
    !encrypted && (named || jump && marked && at(21) >= 0xf0 && Boot::parse(bytes).is_ok())
}

impl Boot {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiskError> {
        let view = Structure::new(FORMAT, "boot sector", bytes);
        let sector = u64::from(view.le16(11)?);
        let per_cluster = view.u8(13)?;
        let reserved = u64::from(view.le16(14)?);
        let tables = view.u8(16)?;
        if !sector.is_power_of_two() || !(512..=4096).contains(&sector) {
            return Err(view.damaged(format_args!("sectors of {sector} bytes")));
        }
        if !per_cluster.is_power_of_two() || reserved == 0 || !(1..=4).contains(&tables) {
            return Err(view.damaged("it gives no layout"));
        }
        let root_entries = u64::from(view.le16(17)?);
        let total = match view.le16(19)? {
            0 => u64::from(view.le32(32)?),
            total => u64::from(total),
        };
        let (wide, length) = match view.le16(22)? {
            0 => (true, u64::from(view.le32(36)?)),
            length => (false, u64::from(length)),
        };
        let root_start = reserved + u64::from(tables) * length;
        let heap = root_start + (root_entries * 32).div_ceil(sector);
        let held = total.saturating_sub(heap) / u64::from(per_cluster);
        if length == 0 || held == 0 {
            return Err(view.damaged("no clusters"));
        }
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        let (width, most) = match held {
            _ if wide => (Width::ThirtyTwo, MOST_32),
            ..=MOST_12 => (Width::Twelve, MOST_12),
            _ => (Width::Sixteen, MOST_16),
        };
        if held > most {
            return Err(view.damaged(format_args!("{held} clusters")));
        }
        let table = Layout {
            at: (reserved + active(view, wide)? * length) * sector,
            size: length * sector,
            width,
            clusters: held,
        };
        let tail = if wide { 64 } else { 36 };
        // Only behind this mark are the serial number and the label.
        let extended = view.u8(tail + 2)? == 0x29;
        let label = label_text(view.slice(tail + 7, 11)?);
        Ok(Self {
            cluster_size: u32::from(per_cluster) * u32::try_from(sector).unwrap_or(512),
            heap: heap * sector,
            root: if wide {
                Place::Chain(view.le32(44)?)
            } else {
                Place::Fixed {
                    at: root_start * sector,
                    size: root_entries * 32,
                }
            },
            entries_from: root_start * sector,
            size: total * sector,
            wide,
            serial: if extended || matches!(view.u8(tail + 2)?, 0x28) {
                serial(view.le32(tail + 3)?)
            } else {
                String::new()
            },
            label: if extended && label != "NO NAME" {
                label
            } else {
                String::new()
            },
            dirty: view.u8(tail + 1)? & 1 != 0,
            info: wide.then(|| view.le16(48)).transpose()?.and_then(|at| {
                let inside = (1..reserved).contains(&u64::from(at));
                inside.then(|| u64::from(at) * sector)
            }),
            table,
        })
    }

    pub fn table(&self) -> Layout {
        self.table
    }
}

/// The number of the table in use: the first, unless FAT32 says that they are not copies of each other.
fn active(view: Structure<'_>, wide: bool) -> Result<u64, DiskError> {
    let flags = if wide { view.le16(40)? } else { 0 };
    let number = flags & 0xf;
    let tables = u16::from(view.u8(16)?);
    Ok(if flags & 0x80 != 0 && number < tables {
        u64::from(number)
    } else {
        0
    })
}

/// A volume's number as blkid prints it.
pub fn serial(number: u32) -> String {
    format!("{:04X}-{:04X}", number >> 16, number & 0xffff)
}

/// Bytes in use: what FAT32 notes down, or counted where that is quick; everything, where neither tells.
pub fn used(chains: &Chains, boot: &Boot) -> u64 {
    let clusters = boot.table.clusters;
    let noted = boot.info.and_then(|at| noted(chains, at));
    let free = noted.filter(|free| *free <= clusters).or_else(|| {
        let table = chains.table();
        (clusters <= MOST_COUNTED)
            .then(|| table.count_free())
            .and_then(|free| u32::try_from(free).ok())
    });
    let taken = u64::from(clusters - free.unwrap_or_default().min(clusters));
    boot.heap + taken * u64::from(boot.cluster_size)
}

/// The count of free clusters in FAT32's information sector.
fn noted(chains: &Chains, at: u64) -> Option<u32> {
    let mut bytes = [0; SIZE];
    chains.device().read_at(at, &mut bytes).ok()?;
    let view = Structure::new(FORMAT, "information sector", &bytes);
    let marked = view.le32(0).ok()? == 0x4161_5252 && view.le32(484).ok()? == 0x6141_7272;
    marked.then(|| view.le32(488).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_record_of_partitions_is_no_boot_sector() {
        let mut bytes = vec![0; SIZE];
        bytes[510] = 0x55;
        bytes[511] = 0xaa;
        assert!(!looks_right(&bytes));
        bytes[..3].copy_from_slice(&[0xeb, 0x63, 0x90]);
        assert!(!looks_right(&bytes));
        assert!(!looks_right(b"FAT"));
        bytes[54..59].copy_from_slice(b"FAT16");
        assert!(looks_right(&bytes) && Boot::parse(&bytes).is_err());
        bytes[3..11].copy_from_slice(b"-FVE-FS-");
        assert!(!looks_right(&bytes));
    }

    proptest::proptest! {
        #[test]
        fn any_sector_survives(bytes in proptest::collection::vec(0u8.., 0..SIZE + 8)) {
            let _ = (Boot::parse(&bytes), looks_right(&bytes));
        }
    }
}
