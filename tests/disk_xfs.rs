//! XFS: images made by mkfs.xfs from an odd tree must read like the tree, and a public image like its truth.

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
    use super::needs::{need, tool};
    use std::fmt::Write;
    use std::fs;
    use std::ops::ControlFlow;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;
    use transvase::disk::xfs::Xfs;
    use transvase::disk::{BlockDevice, DiskError, FileKind, FileSystem};

    /// What mkfs.xfs can make without a mount: a list of names, owners and modes. It holds no times, holes or attributes.
    fn prototype(tree: &Path) -> String {
        let mut out = String::from("/\n0 0\nd--755 0 0\n");
        describe(tree, &mut out);
        out + "$\n"
    }

    fn describe(folder: &Path, out: &mut String) {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let meta = path.symlink_metadata().unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            if name == "holes" || name.contains('\n') {
                continue;
            }
            let mode = meta.mode();
            let letter = |bit, letter| if mode & bit == 0 { '-' } else { letter };
            let (user, group) = (letter(0o4000, 'u'), letter(0o2000, 'g'));
            let what = format!(
                "{user}{group}{:03o} {} {}",
                mode & 0o777,
                meta.uid(),
                meta.gid()
            );
            if meta.is_dir() {
                writeln!(out, "{name} d{what}").unwrap();
                describe(&path, out);
                out.push_str("$\n");
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                writeln!(out, "{name} l{what} {}", target.display()).unwrap();
            } else if meta.file_type().is_fifo() {
                writeln!(out, "{name} p{what}").unwrap();
            } else {
                writeln!(out, "{name} -{what} {}", path.display()).unwrap();
            }
        }
    }

    /// What the prototype carries over of a listing.
    fn carried(listing: Listing) -> Listing {
        let kept = listing
            .into_iter()
            .filter(|(name, _)| !name.starts_with(b"/holes") && !name.contains(&b'\n'));
        kept.map(|(name, mut node)| {
            node.mode &= 0o6777;
            node.mtime = 0;
            node.xattrs.clear();
            node.size_and_links = node.size_and_links.map(|(size, _)| (size, 1));
            (name, node)
        })
        .collect()
    }

    /// Without these, mkfs.xfs refuses what is smaller than 300 MB.
    const SMALL: [(&str, &str); 3] = [("TEST_DEV", "1"), ("TEST_DIR", "1"), ("QA_CHECK_FS", "1")];

    fn make(mkfs: &Path, arguments: &str, tree: &Path, image: &Path, size: &str) {
        let list = image.with_extension("proto");
        fs::write(&list, prototype(tree)).unwrap();
        let mut command = Command::new(mkfs);
        command
            .args(["-q", "-f", "-p"])
            .arg(list)
            .args(arguments.split_whitespace());
        command
            .arg("-d")
            .arg(format!("file,name={},size={size}", image.display()));
        run(command.envs(SMALL));
    }

    const KINDS: [&str; 10] = [
        "-m crc=0 -n ftype=0",
        "-m crc=0 -n ftype=1 -b size=1024",
        "-m crc=0 -b size=512 -i size=256",
        "-m crc=1",
        "-b size=1024",
        "-s size=4096 -n size=16384",
        "-n size=65536 -i size=2048",
        "-i nrext64=1 -m bigtime=1",
        "-m bigtime=0,reflink=0,finobt=0 -i sparse=0",
        "-n version=ci",
    ];

    #[test]
    fn images_read_like_the_tree_they_were_made_from() {
        let mkfs = need!(tool("mkfs.xfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        for kind in KINDS {
            if !kind.contains("crc=0") {
                // The maker (6.1) writes the blocks of a long target without the header that version 5 asks for.
                let _ = fs::remove_file(tree.join("names/link-1000"));
            }
            let expected = carried(of_directory(&tree));
            make(&mkfs, kind, &tree, &image, "400m");
            let device = RawFile::open(&image);
            assert!(Xfs::probe(&device));
            let fs = Xfs::open(device).unwrap();
            assert_eq!(fs.info().notes, [] as [&str; 0], "{kind}");
            assert_same(&expected, &carried(of_file_system(&fs)), kind);
            fs::remove_file(&image).unwrap();
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
        for at in 0..400 {
            fs::write(tree.join(format!("an-entry-of-the-root-{at}")), "").unwrap();
        }
    }

    #[test]
    fn damaged_images_neither_panic_nor_hang() {
        let mkfs = need!(tool("mkfs.xfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        for kind in ["-m crc=0 -b size=1024", "-m crc=1 -b size=1024"] {
            make(&mkfs, kind, &tree, &image, "16m");
            let bytes = fs::read(&image).unwrap();
            let opened = read_damaged(&bytes, 0..80, 0..512, |device| {
                Ok(Box::new(Xfs::open(device)?))
            });
            assert!(opened > 40, "{kind}: only {opened} opened");
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn attributes_in_the_inode_in_leaves_and_in_blocks_of_their_own() {
        let mkfs = need!(tool("mkfs.xfs"));
        let db = need!(tool("xfs_db"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        for kind in ["-m crc=0 -b size=1024", "-m crc=1 -b size=1024"] {
            make(&mkfs, kind, &tree, &image, "32m");
            let inode = |path| {
                let fs = Xfs::open(RawFile::open(&image)).unwrap();
                format!("inode {}", find(&fs, path).inode)
            };
            let short = [
                "attr_set -u -v 7 s".to_owned(),
                "attr_set -s -v 20 capability".to_owned(),
            ];
            let lengths = [1, 3, 900, 5_000, 40_000, 60_000];
            let long = lengths
                .iter()
                .map(|length| format!("attr_set -u -v {length} of-{length}"));
            let many = (0..200).map(|at| format!("attr_set -r -v 30 a-name-{at:04}"));
            let mut command = Command::new(&db);
            command.args(["-x", "-c", &inode("a/file-1")]);
            command.args(short.iter().flat_map(|set| ["-c", set]));
            command.args(["-c", &inode("a/file-2")]);
            for set in long.chain(many) {
                command.args(["-c", &set]);
            }
            run(command.arg(&image));

            let fs = Xfs::open(RawFile::open(&image)).unwrap();
            let of = |path| fs.xattrs(find(&fs, path)).unwrap();
            let short = of("a/file-1");
            let names: Vec<_> = short
                .iter()
                .map(|(name, value)| (name.as_slice(), value.len()))
                .collect();
            assert_eq!(
                names,
                [(b"security.capability".as_slice(), 20), (b"user.s", 7)]
            );
            let all = of("a/file-2");
            assert_eq!(all.len(), lengths.len() + 200, "{kind}");
            for length in lengths {
                let name = format!("user.of-{length}").into_bytes();
                let (_, value) = all.iter().find(|(found, _)| *found == name).unwrap();
                assert_eq!(value.len(), length);
                assert!(value.iter().all(|byte| *byte == b'v'), "{kind}: {length}");
            }
            assert!(all[0].0.starts_with(b"trusted.a-name-0000"));
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn a_log_that_does_not_end_in_an_unmount_is_noticed() {
        let mkfs = need!(tool("mkfs.xfs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        small_tree(&tree);
        make(&mkfs, "-m crc=1", &tree, &image, "32m");
        let mut bytes = fs::read(&image).unwrap();
        let record = bytes
            .chunks(512)
            .position(|sector| sector.starts_with(&[0xfe, 0xed, 0xba, 0xbe]));
        // Two operations where an unmount is one.
        bytes[record.unwrap() * 512 + 43] = 2;
        let fs = Xfs::open(Arc::new(Bytes(bytes))).unwrap();
        assert!(
            fs.info()
                .notes
                .iter()
                .any(|note| note.contains("was not unmounted"))
        );
    }

    #[test]
    fn a_small_public_image() {
        let device = need!(corpus("xfs.raw.gz"));
        let fs = Xfs::open(device).unwrap();
        let info = fs.info();
        assert_eq!((info.kind, info.label.as_str()), ("xfs", "xfs_test"));
        assert_eq!(info.uuid, "eb47e375-9d49-4775-b712-7e06b97fd210");
        assert!(info.notes.is_empty());
        assert_eq!(
            fs.read_link(find(&fs, "a_link")).unwrap(),
            b"a_directory/another_file"
        );
        assert!(whole(&fs, "a_directory/a_file").starts_with(b"This is a text file."));
        let xattrs = fs.xattrs(find(&fs, "a_directory/a_file")).unwrap();
        assert_eq!(
            xattrs[1],
            (b"user.myxattr".to_vec(), b"My extended attribute".to_vec())
        );
        let stat = fs.stat(find(&fs, "passwords.txt")).unwrap();
        assert_eq!(
            (stat.kind, stat.size, stat.mtime),
            (FileKind::File, 116, (1_626_962_854, 813_616_188))
        );
        let refused = fs.read_dir(find(&fs, "a_link"), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(DiskError::Damaged { .. })));
    }

    #[test]
    fn what_is_not_xfs_is_refused() {
        for size in [0, 100, 512, 4096] {
            let device: Arc<dyn BlockDevice> = Arc::new(Bytes(vec![0; size]));
            assert!(!Xfs::probe(&device));
            assert!(Xfs::open(device).is_err());
        }
    }
}
