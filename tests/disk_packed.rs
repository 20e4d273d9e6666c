//! File systems that are packed: images made by their own tools must read like the tree they were made from.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of other file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{
        RawFile, assert_same, find, noise, odd_tree, of_directory, of_file_system, read_damaged,
        run,
    };
    use super::needs::{need, tool};
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use transvase::disk::FileSystem;
    use transvase::disk::erofs::Erofs;
    use transvase::disk::squashfs::Squashfs;

    fn make_squashfs(tree: &Path, image: &Path, options: &str) -> Option<()> {
        let mut command = Command::new(tool("mksquashfs")?);
        let _ = fs::remove_file(image);
        command.arg(tree).arg(image);
        command.args(["-quiet", "-no-progress", "-noappend", "-processors", "2"]);
        run(command.args(options.split(' ')));
        Some(())
    }

    #[test]
    fn squashfs_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        // Text, for the packers have nothing to do with noise.
        let text: Vec<String> = (0..60_000)
            .map(|at| format!("line {}\n", at % 9_973))
            .collect();
        fs::write(tree.join("text"), text.concat()).unwrap();
        // The maker needs half a minute for it.
        fs::remove_file(tree.join("holes/beyond-4-gib")).unwrap();
        for options in [
            "-comp lz4",
            "-comp gzip -b 4096",
            "-comp xz -Xbcj x86 -b 65536",
            "-comp lzo -b 262144",
            "-comp lzma",
            "-comp zstd -b 1048576 -Xcompression-level 3",
            "-comp lz4 -Xhc -no-fragments -no-duplicates",
            "-comp gzip -noI -noD -noF -noX -always-use-fragments",
        ] {
            need!(make_squashfs(&tree, &image, options));
            let expected = of_directory(&tree);
            let device = RawFile::open(&image);
            assert!(Squashfs::probe(&device));
            let fs = Squashfs::open(device).unwrap();
            assert_eq!(fs.info().notes, [] as [&str; 0]);
            assert_same(&expected, &of_file_system(&fs), options);
            let holes = fs.stat(find(&fs, "holes/nothing")).unwrap();
            assert!(holes.size == 10 << 20 && holes.allocated < 512, "{holes:?}");
        }
    }

    #[test]
    fn damaged_squashfs_neither_panics_nor_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        for at in 0..80 {
            let length = usize::try_from(at).unwrap();
            fs::write(tree.join(format!("a/file-{at}")), noise(at, length * 190)).unwrap();
            let target = "x".repeat(1 + 9 * length);
            std::os::unix::fs::symlink(target, tree.join(format!("a/b/{at}"))).unwrap();
        }
        let text: Vec<String> = (0..9_000)
            .map(|at| format!("line {}\n", at % 997))
            .collect();
        fs::write(tree.join("text"), text.concat()).unwrap();
        // Metadata as it is, so that damage reaches its fields; then packed in every way, so that it reaches the packers.
        for options in [
            "-comp gzip -b 4096 -noI -noX -noId",
            "-comp gzip -b 4096",
            "-comp xz -b 4096",
            "-comp lzo -b 4096",
            "-comp lzma -b 4096",
            "-comp lz4 -b 4096",
            "-comp zstd -b 4096",
        ] {
            need!(make_squashfs(&tree, &image, options));
            let bytes = fs::read(&image).unwrap();
            let opened = read_damaged(&bytes, 0..120, 0..96, |device| {
                Ok(Box::new(Squashfs::open(device)?))
            });
            assert!(opened > 40, "{options}: only {opened} opened");
        }
    }

    fn make_erofs(tree: &Path, image: &Path, options: &str) -> Option<()> {
        let mut command = Command::new(tool("mkfs.erofs")?);
        let _ = fs::remove_file(image);
        command.args(["--quiet", "-U", "01234567-89ab-cdef-0123-456789abcdef"]);
        run(command
            .args(options.split_whitespace())
            .arg(image)
            .arg(tree));
        Some(())
    }

    #[test]
    fn erofs_reads_like_the_tree_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        odd_tree(&tree);
        fs::remove_file(tree.join("holes/beyond-4-gib")).unwrap();
        // The maker (1.5) cannot look at a name of 255 bytes.
        let (long, shorter) = ("x".repeat(255), "x".repeat(254));
        fs::rename(
            tree.join("names").join(long),
            tree.join("names").join(shorter),
        )
        .unwrap();
        let text: Vec<String> = (0..60_000)
            .map(|at| format!("line {}\n", at % 9_973))
            .collect();
        fs::write(tree.join("text"), text.concat()).unwrap();
        let mixed = [
            text.concat().into_bytes(),
            noise(1, 100_000),
            vec![0; 70_000],
            noise(2, 77),
        ];
        fs::write(tree.join("mixed"), mixed.concat()).unwrap();
        let expected = of_directory(&tree);
        for options in [
            "",
            "--ignore-mtime",
            "-zlz4",
            "-zlz4hc,9 -Elegacy-compress",
            "-zlz4 -C65536",
            "-zlz4hc -Eztailpacking",
            "-zlz4 -C16384 -Eztailpacking",
            "--chunksize=8192",
            "-x1",
        ] {
            need!(make_erofs(&tree, &image, options));
            let device = RawFile::open(&image);
            assert!(Erofs::probe(&device));
            let fs = Erofs::open(device).unwrap();
            let info = fs.info();
            assert_eq!(info.uuid, "01234567-89ab-cdef-0123-456789abcdef");
            assert_eq!(info.notes, [] as [&str; 0]);
            let mut found = of_file_system(&fs);
            if options.contains("ignore") {
                for (name, node) in &mut found {
                    node.mtime = expected[name].mtime;
                }
            }
            assert_same(&expected, &found, options);
        }
    }

    #[test]
    fn damaged_erofs_neither_panics_nor_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, image) = (folder.path().join("tree"), folder.path().join("image"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        for at in 0..80 {
            let length = usize::try_from(at).unwrap();
            let text: Vec<String> = (0..at * 50).map(|at| format!("line {at}\n")).collect();
            fs::write(tree.join(format!("a/file-{at}")), text.concat()).unwrap();
            let target = "x".repeat(1 + 9 * length);
            std::os::unix::fs::symlink(target, tree.join(format!("a/b/{at}"))).unwrap();
        }
        fs::write(tree.join("zeros"), vec![0; 300_000]).unwrap();
        for options in [
            "",
            "-zlz4",
            "-zlz4hc -C65536 -Eztailpacking",
            "-zlz4 -Elegacy-compress",
        ] {
            need!(make_erofs(&tree, &image, options));
            let bytes = fs::read(&image).unwrap();
            let opened = read_damaged(&bytes, 0..100, 1024..1024 + 128, |device| {
                Ok(Box::new(Erofs::open(device)?))
            });
            assert!(opened > 40, "{options}: only {opened} opened");
        }
    }
}
