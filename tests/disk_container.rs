//! Containers of several files or several disks: appliances, split images; and what qemu-img made in old formats.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{noise, run};
    use super::needs::{need, tool};
    use proptest::prelude::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::Command;
    use transvase::disk::BlockDevice;
    use transvase::disk::image::{self, Image, Machine, OpenError};
    use transvase::disk::note::Note;
    use transvase::disk::open::{Disk, OpenOptions};
    use transvase::source::{OpenOptions as SourceOptions, Root};

    /// A disk of noise, text, zeros and holes, not a whole number of clusters long.
    fn content(seed: u64) -> Vec<u8> {
        let mut bytes = vec![0; (2 << 20) + 1536];
        bytes[..600_000].copy_from_slice(&noise(seed, 600_000));
        let text = "the same line again and again, as logs are\n".repeat(12_000);
        bytes[(1 << 20) + 100..][..text.len()].copy_from_slice(text.as_bytes());
        bytes[(2 << 20) - 700..][..2000].copy_from_slice(&noise(seed + 1, 2000));
        bytes
    }

    fn machine(path: &Path) -> Result<Machine, OpenError> {
        image::machine(path, false)
    }

    fn refused(path: &Path) -> String {
        machine(path).err().expect("an error").to_string()
    }

    fn assert_reads(device: &dyn BlockDevice, expected: &[u8], what: &str) {
        assert_eq!(device.size(), expected.len() as u64, "{what}");
        let mut at = 0;
        for length in [1, 511, 513, 4096, 70_001, 900_000, 3].into_iter().cycle() {
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
        let last = expected.len() as u64 - 1;
        assert!(device.read_at(last, &mut beyond).is_err());
    }

    fn qemu(folder: &Path, arguments: &str) -> Option<()> {
        let qemu_img = tool("qemu-img")?;
        let arguments = arguments.split_whitespace();
        run(Command::new(qemu_img).current_dir(folder).args(arguments));
        Some(())
    }

    fn texts(notes: &[Note]) -> Vec<&str> {
        notes.iter().map(Note::text).collect()
    }

    /// A descriptor as hypervisors write it, with these disks in this order.
    fn descriptor(files: &[&str]) -> String {
        let listed: Vec<_> = files
            .iter()
            .enumerate()
            .rev()
            .map(|(number, file)| format!("<File ovf:href=\"{file}\" ovf:id=\"file{number}\"/>"))
            .collect();
        let disks: Vec<_> = (0..files.len())
            .map(|number| format!("<Disk ovf:capacity=\"1\" ovf:diskId=\"d{number}\" ovf:fileRef=\"file{number}\"/>"))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" \
             xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData\">\
             <References>{}</References><DiskSection><Info>Disks</Info>{}</DiskSection><VirtualSystem ovf:id=\"m\"><VirtualHardwareSection>\
             <Item><rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>\
             <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>8192</rasd:VirtualQuantity></Item>\
             </VirtualHardwareSection></VirtualSystem></Envelope>",
            listed.concat(),
            disks.concat()
        )
    }

    /// An archive of these members.
    fn archive(members: &[(&str, &[u8])], header: fn() -> tar::Header) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = header();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, name, *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    /// Packed images of two disks, the first compressed.
    fn two_disks(folder: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
        fs::write(folder.join("a"), content(1)).unwrap();
        fs::write(folder.join("b"), content(5)).unwrap();
        let packed = "convert -f raw -O vmdk -o subformat=streamOptimized a a.vmdk";
        qemu(folder, packed)?;
        qemu(folder, "convert -f raw -O vmdk b b.vmdk")?;
        let read = |name| fs::read(folder.join(name)).unwrap();
        Some((read("a.vmdk"), read("b.vmdk")))
    }

    #[test]
    fn an_appliance_is_read_inside_its_archive() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = need!(two_disks(folder.path()));
        let path = folder.path().join("machine.ova");
        // Beyond what a header can hold, and beyond its prefix.
        let long = format!("{}/{}-disk 1.vmdk", "d".repeat(90), "n".repeat(150));
        let escaped = long.replace(' ', "%20");
        for (header, name) in [
            (tar::Header::new_ustar as fn() -> tar::Header, "a.vmdk"),
            (tar::Header::new_gnu, "a.vmdk"),
            (tar::Header::new_gnu, &long),
        ] {
            let named = if name == long { &escaped } else { name };
            let text = descriptor(&[named, "b.vmdk"]);
            let members = [
                ("machine.ovf", text.as_bytes()),
                ("machine.mf", b"SHA256(machine.ovf)= 00"),
                ("b.vmdk", &b),
                (name, &a),
            ];
            fs::write(&path, archive(&members, header)).unwrap();
            let read = machine(&path).unwrap();
            assert_eq!((read.format, read.disks.len()), ("ova", 2));
            assert_reads(&read.disks[0].device, &content(1), name);
            assert_reads(&read.disks[1].device, &content(5), "b.vmdk");
            assert!(read.disks.iter().all(|disk| disk.format == "vmdk"));
            let hardware = read.hardware.unwrap();
            assert_eq!(
                (hardware.processors, hardware.memory),
                (Some(4), Some(8 << 30))
            );
            let note = "the machine was given 4 processors and 8589934592 bytes of memory";
            assert_eq!(texts(&read.notes), [note]);
        }
    }

    /// The parts of a disk are members as its images are.
    #[test]
    fn raw_disks_of_an_appliance_may_be_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.ova");
        let (first, second) = (content(1), content(5));
        let text = descriptor(&["disk.001", "data.000"]);
        let members: [(&str, &[u8]); 5] = [
            ("machine.ovf", text.as_bytes()),
            ("disk.001", &first),
            ("./disk.002", &second),
            ("disk.002.sum", b"no part"),
            ("data.000", &second),
        ];
        fs::write(&path, archive(&members, tar::Header::new_gnu)).unwrap();
        let read = machine(&path).unwrap();
        let whole = [first, second.clone()].concat();
        assert_reads(&read.disks[0].device, &whole, "two parts");
        assert_reads(
            &read.disks[1].device,
            &second,
            "a first part without others",
        );
    }

    #[test]
    fn names_and_sizes_of_pax_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let disk = content(1);
        let text = descriptor(&["disk.raw"]);
        let mut archive = tar::Builder::new(Vec::new());
        let own: &[(&str, &[u8])] = &[("mtime", b"1700000000.5")];
        archive.append_pax_extensions(own.iter().copied()).unwrap();
        let append = |archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes).unwrap();
        };
        append(&mut archive, "machine.ovf", text.as_bytes());
        let size = disk.len().to_string();
        let told: &[(&str, &[u8])] = &[("path", b"./disk.raw"), ("size", size.as_bytes())];
        archive.append_pax_extensions(told.iter().copied()).unwrap();
        // A header that says nothing true.
        let mut header = tar::Header::new_ustar();
        header.set_path("cut-off").unwrap();
        header.set_size(0);
        header.set_cksum();
        let mut bytes = archive.into_inner().unwrap();
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(header.as_bytes());
        bytes.extend(&disk);
        bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
        let path = folder.path().join("machine.ova");
        fs::write(&path, &bytes).unwrap();
        let read = machine(&path).unwrap();
        assert_reads(&read.disks[0].device, &disk, "pax");
        assert_eq!(read.disks[0].format, "raw");
    }

    #[test]
    fn a_descriptor_opens_the_disks_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        need!(two_disks(folder.path()));
        let path = folder.path().join("machine.ovf");
        fs::write(&path, descriptor(&["b.vmdk", "a.vmdk"])).unwrap();
        let read = machine(&path).unwrap();
        assert_eq!(read.format, "ovf");
        assert_reads(&read.disks[0].device, &content(5), "b.vmdk");
        assert_reads(&read.disks[1].device, &content(1), "a.vmdk");
    }

    #[test]
    fn the_disks_of_an_appliance_are_those_of_one_machine() {
        let folder = tempfile::tempdir().unwrap();
        let mkfs = need!(tool("mkfs.ext4"));
        for (name, inside) in [
            ("root", &["etc", "usr/bin", "var"][..]),
            ("data", &["files"]),
        ] {
            let tree = folder.path().join(name);
            for folder in inside {
                fs::create_dir_all(tree.join(folder)).unwrap();
            }
            if name == "root" {
                fs::write(tree.join("etc/fstab"), "/dev/sdb /srv ext4 defaults 0 0\n").unwrap();
                fs::write(tree.join("etc/os-release"), "ID=test\n").unwrap();
            }
            let image = folder.path().join(format!("{name}.img"));
            fs::File::create(&image).unwrap().set_len(4 << 20).unwrap();
            run(Command::new(&mkfs)
                .args(["-q", "-d"])
                .arg(&tree)
                .arg(&image));
        }
        let text = descriptor(&["root.img", "data.img"]);
        let image = |name: &str| fs::read(folder.path().join(name)).unwrap();
        let members = [
            ("machine.ovf", text.as_bytes()),
            ("root.img", &image("root.img")),
            ("data.img", &image("data.img")),
        ];
        let path = folder.path().join("machine.ova");
        fs::write(&path, archive(&members, tar::Header::new_gnu)).unwrap();
        let closed = OpenOptions {
            allow_outside: false,
        };
        let disk = Disk::open(std::slice::from_ref(&path), &closed).unwrap();
        let devices: Vec<_> = disk.volumes.iter().map(|volume| &*volume.device).collect();
        assert_eq!(devices, ["sda", "sdb"]);
        assert_eq!(disk.hardware.unwrap().processors, Some(4));
        let root = Root::open(&[path], &SourceOptions::default()).unwrap();
        assert_eq!(root.info().format, "ova");
        let mounts: Vec<_> = root
            .info()
            .volumes
            .iter()
            .map(|volume| volume.mount.as_deref())
            .collect();
        assert_eq!(mounts, [Some("/"), Some("/srv")]);
    }

    #[test]
    fn an_appliance_leads_to_no_file_outside() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(folder.path().join("secret"), content(1)).unwrap();
        fs::write(inner.join("beside"), content(1)).unwrap();
        symlink("../secret", inner.join("link")).unwrap();
        let absolute = folder.path().join("secret");
        let (ova, ovf) = (inner.join("m.ova"), inner.join("m.ovf"));
        for (name, said) in [
            (absolute.to_str().unwrap(), "not in the image's own folder"),
            ("../secret", "not in the image's own folder"),
            ("%2e%2e/secret", "in a folder below"),
            ("link", "a symbolic link"),
            ("http://example.org/secret", "in a folder below"),
            ("m.ovf", "a circle"),
        ] {
            let text = descriptor(&[name]);
            fs::write(&ovf, &text).unwrap();
            let error = refused(&ovf);
            assert!(error.contains(said), "{name}: {error}");
            if name == "m.ovf" {
                continue;
            }
            // In an archive there is no folder at all, and so is there none for what a disk in it names.
            fs::write(
                &ova,
                archive(&[("m.ovf", text.as_bytes())], tar::Header::new_gnu),
            )
            .unwrap();
            let error = refused(&ova);
            assert!(error.contains("no such member"), "{name}: {error}");
        }
        let text = descriptor(&["d.vmdk"]);
        let vmdk = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 4099 FLAT \"beside\" 0\n";
        let members = [("m.ovf", text.as_bytes()), ("d.vmdk", vmdk.as_bytes())];
        fs::write(&ova, archive(&members, tar::Header::new_gnu)).unwrap();
        let error = refused(&ova);
        assert!(
            error.contains("\"beside\"") && error.contains("no such member"),
            "{error}"
        );
    }

    #[test]
    fn broken_appliances_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.ova");
        let text = descriptor(&["d.raw"]);
        let disk = content(1);
        let members = [("m.ovf", text.as_bytes()), ("d.raw", &disk[..])];
        let whole = archive(&members, tar::Header::new_gnu);
        fs::write(&path, &whole[..whole.len() - 40_000]).unwrap();
        let error = refused(&path);
        assert!(error.contains("it is truncated"), "{error}");
        // 2^63 - 1 and the like in the length of the second member.
        let at = text.len().next_multiple_of(512) + 512;
        for length in [
            [0xff; 8],
            [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x80, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let mut bytes = whole.clone();
            bytes[at + 124..at + 128].copy_from_slice(&[0x80, 0, 0, 0]);
            bytes[at + 128..at + 136].copy_from_slice(&length);
            bytes[at + 148..at + 156].fill(b' ');
            let sum: u32 = bytes[at..at + 512]
                .iter()
                .map(|byte| u32::from(*byte))
                .sum();
            bytes[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            fs::write(&path, &bytes).unwrap();
            let error = refused(&path);
            assert!(
                error.contains("truncated") || error.contains("beyond any file"),
                "{error}"
            );
        }
        let long = format!("{text}{}", " ".repeat(600_000));
        fs::write(
            &path,
            archive(&[("m.ovf", long.as_bytes())], tar::Header::new_gnu),
        )
        .unwrap();
        let error = refused(&path);
        assert!(error.contains("a descriptor of 60"), "{error}");
        let packed = folder.path().join("m.ova.gz");
        fs::write(&packed, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).unwrap();
        let error = Root::open(&[packed], &SourceOptions::default())
            .err()
            .unwrap();
        assert!(error.to_string().contains("gunzip"), "{error}");
    }

    #[test]
    fn parts_of_a_raw_disk_are_joined() {
        let disk = content(1);
        for (suffixes, options) in [
            (["000", "001", "002"], &["-d", "-a3"][..]),
            (["001", "002", "003"], &["--numeric-suffixes=1", "-a3"]),
            (["aa", "ab", "ac"], &[]),
            (["00", "01", "02"], &["-d"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let split = need!(tool("split"));
            let at = |ending: &str| folder.path().join(format!("disk.{ending}"));
            fs::write(folder.path().join("whole"), &disk).unwrap();
            run(Command::new(split)
                .current_dir(folder.path())
                .args(["-b", "1000000"])
                .args(options)
                .args(["whole", "disk."]));
            let read = machine(&at(suffixes[0])).unwrap();
            assert_eq!((read.format, read.disks.len()), ("raw", 1));
            assert_reads(&read.disks[0].device, &disk, suffixes[0]);
            assert_eq!(texts(&read.disks[0].notes), ["the disk is in 3 parts"]);
            // A part that was cut off moves all after it.
            let file = fs::File::options()
                .write(true)
                .open(at(suffixes[1]))
                .unwrap();
            file.set_len(999_000).unwrap();
            let read = machine(&at(suffixes[0])).unwrap();
            assert!(
                matches!(&read.disks[0].notes[1], Note::Gap(text) if text.contains("another length"))
            );
            fs::remove_file(at(suffixes[1])).unwrap();
            let error = refused(&at(suffixes[0]));
            let said = format!("the part \"disk.{}\" is missing", suffixes[1]);
            assert!(error.contains(&said), "{error}");
            // Alone it is a disk like any other.
            fs::remove_file(at(suffixes[2])).unwrap();
            let read = machine(&at(suffixes[0])).unwrap();
            assert_eq!(read.disks[0].device.size(), 1_000_000);
            symlink("/dev/zero", at(suffixes[1])).unwrap();
            let error = refused(&at(suffixes[0]));
            assert!(error.contains("a symbolic link"), "{error}");
        }
    }

    #[test]
    fn an_image_of_another_format_is_in_one_part() {
        let folder = tempfile::tempdir().unwrap();
        need!(qemu(folder.path(), "create -q -f qcow2 disk.001 1M"));
        fs::write(folder.path().join("disk.002"), [1; 512]).unwrap();
        let read = machine(&folder.path().join("disk.001")).unwrap();
        assert_eq!(
            (read.format, read.disks[0].device.size()),
            ("qcow2", 1 << 20)
        );
    }

    #[test]
    fn qcow_of_version_1_reads_as_qemu_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let base = content(1);
        let at = |name: &str| folder.path().join(name);
        fs::write(at("raw"), &base).unwrap();
        let qemu_img = need!(tool("qemu-img"));
        // Some releases write the whole image and end with an error nevertheless; the next step says if it is whole.
        let pack = ["convert", "-f", "raw", "-O", "qcow", "-c", "raw", "packed"];
        let mut pack_command = Command::new(qemu_img);
        pack_command
            .current_dir(folder.path())
            .args(pack)
            .status()
            .unwrap();
        for command in [
            "convert -f raw -O qcow raw plain",
            "compare -q -f raw -F qcow raw packed",
            "create -q -f qcow -b packed -F qcow over 3M",
        ] {
            need!(qemu(folder.path(), command));
        }
        let qemu_io = need!(tool("qemu-io"));
        run(Command::new(qemu_io).current_dir(folder.path()).args([
            "-f",
            "qcow",
            "-c",
            "write -P 0x5a 100k 9k",
            "-c",
            "write -P 0x33 2560k 100k",
            "over",
        ]));
        qemu(folder.path(), "convert -f qcow -O raw over expected").unwrap();
        for (name, expected) in [("plain", "raw"), ("packed", "raw"), ("over", "expected")] {
            let read = machine(&at(name)).unwrap();
            assert_eq!(read.format, "qcow");
            let expected = fs::read(at(expected)).unwrap();
            assert_reads(&read.disks[0].device, &expected, name);
        }
        assert!(fs::metadata(at("packed")).unwrap().len() < base.len() as u64 / 2);
        let read = machine(&at("over")).unwrap();
        assert_eq!(
            texts(&read.disks[0].notes),
            ["the image is backed by \"packed\" (qcow)"]
        );
    }

    /// A header of version 1 with a first level behind it.
    fn qcow(size: u64, bits: (u8, u8), crypt: u32, backing: &str) -> Vec<u8> {
        let mut bytes = b"QFI\xfb\0\0\0\x01".to_vec();
        bytes.extend(if backing.is_empty() { 0_u64 } else { 2048 }.to_be_bytes());
        bytes.extend(u32::try_from(backing.len()).unwrap().to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(size.to_be_bytes());
        bytes.extend([bits.0, bits.1, 0, 0]);
        bytes.extend(crypt.to_be_bytes());
        bytes.extend(48_u64.to_be_bytes());
        bytes.resize(2048, 0);
        bytes.extend(backing.as_bytes());
        bytes.resize(8192, 0);
        bytes
    }

    #[test]
    fn hostile_qcow_of_version_1_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        for (bytes, said) in [
            (qcow(1 << 20, (12, 9), 1, ""), "encrypted"),
            (qcow(1 << 20, (12, 9), 7, ""), "encryption of the kind 7"),
            (qcow(1 << 20, (33, 9), 0, ""), "clusters of 2^33"),
            (qcow(1 << 20, (12, 63), 0, ""), "tables of 2^63"),
            (
                qcow(1 << 63, (16, 13), 0, ""),
                "a disk of 9223372036854775808",
            ),
            (qcow((1 << 63) - 1, (16, 13), 0, ""), "truncated"),
            (
                qcow(1 << 20, (12, 9), 0, "/etc/passwd"),
                "not in the image's own folder",
            ),
            (
                qcow(1 << 20, (12, 9), 0, "../image"),
                "not in the image's own folder",
            ),
            (qcow(1 << 20, (12, 9), 0, "json:{}"), "no plain file"),
            (qcow(1 << 20, (12, 9), 0, "image"), "a circle"),
            (
                qcow(1 << 20, (12, 9), 0, &"x".repeat(1024)),
                "a name of 1024 bytes",
            ),
            (
                qcow(1 << 20, (12, 9), 0, "")[..40].to_vec(),
                "beyond its 40 bytes",
            ),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = refused(&path);
            assert!(error.contains(said), "{said}: {error}");
        }
        for (table, entry) in [
            (u64::MAX, 0),
            (4096, u64::MAX >> 1),
            (4096, u64::MAX),
            (4096, (1 << 63) | (100 << 51) | 0x1ffe),
            (4096, (1 << 63) | (100 << 51) | 0x800),
        ] {
            let mut bytes = qcow(1 << 20, (12, 9), 0, "");
            bytes[48..56].copy_from_slice(&u64::to_be_bytes(table));
            bytes[4096..4104].copy_from_slice(&u64::to_be_bytes(entry));
            fs::write(&path, bytes).unwrap();
            let device = &machine(&path).unwrap().disks[0].device;
            assert!(
                device.read_at(100, &mut [0; 1000]).is_err(),
                "{table:x} {entry:x}"
            );
        }
    }

    proptest! {
        #[test]
        fn damaged_qcow_of_version_1_ends(
            changes in prop::collection::vec((8_usize..4608, any::<u8>()), 1..8),
            offset in 0_u64..1 << 20,
        ) {
            let mut bytes = qcow(1 << 20, (12, 9), 0, "");
            bytes[54] = 0x10;
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("image");
            fs::write(&path, &bytes).unwrap();
            if let Ok(read) = machine(&path) {
                let _ = read.disks[0].device.read_at(offset, &mut [0; 9000]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn damaged_appliances_end(changes in prop::collection::vec((0_usize..4096, any::<u8>()), 1..6)) {
            let text = descriptor(&["d.raw"]);
            let members = [("m.ovf", text.as_bytes()), ("d.raw", &[7; 2048][..])];
            let mut bytes = archive(&members, tar::Header::new_gnu);
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("m.ova");
            fs::write(&path, &bytes).unwrap();
            if let Ok(read) = machine(&path) {
                for Image { device, .. } in read.disks {
                    let mut some = vec![0; 512.min(usize::try_from(device.size()).unwrap())];
                    let _ = device.read_at(0, &mut some);
                }
            }
        }
    }
}
