//! File systems that few servers have: images made by their own tools must read like the tree they were made from, and
//! public images like their truth.

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
    use std::fs::{self, File};
    use std::ops::ControlFlow;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};
    use transvase::disk::contents::Contents;
    use transvase::disk::exfat::ExFat;
    use transvase::disk::fat::Fat;
    use transvase::disk::iso9660::Iso9660;
    use transvase::disk::ntfs::Ntfs;
    use transvase::disk::open::{Disk, OpenOptions};
    use transvase::disk::{FileKind, FileSystem};

    /// An even second, as FAT's clock counts.
    const TIME: u64 = 1_600_000_000;

    fn write(path: &Path, bytes: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(TIME))
            .unwrap();
    }

    /// What the simplest file systems can hold: no links, no owners, no odd bytes in names.
    fn plain_tree(root: &Path) {
        for size in [0, 1, 511, 512, 513, 2047, 4096, 4097, 32_769, 3 << 20] {
            write(
                &root.join(format!("sizes/{size}")),
                &noise(size as u64, size),
            );
        }
        for at in 0..470 {
            let name = format!("many/a-file-with-a-rather-long-name-{at:04}");
            write(&root.join(name), at.to_string().as_bytes());
        }
        let deep: Vec<String> = (0..30).map(|level| level.to_string()).collect();
        write(&root.join("deep").join(deep.join("/")).join("end"), b"end");
        for name in [
            "EFI/BOOT/BOOTX64.EFI",
            "EFI/debian/grub.cfg",
            "lower.txt",
            "MiXed.TxT",
        ] {
            write(&root.join(name), name.as_bytes());
        }
        for name in [
            "ünïcödé 文 name",
            "trailing.dots.in.name",
            "exactly-26-letters-no-end!",
            "x+y=z [1]",
        ] {
            write(&root.join("names").join(name), name.as_bytes());
        }
        write(&root.join("names").join("l".repeat(255)), b"long");
    }

    /// Without what the file system cannot tell: owners, modes, links, and the times of directories.
    fn shared(listing: Listing) -> Listing {
        let of = listing.into_iter().map(|(name, mut node)| {
            node.mode = 0;
            node.owner = (0, 0);
            node.xattrs.clear();
            node.size_and_links = node.size_and_links.map(|(size, _)| (size, 1));
            if node.kind == FileKind::Directory {
                node.mtime = 0;
            }
            (name, node)
        });
        of.collect()
    }

    /// Copies a tree's content into a FAT image: first files that are deleted again, so that free space is in pieces.
    fn fill_fat(image: &Path, tree: &Path) -> Option<()> {
        let (mcopy, mdel) = (tool("mcopy")?, tool("mdel")?);
        let holes = image.with_extension("holes");
        let names: Vec<_> = (0..120).map(|at| format!("hole-{at}")).collect();
        for name in &names {
            write(&holes.join(name), &noise(3, 5000));
        }
        let with = |tool: &Path| {
            let mut command = Command::new(tool);
            command
                .env("TZ", "UTC")
                .env("LC_ALL", "C.UTF-8")
                .arg("-i")
                .arg(image);
            command
        };
        run(with(&mcopy)
            .args(names.iter().map(|name| holes.join(name)))
            .arg("::/"));
        run(with(&mdel).args(names.iter().step_by(2).map(|name| format!("::/{name}"))));
        let entries = fs::read_dir(tree)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        run(with(&mcopy)
            .args(["-s", "-m", "-Q"])
            .args(entries)
            .arg("::/"));
        run(with(&mdel).args(
            names
                .iter()
                .skip(1)
                .step_by(2)
                .map(|name| format!("::/{name}")),
        ));
        fs::remove_dir_all(holes).unwrap();
        Some(())
    }

    fn make_fat(image: &Path, options: &str, kilobytes: u32) -> Option<()> {
        let mkfs = tool("mkfs.vfat")?;
        let mut command = Command::new(mkfs);
        command.args(["-C", "-n", "A LABEL", "-i", "deadbeef"]);
        command
            .args(options.split(' '))
            .arg(image)
            .arg(kilobytes.to_string());
        run(&mut command);
        Some(())
    }

    #[test]
    fn fat_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        plain_tree(&tree);
        let expected = shared(of_directory(&tree));
        for (options, kilobytes) in [
            ("-F 12 -s 8", 14_000),
            ("-F 16 -s 4 -f 1", 30_000),
            ("-F 32 -s 1", 64_000),
            ("-F 32 -s 2 -S 4096 -R 8", 600_000),
        ] {
            need!(make_fat(&image, options, kilobytes));
            need!(fill_fat(&image, &tree));
            let device = RawFile::open(&image);
            assert!(Fat::probe(&device));
            let fs = Fat::open(device).unwrap();
            let info = fs.info();
            assert_eq!((info.kind, info.uuid.as_str()), ("vfat", "DEAD-BEEF"));
            assert_eq!(info.label, "A LABEL");
            assert_eq!(info.notes, [] as [&str; 0], "{options}");
            assert!(
                info.used > 4 << 20 && info.used < info.size.min(20 << 20),
                "{info:?}"
            );
            assert_same(&expected, &shared(of_file_system(&fs)), options);
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn damaged_fat_neither_panics_nor_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        for at in 0..60 {
            let name = format!("folder-{}/a long name {at}", at % 7);
            write(
                &tree.join(name),
                &noise(at, usize::try_from(at).unwrap() * 90),
            );
        }
        for (options, kilobytes) in [("-F 12 -s 1", 1_000), ("-F 32 -s 1", 34_000)] {
            need!(make_fat(&image, options, kilobytes));
            need!(fill_fat(&image, &tree));
            let bytes = fs::read(&image).unwrap();
            let seeds = if kilobytes > 10_000 { 80 } else { 1_000 };
            let opened = read_damaged(&bytes, 0..seeds, 0..512, |device| {
                Ok(Box::new(Fat::open(device)?))
            });
            assert!(
                u64::try_from(opened).unwrap() > seeds / 2,
                "{options}: only {opened} opened"
            );
            fs::remove_file(&image).unwrap();
        }
    }

    /// A loop device with an image, taken away again at the end.
    struct Loop(String);

    impl Loop {
        fn of(image: &Path) -> Option<Self> {
            let mut attach = Command::new(tool("losetup")?);
            let output = needs::allowed(attach.args(["-f", "--show"]).arg(image))?;
            let name = String::from_utf8(output.stdout).unwrap();
            Some(Self(name.trim().to_owned()))
        }
    }

    impl Drop for Loop {
        fn drop(&mut self) {
            run(Command::new("losetup").args(["-d", &self.0]));
        }
    }

    /// Mounts an image through FUSE, lets files be written, and unmounts it; `None` where that cannot be done here.
    fn mounted(
        mount: &str,
        options: &[&str],
        image: &Path,
        fill: impl FnOnce(&Path),
    ) -> Option<()> {
        let (mount, unmount) = (tool(mount)?, tool("fusermount3")?);
        needs::root()?;
        let point = image.with_extension("mount");
        fs::create_dir_all(&point).unwrap();
        let device = Loop::of(image)?;
        let mut mount = Command::new(mount);
        needs::allowed(mount.args(options).arg(&device.0).arg(&point))?;
        fill(&point);
        run(Command::new(unmount).arg("-u").arg(&point));
        // The helper writes the rest after it has answered.
        for _ in 0..1200 {
            let busy = fs::read_dir("/proc").unwrap().any(|process| {
                let line = fs::read(process.unwrap().path().join("cmdline")).unwrap_or_default();
                let point = point.to_str().unwrap().as_bytes();
                line.windows(point.len()).any(|part| part == point)
            });
            if !busy {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(())
    }

    /// Copies a tree, file by file, with its times.
    fn copy(from: &Path, to: &Path) {
        run(Command::new("cp")
            .args(["-r", "--preserve=timestamps"])
            .arg(from.join("."))
            .arg(to));
    }

    fn make_exfat(image: &Path, options: &str, size: u64) -> Option<()> {
        let mkfs = tool("mkfs.exfat")?;
        File::create(image).unwrap().set_len(size).unwrap();
        run(Command::new(mkfs)
            .args(["-L", "A LABEL"])
            .args(options.split(' '))
            .arg(image));
        Some(())
    }

    #[test]
    fn exfat_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        plain_tree(&tree);
        // More entries than one cluster takes, written in turns with files, so that no directory is in one piece.
        for at in 0..200 {
            write(
                &tree.join(format!("turns-{}/{at}", at % 3)),
                &noise(at, 700),
            );
        }
        let expected = shared(of_directory(&tree));
        for options in ["-c 512", "-c 4K", "-c 128K"] {
            let fill = |point: &Path| {
                for at in 0..100 {
                    fs::write(point.join(format!("hole-{at}")), noise(1, 5000)).unwrap();
                }
                for at in (0..100).step_by(2) {
                    fs::remove_file(point.join(format!("hole-{at}"))).unwrap();
                }
                copy(&tree, point);
                for at in (1..100).step_by(2) {
                    fs::remove_file(point.join(format!("hole-{at}"))).unwrap();
                }
            };
            let size = if options == "-c 128K" {
                300 << 20
            } else {
                24 << 20
            };
            need!(make_exfat(&image, options, size));
            need!(mounted("mount.exfat-fuse", &[], &image, fill));
            let device = RawFile::open(&image);
            assert!(ExFat::probe(&device) && !Fat::probe(&device));
            let fs = ExFat::open(device).unwrap();
            let info = fs.info();
            assert_eq!((info.kind, info.label.as_str()), ("exfat", "A LABEL"));
            assert_eq!(info.notes, [] as [&str; 0]);
            assert_same(&expected, &shared(of_file_system(&fs)), options);
            if options != "-c 512" {
                continue;
            }
            let bytes = fs::read(&image).unwrap();
            let opened = read_damaged(&bytes, 0..300, 0..512, |device| {
                Ok(Box::new(ExFat::open(device)?))
            });
            assert!(opened > 150, "only {opened} opened");
        }
    }

    /// What Rock Ridge keeps of a tree: everything but links between names, attributes, and where deep folders went.
    fn pressed(listing: Listing) -> Listing {
        let kept = listing
            .into_iter()
            .filter(|(name, _)| !name.starts_with(b"/rr_moved"));
        kept.map(|(name, mut node)| {
            node.xattrs.clear();
            node.size_and_links = node.size_and_links.map(|(size, _)| (size, 1));
            (name, node)
        })
        .collect()
    }

    #[test]
    fn iso_9660_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        fs::remove_dir_all(tree.join("holes")).unwrap();
        // A target goes back to the root, a name to its own folder.
        std::os::unix::fs::symlink("/../usr/lib/./x", tree.join("names/link-odd")).unwrap();
        // No maker takes a component of a target that could not be a name.
        fs::remove_file(tree.join("names/link-1000")).unwrap();
        let many = "component/".repeat(90) + "end";
        std::os::unix::fs::symlink(many, tree.join("names/link-many")).unwrap();
        let expected = pressed(of_directory(&tree));
        for (maker, options) in [
            ("genisoimage", "-R -J -joliet-long"),
            ("genisoimage", "-R -D"),
            ("xorriso", "-as mkisofs -R -D -V LABEL"),
            ("xorriso", "-as mkisofs -R"),
        ] {
            let maker = need!(tool(maker));
            // genisoimage writes targets beyond 250 bytes in a way that its own isoinfo refuses, or never ends.
            let left_out: &[&str] = if maker.ends_with("genisoimage") {
                &["-m", "link-255", "-m", "link-many"]
            } else {
                &[]
            };
            let mut expected = expected.clone();
            expected.retain(|name, _| {
                left_out.is_empty()
                    || !(name.ends_with(b"link-255") || name.ends_with(b"link-many"))
            });
            let mut command = Command::new(maker);
            command.env("LC_ALL", "C").args(options.split(' '));
            command
                .args(left_out)
                .args(["-quiet", "-o"])
                .arg(&image)
                .arg(&tree);
            run(&mut command);
            let device = RawFile::open(&image);
            assert!(Iso9660::probe(&device));
            let fs = Iso9660::open(device).unwrap();
            assert_same(&expected, &pressed(of_file_system(&fs)), options);
        }
    }

    fn press(maker: &str, options: &str, tree: &Path, image: &Path) -> Option<()> {
        let mut command = Command::new(tool(maker)?);
        command.env("LC_ALL", "C.UTF-8").args(options.split(' '));
        run(command.args(["-quiet", "-o"]).arg(image).arg(tree));
        Some(())
    }

    #[test]
    fn iso_9660_by_names_of_joliet() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        plain_tree(&tree);
        fs::remove_file(tree.join("names").join("l".repeat(255))).unwrap();
        need!(press("genisoimage", "-J -joliet-long -D", &tree, &image));
        let fs = Iso9660::open(RawFile::open(&image)).unwrap();
        let expected = shared(of_directory(&tree));
        assert_same(&expected, &shared(of_file_system(&fs)), "Joliet");
    }

    #[test]
    fn parts_of_large_files_are_one_and_damage_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        for at in 0..60 {
            let name = format!("folder-{}/a long name {at:02}", at % 7);
            write(
                &tree.join(name),
                &noise(at, usize::try_from(at).unwrap() * 90),
            );
        }
        let long = "component/".repeat(90) + "end";
        std::os::unix::fs::symlink(long, tree.join("folder-1/link")).unwrap();
        need!(press("xorriso", "-as mkisofs -R -J", &tree, &image));
        let mut bytes = fs::read(&image).unwrap();
        let opened = read_damaged(&bytes, 0..1000, 32_768..32_768 + 2048, |device| {
            Ok(Box::new(Iso9660::open(device)?))
        });
        assert!(opened > 400, "only {opened} opened");
        // A record that says it goes on is followed by the rest of the file.
        let open = |bytes: &[u8]| Iso9660::open(Arc::new(Bytes(bytes.to_vec()))).unwrap();
        let first = find(&open(&bytes), "folder-3/a long name 03");
        bytes[usize::try_from(first.inode).unwrap() + 25] |= 0x80;
        let fs = open(&bytes);
        let content = whole(&fs, "folder-3/a long name 03");
        assert_eq!(content, [noise(3, 270), noise(10, 900)].concat());
        let mut names = Vec::new();
        let folder = find(&fs, "folder-3");
        fs.read_dir(folder, &mut |entry| {
            names.push(String::from_utf8(entry.name).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(
            !names.contains(&"a long name 10".to_owned()) && names.len() == 8,
            "{names:?}"
        );
    }

    fn make_ntfs(image: &Path, options: &str, size: u64) -> Option<()> {
        let mkfs = tool("mkntfs")?;
        File::create(image).unwrap().set_len(size).unwrap();
        run(Command::new(mkfs)
            .args(["-F", "-Q", "-q", "-L", "A läbel"])
            .args(options.split(' '))
            .arg(image));
        Some(())
    }

    /// A folder in which ntfs-3g compresses what is written.
    fn compressed(folder: &Path, tree: &Path) {
        fs::create_dir(folder).unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        let attributes = 0x800_u32.to_be_bytes();
        rustix::fs::setxattr(folder, "system.ntfs_attrib_be", &attributes, flags).unwrap();
        let text = |lines: usize| {
            let lines: Vec<_> = (0..lines)
                .map(|at| format!("line {} of text\n", at % 97))
                .collect();
            lines.concat()
        };
        for (name, content) in [
            ("text", text(40_000).into_bytes()),
            ("noise", noise(1, 300_000)),
            ("zeros", vec![0; 500_000]),
            ("small", text(3).into_bytes()),
            (
                "mixed",
                [
                    noise(2, 70_000),
                    text(9_000).into_bytes(),
                    vec![0; 200_000],
                    noise(3, 5),
                ]
                .concat(),
            ),
        ] {
            fs::write(folder.join(name), &content).unwrap();
            fs::create_dir_all(tree.join("compressed")).unwrap();
            fs::write(tree.join("compressed").join(name), &content).unwrap();
        }
    }

    #[test]
    fn ntfs_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        for at in 0..40 {
            fs::hard_link(
                tree.join("sizes/156"),
                tree.join(format!("names/{at:0200}")),
            )
            .unwrap();
        }
        for name in ["fifo", "link-1000"] {
            fs::remove_file(tree.join("names").join(name)).unwrap();
        }
        fs::write(tree.join("names/ünïcödé 𐍈 name"), "").unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe\nodd ");
        fs::remove_file(tree.join("names").join(odd)).unwrap();
        let of = |listing: Listing| {
            let kept = listing.into_iter().map(|(name, mut node)| {
                (node.mode, node.owner) = (0, (0, 0));
                node.xattrs.clear();
                if node.kind != FileKind::File || name.starts_with(b"/compressed") {
                    node.mtime = 0;
                }
                (name, node)
            });
            kept.collect::<Listing>()
        };
        for (options, size) in [
            ("-c 4096", 64 << 20),
            ("-c 512", 60 << 20),
            ("-c 65536 -s 512", 700 << 20),
        ] {
            let fill = |point: &Path| {
                let copied = ["-r", "--preserve=timestamps,links", "--sparse=always"];
                run(Command::new("cp")
                    .args(copied)
                    .arg(tree.join("."))
                    .arg(point));
                if !options.starts_with("-c 6") {
                    compressed(&point.join("compressed"), &tree);
                }
            };
            need!(make_ntfs(&image, options, size));
            need!(mounted("ntfs-3g", &["-o", "compression"], &image, fill));
            let device = RawFile::open(&image);
            assert!(Ntfs::probe(&device) && !Fat::probe(&device));
            let fs = Ntfs::open(device).unwrap();
            let info = fs.info();
            assert_eq!((info.kind, info.label.as_str()), ("ntfs", "A läbel"));
            assert_eq!(info.notes, [] as [&str; 0]);
            assert_same(&of(of_directory(&tree)), &of(of_file_system(&fs)), options);
            if options.starts_with("-c 4") {
                let packed = fs.stat(find(&fs, "compressed/text")).unwrap();
                assert!(
                    packed.allocated < packed.size / 2,
                    "nothing was compressed: {packed:?}"
                );
            }
            fs::remove_dir_all(tree.join("compressed")).unwrap_or_default();
        }
    }

    #[test]
    fn an_ntfs_whose_table_of_files_is_in_pieces_opens() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let mut expected = std::collections::BTreeMap::new();
        let fill = |point: &Path| {
            let mut add = |name: String, content: Vec<u8>| {
                let written = fs::write(point.join(&name), &content).is_ok();
                if written {
                    expected.insert(name, content);
                }
                written
            };
            // The disk is filled, every second file removed, and the gaps filled with files that need a record alone.
            let large = (0..).take_while(|at| add(format!("large-{at}"), noise(*at, 1500)));
            let large = large.last().unwrap();
            for at in (0..=large).step_by(2) {
                fs::remove_file(point.join(format!("large-{at}"))).unwrap();
            }
            let small =
                (0..).take_while(|at| add(format!("small-{at}"), at.to_string().into_bytes()));
            assert!(small.last().unwrap() > 500_u64);
            expected.retain(|name, _| point.join(name).exists());
        };
        need!(make_ntfs(&image, "-c 512", 12 << 20));
        need!(mounted("ntfs-3g", &[], &image, fill));
        // Or else this tests nothing.
        let ntfsinfo = need!(tool("ntfsinfo"));
        let said = Command::new(ntfsinfo)
            .args(["-f", "-i", "0"])
            .arg(&image)
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&said.stdout).contains("$ATTRIBUTE_LIST"));
        let fs = Ntfs::open(RawFile::open(&image)).unwrap();
        let mut names = std::collections::BTreeSet::new();
        fs.read_dir(fs.root(), &mut |entry| {
            names.insert((String::from_utf8(entry.name).unwrap(), entry.node));
            ControlFlow::Continue(())
        })
        .unwrap();
        for (name, node) in names {
            let mut content = vec![0; 2000];
            let length = fs.read_at(node, 0, &mut content).unwrap();
            // What did not fit any more is there without content.
            let wanted = expected.remove(&name).unwrap_or_default();
            assert_eq!(&content[..length], wanted, "{name}");
        }
        assert!(expected.is_empty(), "{:?} are missing", expected.keys());
    }

    #[test]
    fn damaged_ntfs_neither_panics_nor_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        fs::create_dir(&tree).unwrap();
        let fill = |point: &Path| {
            for at in 0..200 {
                let name = format!("folder-{}/a long name {at}", at % 3);
                write(
                    &point.join(name),
                    &noise(at, usize::try_from(at).unwrap() * 9),
                );
            }
            compressed(&point.join("compressed"), &tree);
            let file = File::create(point.join("pieces")).unwrap();
            for at in 0..700 {
                file.write_all_at(b"x", at * 130_000).unwrap();
            }
        };
        need!(make_ntfs(&image, "-c 512", 6 << 20));
        need!(mounted("ntfs-3g", &["-o", "compression"], &image, fill));
        let bytes = fs::read(&image).unwrap();
        let opened = read_damaged(&bytes, 0..800, 0..512, |device| {
            Ok(Box::new(Ntfs::open(device)?))
        });
        assert!(opened > 400, "only {opened} opened");
    }

    /// A public image, decompressed into a folder.
    fn unpacked(folder: &Path, name: &str) -> Option<PathBuf> {
        let device = corpus(name)?;
        let mut bytes = vec![0; usize::try_from(device.size()).unwrap()];
        device.read_at(0, &mut bytes).unwrap();
        let path = folder.join(name.trim_end_matches(".gz"));
        fs::write(&path, bytes).unwrap();
        Some(path)
    }

    #[test]
    fn public_images_hold_what_their_truth_says() {
        let folder = tempfile::tempdir().unwrap();
        let file_systems = |name: &str| {
            let path = unpacked(folder.path(), name)?;
            let disk = Disk::open(&[path], &OpenOptions::default()).unwrap();
            let volumes = disk.volumes.into_iter();
            let found = volumes.map(|volume| match volume.contents {
                Contents::FileSystem(fs) => fs,
                other => panic!("{name}: {other:?}"),
            });
            Some(found.collect::<Vec<_>>())
        };
        let four = need!(file_systems("valid-ext-exfat-fat32-ntfs.qcow2.gz"));
        let kinds: Vec<_> = four.iter().map(|fs| fs.info().kind).collect();
        assert_eq!(kinds, ["ext4", "exfat", "vfat", "ntfs"]);
        for (number, fs) in (1..).zip(&four) {
            let key = whole(&**fs, &format!("private-key{number}.pem"));
            assert!(key.starts_with(b"-----BEGIN ") && key.len() == 3272);
            assert_eq!(key, whole(&*four[0], "private-key1.pem"));
        }
        let text = "This is a text file. \r\nWe should be able to parse it. \r\n";
        // The last is a difference to the one before it.
        for name in [
            "ntfs-dynamic.vhdx.gz",
            "ntfs-parent.vhd.gz",
            "ntfs-differential.vhd.gz",
        ] {
            let fs = &file_systems(name).unwrap()[0];
            assert_eq!(fs.info().label, "TestVolume");
            if name.contains("parent") {
                continue;
            }
            assert_eq!(whole(&**fs, "a_directory/a_file"), text.as_bytes());
            let link = fs.read_link(find(&**fs, "a_link")).unwrap();
            assert_eq!(link, b"/a_directory/another_file");
        }
        let fs = &file_systems("fat-parent.vhd.gz").unwrap()[0];
        assert_eq!(fs.info().label, "TESTVOLUME");
        let fs = &file_systems("fat-differential.vhd.gz").unwrap()[0];
        assert_eq!(whole(&**fs, "a_directory/a_file"), text.as_bytes());
    }
}
