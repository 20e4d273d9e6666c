//! Images, partition tables and marks: what public material says of itself, what qemu-img made, and damage.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod tests {
    use super::disk_support::corpus;
    use std::fs;
    use std::path::{Path, PathBuf};
    use transvase::disk::contents::Contents;
    use transvase::disk::image::OpenError;
    use transvase::disk::open::{Disk, OpenOptions};

    const CLOSED: OpenOptions = OpenOptions {
        allow_outside: false,
    };

    /// A file of the public material in a folder of its own, decompressed; the tests here open paths.
    fn unpacked(folder: &Path, name: &str) -> Option<PathBuf> {
        let device = corpus(name)?;
        let mut bytes = vec![0; usize::try_from(device.size()).unwrap()];
        device.read_at(0, &mut bytes).unwrap();
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        Some(path)
    }

    fn open(path: &Path) -> Result<Disk, OpenError> {
        Disk::open(&[path.to_path_buf()], &CLOSED)
    }

    /// One line for each volume: device, kind, bytes, and what is in it.
    fn summary(disk: &Disk) -> Vec<String> {
        let contents = |contents: &Contents| match contents {
            Contents::FileSystem(fs) => {
                let info = fs.info();
                format!("{} {} {}", info.kind, info.uuid, info.label)
            }
            Contents::Recognised {
                kind, uuid, label, ..
            } => format!("({kind}) {uuid} {label}"),
            Contents::Swap { uuid, label } => format!("swap {uuid} {label}"),
            Contents::Empty => "empty".to_owned(),
        };
        let line = |volume: &transvase::disk::open::Volume| {
            let contents = contents(&volume.contents);
            let (device, kind, size) = (&volume.device, volume.kind.name(), volume.size);
            format!("{device} {kind} {size} {contents}")
                .trim_end()
                .to_owned()
        };
        disk.volumes.iter().map(line).collect()
    }

    #[test]
    fn public_disks_read_as_blkid_and_sfdisk_say() {
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [
            (
                "ext2.raw.gz",
                &["sda disk 4194304 ext2 f00050bb-07ee-46a3-83a6-a405ee0db51f ext2_test"][..],
            ),
            (
                "ext4.raw.gz",
                &["sda disk 4194304 ext4 425636fd-f307-4a9a-a021-6a6673024002 ext4_test"],
            ),
            (
                "xfs.raw.gz",
                &["sda disk 16777216 xfs eb47e375-9d49-4775-b712-7e06b97fd210 xfs_test"],
            ),
            (
                "luks1.raw.gz",
                &["sda disk 10485760 (crypto_LUKS) d806b968-2f02-4138-ae61-54586be6f8ec"],
            ),
            (
                "luks2.raw.gz",
                &["sda disk 16777216 (crypto_LUKS) 240912c0-2035-4b4e-b139-97ff071f2f86"],
            ),
            (
                "lvm.raw.gz",
                &["sda disk 10485760 (LVM2_member) V9N6H5-MXlo-JmEE-TLHs-KyAo-kLv5-JL0RY7"],
            ),
            (
                "gpt.raw.gz",
                &[
                    "sda1 partition 65536 ext2 719a2c57-d147-4378-86e2-146dda8887c0 ext3_test",
                    "sda2 partition 65536 ext4 a06a8d5e-836e-4285-8e82-899e5b694cd4 ext4_test",
                ],
            ),
            (
                "gpt_non_sequential.raw.gz",
                &["sda1 partition 65536 empty", "sda3 partition 65536 empty"],
            ),
            (
                "gpt_empty_with_mbr.raw.gz",
                &["sda1 partition 131584 ext2 0b60edf2-6539-437e-a1c4-9d68ae067302 ext3_test"],
            ),
            (
                "mbr.raw.gz",
                &[
                    "sda1 partition 66048 ext2 ef72775f-21ef-488c-a6cc-01c3fa1a1b43 ext3_test",
                    "sda5 partition 66048 ext4 1b4c0a74-16d2-4777-934d-5ca2664e89a4 ext4_test",
                ],
            ),
        ] {
            let Some(path) = unpacked(folder.path(), name) else {
                return;
            };
            let disk = open(&path).unwrap();
            assert_eq!(disk.format, "raw");
            assert_eq!(summary(&disk), expected, "{name}");
        }
        let disk = open(&folder.path().join("gpt.raw.gz")).unwrap();
        let names: Vec<_> = disk
            .volumes
            .iter()
            .map(|v| (&*v.partuuid, &*v.partlabel))
            .collect();
        let expected = [
            ("1e25588c-27a9-4094-868c-2f257021f87b", "Linux filesystem"),
            ("53d86ccf-3188-4b54-90d8-81866426b70a", "Linux filesystem"),
        ];
        assert_eq!(names, expected);
        let disk = open(&folder.path().join("mbr.raw.gz")).unwrap();
        assert_eq!(disk.volumes[1].partuuid, "df7c7c37-05");
    }
}
