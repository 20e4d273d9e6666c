//! Every container, every partition table, with and without a volume group, every file system that the kernel mounts: what
//! is read out of the image is what the kernel shows of the file system it was made of, byte for byte.
//!
//! It takes some minutes, root, loop devices and the makers, so it is run on request: `TRANSVASE_E2E=1`.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of single file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{digest, noise, odd_tree, run};
    use super::needs::{self, need, tool};
    use rustix::fs::{CWD, FileType, Mode, XattrFlags, lgetxattr, llistxattr, lsetxattr, mknodat};
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::fs::{self, File};
    use std::ops::ControlFlow;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use transvase::disk::contents::Contents;
    use transvase::disk::open::{Disk, OpenOptions};
    use transvase::disk::{FileKind, FileSystem, Xattrs};

    const MIB: u64 = 1 << 20;
    const EXTENT: u64 = 4 * MIB;

    /// All that is told of a node.
    #[derive(Debug, PartialEq, Eq)]
    struct Node {
        kind: FileKind,
        mode: u32,
        owner: (u32, u32),
        mtime: (i64, u32),
        /// Bytes and links; not of directories, which each file system counts its own way.
        size_and_links: Option<(u64, u32)>,
        device: (u32, u32),
        /// A digest of the content, or a link's target.
        content: String,
        xattrs: Xattrs,
    }

    type Listing = BTreeMap<Vec<u8>, Node>;

    /// A file system in a file, and what the kernel shows of it.
    struct System {
        kind: &'static str,
        image: PathBuf,
        size: u64,
        listing: Listing,
    }

    struct Mount(PathBuf);

    impl Mount {
        fn new(image: &Path, options: &str) -> Self {
            let point = image.with_extension("mount");
            fs::create_dir_all(&point).unwrap();
            run(Command::new("mount")
                .args(["-o", options])
                .args([image, &point]));
            Self(point)
        }
    }

    impl Drop for Mount {
        fn drop(&mut self) {
            // A test that failed has no more to say.
            let _ = Command::new("umount").arg(&self.0).status();
        }
    }

    struct Loop(String);

    impl Loop {
        fn new(disk: &Path, offset: u64, size: u64, sector: u32) -> Self {
            let mut command = Command::new("losetup");
            command.args(["--find", "--show", "--offset", &offset.to_string()]);
            command.args(["--sizelimit", &size.to_string()]);
            command.args(["--sector-size", &sector.to_string()]);
            Self(stdout(command.arg(disk)).trim().to_owned())
        }
    }

    impl Drop for Loop {
        fn drop(&mut self) {
            let _ = Command::new("losetup").args(["--detach", &self.0]).status();
        }
    }

    fn stdout(command: &mut Command) -> String {
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn blank(path: &Path, size: u64) {
        File::create(path).unwrap().set_len(size).unwrap();
    }

    /// The odd tree, and what only root may make.
    fn fill(top: &Path) {
        odd_tree(top);
        let huge = top.join("huge");
        fs::create_dir(&huge).unwrap();
        for number in 0..3000 {
            fs::write(
                huge.join(format!("one-of-very-many-entries-{number:05}")),
                "",
            )
            .unwrap();
        }
        let mut deep = top.join("deep");
        for level in 0..90 {
            deep.push(format!("d{level}"));
            fs::create_dir(&deep).unwrap();
        }
        let lines: Vec<String> = (0..40_000)
            .map(|at| format!("line {}\n", at % 991))
            .collect();
        let text = lines.concat();
        let at = |name: &str| top.join("sizes").join(name);
        fs::write(at("text"), &text).unwrap();
        fs::write(at("mixed"), [text.as_bytes(), &noise(9, 300_000)].concat()).unwrap();
        for (name, kind, device) in [
            ("null", FileType::CharacterDevice, (1, 3)),
            ("disk", FileType::BlockDevice, (259, 70_000)),
        ] {
            let device = rustix::fs::makedev(device.0, device.1);
            mknodat(CWD, at(name), kind, Mode::from(0o660), device).unwrap();
        }
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::chown(at("100"), Some(1000), Some(70_000)).unwrap();
        fs::set_permissions(at("100"), fs::Permissions::from_mode(0o4750)).unwrap();
        let acl = |entries: &[(u16, u16, u32)]| {
            let mut bytes = 2_u32.to_le_bytes().to_vec();
            for (tag, may, id) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(may.to_le_bytes());
                bytes.extend(id.to_le_bytes());
            }
            bytes
        };
        let none = u32::MAX;
        let named = [
            (1, 7, none),
            (2, 4, 1000),
            (4, 5, none),
            (8, 6, 70_000),
            (16, 7, none),
            (32, 1, none),
        ];
        let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (path, name, value) in [
            (at("155"), "system.posix_acl_access", acl(&named)),
            (top.join("deep"), "system.posix_acl_default", acl(&named)),
            (at("157"), "security.capability", capability.to_vec()),
            (
                at("157"),
                "security.selinux",
                b"system_u:object_r:bin_t:s0\0".to_vec(),
            ),
            (at("60"), "trusted.overlay.opaque", b"y".to_vec()),
        ] {
            lsetxattr(&path, name, &value, XattrFlags::empty()).unwrap();
        }
    }

    /// What the kernel shows below a mount.
    fn shown(top: &Path) -> Listing {
        let mut listing = Listing::new();
        let mut open = vec![top.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(top).unwrap().as_os_str().as_bytes();
                if name == b"lost+found" {
                    continue;
                }
                listing.insert([b"/", name].concat(), node(&path));
                if path.symlink_metadata().unwrap().is_dir() {
                    open.push(path);
                }
            }
        }
        listing
    }

    fn node(path: &Path) -> Node {
        let meta = path.symlink_metadata().unwrap();
        let kind = meta.file_type();
        let (kind, content) = if kind.is_dir() {
            (FileKind::Directory, String::new())
        } else if kind.is_symlink() {
            let target = fs::read_link(path).unwrap().into_os_string().into_vec();
            (
                FileKind::Symlink,
                String::from_utf8_lossy(&target).into_owned(),
            )
        } else if kind.is_file() {
            let file = File::open(path).unwrap();
            let read = |at, buf: &mut [u8]| file.read_exact_at(buf, at).unwrap();
            (FileKind::File, digest(meta.len(), read))
        } else if kind.is_char_device() {
            (FileKind::CharDevice, String::new())
        } else if kind.is_block_device() {
            (FileKind::BlockDevice, String::new())
        } else if kind.is_fifo() {
            (FileKind::Fifo, String::new())
        } else {
            (FileKind::Socket, String::new())
        };
        Node {
            kind,
            mode: meta.mode() & 0o7777,
            owner: (meta.uid(), meta.gid()),
            mtime: (meta.mtime(), u32::try_from(meta.mtime_nsec()).unwrap()),
            size_and_links: (!meta.is_dir())
                .then(|| (meta.size(), u32::try_from(meta.nlink()).unwrap())),
            device: (
                rustix::fs::major(meta.rdev()),
                rustix::fs::minor(meta.rdev()),
            ),
            content,
            xattrs: xattrs(path),
        }
    }

    fn xattrs(path: &Path) -> Xattrs {
        let mut names = [0; 4096];
        let length = llistxattr(path, &mut names).unwrap();
        let names = names[..length].split(|byte| *byte == 0);
        let mut found: Xattrs = names
            // Of XFS: what access lists are stored as, shown besides.
            .filter(|name| !name.is_empty() && !name.starts_with(b"trusted.SGI_ACL_"))
            .map(|name| {
                let mut value = [0; 4096];
                let length = lgetxattr(path, name, &mut value).unwrap();
                (name.to_vec(), value[..length].to_vec())
            })
            .collect();
        found.sort();
        found
    }

    /// What our reader says.
    fn read(fs: &dyn FileSystem) -> Listing {
        let mut listing = Listing::new();
        let mut open = vec![(Vec::new(), fs.root())];
        while let Some((path, node)) = open.pop() {
            let stat = fs.stat(node).unwrap();
            if stat.kind == FileKind::Directory {
                fs.read_dir(node, &mut |entry| {
                    let name = [path.as_slice(), b"/", &entry.name].concat();
                    if name != b"/lost+found" {
                        open.push((name, entry.node));
                    }
                    ControlFlow::Continue(())
                })
                .unwrap();
            }
            if path.is_empty() {
                continue;
            }
            let content = match stat.kind {
                FileKind::File => digest(stat.size, |at, buf| {
                    assert_eq!(fs.read_at(node, at, buf).unwrap(), buf.len());
                }),
                FileKind::Symlink => {
                    String::from_utf8_lossy(&fs.read_link(node).unwrap()).into_owned()
                }
                _ => String::new(),
            };
            let is_file = stat.kind != FileKind::Directory;
            let told = Node {
                kind: stat.kind,
                mode: stat.mode,
                owner: (stat.uid, stat.gid),
                mtime: stat.mtime,
                size_and_links: is_file.then_some((stat.size, stat.links)),
                device: stat.device,
                content,
                xattrs: fs.xattrs(node).unwrap(),
            };
            listing.insert(path, told);
        }
        listing
    }

    fn assert_same(expected: &Listing, found: &Listing, what: &str) {
        assert!(expected.len() > 4000, "{what}: the tree is too small");
        for name in expected.keys().chain(found.keys()) {
            let (expected, found) = (expected.get(name), found.get(name));
            let name = String::from_utf8_lossy(name);
            assert_eq!(expected, found, "{what}: {name}");
        }
    }

    /// Makes every file system, the packed ones of what is in the first.
    fn systems(folder: &Path) -> Vec<System> {
        let mut systems = Vec::new();
        let made = [
            ("ext2", "mke2fs -q -F -t ext2 -b 1024", 160),
            ("ext3", "mke2fs -q -F -t ext3 -b 4096", 160),
            ("ext4", "mke2fs -q -F -t ext4 -O inline_data", 160),
            ("xfs", "mkfs.xfs -q -f", 320),
            ("btrfs", "mkfs.btrfs -q -f", 320),
        ];
        for (kind, maker, size) in made {
            let image = folder.join(kind);
            blank(&image, size * MIB);
            run(Command::new(maker.split(' ').next().unwrap())
                .args(maker.split(' ').skip(1))
                .arg(&image));
            let options = if kind == "btrfs" {
                "loop,compress-force=zstd"
            } else {
                "loop"
            };
            let mount = Mount::new(&image, options);
            fill(&mount.0);
            drop(mount);
            let mount = Mount::new(&image, "loop,ro");
            systems.push(System::new(kind, image.clone(), shown(&mount.0)));
            if kind == "ext4" {
                drop(mount);
                packed(folder, &image, &mut systems);
            }
        }
        systems
    }

    /// squashfs and erofs, without what their makers take long over or fail at.
    fn packed(folder: &Path, of: &Path, systems: &mut Vec<System>) {
        let source = folder.join("source");
        fs::copy(of, &source).unwrap();
        let mount = Mount::new(&source, "loop");
        fs::remove_file(mount.0.join("holes/beyond-4-gib")).unwrap();
        fs::remove_file(mount.0.join("names").join("x".repeat(255))).unwrap();
        for (kind, maker) in [
            (
                "squashfs",
                "mksquashfs TREE IMAGE -quiet -no-progress -noappend -comp zstd -xattrs",
            ),
            (
                "erofs",
                "mkfs.erofs --quiet -U 01234567-89ab-cdef-0123-456789abcdef -zlz4hc IMAGE TREE",
            ),
        ] {
            let image = folder.join(kind);
            let words = maker.split(' ').map(|word| match word {
                "TREE" => mount.0.clone().into_os_string(),
                "IMAGE" => image.clone().into_os_string(),
                word => word.into(),
            });
            let mut words = words.collect::<Vec<_>>().into_iter();
            run(Command::new(words.next().unwrap()).args(words));
            let packed = Mount::new(&image, "loop,ro");
            systems.push(System::new(kind, image.clone(), shown(&packed.0)));
        }
    }

    impl System {
        fn new(kind: &'static str, image: PathBuf, listing: Listing) -> Self {
            let size = fs::metadata(&image).unwrap().len();
            Self {
                kind,
                image,
                size: size.next_multiple_of(EXTENT),
                listing,
            }
        }
    }

    fn copy(from: &Path, at: u64, length: u64, to: &Path, offset: u64) {
        let mut command = Command::new("dd");
        command.args(["bs=1M", "conv=notrunc,sparse", "status=none"]);
        command.args(["iflag=skip_bytes,count_bytes", "oflag=seek_bytes"]);
        command.arg(format!("if={}", from.display()));
        command.arg(format!("of={}", to.display()));
        run(command.args([
            format!("skip={at}"),
            format!("count={length}"),
            format!("seek={offset}"),
        ]));
    }

    /// Lays a table over a disk: partitions of these sizes, the first at 1 MiB.
    fn table(disk: &Path, table: &str, sizes: &[u64]) -> Vec<u64> {
        let (label, sector) = match table {
            "gpt, sectors of 4 KiB" => ("gpt", 4096),
            label => (label, 512),
        };
        let mut script = format!("label: {label}\n");
        let mut starts = Vec::new();
        let mut at = MIB;
        let logical = if label == "dos" && sizes.len() > 4 {
            3
        } else {
            usize::MAX
        };
        for (number, size) in sizes.iter().enumerate() {
            if number == logical {
                let rest: u64 = sizes[number..].iter().map(|size| size + MIB).sum();
                let size = (rest + MIB) / sector;
                writeln!(script, "start={}, size={size}, type=5", at / sector).unwrap();
                at += MIB;
            }
            starts.push(at);
            writeln!(script, "start={}, size={}", at / sector, size / sector).unwrap();
            at += size + MIB;
        }
        blank(disk, at + 2 * MIB);
        let device = Loop::new(disk, 0, 0, u32::try_from(sector).unwrap());
        let list = disk.with_extension("script");
        fs::write(&list, script).unwrap();
        run(Command::new(tool("sfdisk").unwrap())
            .args(["--quiet", "--no-reread", &device.0])
            .stdin(File::open(&list).unwrap()));
        starts
    }

    /// A disk with a partition for each file system.
    fn partitioned(disk: &Path, kind: &str, systems: &[System]) {
        let sizes: Vec<u64> = systems.iter().map(|system| system.size).collect();
        for (system, start) in systems.iter().zip(table(disk, kind, &sizes)) {
            let length = fs::metadata(&system.image).unwrap().len();
            copy(&system.image, 0, length, disk, start);
        }
    }

    /// A disk with a volume for each file system: in two physical volumes in partitions, or in the disk as a whole.
    fn grouped(disk: &Path, kind: Option<&str>, systems: &[System]) {
        let all: u64 = systems.iter().map(|system| system.size).sum();
        let places = if let Some(kind) = kind {
            // Sizes that no volume ends at: one of them is in both.
            let first = all / 2 / EXTENT * EXTENT + 3 * MIB;
            let sizes = [first, all - first + 6 * EXTENT];
            let starts = table(disk, kind, &sizes);
            starts.into_iter().zip(sizes).collect()
        } else {
            blank(disk, all + 3 * EXTENT);
            vec![(0, all + 3 * EXTENT)]
        };
        let sector = if kind.is_some_and(|kind| kind.contains("4 KiB")) {
            4096
        } else {
            512
        };
        let loops: Vec<Loop> = places
            .iter()
            .map(|(at, size)| Loop::new(disk, *at, *size, sector))
            .collect();
        let names: Vec<&str> = loops.iter().map(|device| device.0.as_str()).collect();
        lvm(&names, "pvcreate", &names);
        lvm(&names, "vgcreate", &[&["vg"], names.as_slice()].concat());
        for system in systems {
            let extents = (system.size / EXTENT).to_string();
            let options = ["-an", "-Zn", "-Wn", "-l", &extents, "-n", system.kind, "vg"];
            lvm(&names, "lvcreate", &options);
        }
        let segments = ["-o", "lv_name,seg_pe_ranges", "--segments"];
        let listed = lvm(
            &names,
            "lvs",
            &[segments.as_slice(), &["--noheadings", "vg"]].concat(),
        );
        let mut done: BTreeMap<&str, u64> = BTreeMap::new();
        for line in listed.lines() {
            let (name, range) = line.trim().split_once(' ').unwrap();
            let (device, extents) = range.trim().split_once(':').unwrap();
            let (first, last) = extents.split_once('-').unwrap();
            let number = names.iter().position(|name| *name == device).unwrap();
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            let system = systems.iter().find(|system| system.kind == name).unwrap();
            let from = done.entry(system.kind).or_default();
            let length = (last + 1 - first) * EXTENT;
            let to = places[number].0 + MIB + first * EXTENT;
            copy(&system.image, *from, length, disk, to);
            *from += length;
        }
    }

    fn lvm(devices: &[&str], command: &str, arguments: &[&str]) -> String {
        let seen: Vec<String> = devices
            .iter()
            .map(|name| format!("\"a|^{name}$|\""))
            .collect();
        let config = format!(
            "devices{{use_devicesfile=0 obtain_device_list_from_udev=0 global_filter=[{}, \"r|.*|\"]}} \
             activation{{udev_sync=0 udev_rules=0}}",
            seen.join(", ")
        );
        let mut command = Command::new(tool(command).unwrap());
        command.args(["--driverloaded", "n", "--config", &config]);
        stdout(command.args(arguments))
    }

    /// Containers, as qemu-img is asked for them; the last two are made here.
    const CONTAINERS: [(&str, &str); 14] = [
        ("raw", ""),
        ("qcow2", "-O qcow2"),
        ("qcow2, old", "-O qcow2 -o compat=0.10"),
        ("qcow2, zlib", "-O qcow2 -c"),
        ("qcow2, zstd", "-O qcow2 -c -o compression_type=zstd"),
        ("qcow2, subclusters", "-O qcow2 -o extended_l2=on"),
        ("vmdk", "-O vmdk -o subformat=monolithicSparse"),
        ("vmdk, packed", "-O vmdk -o subformat=streamOptimized"),
        ("vmdk, flat", "-O vmdk -o subformat=monolithicFlat"),
        ("vmdk, parts", "-O vmdk -o subformat=twoGbMaxExtentSparse"),
        ("vhd", "-O vpc -o subformat=dynamic,force_size"),
        ("vhdx", "-O vhdx -o subformat=dynamic"),
        ("vdi", "-O vdi"),
        ("split", ""),
    ];

    fn contain(folder: &Path, disk: &Path, options: &str, name: &str) -> PathBuf {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir(folder).unwrap();
        let image = folder.join("disk.image");
        match name {
            "raw" => fs::hard_link(disk, &image).unwrap(),
            "split" => {
                let size = fs::metadata(disk).unwrap().len();
                let part = (size / 3).next_multiple_of(MIB);
                for number in 0..3 {
                    let to = folder.join(format!("disk.{:03}", number + 1));
                    let at = number * part;
                    let length = part.min(size - at);
                    blank(&to, length);
                    copy(disk, at, length, &to, 0);
                }
                return folder.join("disk.001");
            }
            _ => run(Command::new("qemu-img")
                .args(["convert", "-f", "raw"])
                .args(options.split(' '))
                .args([disk, &image])),
        }
        image
    }

    /// Compares every file system on a disk, in every container.
    fn compare(folder: &Path, disk: &Path, what: &str, systems: &[System]) -> usize {
        let mut compared = 0;
        for (name, options) in CONTAINERS {
            let image = contain(&folder.join("container"), disk, options, name);
            let opened = Disk::open(&[image], &OpenOptions::default()).unwrap();
            let what = format!("{name}, {what}");
            assert_eq!(opened.notes, [] as [&str; 0], "{what}");
            let of = |volume: &transvase::disk::open::Volume| match &volume.contents {
                Contents::FileSystem(fs) => Some(fs.clone()),
                _ => None,
            };
            let found: Vec<_> = opened.volumes.iter().filter_map(of).collect();
            assert_eq!(found.len(), systems.len(), "{what}: {:?}", opened.volumes);
            for system in systems {
                let mut same = found.iter().filter(|fs| fs.info().kind == system.kind);
                let fs = same
                    .next()
                    .unwrap_or_else(|| panic!("{what}: no {}", system.kind));
                assert_same(
                    &system.listing,
                    &read(&**fs),
                    &format!("{what}: {}", system.kind),
                );
                compared += 1;
            }
        }
        compared
    }

    #[test]
    fn what_is_read_is_what_the_kernel_shows() {
        need!(needs::end_to_end());
        need!(needs::root());
        need!(needs::tools(&[
            "mount",
            "losetup",
            "qemu-img",
            "sfdisk",
            "lvcreate",
            "mke2fs",
            "mkfs.xfs",
            "mkfs.btrfs",
            "mksquashfs",
            "mkfs.erofs",
        ]));
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        let systems = systems(folder);
        let disk = folder.join("disk");
        let mut compared = 0;
        for system in systems.chunks(1) {
            let name = &system[0];
            blank(&disk, name.size);
            copy(&name.image, 0, name.size, &disk, 0);
            compared += compare(folder, &disk, "no table", system);
        }
        grouped(&disk, None, &systems);
        compared += compare(folder, &disk, "no table, volume group", &systems);
        for kind in ["dos", "gpt", "gpt, sectors of 4 KiB"] {
            partitioned(&disk, kind, &systems);
            compared += compare(folder, &disk, kind, &systems);
            grouped(&disk, Some(kind), &systems);
            compared += compare(folder, &disk, &format!("{kind}, volume group"), &systems);
        }
        eprintln!("{compared} file systems read as the kernel shows them");
        assert_eq!(compared, CONTAINERS.len() * 4 * 2 * systems.len());
    }
}
