//! What the fuzz targets and the tests of hostile disks share: disks out of small inputs, and reading all that can be read
//! of them.
//!
//! An input is a disk without its zeros ([`input`]), so that a file system of 100 MB is some kilobytes to the fuzzer. What
//! is asked of a reader is capped here, so that whatever takes long or much is the reader's own doing.

pub mod archive;
pub mod folder;
pub mod image;
pub mod input;
pub mod tree;
pub mod volume;

use transvase::disk::{btrfs, erofs, exfat, ext, fat, iso9660, lz4, lzo, ntfs, squashfs, xfs};

/// Reads an input as what the target of this name reads; none other is known.
#[inline]
pub fn read(target: &str, data: &[u8]) -> bool {
    match target {
        "qcow2" => image::read(data, &["disk.qcow2", "base"]),
        "qcow1" => image::read(data, &["disk.qcow", "base"]),
        "vmdk" => image::read(data, &["disk.vmdk", "disk-s001.vmdk", "disk-s002.vmdk"]),
        "vhd" => image::read(data, &["disk.vhd", "parent.vhd"]),
        "vhdx" => image::read(data, &["disk.vhdx", "parent.vhdx"]),
        "vdi" => image::read(data, &["disk.vdi"]),
        "ova" => image::read(data, &["machine.ova"]),
        "split" => image::read(data, &["disk.001", "disk.002", "disk.003"]),
        "gpt" | "mbr" => volume::table(data),
        "lvm" => volume::group(data),
        "md" => volume::array(data),
        "signature" => volume::contents(data),
        "ext" => tree::read(data, ext::Ext::open),
        "xfs" => tree::read(data, xfs::Xfs::open),
        "btrfs" => tree::read(data, btrfs::Btrfs::open),
        "fat" => tree::read(data, fat::Fat::open),
        "exfat" => tree::read(data, exfat::ExFat::open),
        "iso9660" => tree::read(data, iso9660::Iso9660::open),
        "squashfs" => tree::read(data, squashfs::Squashfs::open),
        "erofs" => tree::read(data, erofs::Erofs::open),
        "ntfs" => tree::read(data, ntfs::Ntfs::open),
        "lz4" => unpack(data, lz4::unpack),
        "lzo" => unpack(data, lzo::unpack),
        "tar" => archive::read(data),
        _ => return false,
    }
    true
}

/// Unpacks a block: the first two bytes of the input are the room for it.
fn unpack(data: &[u8], unpack: fn(&[u8], &mut [u8]) -> Result<usize, String>) {
    if let Some((room, packed)) = data.split_first_chunk() {
        let mut out = vec![0; usize::from(u16::from_le_bytes(*room))];
        if let Ok(length) = unpack(packed, &mut out) {
            assert!(length <= out.len());
        }
    }
}
