//! What a volume holds, told by its magic numbers: every kind that is not read, so that it is named and never guessed.
//!
//! What belongs here: a row in [`MARKS`] for each kind, under the name that blkid gives it. The offsets are those of
//! util-linux's `libblkid/src/superblocks`. Kinds whose mark needs more than a look are functions below.

use super::bytes::{label_text, uuid_text};
use super::{BlockDevice, DiskError};

/// What was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// As blkid's TYPE: `crypto_LUKS`, `LVM2_member`, `swap`, …
    pub kind: &'static str,
    /// As blkid prints it; empty where the kind has none.
    pub uuid: String,
    pub label: String,
    /// Why it is not read: a sentence without its beginning.
    pub why: &'static str,
}

/// How a kind stores its UUID, and where (bytes from the beginning of the volume).
#[derive(Clone, Copy)]
enum Uuid {
    None,
    Bytes(u64),
    /// As text of at most this many bytes.
    Text(u64, usize),
    /// LVM's 32 letters, in groups.
    Letters(u64),
    /// FAT's serial number, four bytes.
    Serial(u64),
    /// NTFS's, eight bytes.
    LongSerial(u64),
}

/// A kind and its mark.
struct Mark {
    kind: &'static str,
    at: u64,
    magic: &'static [u8],
    uuid: Uuid,
    /// Where the label stands, and its length in bytes; 0 is none.
    label: (u64, usize),
    why: &'static str,
}

const ENCRYPTED: &str =
    "it is encrypted; decrypt it inside the machine, or copy its files out and give the directory";
const NOT_READ: &str = "this file system is not read";
const MEMBER: &str = "it is one part of a larger volume, which is not put together";
const SWAP: &str = "swap space holds no files";

/// A row of the table below.
const fn mark(
    kind: &'static str,
    at: u64,
    magic: &'static [u8],
    uuid: Uuid,
    label: (u64, usize),
    why: &'static str,
) -> Mark {
    Mark {
        kind,
        at,
        magic,
        uuid,
        label,
        why,
    }
}

