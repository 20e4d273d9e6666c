//! Images, partition tables and marks: what public material says of itself, what qemu-img made, and damage.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{corpus, noise, run};
    use super::needs::{self, need, tool};
    use proptest::prelude::*;
    use std::fs;
    use std::os::unix::fs::{FileExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::sync::OnceLock;
    use transvase::disk::BlockDevice;
    use transvase::disk::contents::Contents;
    use transvase::disk::image::{self, Image, OpenError};
    use transvase::disk::note::Note;
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
            Contents::Part { kind, uuid, of } => format!("({kind}) {uuid} of {of}"),
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
                &[
                    "sda disk 10485760 (LVM2_member) V9N6H5-MXlo-JmEE-TLHs-KyAo-kLv5-JL0RY7 of test_volume_group",
                    "mapper/test_volume_group-test_logical_volume1 logical-volume 4194304 ext2 6aa42e82-3b10-4008-ad1b-0db959eb3c5e ext2_test",
                    "mapper/test_volume_group-test_logical_volume2 logical-volume 4194304 empty",
                ],
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
            let path = need!(unpacked(folder.path(), name));
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

    /// A disk of noise, text, zeros and holes, not a whole number of clusters long.
    fn content() -> Vec<u8> {
        let mut bytes = vec![0; (9 << 20) + 1536];
        bytes[..3 << 20].copy_from_slice(&noise(1, 3 << 20));
        let text = "the same line again and again, as logs are\n".repeat(60_000);
        bytes[(4 << 20) + 100..][..text.len()].copy_from_slice(text.as_bytes());
        for (seed, at) in [(2, 5 << 20), (3, (6 << 20) + 4096), (4, (9 << 20) - 700)] {
            bytes[at..at + 2000].copy_from_slice(&noise(seed, 2000));
        }
        bytes
    }

    /// The image at a path.
    fn image(path: &Path) -> Result<Image, OpenError> {
        image::open(path, false)
    }

    /// Reads a device in pieces of odd sizes and in one go, and compares.
    fn assert_reads(device: &dyn BlockDevice, expected: &[u8], what: &str) {
        assert_eq!(device.size(), expected.len() as u64, "{what}");
        let mut whole = vec![0xaa; expected.len()];
        device.read_at(0, &mut whole).unwrap();
        assert!(whole == expected, "{what}: the whole");
        let mut at = 0;
        for length in [1, 511, 513, 4096, 70_001, 200_000, 3].into_iter().cycle() {
            let end = (at + length).min(expected.len());
            let mut piece = vec![0xaa; end - at];
            device.read_at(at as u64, &mut piece).unwrap();
            assert!(piece == expected[at..end], "{what}: {at} to {end}");
            at = end;
            if at == expected.len() {
                break;
            }
        }
        let mut beyond = [0; 2];
        assert!(
            device
                .read_at(expected.len() as u64 - 1, &mut beyond)
                .is_err()
        );
    }

    fn qemu(folder: &Path, arguments: &str) -> Option<()> {
        let qemu_img = tool("qemu-img")?;
        let arguments = arguments.split_whitespace();
        run(Command::new(qemu_img).current_dir(folder).args(arguments));
        Some(())
    }

    #[test]
    fn qcow2_of_every_shape_reads_like_the_raw_disk() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content();
        fs::write(folder.path().join("raw"), &bytes).unwrap();
        for (compress, options) in [
            ("", "compat=0.10"),
            ("", "compat=1.1"),
            ("", "cluster_size=512"),
            ("", "cluster_size=2M"),
            ("", "preallocation=metadata"),
            ("", "preallocation=full"),
            ("", "extended_l2=on"),
            ("", "extended_l2=on,cluster_size=16k"),
            ("", "data_file=data,data_file_raw=on"),
            ("", "data_file=data"),
            ("-c", "compat=0.10"),
            ("-c", "compression_type=zlib"),
            ("-c", "compression_type=zlib,cluster_size=512"),
            ("-c", "compression_type=zlib,cluster_size=2M"),
            ("-c", "compression_type=zstd"),
            ("-c", "compression_type=zstd,cluster_size=4k"),
            ("-c", "compression_type=zstd,cluster_size=2M"),
            ("-c", "compression_type=zstd,extended_l2=on"),
        ] {
            let convert = format!("convert -f raw -O qcow2 {compress} -o {options} raw image");
            need!(qemu(folder.path(), &convert));
            let image = image(&folder.path().join("image")).unwrap();
            assert_eq!(image.format, "qcow2");
            assert_reads(&image.device, &bytes, &convert);
        }
    }

    #[test]
    fn other_formats_read_like_the_raw_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = content();
        // Virtual PC's disks end at a cylinder unless told otherwise, VMware's at a sector.
        bytes.truncate(9 << 20);
        fs::write(folder.path().join("raw"), &bytes).unwrap();
        for (format, options, expected) in [
            ("vdi", "static=off", "vdi"),
            ("vdi", "static=on", "vdi"),
            ("vhdx", "subformat=dynamic", "vhdx"),
            ("vhdx", "subformat=dynamic,block_size=1M", "vhdx"),
            ("vhdx", "subformat=fixed", "vhdx"),
            ("vpc", "subformat=fixed,force_size=on", "vhd"),
            ("vpc", "subformat=dynamic,force_size=on", "vhd"),
            ("vmdk", "subformat=monolithicSparse", "vmdk"),
            ("vmdk", "subformat=monolithicSparse,zeroed_grain=on", "vmdk"),
            ("vmdk", "subformat=monolithicFlat", "vmdk"),
            ("vmdk", "subformat=twoGbMaxExtentSparse", "vmdk"),
            ("vmdk", "subformat=twoGbMaxExtentFlat", "vmdk"),
            ("vmdk", "subformat=streamOptimized", "vmdk"),
        ] {
            let convert = format!("convert -f raw -O {format} -o {options} raw image.{format}");
            need!(qemu(folder.path(), &convert));
            let image = image(&folder.path().join(format!("image.{format}"))).unwrap();
            assert_eq!(
                (image.format, image.notes.len()),
                (expected, 0),
                "{convert}"
            );
            assert_reads(&image.device, &bytes, &convert);
        }
    }

    #[test]
    fn the_last_grain_of_a_disk_may_be_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content();
        fs::write(folder.path().join("raw"), &bytes).unwrap();
        for subformat in ["streamOptimized", "monolithicSparse"] {
            let convert = format!("convert -f raw -O vmdk -o subformat={subformat} raw image");
            need!(qemu(folder.path(), &convert));
            let image = image(&folder.path().join("image")).unwrap();
            assert_reads(&image.device, &bytes, &convert);
        }
    }

    #[test]
    fn vmdk_over_several_files_and_their_differences_read_as_qemu_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let qemu_io = need!(tool("qemu-io"));
        let io = |image: &str, commands: &[&str]| {
            let commands = commands.iter().flat_map(|command| ["-c", command]);
            let mut command = Command::new(&qemu_io);
            run(command.current_dir(folder.path()).arg(image).args(commands));
        };
        let create = "create -q -f vmdk -o subformat=twoGbMaxExtentSparse base.vmdk 5G";
        qemu(folder.path(), create).unwrap();
        io(
            "base.vmdk",
            &[
                "write -P 1 0 100k",
                "write -P 2 2147418112 128k",
                "write -P 3 5368705024 4k",
            ],
        );
        let create = "create -q -f vmdk -o backing_file=base.vmdk,backing_fmt=vmdk top.vmdk";
        qemu(folder.path(), create).unwrap();
        io(
            "top.vmdk",
            &["write -P 9 64k 4k", "write -P 8 2147483648 512"],
        );
        let image = image(&folder.path().join("top.vmdk")).unwrap();
        assert_eq!(image.device.size(), 5 << 30);
        for (at, expected) in [
            (0, 1),
            (65535, 1),
            (65536, 9),
            (70_000, 1),
            (102_400, 0),
            (2_147_418_112, 2),
            (2_147_483_647, 2),
            (2_147_483_648, 8),
            (2_147_484_160, 2),
            (5_368_705_023, 0),
            (5_368_709_119, 3),
        ] {
            let mut byte = [0xaa];
            image.device.read_at(at, &mut byte).unwrap();
            assert_eq!(byte, [expected], "{at}");
        }
        assert!(
            image.notes[0]
                .text()
                .contains("the difference to \"base.vmdk\"")
        );
        // A base that has changed since.
        let base = folder.path().join("base.vmdk");
        let text = fs::read_to_string(&base).unwrap();
        let changed: String = text
            .lines()
            .map(|line| {
                if line.starts_with("CID=") {
                    "CID=00000001\n".to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        fs::write(&base, changed).unwrap();
        let error = open(&folder.path().join("top.vmdk"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("it is not what the difference was made to"),
            "{error}"
        );
        fs::remove_file(&base).unwrap();
        let error = open(&folder.path().join("top.vmdk"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("put that file beside the image"), "{error}");
    }

    #[test]
    fn a_vmdk_leads_to_no_file_outside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.vmdk");
        for line in [
            "RW 1 FLAT \"/etc/passwd\" 0",
            "RW 1 VMFS \"../passwd\" 0",
            "RW 1 SPARSE \"/etc/passwd\"",
        ] {
            fs::write(&path, format!("# Disk DescriptorFile\nCID=1\n{line}\n")).unwrap();
            let error = open(&path).unwrap_err();
            assert!(matches!(error, OpenError::Outside { .. }), "{error}");
        }
    }

    #[test]
    fn public_images_of_other_formats_read_as_qemu_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        for (name, format) in [
            ("ext2.vmdk", "vmdk"),
            ("valid-ext-exfat-fat32-ntfs.vmdk.gz", "vmdk"),
            ("ext2.vhdx.gz", "vhdx"),
            ("ntfs-dynamic.vhdx.gz", "vhdx"),
            ("ext2.vhd.gz", "vpc"),
            ("fat-parent.vhd.gz", "vpc"),
            ("ntfs-dynamic.vhd.gz", "vpc"),
            ("ntfs-parent.vhd.gz", "vpc"),
        ] {
            let path = need!(unpacked(folder.path(), name));
            let convert = format!("convert -f {format} -O raw {name} expected");
            need!(qemu(folder.path(), &convert));
            let expected = fs::read(folder.path().join("expected")).unwrap();
            assert_reads(&image(&path).unwrap().device, &expected, name);
        }
    }

    #[test]
    fn a_differencing_vhd_needs_its_own_parent() {
        let folder = tempfile::tempdir().unwrap();
        for (name, parent) in [
            ("ntfs-differential.vhd", "ntfs-parent.vhd"),
            ("fat-differential.vhd", "fat-parent.vhd"),
        ] {
            let packed = need!(unpacked(folder.path(), &format!("{name}.gz")));
            let packed_parent = need!(unpacked(folder.path(), &format!("{parent}.gz")));
            let (path, above) = (folder.path().join(name), folder.path().join(parent));
            fs::rename(packed, &path).unwrap();
            let error = open(&path).unwrap_err().to_string();
            assert!(
                error.contains(parent) && error.contains("put that file beside"),
                "{error}"
            );
            fs::write(&above, noise(1, 4096)).unwrap();
            let error = open(&path).unwrap_err().to_string();
            assert!(
                error.contains("damaged vhd: footer: it is missing"),
                "{error}"
            );
            fs::rename(packed_parent, &above).unwrap();
            let (changed, base) = (image(&path).unwrap().device, image(&above).unwrap().device);
            assert_eq!(changed.size(), base.size());
            let read = |device: &dyn BlockDevice| {
                let mut bytes = vec![0; usize::try_from(device.size()).unwrap()];
                device.read_at(0, &mut bytes).unwrap();
                bytes
            };
            let (changed, base) = (read(&changed), read(&base));
            let different = changed
                .chunks(512)
                .zip(base.chunks(512))
                .filter(|(a, b)| a != b)
                .count();
            assert!((1..200).contains(&different), "{name}: {different} sectors");
        }
        // Its parent is not among the public images.
        let path = need!(unpacked(folder.path(), "ntfs-differential.vhdx.gz"));
        let error = open(&path).unwrap_err().to_string();
        assert!(
            error.contains("ntfs-parent.vhdx") && error.contains("put that file beside"),
            "{error}"
        );
    }

    #[test]
    fn a_chain_reads_as_qemu_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("raw"), content()).unwrap();
        let base = folder.path().join("base").display().to_string();
        let qemu_io = need!(tool("qemu-io"));
        let io = |image: &str, commands: &[&str]| {
            let commands = commands.iter().flat_map(|command| ["-c", command]);
            let mut command = Command::new(&qemu_io);
            run(command.current_dir(folder.path()).arg(image).args(commands));
        };
        for (top, middle) in [("", ""), ("extended_l2=on,", ""), ("", "compat=0.10,")] {
            qemu(folder.path(), "convert -f raw -O qcow2 -c raw base").unwrap();
            // A name relative to the image, and an absolute one in the image's own folder; a larger disk above.
            let create = format!(
                "create -q -f qcow2 -o {middle}backing_file={base},backing_fmt=qcow2 middle"
            );
            qemu(folder.path(), &create).unwrap();
            io("middle", &["write -P 7 1M 200k", "write -P 8 2000k 4k"]);
            let create =
                format!("create -q -f qcow2 -o {top}backing_file=middle,backing_fmt=qcow2 top 11M");
            qemu(folder.path(), &create).unwrap();
            io(
                "top",
                &[
                    "write -P 9 1100k 3k",
                    "write -z 3M 70k",
                    "write -z 4100k 2k",
                    "discard 5M 256k",
                ],
            );
            qemu(folder.path(), "snapshot -c first top").unwrap();
            io("top", &["write -P 5 10M 1M"]);
            qemu(folder.path(), "convert -O raw top expected").unwrap();
            let image = image(&folder.path().join("top")).unwrap();
            let expected = fs::read(folder.path().join("expected")).unwrap();
            assert_reads(&image.device, &expected, top);
            let notes: Vec<_> = image.notes.iter().map(Note::text).collect();
            let notes = notes.join("\n");
            assert!(
                notes.contains("1 internal snapshots (\"first\")"),
                "{notes}"
            );
            assert!(notes.contains("backed by \"middle\""), "{notes}");
        }
    }

    #[test]
    fn public_qcow2_images_read_as_their_truth_says() {
        let folder = tempfile::tempdir().unwrap();
        let summary_of = |name: &str| {
            let path = unpacked(folder.path(), name)?;
            Some(open(&path).map(|disk| summary(&disk)))
        };
        let found = need!(summary_of("valid-ext-exfat-fat32-ntfs.qcow2.gz"));
        let expected = [
            "sda1 partition 66060288 ext4 6fdedb9c-7277-4572-a83c-181f5ad23ced",
            "sda2 partition 67108864 exfat 6D9D-EE86",
            "sda3 partition 67108864 vfat E86D-AF52",
            "sda4 partition 66060288 ntfs 61B4148B55A90DE1",
        ];
        for (found, expected) in found.unwrap().iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
        let name = "valid-ext-exfat-fat32-ntfs-encrypted-legacy-aes.qcow2.gz";
        let error = summary_of(name).unwrap().unwrap_err().to_string();
        assert!(
            error.contains("the image is encrypted; decrypt it first"),
            "{error}"
        );
        let boot = "ext2 01234567-0123-0123-0123-012345678901 BOOT";
        let found = summary_of("debian.qcow2").unwrap().unwrap();
        assert_eq!(found[0], format!("sda1 partition 268402688 {boot}"));
        assert!(found[1].starts_with("sda2 partition 268403200 (LVM2_member)"));
        // expected-debian.img.xml names these volumes.
        let volumes: Vec<_> = found[2..]
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        let names = ["root", "usr", "var", "home"].map(|name| format!("mapper/debian-{name}"));
        assert_eq!(volumes, names);
        assert!(found[2..].iter().all(|line| line.contains(" ext2 ")));
        let found = summary_of("ubuntu.qcow2").unwrap().unwrap();
        assert_eq!(found[0], format!("sda1 partition 268402688 {boot}"));
        let raw = unpacked(folder.path(), "ext2.raw.gz").unwrap();
        let qcow2 = unpacked(folder.path(), "ext2.qcow2").unwrap();
        assert_reads(
            &image(&qcow2).unwrap().device,
            &fs::read(raw).unwrap(),
            "ext2",
        );
        for name in ["invalid.qcow2", "invalid.vmdk"] {
            let error = summary_of(name).unwrap().unwrap_err();
            assert!(matches!(error, OpenError::Unrecognised { .. }), "{error}");
        }
    }

    /// A header of version 2 for a disk of 1 MiB, one empty table, and a backing file of this name.
    fn overlay(backing: &str) -> Vec<u8> {
        let mut bytes = vec![0; 3 << 16];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, b"QFI\xfb\0\0\0\x02");
        put(8, &200_u64.to_be_bytes());
        put(16, &u32::try_from(backing.len()).unwrap().to_be_bytes());
        put(20, &16_u32.to_be_bytes());
        put(24, &(1_u64 << 20).to_be_bytes());
        put(36, &1_u32.to_be_bytes());
        put(40, &(1_u64 << 16).to_be_bytes());
        put(200, backing.as_bytes());
        bytes
    }

    #[test]
    fn an_image_leads_to_no_file_outside_its_folder() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), noise(1, 4096)).unwrap();
        let folder = outside.path().join("images");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(folder.join("directory")).unwrap();
        symlink("../secret", folder.join("link")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        let fifo = folder.join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let path = folder.join("image");
        let absolute = outside.path().join("secret").display().to_string();
        for (named, expected) in [
            ("../secret", "not in the image's own folder"),
            (&absolute, "not in the image's own folder"),
            ("/etc/passwd", "not in the image's own folder"),
            ("file:/etc/passwd", "not in the image's own folder"),
            ("directory/../../secret", "not in the image's own folder"),
            ("link", "a symbolic link"),
            ("up/secret", "in a folder below"),
            ("directory", "not a regular file"),
            ("fifo", "not a regular file"),
            ("absent", "cannot be opened"),
            ("image", "the chain of images is a circle"),
            ("json:{\"driver\":\"file\"}", "no plain file"),
            ("nbd://there/disk", "no plain file"),
        ] {
            fs::write(&path, overlay(named)).unwrap();
            let error = open(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{named}: {error}");
        }
        fs::write(&path, overlay("../secret")).unwrap();
        let image = image::open(&path, true).unwrap();
        let mut bytes = vec![0; 4096];
        image.device.read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, noise(1, 4096));
    }

    /// Whoever unpacks a stranger's image at home does not put their own files into a container.
    #[test]
    fn an_image_leads_to_plain_disks_beside_it_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("Documents")).unwrap();
        let text = "psql -W geheim\n".repeat(100);
        for name in [".bash_history", "Documents/notes.txt", "notes.txt"] {
            fs::write(folder.path().join(name), &text).unwrap();
        }
        let mut program = noise(1, 4096);
        program[..4].copy_from_slice(b"\x7fELF");
        fs::write(folder.path().join("program"), program).unwrap();
        let path = folder.path().join("image");
        for (named, expected) in [
            (".bash_history", "hidden"),
            ("./.bash_history", "hidden"),
            ("Documents/notes.txt", "in a folder below"),
            ("notes.txt", "it is a text"),
            ("program", "it is a program"),
        ] {
            let flat = format!("# Disk DescriptorFile\nCID=1\nRW 1 FLAT \"{named}\" 0\n");
            for bytes in [overlay(named), flat.into_bytes()] {
                fs::write(&path, bytes).unwrap();
                let error = open(&path).unwrap_err().to_string();
                assert!(error.contains(expected), "{named}: {error}");
                assert!(image::open(&path, true).is_ok(), "{named}");
            }
        }
        // What was read is told.
        fs::write(folder.path().join("base"), noise(1, 4096)).unwrap();
        fs::write(folder.path().join("middle"), overlay("base")).unwrap();
        fs::write(&path, overlay("middle")).unwrap();
        let files = image::machine(&path, false).unwrap().files;
        assert_eq!(
            files,
            ["middle", "base"].map(|name| folder.path().join(name))
        );
    }

    #[test]
    fn circles_and_endless_chains_of_images_end() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, backing: &str| {
            fs::write(folder.path().join(name), overlay(backing)).unwrap();
        };
        write("a", "b");
        write("b", "./c");
        fs::hard_link(folder.path().join("a"), folder.path().join("c")).unwrap();
        let error = image(&folder.path().join("a")).map(|_| ()).unwrap_err();
        assert!(matches!(error, OpenError::Cycle { .. }), "{error}");
        for number in 0..30 {
            write(&format!("{number}"), &format!("{}", number + 1));
        }
        fs::write(folder.path().join("30"), [7; 512]).unwrap();
        let error = image(&folder.path().join("0")).map(|_| ()).unwrap_err();
        assert!(matches!(error, OpenError::TooDeep { .. }), "{error}");
        let short = image(&folder.path().join("20")).unwrap();
        let mut byte = [0];
        short.device.read_at(0, &mut byte).unwrap();
        assert_eq!(byte, [7]);
    }

    #[test]
    fn what_cannot_be_read_is_said_clearly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        let mut good = overlay("");
        good[4..8].copy_from_slice(&3_u32.to_be_bytes());
        good[100..104].copy_from_slice(&104_u32.to_be_bytes());
        fs::write(&path, &good).unwrap();
        assert_reads(&image(&path).unwrap().device, &vec![0; 1 << 20], "empty");
        for (at, value, expected) in [
            (7, &[4][..], "version 4; versions 2 and 3 are read"),
            (23, &[33], "clusters of 2^33 bytes"),
            (23, &[8], "clusters of 2^8 bytes"),
            (24, &[0x7f], "first-level table of 1 entries"),
            (35, &[2], "the image is encrypted"),
            (36, &[0xff], "first-level table"),
            (40, &[1], "truncated"),
            (46, &[1], "not aligned"),
            (73, &[1], "uses feature 48 of a newer version"),
            (79, &[4], "its name is missing"),
            (79, &[8], "contradict"),
            (103, &[0], "0 bytes"),
            (104, &[0xe2, 0x79, 0x2a, 0xca, 0xff, 0, 0, 0], "lie beyond"),
        ] {
            let mut bytes = good.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            fs::write(&path, bytes).unwrap();
            let error = image(&path).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{at}: {error}");
            assert!(error.contains("image"), "{error}");
        }
        // A table, then a cluster beyond the end of the file.
        for (at, target) in [(1 << 16, 5_u64 << 16), (2 << 16, 9 << 16)] {
            let mut bytes = good.clone();
            bytes[1 << 16..][..8].copy_from_slice(&(2_u64 << 16).to_be_bytes());
            bytes[at..at + 8].copy_from_slice(&target.to_be_bytes());
            fs::write(&path, bytes).unwrap();
            let opened = image(&path).unwrap();
            let error = opened.device.read_at(5, &mut [0; 9]).unwrap_err();
            assert!(
                error.to_string().contains("it is truncated; copy it again"),
                "{error}"
            );
        }
    }

    /// A file of the public set of images that broke other readers, unpacked; `None` where there is none.
    fn odd(folder: &Path, name: &str) -> Option<PathBuf> {
        let packed = needs::corpus(&format!("odd/{name}.bz2"))?;
        let (unpack, dd) = (tool("bzip2")?, tool("dd")?);
        let path = folder.join(name);
        let mut unpacking = Command::new(unpack)
            .arg("-dc")
            .arg(packed)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let bytes = unpacking.stdout.take().unwrap();
        let out = format!("of={}", path.display());
        let sparse = ["conv=sparse", "bs=64k", "status=none", &out];
        run(Command::new(dd).args(sparse).stdin(bytes));
        assert!(unpacking.wait().unwrap().success());
        Some(path)
    }

    #[test]
    fn images_of_other_kinds_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [
            ("empty.bochs", "Bochs"),
            ("parallels-v1", "Parallels"),
            ("parallels-v2", "Parallels"),
            ("parallels-with-bitmap", "Parallels"),
            ("simple-dmg.dmg", "DMG"),
            ("simple-pattern.cloop", "cloop"),
        ] {
            let path = need!(odd(folder.path(), name));
            let error = open(&path).unwrap_err().to_string();
            let expected =
                format!("is an image of the kind {kind}, which is not read; convert it first");
            assert!(error.contains(&expected), "{error}");
        }
        let disk = open(&odd(folder.path(), "grub_mbr.raw").unwrap()).unwrap();
        let expected = [
            "sda1 partition 524288000 (unknown)",
            "sda2 partition 12359565312 (unknown)",
        ];
        assert_eq!(summary(&disk), expected);
        assert_eq!(
            disk.notes[0],
            "sda1: the image ends before this partition does"
        );
    }

    #[test]
    fn the_log_of_a_vhdx_is_replayed_as_qemu_replays_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = need!(odd(folder.path(), "iotest-dirtylog-10G-4M.vhdx"));
        let qemu_img = need!(tool("qemu-img"));
        let dirty = image(&path).unwrap();
        assert_eq!(
            dirty.notes,
            [Note::remark(
                "the image was not closed; its log was replayed in memory"
            )]
        );
        let mended = folder.path().join("mended.vhdx");
        fs::copy(&path, &mended).unwrap();
        qemu(folder.path(), "check -q -r all mended.vhdx").unwrap();
        qemu(folder.path(), "convert -O raw mended.vhdx expected").unwrap();
        let clean = image(&mended).unwrap();
        assert!(clean.notes.is_empty());
        let map = Command::new(qemu_img)
            .current_dir(folder.path())
            .args(["map", "--output=json", "expected"])
            .output()
            .unwrap();
        let map: serde_json::Value = serde_json::from_slice(&map.stdout).unwrap();
        let expected = fs::File::open(folder.path().join("expected")).unwrap();
        let mut compared = 0;
        for range in map.as_array().unwrap() {
            let (start, length) = (
                range["start"].as_u64().unwrap(),
                range["length"].as_u64().unwrap(),
            );
            // Of a hole, its beginning is enough.
            let length = if range["data"] == true {
                length
            } else {
                length.min(1 << 16)
            };
            let mut buffers = [(); 3].map(|()| vec![0xaa; usize::try_from(length).unwrap()]);
            let [first, second, third] = &mut buffers;
            dirty.device.read_at(start, first).unwrap();
            clean.device.read_at(start, second).unwrap();
            expected.read_exact_at(third, start).unwrap();
            assert!(first == third && second == third, "{start}");
            compared += length;
        }
        assert!(compared > 1 << 20, "{compared}");
    }

    fn le<const N: usize>(bytes: &[u8], at: usize) -> usize {
        let number: [u8; N] = bytes[at..at + N].try_into().unwrap();
        number
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// Makes a closed image of qemu's the difference to another: says so in its metadata, names the parent, and hands out
    /// the third MiB sector by sector.
    fn make_difference(child: &mut Vec<u8>, linkage: &str) {
        let utf16 = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let (mut table, mut metadata) = (0, 0);
        for at in [16, 48].map(|at| (192 << 10) + at) {
            let target = le::<8>(child, at + 16);
            match child[at] {
                0x66 => table = target,
                _ => metadata = target,
            }
        }
        let count = le::<2>(child, metadata + 10);
        for entry in 0..count {
            let at = metadata + 32 + 32 * entry;
            if child[at..at + 4] == [0x37, 0x67, 0xa1, 0xca] {
                let item = metadata + le::<4>(child, at + 16);
                child[item + 4] |= 2;
            }
        }
        let mut locator = vec![0; 20];
        locator[18] = 2;
        let mut strings = Vec::new();
        for (key, value) in [
            ("parent_linkage", linkage),
            ("relative_path", ".\\parent.vhdx"),
        ] {
            let (key, value) = (utf16(key), utf16(value));
            let at = u32::try_from(44 + strings.len()).unwrap();
            let lengths = [key.len(), value.len()].map(|length| u16::try_from(length).unwrap());
            locator.extend(at.to_le_bytes());
            locator.extend((at + u32::from(lengths[0])).to_le_bytes());
            locator.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
            strings.extend([key, value].concat());
        }
        locator.extend(strings);
        let at = metadata + 32 + 32 * count;
        let id = [
            0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34,
            0xab, 0x0c,
        ];
        child[at..at + 16].copy_from_slice(&id);
        child[at + 16..at + 20].copy_from_slice(&0x2_0000_u32.to_le_bytes());
        child[at + 20..at + 24]
            .copy_from_slice(&u32::try_from(locator.len()).unwrap().to_le_bytes());
        child[metadata + 10] += 1;
        child[metadata + 0x2_0000..][..locator.len()].copy_from_slice(&locator);
        // The second block is the parent's; of the third, the sectors from 5 to 12 and from 17 on are the child's.
        child[table + 8] &= !7;
        child[table + 16] |= 7;
        let bitmap = child.len().next_multiple_of(1 << 20);
        child.resize(bitmap + (1 << 20), 0);
        let base = 2 * 2048 / 8;
        child[bitmap + base..][..2048 / 8].fill(0xff);
        child[bitmap + base..][..3].copy_from_slice(&[0b1110_0000, 0b0001_1111, 0b1111_1110]);
        let entry = (bitmap as u64) | 6;
        child[table + 4096 * 8..][..8].copy_from_slice(&entry.to_le_bytes());
    }

    #[test]
    fn a_differencing_vhdx_takes_from_its_parent_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (noise(1, 4 << 20), noise(2, 4 << 20));
        for (name, bytes) in [("parent", &old), ("child", &new)] {
            fs::write(folder.path().join(name), bytes).unwrap();
            let convert = format!("convert -f raw -O vhdx -o block_size=1M {name} {name}.vhdx");
            need!(qemu(folder.path(), &convert));
        }
        let above = folder.path().join("parent.vhdx");
        let parent = fs::read(&above).unwrap();
        let newer = if le::<8>(&parent, (64 << 10) + 8) > le::<8>(&parent, (128 << 10) + 8) {
            64
        } else {
            128
        };
        let id = (newer << 10) + 32;
        let hex = |range: std::ops::Range<usize>| -> String {
            let digits = parent[id..][range].iter().map(|byte| format!("{byte:02X}"));
            digits.collect::<Vec<_>>().concat()
        };
        let (a, b, c) = (
            le::<4>(&parent, id),
            le::<2>(&parent, id + 4),
            le::<2>(&parent, id + 6),
        );
        let linkage = format!("{{{a:08X}-{b:04X}-{c:04X}-{}-{}}}", hex(8..10), hex(10..16));
        let path = folder.path().join("child.vhdx");
        let plain = fs::read(&path).unwrap();
        let mut child = plain.clone();
        make_difference(&mut child, &linkage);
        fs::write(&path, child).unwrap();
        let mut expected = new;
        expected[1 << 20..2 << 20].copy_from_slice(&old[1 << 20..2 << 20]);
        for sector in (0..5).chain(13..17) {
            let range = (2 << 20) + sector * 512..(2 << 20) + (sector + 1) * 512;
            expected[range.clone()].copy_from_slice(&old[range]);
        }
        let difference = image(&path).unwrap();
        assert_reads(&difference.device, &expected, "difference");
        assert_eq!(
            difference.notes,
            [Note::remark(
                "the image is the difference to \"./parent.vhdx\""
            )]
        );
        let mut child = plain;
        make_difference(&mut child, "{00000000-0000-0000-0000-000000000001}");
        fs::write(&path, child).unwrap();
        let error = image(&path).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("it is not what the difference was made to"),
            "{error}"
        );
        fs::remove_file(above).unwrap();
        let error = image(&path).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("put that file beside the image"), "{error}");
    }

    #[test]
    fn images_that_broke_other_readers_end_in_an_answer() {
        let folder = tempfile::tempdir().unwrap();
        for (name, format, size) in [
            ("d2v-zerofilled.vhd", "vhd", 263_454_720),
            ("hyperv2012r2-dynamic.vhd", "vhd", 136_365_211_648),
            ("virtualpc-dynamic.vhd", "vhd", 136_365_211_648),
            ("iotest-version3.vmdk", "vmdk", 17_179_869_184),
            ("iotest-dynamic-1G.vhdx", "vhdx", 1 << 30),
            ("test-disk2vhd.vhdx", "vhdx", 256 << 20),
        ] {
            let path = need!(odd(folder.path(), name));
            let image = image(&path).unwrap();
            assert_eq!(
                (image.format, image.device.size()),
                (format, size),
                "{name}"
            );
            let mut end = vec![0; 70_000];
            image.device.read_at(size - 70_000, &mut end).unwrap();
        }
        for (name, expected) in [
            (
                "afl5.img",
                "the file has 1028 bytes, and its tables point to 1808",
            ),
            ("afl9.vmdk", "damaged vmdk: 2233785398448881665 sectors"),
        ] {
            let error = open(&odd(folder.path(), name).unwrap())
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn damaged_images_neither_panic_nor_hang(
            changes in proptest::collection::vec((0_usize..2048, any::<u8>()), 1..12),
            cut in proptest::option::of(0_usize..40_000),
            kind in 0..SHAPES.len(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = need!(small_images(), Ok(()))[kind].clone();
            // Structures: the header, and wherever something stands at the beginning of a cluster.
            let blocks: Vec<usize> = (0..bytes.len() / 512)
                .filter(|at| bytes[at * 512..][..512].iter().any(|byte| *byte != 0))
                .collect();
            for (at, value) in changes {
                let block = if at < 600 { 0 } else { blocks[at % blocks.len()] };
                let at = (block * 512 + at % if block == 0 { 112 } else { 64 }) % bytes.len();
                bytes[at] = value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut);
            }
            let path = folder.path().join("image");
            fs::write(&path, bytes).unwrap();
            let _ = open(&path);
            if let Ok(image) = image(&path) {
                let mut buf = vec![0; 128 << 10];
                let end = image.device.size();
                for at in [0, 1 << 16, 700_001, end.saturating_sub(buf.len() as u64)] {
                    let _ = image.device.read_at(at, &mut buf);
                }
            }
        }
    }

    const SHAPES: [&str; 8] = [
        "qcow2 -o cluster_size=4k",
        "qcow2 -c -o compression_type=zstd,cluster_size=4k",
        "qcow2 -o extended_l2=on,cluster_size=16k",
        "vdi -o static=off",
        "vpc -o subformat=dynamic,force_size=on",
        "vmdk -o subformat=monolithicSparse",
        "vmdk -o subformat=streamOptimized",
        "vhdx -o subformat=dynamic",
    ];

    /// One of every shape; `None` without qemu-img.
    fn small_images() -> Option<&'static [Vec<u8>]> {
        static MADE: OnceLock<Option<Vec<Vec<u8>>>> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = vec![0; 1 << 20];
            bytes[..100_000].copy_from_slice(&noise(1, 100_000));
            bytes[400_000..700_000].fill(b'x');
            fs::write(folder.path().join("raw"), bytes).unwrap();
            let made = SHAPES.iter().map(|shape| {
                let convert = format!("convert -f raw -O {shape} raw image");
                qemu(folder.path(), &convert)?;
                Some(fs::read(folder.path().join("image")).unwrap())
            });
            made.collect()
        });
        made.as_deref()
    }

    #[test]
    fn swap_and_hidden_marks_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let mkswap = need!(tool("mkswap"));
        fs::write(&path, vec![0; 1 << 20]).unwrap();
        let uuid = "01234567-89ab-cdef-0123-456789abcdef";
        run(Command::new(mkswap)
            .args(["-q", "-U", uuid, "-L", "pages"])
            .arg(&path));
        let expected = format!("sda disk 1048576 swap {uuid} pages");
        assert_eq!(summary(&open(&path).unwrap()), [expected]);
        let magic = 0xa92b_4efc_u32.to_le_bytes();
        for (at, mark, kind) in [
            ((1 << 20) - (64 << 10), &magic[..], "linux_raid_member"),
            ((1 << 20) - (8 << 10), &magic, "linux_raid_member"),
            (
                (128 << 10) + 37 * 1024,
                &0xba_b10c_u64.to_be_bytes(),
                "zfs_member",
            ),
            ((255 << 10), &0xba_b10c_u64.to_le_bytes(), "zfs_member"),
        ] {
            let mut bytes = vec![0; 1 << 20];
            bytes[at..at + mark.len()].copy_from_slice(mark);
            fs::write(&path, bytes).unwrap();
            let expected = format!("sda disk 1048576 ({kind})");
            assert_eq!(summary(&open(&path).unwrap()), [expected], "{at}");
        }
    }

    #[test]
    fn disks_of_one_machine_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let first = need!(unpacked(folder.path(), "mbr.raw.gz"));
        let second = unpacked(folder.path(), "ext2.qcow2").unwrap();
        let blank = folder.path().join("blank");
        fs::write(&blank, vec![0; 4096]).unwrap();
        let disk = Disk::open(&[first, blank.clone(), second], &CLOSED).unwrap();
        let names: Vec<_> = disk.volumes.iter().map(|volume| &*volume.device).collect();
        assert_eq!(
            (disk.format, names),
            ("raw", vec!["sda1", "sda5", "sdb", "sdc"])
        );
        let error = open(&blank).unwrap_err();
        assert!(matches!(error, OpenError::Unrecognised { .. }), "{error}");
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("neither a file nor a block device"),
            "{error}"
        );
        assert!(matches!(Disk::open(&[], &CLOSED), Err(OpenError::Nothing)));
    }
}
