//! ext2, ext3 and ext4: images made by mke2fs from an odd tree must read like the tree, and public images like their truth.

#[cfg(test)]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{
        Bytes, RawFile, assert_same, corpus, find, noise, odd_tree, of_directory, of_file_system,
        read_damaged, run, whole,
    };
    use super::needs::{need, tool};
    use std::fs;
    use std::ops::ControlFlow;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;
    use transvase::disk::ext::Ext;
    use transvase::disk::{DiskError, FileKind, FileSystem};

    fn make(mke2fs: &Path, arguments: &str, tree: &Path, image: &Path) {
        let mut command = Command::new(mke2fs);
        command
            .args(["-q", "-F", "-E", "root_owner=0:0", "-d"])
            .arg(tree);
        run(command.args(arguments.split(' ')).arg(image).arg("96M"));
    }

    fn names(fs: &dyn FileSystem, path: &str) -> usize {
        let mut count = 0;
        fs.read_dir(find(fs, path), &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        count
    }

    /// Every combination that decides how content, directories or tables are found.
    const KINDS: [&str; 13] = [
        "-t ext2 -b 1024",
        "-t ext2 -b 4096",
        "-t ext2 -b 1024 -r 0",
        "-t ext3 -b 1024 -I 128",
        "-t ext3 -b 4096",
        "-t ext4 -b 1024",
        "-t ext4 -b 4096",
        "-t ext4 -b 4096 -O ^64bit,^flex_bg,^metadata_csum",
        "-t ext4 -b 4096 -O inline_data,ea_inode -I 256",
        "-t ext4 -b 1024 -O inline_data,large_dir -I 1024",
        "-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode",
        "-t ext4 -b 4096 -O bigalloc,sparse_super2 -C 16384",
        "-t ext4 -b 65536",
    ];

    #[test]
    fn images_read_like_the_tree_they_were_made_from() {
        let mke2fs = need!(tool("mke2fs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        let expected = of_directory(&tree);
        for kind in KINDS {
            make(&mke2fs, kind, &tree, &image);
            let device = RawFile::open(&image);
            assert!(Ext::probe(&device));
            let fs = Ext::open(device).unwrap();
            assert!(kind.contains(fs.info().kind), "{kind}: {:?}", fs.info());
            let (mut expected, mut found) = (expected.clone(), of_file_system(&fs));
            if kind.contains("-r 0") {
                // The first revision has no feature flags, so the maker leaves attributes out.
                for node in expected.values_mut() {
                    node.xattrs.clear();
                }
            }
            if kind.contains("inline_data") {
                // With this feature the maker (1.47) forgets a hole at the end of a file, its size included.
                expected.retain(|name, _| !name.starts_with(b"/holes/"));
                found.retain(|name, _| !name.starts_with(b"/holes/"));
            }
            assert_same(&expected, &found, kind);
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn damaged_images_neither_panic_nor_hang() {
        let mke2fs = need!(tool("mke2fs"));
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        for at in 0..40_u64 {
            let name = format!("a/file-{at}");
            fs::write(
                tree.join(name),
                noise(at, usize::try_from(at).unwrap() * 90),
            )
            .unwrap();
            std::os::unix::fs::symlink(
                "x".repeat(40 + 2 * usize::try_from(at).unwrap()),
                tree.join(format!("a/b/{at}")),
            )
            .unwrap();
        }
        for kind in [
            "-t ext2 -b 1024",
            "-t ext4 -b 1024",
            "-t ext4 -b 1024 -O inline_data -I 256",
        ] {
            let mut command = Command::new(&mke2fs);
            command
                .args(["-q", "-F", "-d"])
                .arg(&tree)
                .args(kind.split(' '));
            run(command.arg(&image).arg("1500K"));
            let bytes = fs::read(&image).unwrap();
            let opened = read_damaged(&bytes, 0..150, 1024..2048, |device| {
                Ok(Box::new(Ext::open(device)?))
            });
            assert!(opened > 50, "{kind}: only {opened} opened");
            fs::remove_file(&image).unwrap();
        }
    }

    #[test]
    fn small_public_images() {
        for (name, kind, uuid) in [
            (
                "ext2.raw.gz",
                "ext2",
                "f00050bb-07ee-46a3-83a6-a405ee0db51f",
            ),
            (
                "ext4.raw.gz",
                "ext4",
                "425636fd-f307-4a9a-a021-6a6673024002",
            ),
        ] {
            let device = need!(corpus(name));
            let fs = Ext::open(device).unwrap();
            let info = fs.info();
            assert_eq!((info.kind, info.uuid.as_str()), (kind, uuid));
            assert_eq!((info.label, info.size), (format!("{kind}_test"), 4 << 20));
            assert!(info.notes.is_empty());
            assert_eq!(
                fs.read_link(find(&fs, "a_link")).unwrap(),
                b"a_directory/another_file"
            );
            let file = find(&fs, "a_directory/a_file");
            assert!(whole(&fs, "a_directory/a_file").starts_with(b"This is a text file."));
            let xattrs = fs.xattrs(file).unwrap();
            let names: Vec<_> = xattrs.iter().map(|(name, _)| name.as_slice()).collect();
            assert_eq!(names, [b"security.selinux".as_slice(), b"user.myxattr"]);
            assert_eq!(xattrs[1].1, b"My extended attribute");
        }
    }

    #[test]
    fn public_images_of_many_files() {
        let device = need!(corpus("test_disk1.bin.zst"));
        let fs = Ext::open(device).unwrap();
        assert_eq!(names(&fs, "big_dir"), 10_000);
        assert_eq!(whole(&fs, "big_dir/7654"), b"7654");
        assert!(
            fs.info()
                .notes
                .iter()
                .any(|note| note.contains("encrypted"))
        );
        let encrypted = find(&fs, "encrypted_dir");
        let refused = fs.read_dir(encrypted, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(DiskError::Unsupported { .. })));

        let fs = Ext::open(corpus("test_disk_ext3.bin.zst").unwrap()).unwrap();
        assert_eq!((fs.info().kind, names(&fs, "medium_dir")), ("ext3", 1000));
        let fs = Ext::open(corpus("test_disk_ext2.bin.zst").unwrap()).unwrap();
        assert_eq!(whole(&fs, "small_file"), b"hello, world!");
        let holes = whole(&fs, "holes");
        assert_eq!(holes.len(), 10_240);
        assert_eq!(fs.stat(find(&fs, "holes")).unwrap().allocated, 4096);
        assert_eq!(whole(&fs, "big_file").len(), 71_577_600);
    }

    #[test]
    fn a_dirty_journal_is_replayed_in_memory() {
        let device = need!(corpus("test_disk_4k_block_journal.bin.zst"));
        let fs = Ext::open(device).unwrap();
        let mut names = 0;
        fs.read_dir(fs.root(), &mut |entry| {
            assert_eq!(fs.stat(entry.node).unwrap().kind, FileKind::Directory);
            names += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        // Without the journal there are fewer, and some of them lead nowhere.
        assert_eq!(names, 774);
        let notes = fs.info().notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("2 committed transactions"))
        );
    }

    /// An image whose file `f` is all `A`, and whose journal holds what debugfs was told to write for its first block.
    fn with_journal(features: &str, open: &str, then: &str) -> Option<Vec<u8>> {
        let (mke2fs, debugfs) = (tool("mke2fs")?, tool("debugfs")?);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("tree")).unwrap();
        fs::write(at("tree/f"), [b'A'; 4096]).unwrap();
        // Content that begins with the journal's magic is stored without it there.
        let new = [[0xc0, 0x3b, 0x39, 0x98].as_slice(), &[b'B'; 1020]].concat();
        fs::write(at("new"), new).unwrap();
        let kind = format!("-t ext4 -b 1024 -O {features}");
        let mut command = Command::new(mke2fs);
        command
            .args(["-q", "-F", "-d"])
            .arg(at("tree"))
            .args(kind.split(' '));
        run(command.arg(at("image")).arg("8M"));
        let mut command = Command::new(&debugfs);
        let output = command
            .args(["-R", "blocks f"])
            .arg(at("image"))
            .output()
            .unwrap();
        let blocks = String::from_utf8(output.stdout).unwrap();
        let block = blocks.split_whitespace().next().unwrap();
        let new = at("new").to_str().unwrap().to_owned();
        let revoke = then.replace("BLOCK", block);
        let script = format!("jo {open}\njw -b {block} {new}\n{revoke}\njc\n");
        fs::write(at("script"), script).unwrap();
        run(Command::new(debugfs)
            .arg("-w")
            .arg("-f")
            .args([at("script"), at("image")]));
        Some(fs::read(at("image")).unwrap())
    }

    fn first_bytes_of_f(image: Vec<u8>) -> (Vec<u8>, Vec<String>) {
        let fs = Ext::open(Arc::new(Bytes(image))).unwrap();
        let bytes = whole(&fs, "f");
        assert!(bytes[1024..].iter().all(|byte| *byte == b'A'));
        (bytes[..5].to_vec(), fs.info().notes)
    }

    #[test]
    fn journals_of_every_checksum_kind_are_replayed() {
        for (features, open) in [
            ("^metadata_csum", ""),
            ("^metadata_csum,^64bit", "-c"),
            ("^64bit", "-c -v 2"),
            ("64bit", "-c -v 2"),
            ("64bit", "-c -v 3"),
        ] {
            let image = need!(with_journal(features, open, ""));
            let (bytes, _) = first_bytes_of_f(image);
            assert_eq!(bytes, [0xc0, 0x3b, 0x39, 0x98, b'B'], "{open}");
        }
    }

    #[test]
    fn a_revoked_block_is_left_as_it_was() {
        let image = need!(with_journal("^metadata_csum", "", "jw -r BLOCK"));
        let (bytes, notes) = first_bytes_of_f(image);
        assert_eq!(bytes, b"AAAAA");
        assert!(notes[0].contains("2 committed transactions") && notes[0].contains("0 blocks"));
    }

    #[test]
    fn a_torn_block_of_the_journal_is_passed_over() {
        // The older checksum covers the whole transaction, which then counts as not committed.
        for (features, open, note) in [
            ("^metadata_csum", "-c", None),
            (
                "64bit",
                "-c -v 2",
                Some("1 blocks of the journal fail their checksum"),
            ),
            (
                "64bit",
                "-c -v 3",
                Some("1 blocks of the journal fail their checksum"),
            ),
        ] {
            let mut image = need!(with_journal(features, open, ""));
            let stored = [[0; 4].as_slice(), &[b'B'; 1020]].concat();
            let mut blocks = image.chunks(1024);
            let at = blocks.position(|bytes| bytes == stored).unwrap();
            image[at * 1024 + 600] = b'C';
            let (bytes, notes) = first_bytes_of_f(image);
            assert_eq!(bytes, b"AAAAA");
            let said = note.is_none_or(|note| notes.iter().any(|said| said.contains(note)));
            assert!(said, "{open}: {notes:?}");
        }
    }

    #[test]
    fn what_is_not_ext_is_refused() {
        for size in [0, 100, 1024, 1080, 4096] {
            let device: Arc<dyn transvase::disk::BlockDevice> = Arc::new(Bytes(vec![0; size]));
            assert!(!Ext::probe(&device));
            assert!(Ext::open(device).is_err());
        }
    }
}