/// Containers first: what they hold may begin where they do.
#[rustfmt::skip]
const MARKS: &[Mark] = &[
    mark("crypto_LUKS", 0, b"LUKS\xba\xbe\0\x01", Uuid::Text(168, 40), (0, 0), ENCRYPTED),
    mark("crypto_LUKS", 0, b"LUKS\xba\xbe\0\x02", Uuid::Text(168, 40), (24, 48), ENCRYPTED),
    mark("BitLocker", 3, b"-FVE-FS-", Uuid::None, (0, 0), ENCRYPTED),
    mark("LVM2_member", 24, b"LVM2 001", Uuid::Letters(32), (0, 0), MEMBER),
    mark("LVM2_member", 512 + 24, b"LVM2 001", Uuid::Letters(512 + 32), (0, 0), MEMBER),
    mark("LVM2_member", 1024 + 24, b"LVM2 001", Uuid::Letters(1024 + 32), (0, 0), MEMBER),
    mark("LVM2_member", 1536 + 24, b"LVM2 001", Uuid::Letters(1536 + 32), (0, 0), MEMBER),
    mark("linux_raid_member", 0, b"\xfc\x4e\x2b\xa9\x01\0\0\0", Uuid::Bytes(16), (32, 32), MEMBER),
    mark("linux_raid_member", 4096, b"\xfc\x4e\x2b\xa9\x01\0\0\0", Uuid::Bytes(4096 + 16), (4096 + 32, 32), MEMBER),
    mark("bcache", 4096 + 24, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", Uuid::Bytes(4096 + 40), (4096 + 72, 32), MEMBER),
    mark("bcachefs", 4096 + 24, b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", Uuid::Bytes(4096 + 56), (4096 + 72, 32), NOT_READ),
    mark("DM_integrity", 0, b"integrt\0", Uuid::None, (0, 0), MEMBER),
    mark("DM_verity_hash", 0, b"verity\0\0", Uuid::Bytes(16), (0, 0), MEMBER),
    mark("vdo", 0, b"dmvdo001", Uuid::None, (0, 0), MEMBER),
    mark("stratis", 512 + 4, b"!Stra0tis\x86\xff\x02^\x41rh", Uuid::None, (0, 0), MEMBER),
    mark("ceph_bluestore", 0, b"bluestore block device", Uuid::None, (0, 0), MEMBER),
    mark("VMFS_volume_member", 1 << 20, b"\x0d\xd0\x01\xc0", Uuid::None, (0, 0), MEMBER),
    mark("swap", 4096 - 10, b"SWAPSPACE2", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swap", 8192 - 10, b"SWAPSPACE2", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swap", 16384 - 10, b"SWAPSPACE2", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swap", 65536 - 10, b"SWAPSPACE2", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swap", 4096 - 10, b"SWAP-SPACE", Uuid::None, (0, 0), SWAP),
    mark("swsuspend", 4096 - 10, b"S1SUSPEND\0", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swsuspend", 4096 - 10, b"S2SUSPEND\0", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("swsuspend", 4096 - 10, b"LINHIB0001", Uuid::Bytes(1036), (1052, 16), SWAP),
    mark("btrfs", 65536 + 64, b"_BHRfS_M", Uuid::Bytes(65536 + 32), (65536 + 299, 256), NOT_READ),
    mark("ntfs", 3, b"NTFS    ", Uuid::LongSerial(72), (0, 0), NOT_READ),
    mark("exfat", 3, b"EXFAT   ", Uuid::Serial(100), (0, 0), NOT_READ),
    mark("vfat", 82, b"FAT32   ", Uuid::Serial(67), (71, 11), NOT_READ),
    mark("vfat", 54, b"FAT16   ", Uuid::Serial(39), (43, 11), NOT_READ),
    mark("vfat", 54, b"FAT12   ", Uuid::Serial(39), (43, 11), NOT_READ),
    mark("squashfs", 0, b"hsqs", Uuid::None, (0, 0), NOT_READ),
    mark("squashfs", 0, b"sqsh", Uuid::None, (0, 0), NOT_READ),
    mark("erofs", 1024, b"\xe2\xe1\xf5\xe0", Uuid::Bytes(1024 + 48), (1024 + 64, 16), NOT_READ),
    mark("f2fs", 1024, b"\x10\x20\xf5\xf2", Uuid::Bytes(1024 + 108), (0, 0), NOT_READ),
    mark("jfs", 32768, b"JFS1", Uuid::Bytes(32768 + 136), (32768 + 152, 16), NOT_READ),
    mark("reiserfs", 65536 + 52, b"ReIsErFs", Uuid::None, (0, 0), NOT_READ),
    mark("reiserfs", 65536 + 52, b"ReIsEr2Fs", Uuid::Bytes(65536 + 84), (65536 + 100, 16), NOT_READ),
    mark("reiserfs", 65536 + 52, b"ReIsEr3Fs", Uuid::Bytes(65536 + 84), (65536 + 100, 16), NOT_READ),
    mark("reiser4", 65536, b"ReIsEr4", Uuid::Bytes(65536 + 20), (65536 + 36, 16), NOT_READ),
    mark("gfs2", 65536, b"\x01\x16\x19\x70\0\0\0\x01", Uuid::None, (0, 0), NOT_READ),
    mark("ocfs2", 1024, b"OCFSV2", Uuid::None, (0, 0), NOT_READ),
    mark("ocfs2", 2048, b"OCFSV2", Uuid::None, (0, 0), NOT_READ),
    mark("ocfs2", 4096, b"OCFSV2", Uuid::None, (0, 0), NOT_READ),
    mark("ocfs2", 8192, b"OCFSV2", Uuid::None, (0, 0), NOT_READ),
    mark("ufs", 65536 + 1372, b"\x19\x01\x54\x19", Uuid::None, (0, 0), NOT_READ),
    mark("ufs", 8192 + 1372, b"\x54\x19\x01\0", Uuid::None, (0, 0), NOT_READ),
    mark("hfsplus", 1024, b"H+\0\x04", Uuid::None, (0, 0), NOT_READ),
    mark("hfsplus", 1024, b"HX\0\x05", Uuid::None, (0, 0), NOT_READ),
    mark("apfs", 32, b"NXSB", Uuid::Bytes(72), (0, 0), NOT_READ),
    mark("cramfs", 0, b"\x45\x3d\xcd\x28", Uuid::None, (0, 0), NOT_READ),
    mark("romfs", 0, b"-rom1fs-", Uuid::None, (0, 0), NOT_READ),
    mark("iso9660", 32769, b"CD001", Uuid::None, (32808, 32), NOT_READ),
    mark("udf", 32769, b"BEA01", Uuid::None, (0, 0), NOT_READ),
];

/// Tells what a volume holds; `None` where no mark is found.
///
/// # Errors
/// Nothing was found, and a part of the volume could not be read.
pub fn recognise(device: &dyn BlockDevice) -> Result<Option<Signature>, DiskError> {
    let marked = MARKS.iter().map(|mark| marked(device, mark));
    // A mirror begins with what it mirrors, whose marks would be taken for its own.
    let looked = std::iter::once(raid_at_the_end(device)).chain(marked);
    let looked = looked.chain([uberblock(device)]);
    let mut failed = None;
    for found in looked {
        match found {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            // The end may be cut off, and the beginning still tell.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

fn marked(device: &dyn BlockDevice, mark: &Mark) -> Result<Option<Signature>, DiskError> {
    let found = bytes(device, mark.at, mark.magic.len())?;
    if found.as_deref() != Some(mark.magic) {
        return Ok(None);
    }
    Ok(Some(Signature {
        kind: mark.kind,
        uuid: uuid(device, mark).unwrap_or_default(),
        label: label(device, mark.label).unwrap_or_default(),
        why: mark.why,
    }))
}

fn plain(kind: &'static str, why: &'static str) -> Signature {
    Signature {
        kind,
        uuid: String::new(),
        label: String::new(),
        why,
    }
}

/// Bytes of a volume; `None` where they lie beyond its end.
fn bytes(device: &dyn BlockDevice, at: u64, len: usize) -> Result<Option<Vec<u8>>, DiskError> {
    let end = u64::try_from(len).ok().and_then(|len| at.checked_add(len));
    if end.is_none_or(|end| end > device.size()) {
        return Ok(None);
    }
    let mut bytes = vec![0; len];
    device.read_at(at, &mut bytes)?;
    Ok(Some(bytes))
}

fn label(device: &dyn BlockDevice, (at, len): (u64, usize)) -> Result<String, DiskError> {
    let stored = bytes(device, at, len)?.unwrap_or_default();
    let label = label_text(&stored);
    // What FAT writes where there is no label.
    Ok(if label == "NO NAME" {
        String::new()
    } else {
        label
    })
}

fn uuid(device: &dyn BlockDevice, mark: &Mark) -> Result<String, DiskError> {
    let hex = |bytes: &[u8]| -> String {
        let digits = bytes.iter().rev().map(|byte| format!("{byte:02X}"));
        digits.collect()
    };
    let read = |at, len| Ok::<_, DiskError>(bytes(device, at, len)?.unwrap_or_default());
    Ok(match mark.uuid {
        Uuid::None => String::new(),
        Uuid::Bytes(at) => read(at, 16)?.try_into().map(uuid_text).unwrap_or_default(),
        Uuid::Text(at, len) => label_text(&read(at, len)?),
        Uuid::Letters(at) => {
            let letters = label_text(&read(at, 32)?);
            let cuts = [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32];
            let groups: Vec<_> = cuts
                .into_iter()
                .filter_map(|cut| letters.get(cut))
                .collect();
            groups.join("-")
        }
        Uuid::Serial(at) => {
            let digits = hex(&read(at, 4)?);
            match digits.split_at_checked(4) {
                Some((high, low)) => format!("{high}-{low}"),
                None => digits,
            }
        }
        Uuid::LongSerial(at) => hex(&read(at, 8)?),
    })
}

/// md's superblock in the formats 0.90 (64 KiB from the end, at a multiple of that) and 1.0 (8 KiB from the end, at a
/// multiple of 4 KiB).
fn raid_at_the_end(device: &dyn BlockDevice) -> Result<Option<Signature>, DiskError> {
    const MAGIC: [u8; 4] = 0xa92b_4efc_u32.to_le_bytes();
    let size = device.size();
    let old = (size & !0xffff).checked_sub(0x1_0000);
    let new = (size & !0x1ff).checked_sub(0x2000).map(|at| at & !0xfff);
    for at in [old, new].into_iter().flatten() {
        if bytes(device, at, 4)?.is_some_and(|found| found == MAGIC) {
            return Ok(Some(plain("linux_raid_member", MEMBER)));
        }
    }
    Ok(None)
}

/// ZFS keeps a ring of 128 uberblocks of 1 KiB; a new pool has written few of them, anywhere in it.
fn uberblock(device: &dyn BlockDevice) -> Result<Option<Signature>, DiskError> {
    const MAGIC: u64 = 0x00ba_b10c;
    let Some(ring) = bytes(device, 128 << 10, 128 << 10)? else {
        return Ok(None);
    };
    let found = ring.chunks_exact(1024).any(|block| {
        block.starts_with(&MAGIC.to_le_bytes()) || block.starts_with(&MAGIC.to_be_bytes())
    });
    Ok(found.then(|| plain("zfs_member", NOT_READ)))
}
