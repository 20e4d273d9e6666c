//! btrfs: images made by mkfs.btrfs from an odd tree must read like the tree, and what the kernel wrote like the kernel.

#[cfg(test)]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{
        Bytes, Listing, RawFile, assert_same, corpus, find, noise, odd_tree, of_directory,
        of_file_system, read_damaged, run, whole,
    };
    use super::needs::{self, need, tool};
    use std::fmt::Write as _;
    use std::fs::{self, File};
    use std::io::{Read, Write as _};
    use std::ops::ControlFlow;
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::Arc;
    use transvase::disk::btrfs::Btrfs;
    use transvase::disk::{BlockDevice, DiskError, FileKind, FileSystem};

    const SUPERBLOCK: usize = 64 << 10;

    fn make(mkfs: &Path, options: &str, tree: Option<&Path>, image: &Path, megabytes: u64) {
        let file = File::create(image).unwrap();
        file.set_len(megabytes << 20).unwrap();
        let mut command = Command::new(mkfs);
        command.args(["-q", "-f"]).args(options.split_whitespace());
        if let Some(tree) = tree {
            command.arg("--rootdir").arg(tree);
        }
        run(command.arg(image));
    }

    fn open(image: &Path) -> Btrfs {
        Btrfs::open(RawFile::open(image)).unwrap()
    }

    /// What the maker carries over: it gives each name of a file an inode of its own.
    fn carried(listing: Listing) -> Listing {
        let single = |(name, mut node): (Vec<u8>, super::disk_support::Node)| {
            node.size_and_links = node.size_and_links.map(|(size, _)| (size, 1));
            (name, node)
        };
        listing.into_iter().map(single).collect()
    }

    const KINDS: [&str; 9] = [
        "-n 4096 -m single",
        "-n 65536 -m dup",
        "-M -n 4096",
        "-O ^no-holes,^extref,^skinny-metadata",
        "-s 16384 -n 16384",
        "-m dup -d dup",
        "--csum xxhash",
        "--csum sha256",
        "--csum blake2",
    ];

    #[test]
    fn images_read_like_the_tree_they_were_made_from() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        // The maker copies holes as zeros.
        fs::remove_dir_all(tree.join("holes")).unwrap();
        let expected = carried(of_directory(&tree));
        for kind in KINDS {
            make(&mkfs, kind, Some(&tree), &image, 160);
            assert!(Btrfs::probe(&RawFile::open(&image)));
            let fs = open(&image);
            let told = kind.contains("--csum");
            assert_eq!(fs.info().notes.len(), usize::from(told), "{kind}");
            assert_same(&expected, &carried(of_file_system(&fs)), kind);
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn images_with_another_past() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let tune = need!(tool("btrfstune"));
        let mke2fs = need!(tool("mke2fs"));
        let convert = need!(tool("btrfs-convert"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        fs::remove_dir_all(tree.join("holes")).unwrap();
        let expected = of_directory(&tree);

        // Nodes keep the old UUID.
        make(&mkfs, "", Some(&tree), &image, 160);
        let uuid = "99999999-2222-4333-8444-555555555555";
        run(Command::new(tune).args(["-f", "-M", uuid]).arg(&image));
        let fs = open(&image);
        assert_eq!(fs.info().uuid, uuid);
        assert_same(
            &carried(expected.clone()),
            &carried(of_file_system(&fs)),
            "tuned",
        );

        // A converted file system keeps its files where they were, and the old one as a file in a subvolume.
        fs::remove_file(&image).unwrap();
        let mut command = Command::new(mke2fs);
        command
            .args(["-q", "-F", "-t", "ext4", "-b", "4096", "-d"])
            .arg(&tree);
        run(command.arg(&image).arg("200M"));
        run(Command::new(convert)
            .args(["-n", "--no-progress"])
            .arg(&image));
        let fs = open(&image);
        let mut found = of_file_system(&fs);
        found.retain(|name, _| !name.starts_with(b"/ext2_saved"));
        let mut expected = carried(expected);
        for node in expected.values_mut().chain(found.values_mut()) {
            node.size_and_links = node.size_and_links.map(|(size, _)| (size, 1));
        }
        assert_same(&expected, &found, "converted");
        assert_eq!(fs.subvolumes()[1].path, b"ext2_saved");
    }

    /// Mounted images; unmounted when they go.
    struct Mounted {
        point: PathBuf,
        loops: Vec<String>,
    }

    impl Mounted {
        /// `None` where the machine mounts nothing.
        fn new(images: &[&Path], options: &str) -> Option<Self> {
            needs::root()?;
            let point = images[0].with_extension("mounted");
            fs::create_dir_all(&point).unwrap();
            let mut mounted = Self {
                point,
                loops: Vec::new(),
            };
            let mut all = options.to_owned();
            for image in images {
                let mut attach = Command::new("losetup");
                let output = needs::allowed(attach.args(["-f", "--show"]).arg(image))?;
                let name = String::from_utf8(output.stdout).unwrap().trim().to_owned();
                write!(all, ",device={name}").unwrap();
                mounted.loops.push(name);
            }
            let mut command = Command::new("mount");
            command.args(["-t", "btrfs", "-o", &all, &mounted.loops[0]]);
            needs::allowed(command.arg(&mounted.point))?;
            Some(mounted)
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.point).status();
            for name in &self.loops {
                let _ = Command::new("losetup").args(["-d", name]).status();
            }
        }
    }

    fn btrfs(arguments: &[&str], paths: &[&Path]) {
        run(Command::new("btrfs").args(arguments).args(paths));
    }

    /// Text that packs well and is nowhere the same.
    fn text(lines: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for line in 0..lines {
            writeln!(
                out,
                "{line:08} a line that is much like the one before, {}",
                line * line
            )
            .unwrap();
        }
        out
    }

    /// What only a kernel can make: compressed extents of which a part was written anew, shared ones, reserved ones.
    fn extents(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let packed = text(60_000);
        fs::write(folder.join("packed"), &packed).unwrap();
        for length in [
            1, 100, 1000, 2000, 2048, 3000, 4095, 4096, 4097, 10_000, 131_072, 131_073,
        ] {
            fs::write(folder.join(format!("of-{length}")), &packed[..length]).unwrap();
        }
        let zeros = vec![0; 3 << 20];
        fs::write(folder.join("zeros"), &zeros).unwrap();
        // Half of each piece is noise, so that some pieces are not worth packing.
        let mixed: Vec<u8> = (0..40)
            .flat_map(|at| [noise(at, 50_000), packed[..50_000].to_vec()].concat())
            .collect();
        fs::write(folder.join("mixed"), &mixed).unwrap();
        run(Command::new("sync").arg("-f").arg(folder));
        let file = File::options()
            .write(true)
            .open(folder.join("packed"))
            .unwrap();
        for at in [5000, 70_000, 200_001, 1 << 20] {
            file.write_all_at(&noise(at, 9000), at).unwrap();
        }
        let shared = folder.join("shared");
        run(Command::new("cp")
            .arg("--reflink=always")
            .arg(folder.join("mixed"))
            .arg(&shared));
        File::options()
            .write(true)
            .open(&shared)
            .unwrap()
            .write_all_at(b"other", 333_333)
            .unwrap();
        let reserved = folder.join("reserved");
        run(Command::new("fallocate")
            .args(["-l", "1000000"])
            .arg(&reserved));
        File::options()
            .write(true)
            .open(&reserved)
            .unwrap()
            .write_all_at(b"written", 300_000)
            .unwrap();
        run(Command::new("fallocate")
            .args(["-n", "-l", "5000000"])
            .arg(folder.join("of-10000")));
        run(Command::new("fallocate")
            .args(["-p", "-o", "40960", "-l", "81920"])
            .arg(folder.join("of-131072")));
    }

    const WRITTEN: [&str; 5] = [
        "compress-force=zlib",
        "compress-force=lzo",
        "compress-force=zstd:15",
        "compress=zstd",
        "max_inline=0",
    ];

    #[test]
    fn what_the_kernel_wrote_reads_like_the_kernel_reads_it() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        for options in WRITTEN {
            make(&mkfs, "", None, &image, 300);
            let mounted = need!(Mounted::new(&[&image], options));
            odd_tree(&mounted.point.join("odd"));
            extents(&mounted.point.join("extents"));
            run(Command::new("sync").arg("-f").arg(&mounted.point));
            let expected = of_directory(&mounted.point);
            drop(mounted);
            let fs = open(&image);
            assert_eq!(fs.info().notes, [] as [&str; 0], "{options}");
            assert_same(&expected, &of_file_system(&fs), options);
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn subvolumes_hang_where_they_were_made() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        make(&mkfs, "", None, &image, 128);
        let mounted = need!(Mounted::new(&[&image], "noatime"));
        let at = |path: &str| mounted.point.join(path);
        odd_tree(&at("plain"));
        fs::create_dir_all(at("a/b")).unwrap();
        for subvolume in ["@", "a/b/inner", "a/b/inner/most", "gone"] {
            btrfs(&["subvolume", "create"], &[&at(subvolume)]);
        }
        fs::write(at("a/b/inner/most/file"), "deep").unwrap();
        fs::write(at("@/file"), "of the default").unwrap();
        btrfs(
            &["subvolume", "snapshot", "-r"],
            &[&at("a/b/inner"), &at("copy")],
        );
        btrfs(&["subvolume", "snapshot"], &[&at("gone"), &at("a/orphan")]);
        btrfs(&["subvolume", "delete"], &[&at("gone")]);
        btrfs(&["subvolume", "set-default"], &[&at("@")]);
        run(Command::new("sync").arg("-f").arg(&mounted.point));
        let expected = of_directory(&mounted.point);
        drop(mounted);

        let fs = open(&image);
        let all = fs.subvolumes();
        let paths: Vec<_> = all
            .iter()
            .map(|one| String::from_utf8_lossy(&one.path))
            .collect();
        assert_eq!(
            paths,
            ["", "@", "a/b/inner", "a/b/inner/most", "copy", "a/orphan"]
        );
        let flags: Vec<_> = all
            .iter()
            .map(|one| (one.read_only, one.origin != [0; 16]))
            .collect();
        assert_eq!(
            flags[2..],
            [(false, false), (false, false), (true, true), (false, true)]
        );
        assert_eq!(all[4].origin, all[2].uuid);
        assert_eq!(whole(&fs, "file"), b"of the default");
        assert_eq!(fs.root(), all[1].root);

        // From the top, all of it is what the kernel shows; what is absent from a snapshot has no times of its own.
        let mut found = of_file_system(&From(&fs, all[0].root));
        let absent = b"/copy/most".as_slice();
        assert_eq!(found[absent].kind, FileKind::Directory);
        let (name, mut node) = found.remove_entry(absent).unwrap();
        assert_eq!(node.mode, expected[absent].mode);
        node.mtime = expected[absent].mtime;
        found.insert(name, node);
        assert_same(&expected, &found, "subvolumes");
    }

    /// The same file system, seen from another of its directories.
    struct From<'a>(&'a Btrfs, transvase::disk::NodeId);

    impl FileSystem for From<'_> {
        fn info(&self) -> transvase::disk::FileSystemInfo {
            self.0.info()
        }
        fn root(&self) -> transvase::disk::NodeId {
            self.1
        }
        fn stat(&self, node: transvase::disk::NodeId) -> Result<transvase::disk::Stat, DiskError> {
            self.0.stat(node)
        }
        fn read_dir(
            &self,
            node: transvase::disk::NodeId,
            visit: &mut dyn FnMut(transvase::disk::DirEntry) -> ControlFlow<()>,
        ) -> Result<(), DiskError> {
            self.0.read_dir(node, visit)
        }
        fn read_link(&self, node: transvase::disk::NodeId) -> Result<Vec<u8>, DiskError> {
            self.0.read_link(node)
        }
        fn read_at(
            &self,
            node: transvase::disk::NodeId,
            offset: u64,
            buf: &mut [u8],
        ) -> Result<usize, DiskError> {
            self.0.read_at(node, offset, buf)
        }
        fn xattrs(
            &self,
            node: transvase::disk::NodeId,
        ) -> Result<transvase::disk::Xattrs, DiskError> {
            self.0.xattrs(node)
        }
    }

    fn small_tree(tree: &Path) {
        fs::create_dir_all(tree.join("a/b")).unwrap();
        for at in 0..60_u64 {
            let length = usize::try_from(at).unwrap();
            fs::write(tree.join(format!("a/file-{at}")), noise(at, length * 90)).unwrap();
            let target = "x".repeat(1 + 9 * length);
            std::os::unix::fs::symlink(target, tree.join(format!("a/b/{at}"))).unwrap();
        }
        for at in 0..600 {
            fs::write(tree.join(format!("an-entry-of-the-root-{at}")), "").unwrap();
        }
    }

    /// The image with each node's first copy, or its only one, destroyed: addresses of nodes are known by their header.
    fn without_first_copies(bytes: &[u8], node: usize) -> Vec<u8> {
        let uuid = &bytes[SUPERBLOCK + 32..SUPERBLOCK + 48];
        let (mut damaged, mut seen) = (bytes.to_vec(), std::collections::HashSet::new());
        for at in (SUPERBLOCK + node..bytes.len()).step_by(4096) {
            let header = &bytes[at..(at + 100).min(bytes.len())];
            if header.len() == 100
                && &header[32..48] == uuid
                && seen.insert(header[48..56].to_vec())
            {
                damaged[at + 200] ^= 0x10;
            }
        }
        assert!(seen.len() > 10);
        damaged
    }

    #[test]
    fn the_other_copy_is_read_where_one_is_damaged() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        make(&mkfs, "-m dup -n 4096", Some(&tree), &image, 128);
        let bytes = fs::read(&image).unwrap();
        let damaged = without_first_copies(&bytes, 4096);
        let fs = Btrfs::open(Arc::new(Bytes(damaged))).unwrap();
        assert_same(
            &carried(of_directory(&tree)),
            &carried(of_file_system(&fs)),
            "dup",
        );
        make(&mkfs, "-m single -n 4096", Some(&tree), &image, 128);
        let damaged = without_first_copies(&fs::read(&image).unwrap(), 4096);
        let Err(refused) = Btrfs::open(Arc::new(Bytes(damaged))) else {
            panic!("nothing was whole");
        };
        assert!(refused.to_string().contains("checksum"), "{refused}");
    }

    /// A file system on images of their own, written by the kernel, and what it shows of it; `None` where it cannot.
    fn pool(folder: &Path, profile: &str, devices: usize) -> Option<(Vec<PathBuf>, Listing)> {
        let mkfs = tool("mkfs.btrfs")?;
        let images: Vec<_> = (0..devices)
            .map(|number| folder.join(format!("{profile}-{number}")))
            .collect();
        for image in &images {
            File::create(image).unwrap().set_len(300 << 20).unwrap();
        }
        let mut command = Command::new(mkfs);
        command.args(["-q", "-f", "-m", profile, "-d", profile]);
        run(command.args(&images));
        let paths: Vec<&Path> = images.iter().map(PathBuf::as_path).collect();
        let mounted = Mounted::new(&paths, "compress=zstd")?;
        odd_tree(&mounted.point.join("odd"));
        extents(&mounted.point.join("extents"));
        run(Command::new("sync").arg("-f").arg(&mounted.point));
        let expected = of_directory(&mounted.point);
        Some((images, expected))
    }

    fn open_all<'a>(images: impl IntoIterator<Item = &'a PathBuf>) -> Result<Btrfs, DiskError> {
        let devices = images.into_iter().map(|image| RawFile::open(image));
        Btrfs::open_all(devices.collect())
    }

    #[test]
    fn file_systems_on_several_devices() {
        let folder = tempfile::tempdir().unwrap();
        for (profile, devices) in [("raid0", 2), ("raid10", 4), ("raid6", 4)] {
            let (images, expected) = need!(pool(folder.path(), profile, devices));
            // In any order.
            let fs = open_all(images.iter().rev()).unwrap();
            assert_eq!(fs.info().notes, [] as [&str; 0], "{profile}");
            assert_same(&expected, &of_file_system(&fs), profile);
            if profile == "raid0" {
                let alone = open_all(&images[1..]).map(|fs| fs.info().notes);
                let Err(error) = alone else {
                    panic!("half of it cannot be enough: {alone:?}");
                };
                assert!(error.to_string().contains("not handed over"), "{error}");
            }
            for image in images {
                fs::remove_file(image).unwrap();
            }
        }
    }

    #[test]
    fn of_several_copies_one_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        for (profile, devices) in [("raid1c3", 3), ("dup", 1)] {
            let (images, expected) = need!(pool(folder.path(), profile, devices));
            if devices > 1 {
                let fs = open_all(&images[devices - 1..]).unwrap();
                assert!(fs.info().notes[0].contains("of which 1 were handed over"));
                assert_same(&expected, &of_file_system(&fs), profile);
            }
            // A byte of each sector of one copy, those of superblocks aside; of two copies on one device, every other one.
            let file = File::options()
                .read(true)
                .write(true)
                .open(&images[0])
                .unwrap();
            let bytes = fs::read(&images[0]).unwrap();
            let mut seen = std::collections::HashSet::new();
            for (at, sector) in (0_u64..).step_by(4096).zip(bytes.chunks(4096)) {
                let first = devices > 1 || seen.insert(sector);
                let used = sector.iter().any(|byte| *byte != 0);
                if used && first && sector[64..72] != *b"_BHRfS_M" {
                    file.write_all_at(&[sector[1000] ^ 0x40], at + 1000)
                        .unwrap();
                }
            }
            let fs = open_all(&images).unwrap();
            assert_same(&expected, &of_file_system(&fs), profile);
            for image in images {
                fs::remove_file(image).unwrap();
            }
        }
    }

    #[test]
    fn a_log_of_what_was_written_last_is_noticed() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let (image, copy) = (folder.path().join("image"), folder.path().join("copy"));
        make(&mkfs, "", None, &image, 128);
        let mounted = need!(Mounted::new(&[&image], "commit=300"));
        fs::write(mounted.point.join("old"), "safe").unwrap();
        run(Command::new("sync").arg("-f").arg(&mounted.point));
        let mut file = File::create(mounted.point.join("new")).unwrap();
        file.write_all(b"in the log").unwrap();
        file.sync_all().unwrap();
        fs::copy(&image, &copy).unwrap();
        drop((file, mounted));
        let fs = open(&copy);
        assert!(fs.info().notes[0].contains("was not unmounted"));
        assert_eq!(whole(&fs, "old"), b"safe");
        assert_eq!(open(&image).info().notes, [] as [&str; 0]);
    }

    #[test]
    fn the_superblock_has_copies() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        make(&mkfs, "", Some(&tree), &image, 128);
        let mut bytes = fs::read(&image).unwrap();
        bytes[SUPERBLOCK + 100] ^= 1;
        let fs = Btrfs::open(Arc::new(Bytes(bytes))).unwrap();
        assert!(fs.info().notes[0].contains("superblock is damaged"));
        assert_eq!(fs.stat(find(&fs, "a/file-3")).unwrap().size, 270);
    }

    #[test]
    fn damaged_images_neither_panic_nor_hang() {
        let mkfs = need!(tool("mkfs.btrfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        // With checksums that are not verified, damage goes as deep as it can.
        for (kind, seeds, least) in [("-M -n 4096 --csum xxhash", 100, 40), ("-M -n 4096", 30, 2)] {
            make(&mkfs, kind, Some(&tree), &image, 20);
            let bytes = fs::read(&image).unwrap();
            let kept = SUPERBLOCK..SUPERBLOCK + 4096;
            let opened = read_damaged(&bytes, 0..seeds, kept, |device| {
                Ok(Box::new(Btrfs::open(device)?))
            });
            assert!(opened > least, "{kind}: only {opened} opened");
            fs::remove_file(&image).unwrap();
        }
    }

    /// The image that `fixtures/disk/btrfs.sh` makes.
    fn fixture() -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/disk/btrfs.img.zst");
        let packed = fs::read(path).unwrap();
        let mut bytes = Vec::new();
        let mut reader = zrip_decode::streaming::FrameDecoder::new(packed.as_slice());
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The lines of the files in it.
    fn lines(length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for line in 0..5000 {
            writeln!(out, "{:05} the same line forty times", line / 40).unwrap();
        }
        out.truncate(length);
        out
    }

    #[test]
    fn an_image_that_a_kernel_wrote() {
        let fs = Btrfs::open(Arc::new(Bytes(fixture()))).unwrap();
        let info = fs.info();
        assert_eq!((info.kind, info.label.as_str()), ("btrfs", "fixture"));
        assert_eq!(info.uuid, "11111111-2222-4333-8444-555555555555");
        assert_eq!(info.notes, [] as [&str; 0]);
        for packing in ["zlib", "lzo", "zstd"] {
            for (name, length) in [("two-extents", 150_000), ("inline", 1500)] {
                let path = format!("{packing}/{name}");
                assert!(whole(&fs, &path) == lines(length), "{path}");
            }
            // Across the end of the first extent, and not from its beginning.
            let mut part = [0; 3000];
            let node = find(&fs, &format!("{packing}/two-extents"));
            assert_eq!(fs.read_at(node, 130_000, &mut part).unwrap(), 3000);
            assert_eq!(part, lines(150_000)[130_000..133_000]);
            assert_eq!(fs.read_at(node, 149_990, &mut part).unwrap(), 10);
            assert_eq!(fs.read_at(node, u64::MAX, &mut part).unwrap(), 0);
        }
        let hole = whole(&fs, "hole");
        assert_eq!(
            (hole.len(), &hole[700_000..700_004]),
            (1 << 20, b"end\0".as_slice())
        );
        assert_eq!(hole.iter().filter(|byte| **byte != 0).count(), 3);
        let xattrs = fs.xattrs(find(&fs, "hole")).unwrap();
        assert_eq!(xattrs, [(b"user.note".to_vec(), b"value".to_vec())]);
        assert_eq!(whole(&fs, "@/inner/file"), b"inner\n");
        assert_eq!(
            fs.stat(find(&fs, "past/inner")).unwrap().kind,
            FileKind::Directory
        );
        let paths: Vec<_> = fs.subvolumes().into_iter().map(|one| one.path).collect();
        assert_eq!(paths, [b"".as_slice(), b"@", b"@/inner", b"past"]);
    }

    /// The same image with the checksums of its nodes and superblocks made right again.
    fn mended(device: &dyn BlockDevice, uuid: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(device.size()).unwrap()];
        device.read_at(0, &mut bytes).unwrap();
        for block in bytes.chunks_exact_mut(4096) {
            if &block[32..48] == uuid {
                let sum = transvase::disk::crc32c::checksum(&block[32..]);
                block[..4].copy_from_slice(&sum.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn damage_with_right_checksums_neither_panics_nor_hangs() {
        let bytes = fixture();
        let uuid = bytes[SUPERBLOCK + 32..SUPERBLOCK + 48].to_vec();
        let kept = SUPERBLOCK..SUPERBLOCK + 4096;
        let opened = read_damaged(&bytes, 0..80, kept, |device| {
            let mended = Bytes(mended(&device, &uuid));
            Ok(Box::new(Btrfs::open(Arc::new(mended))?))
        });
        assert!(opened > 20, "only {opened} opened");
    }

    #[test]
    fn what_is_not_btrfs_is_refused() {
        for size in [0, 100, 65536, 65536 + 4096] {
            let device: Arc<dyn BlockDevice> = Arc::new(Bytes(vec![0; size]));
            assert!(!Btrfs::probe(&device));
            assert!(Btrfs::open(device).is_err());
        }
        for other in ["xfs.raw.gz", "ext4.raw.gz"] {
            let device = need!(corpus(other));
            assert!(!Btrfs::probe(&device), "{other}");
            assert!(Btrfs::open(device).is_err(), "{other}");
        }
    }
}
