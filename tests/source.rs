//! Sources from outside: directories and archives give the same tree, hostile ones stay inside, wrong ones say why.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{self, need};
    use std::fs::{self, File};
    use std::io::{Read, Write};
    use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use tar::{Builder, EntryType, Header};
    use transvase::disk::FileKind;
    use transvase::path::MachinePath;
    use transvase::source::{Error, OpenOptions, ReadError, Root};
    use transvase::walk::Tree;

    const LIMIT: u64 = 1 << 30;

    fn open(path: &Path) -> Result<Root, Error> {
        Root::open(&[path.to_path_buf()], &OpenOptions::default())
    }

    fn refused(path: &Path) -> String {
        match open(path) {
            Ok(_) => panic!("{} was opened", path.display()),
            Err(error) => error.to_string(),
        }
    }

    fn text(root: &Root, tree: &Tree, path: &str) -> String {
        let entry = tree
            .get(&path.into())
            .unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(root.read(entry, LIMIT).unwrap()).unwrap()
    }

    /// A small machine with every kind of name.
    fn machine(at: &Path) {
        for dir in ["etc/app.d", "usr/bin", "usr/lib", "var/log", "srv/deep/er"] {
            fs::create_dir_all(at.join(dir)).unwrap();
        }
        fs::write(at.join("usr/lib/os-release"), "ID=debian\n").unwrap();
        symlink("../usr/lib/os-release", at.join("etc/os-release")).unwrap();
        symlink("usr/bin", at.join("bin")).unwrap();
        fs::write(at.join("usr/bin/tool"), vec![7; 100_000]).unwrap();
        fs::set_permissions(at.join("usr/bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
        fs::hard_link(at.join("usr/bin/tool"), at.join("usr/bin/other")).unwrap();
        fs::write(at.join("var/log/empty"), "").unwrap();
        let long = "n".repeat(200);
        fs::create_dir_all(at.join("srv").join(&long)).unwrap();
        fs::write(at.join("srv").join(&long).join(&long), "long").unwrap();
        symlink("x".repeat(300), at.join("srv/long-link")).unwrap();
        fs::write(at.join("srv/a\nb\u{1b}[31m"), "odd").unwrap();
        let sparse = File::create(at.join("var/log/sparse")).unwrap();
        sparse.write_all_at(b"begin", 0).unwrap();
        sparse.write_all_at(b"middle", 1 << 20).unwrap();
        sparse.set_len((3 << 20) + 17).unwrap();
    }

    /// All that a tree says, but for times and numbers of nodes; directories' sizes are the file system's affair.
    fn listing(root: &Root) -> Vec<String> {
        let (tree, problems) = root.walk();
        assert_eq!(problems, []);
        let line = |entry: &transvase::walk::Entry| {
            let size = if entry.is_file() { entry.size } else { 0 };
            let content = entry.is_file().then(|| {
                let bytes = root.read(entry, LIMIT).unwrap();
                let sum = bytes.iter().fold(0u64, |sum, b| {
                    sum.wrapping_mul(31).wrapping_add(u64::from(*b))
                });
                (bytes.len(), sum)
            });
            format!(
                "{} {:?} {:o} {} {size} {:?} {content:?}",
                entry.path, entry.kind, entry.mode, entry.uid, entry.target
            )
        };
        tree.entries().iter().map(line).collect()
    }

    fn tar(machine: &Path, to: &Path, options: &[&str]) {
        let status = Command::new("tar")
            .args(options)
            .args([
                "-C",
                machine.to_str().unwrap(),
                "-cf",
                to.to_str().unwrap(),
                ".",
            ])
            .status()
            .unwrap();
        assert!(status.success());
    }

    #[test]
    fn an_archive_of_any_dialect_is_the_directory_it_was_made_of() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("machine");
        machine(&root);
        let expected = listing(&open(&root).unwrap());
        assert!(expected.len() > 20);
        for options in [
            &["--format=gnu"][..],
            &["--format=gnu", "--sparse"],
            &["--format=posix"],
            &["--format=posix", "--sparse"],
            &["--format=posix", "--sparse", "--sparse-version=0.1"],
            &["--format=posix", "--sparse", "--sparse-version=0.0"],
            &["--format=oldgnu"],
        ] {
            // The name must not matter.
            let archive = temp.path().join("machine.qcow2");
            tar(&root, &archive, options);
            let source = open(&archive).unwrap();
            assert_eq!(source.info().format, "tar");
            assert_eq!(listing(&source), expected, "{options:?}");
        }
    }

    #[test]
    fn sparse_pieces_are_found_at_any_offset() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("machine");
        machine(&root);
        let archive = temp.path().join("tar");
        tar(&root, &archive, &["--format=posix", "--sparse"]);
        assert!(fs::metadata(&archive).unwrap().len() < 1 << 20);
        let source = open(&archive).unwrap();
        let (tree, _) = source.walk();
        let entry = tree.entry(&"/var/log/sparse".into()).unwrap();
        let mut buf = [1; 12];
        assert_eq!(source.read_at(entry, (1 << 20) - 3, &mut buf).unwrap(), 12);
        assert_eq!(&buf, b"\0\0\0middle\0\0\0");
        assert_eq!(source.read_at(entry, (3 << 20) + 10, &mut buf).unwrap(), 7);
        let mut all = Vec::new();
        source
            .content(entry)
            .unwrap()
            .read_to_end(&mut all)
            .unwrap();
        assert_eq!(all, fs::read(root.join("var/log/sparse")).unwrap());
    }

    #[test]
    fn attributes_come_along() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("machine");
        machine(&root);
        let file = root.join("usr/bin/tool");
        let value = b"\n12 path=/etc/passwd\n\0";
        need!(needs::user_attributes(temp.path()));
        rustix::fs::setxattr(&file, "user.note", value, rustix::fs::XattrFlags::empty()).unwrap();
        let archive = temp.path().join("tar");
        tar(
            &root,
            &archive,
            &["--format=posix", "--xattrs", "--xattrs-include=*"],
        );
        for path in [&root, &archive] {
            let source = open(path).unwrap();
            let (tree, _) = source.walk();
            let entry = tree.entry(&"/usr/bin/other".into()).unwrap();
            let found = source.xattrs(entry).unwrap();
            assert!(
                found.contains(&(b"user.note".to_vec(), value.to_vec())),
                "{}",
                path.display()
            );
            assert_eq!(
                source.xattrs(tree.entry(&"/bin".into()).unwrap()).unwrap(),
                []
            );
        }
    }

    /// An archive of members given as (kind, name, link or content).
    fn archive(members: &[(EntryType, &str, &str)]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = Builder::new(Vec::new());
        for (kind, name, text) in members {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            // Past the crate's own checks of names.
            let field = &mut header.as_old_mut().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            if is_link {
                header.as_old_mut().linkname[..text.len()].copy_from_slice(text.as_bytes());
            }
            let content = if is_link { "" } else { text };
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        file.write_all(&builder.into_inner().unwrap()).unwrap();
        file
    }

    const FILE: EntryType = EntryType::Regular;

    #[test]
    fn names_of_members_stay_inside() {
        let file = archive(&[
            (FILE, "../../../etc/os-release", "ID=inside\n"),
            (FILE, "/etc/absolute", "absolute"),
            (FILE, "usr/../../../../etc/./dots", "dots"),
            (EntryType::Symlink, "etc/out", "/../../../etc/absolute"),
            (EntryType::Symlink, "bin", "usr/bin"),
            (FILE, "usr/bin/sh", "old"),
            (FILE, "bin/sh", "new"),
            (FILE, "bin/deep/er/file", "deep"),
            (EntryType::Link, "etc/hard", "/../usr/bin/sh"),
            (EntryType::Link, "etc/dangling", "nowhere"),
            (EntryType::Link, "etc/self", "etc/self"),
        ]);
        let root = open(file.path()).unwrap();
        let (tree, problems) = root.walk();
        assert_eq!(problems, []);
        assert_eq!(text(&root, &tree, "/etc/os-release"), "ID=inside\n");
        assert_eq!(text(&root, &tree, "/etc/out"), "absolute");
        assert_eq!(text(&root, &tree, "/etc/dots"), "dots");
        // Unpacking would have written through the link.
        assert_eq!(text(&root, &tree, "/usr/bin/sh"), "new");
        assert_eq!(text(&root, &tree, "/usr/bin/deep/er/file"), "deep");
        assert_eq!(tree.children(&"/bin".into()).len(), 2);
        assert_eq!(text(&root, &tree, "/etc/hard"), "old");
        for path in ["/etc/dangling", "/etc/self"] {
            let error = root
                .read(tree.entry(&path.into()).unwrap(), LIMIT)
                .unwrap_err();
            assert!(matches!(error, ReadError::Unsupported(_)), "{error}");
        }
        // Directories that only names told of.
        assert_eq!(
            tree.entry(&"/usr/bin".into()).unwrap().kind,
            FileKind::Directory
        );
        assert!(tree.entry(&MachinePath::root()).unwrap().is_dir());
    }

    #[test]
    fn later_members_replace_earlier_ones() {
        let file = archive(&[
            (FILE, "etc/os-release", "ID=old\n"),
            (FILE, "etc/os-release", "ID=new\n"),
        ]);
        let root = open(file.path()).unwrap();
        let (tree, _) = root.walk();
        assert_eq!(text(&root, &tree, "/etc/os-release"), "ID=new\n");
    }

    #[test]
    fn damaged_archives_are_refused_whole() {
        let file = archive(&[
            (FILE, "etc/os-release", "ID=x\n"),
            (FILE, "etc/big", &"b".repeat(2000)),
        ]);
        let bytes = fs::read(file.path()).unwrap();
        let cut = tempfile::NamedTempFile::new().unwrap();
        for length in [514, 1100, 1536, 3000] {
            fs::write(cut.path(), &bytes[..length]).unwrap();
            let message = refused(cut.path());
            assert!(message.contains("truncated"), "{length}: {message}");
            assert!(message.contains(cut.path().to_str().unwrap()));
        }
        // Exactly between two members: all that is there is whole, but the end mark is not.
        fs::write(cut.path(), &bytes[..1024]).unwrap();
        let (_, problems) = open(cut.path()).unwrap().walk();
        assert!(problems[0].reason.contains("end mark"), "{problems:?}");

        let mut flipped = bytes.clone();
        flipped[1024 + 3] ^= 1;
        fs::write(cut.path(), &flipped).unwrap();
        assert!(refused(cut.path()).contains("checksum"));
    }

    #[test]
    fn long_names_and_maps_do_not_fill_the_memory() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::XHeader);
        header.set_size(1 << 40);
        header.set_cksum();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), header.as_bytes()).unwrap();
        assert!(refused(file.path()).contains("more than 1048576 bytes"));

        let mut builder = Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(0);
        let name = "d/".repeat(40_000);
        builder
            .append_data(&mut header, &name[..2000], &b""[..])
            .unwrap();
        builder
            .append_pax_extensions([("path", name.as_bytes())])
            .unwrap();
        header.set_path("x").unwrap();
        header.set_cksum();
        builder.append(&header, &b""[..]).unwrap();
        fs::write(file.path(), builder.into_inner().unwrap()).unwrap();
        // No root in it, and told so rather than killed.
        assert!(refused(file.path()).contains("no machine's root"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        /// Whatever is changed in an archive: an error or a tree, never a panic.
        #[test]
        fn mutated_archives_never_panic(changes in proptest::collection::vec((0usize..6000, 0u8..), 1..12)) {
            let members = [
                (FILE, "etc/os-release", "ID=x\n"),
                (EntryType::Symlink, "bin", "usr/bin"),
                (EntryType::Link, "etc/hard", "etc/os-release"),
                (EntryType::GNUSparse, "etc/sparse", "some content"),
            ];
            let file = archive(&members);
            let mut bytes = fs::read(file.path()).unwrap();
            for (at, value) in changes {
                let at = at % bytes.len();
                bytes[at] = value;
                // Half of them with a checksum that fits, or nothing behind it would be reached.
                let start = at / 512 * 512;
                if value % 2 == 0 && start + 512 <= bytes.len() {
                    let mut header = Header::new_old();
                    header.as_mut_bytes().copy_from_slice(&bytes[start..start + 512]);
                    header.set_cksum();
                    bytes[start..start + 512].copy_from_slice(header.as_bytes());
                }
            }
            fs::write(file.path(), &bytes).unwrap();
            if let Ok(root) = open(file.path()) {
                let (tree, _) = root.walk();
                for entry in tree.entries() {
                    let _ = root.read(entry, 1 << 16);
                }
            }
        }
    }

    #[test]
    fn directories_keep_to_their_limits() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("machine");
        machine(&path);
        let root = open(&path).unwrap();
        let (tree, _) = root.walk();
        let tool = tree.entry(&"/usr/bin/tool".into()).unwrap();
        assert!(matches!(
            root.read(tool, 99_999),
            Err(ReadError::TooLarge {
                size: 100_000,
                limit: 99_999
            })
        ));
        // A file that grew since the walk is read as it is now, and not beyond the limit.
        fs::write(path.join("usr/bin/tool"), vec![7; 200_000]).unwrap();
        assert_eq!(root.read(tool, 300_000).unwrap().len(), 200_000);
        assert!(matches!(
            root.read(tool, 150_000),
            Err(ReadError::TooLarge { .. })
        ));
        let mut tail = [0; 50];
        assert_eq!(root.read_at(tool, 199_990, &mut tail).unwrap(), 10);
        assert_eq!(root.read_at(tool, 1 << 40, &mut tail).unwrap(), 0);
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        let says = |path: PathBuf, words: &[&str]| {
            let message = refused(&path);
            for word in words {
                assert!(message.contains(word), "{message}");
            }
            assert!(
                !message.contains('\n') && !message.contains('\u{1b}'),
                "{message}"
            );
        };
        says(at("none\u{1b}[2J"), &["does not exist", "\\u{1b}"]);
        fs::write(at("empty"), "").unwrap();
        says(at("empty"), &["is empty"]);
        fs::create_dir_all(at("folder/inner/etc")).unwrap();
        fs::create_dir_all(at("folder/inner/usr")).unwrap();
        says(at("folder"), &["/etc/os-release", "its folder inner does"]);
        fs::write(at("packed.tar"), b"\x1f\x8b\x08\0\0\0").unwrap();
        says(at("packed.tar"), &["gzip", "gunzip"]);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        says(at("fifo"), &["neither a file nor a directory"]);
        says(
            PathBuf::from("/dev/null"),
            &["neither a file nor a directory"],
        );
        let inner = archive(&[(FILE, "machine/etc/os-release", "ID=x\n")]);
        says(inner.path().to_path_buf(), &["/machine", "tar -C"]);
        assert!(matches!(
            Root::open(&[], &OpenOptions::default()),
            Err(Error::Nothing)
        ));
        let pair = [at("folder/inner"), at("empty")];
        assert!(matches!(
            Root::open(&pair, &OpenOptions::default()),
            Err(Error::Mixed { .. })
        ));
    }
}
