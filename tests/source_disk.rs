//! Machines on disk images: the root found, the file systems joined as its fstab says, the rest named.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{need, tool};
    use std::fs;
    use std::os::unix::fs::{FileExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use transvase::fact::Unexamined;
    use transvase::source::{Error, OpenOptions, Root};
    use transvase::walk::Tree;

    const ROOT: &str = "11111111-2222-4333-8444-555555555555";
    const DATA: &str = "66666666-7777-4888-8999-aaaaaaaaaaaa";

    /// Writes files by their paths; `-> ` makes a link.
    fn tree(at: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = at.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, &path).unwrap(),
                None => fs::write(&path, text).unwrap(),
            }
        }
    }

    /// An ext4 of 8 MiB that holds these files; `None` without mke2fs.
    fn image(at: &Path, name: &str, options: &[&str], files: &[(&str, &str)]) -> Option<PathBuf> {
        let mke2fs = tool("mke2fs")?;
        let folder = at.join(format!("{name}.tree"));
        fs::create_dir_all(&folder).unwrap();
        tree(&folder, files);
        let image = at.join(name);
        let status = Command::new(mke2fs)
            .args(["-q", "-F", "-t", "ext4", "-d"])
            .arg(&folder)
            .args(options)
            .arg(&image)
            .arg("8M")
            .status();
        assert!(status.unwrap().success());
        Some(image)
    }

    /// A disk with an MBR whose partitions are these images.
    fn disk(at: &Path, name: &str, parts: &[&Path]) -> PathBuf {
        let path = at.join(name);
        let file = fs::File::create(&path).unwrap();
        let mut table = [0u8; 512];
        table[440..444].copy_from_slice(&0xdead_beef_u32.to_le_bytes());
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        let mut start = 2048u32;
        for (number, part) in parts.iter().enumerate() {
            let bytes = fs::read(part).unwrap();
            let sectors = u32::try_from(bytes.len() / 512).unwrap();
            let entry = &mut table[446 + 16 * number..][..16];
            entry[4] = 0x83;
            entry[8..12].copy_from_slice(&start.to_le_bytes());
            entry[12..].copy_from_slice(&sectors.to_le_bytes());
            file.write_all_at(&bytes, u64::from(start) * 512).unwrap();
            start += sectors + 2048;
        }
        file.write_all_at(&table, 0).unwrap();
        path
    }

    fn open(paths: &[&Path], root: Option<&str>) -> Result<Root, Error> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let options = OpenOptions {
            root: root.map(str::to_owned),
            ..OpenOptions::default()
        };
        Root::open(&paths, &options)
    }

    fn text(root: &Root, tree: &Tree, path: &str) -> String {
        match tree.get(&path.into()) {
            Some(entry) => String::from_utf8(root.read(entry, 1 << 20).unwrap()).unwrap(),
            None => "absent".to_owned(),
        }
    }

    fn said(problems: &[Unexamined]) -> Vec<String> {
        let mut said: Vec<String> = problems
            .iter()
            .map(|p| format!("{}: {}", p.path, p.reason))
            .collect();
        said.sort();
        said
    }

    const FSTAB: &str = "\
# comment
UUID=11111111-2222-4333-8444-555555555555 / ext4 errors=remount-ro 0 1
UUID=66666666-7777-4888-8999-AAAAAAAAAAAA /srv ext4 defaults 0 2
LABEL=logs /var/log ext4 nofail 0 2
/dev/vdb /srv/inner\\040space ext4 defaults 0 2
/srv/app/data /var/www none bind 0 0
/srv/not/there /var/empty none bind 0 0
UUID=00000000-1111-2222-3333-444444444444 /opt ext4 nofail 0 2
nas:/export /mnt/nas nfs _netdev 0 0
//files/share /mnt/share cifs credentials=/root/x 0 0
tmpfs /tmp tmpfs defaults 0 0
/dev/sda9 none swap sw 0 0
/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0
";

    #[test]
    fn file_systems_are_joined_as_fstab_says() {
        let temp = tempfile::tempdir().unwrap();
        let at = temp.path();
        let root = [
            ("etc/os-release", "-> ../usr/lib/os-release"),
            ("usr/lib/os-release", "ID=debian\n"),
            ("etc/fstab", FSTAB),
            ("srv/hidden", "under the mount"),
            ("srv/inner space/hidden", "under it too"),
            ("var/log/hidden", "under the log"),
            ("out", "-> ../../srv/app/file"),
        ];
        let root = need!(image(at, "root", &["-U", ROOT], &root));
        let data = [
            ("app/file", "of srv"),
            ("app/data/page", "bound"),
            ("inner space/hidden", ""),
        ];
        let data = image(at, "data", &["-U", DATA], &data).unwrap();
        let logs = image(at, "logs", &["-L", "logs"], &[("syslog", "a line")]).unwrap();
        let inner = image(at, "inner", &[], &[("deep/file", "of inner")]).unwrap();
        let first = disk(at, "first", &[&root, &data, &logs]);
        let source = open(&[&first, &inner], None).unwrap();
        let (tree, problems) = source.walk();
        assert_eq!(
            said(&problems),
            [
                "/mnt/nas: mounted over the network from nas:/export; not on this disk",
                "/mnt/share: mounted over the network from //files/share; not on this disk",
                "/opt: UUID=00000000-1111-2222-3333-444444444444 is on none of the disks that were handed over",
                "/var/empty: bound from /srv/not/there, which is not there",
            ]
        );
        for (path, content) in [
            ("/etc/os-release", "ID=debian\n"),
            ("/srv/app/file", "of srv"),
            ("/out", "of srv"),
            ("/srv/hidden", "absent"),
            ("/srv/inner space/deep/file", "of inner"),
            ("/srv/inner space/hidden", "absent"),
            ("/var/log/syslog", "a line"),
            ("/var/log/hidden", "absent"),
            ("/var/www/page", "bound"),
            ("/srv/app/data/page", "bound"),
        ] {
            assert_eq!(text(&source, &tree, path), content, "{path}");
        }
        let mounts: Vec<_> = source
            .info()
            .volumes
            .iter()
            .map(|volume| {
                (
                    volume.device.as_str(),
                    volume.kind.as_str(),
                    volume.mount.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            mounts,
            [
                ("sda1", "partition", Some("/")),
                ("sda2", "partition", Some("/srv")),
                ("sda3", "partition", Some("/var/log")),
                ("sdb", "disk", Some("/srv/inner space")),
            ]
        );
    }

    /// A FAT as installers make it, with a boot loader's directory.
    fn boot_image(at: &Path, name: &str) -> Option<PathBuf> {
        let image = at.join(name);
        for (name, arguments) in [
            ("mkfs.vfat", "-C -i 5a5a1234 IMAGE 4096"),
            ("mmd", "-i IMAGE ::/EFI ::/EFI/debian"),
            ("mcopy", "-i IMAGE FILE ::/EFI/debian/grub.cfg"),
        ] {
            let tool = tool(name)?;
            let file = at.join("grub.cfg");
            fs::write(&file, "search.fs_uuid 1111").unwrap();
            let named = arguments
                .replace("IMAGE", &image.display().to_string())
                .replace("FILE", &file.display().to_string());
            let output = Command::new(tool).args(named.split(' ')).output();
            assert!(output.unwrap().status.success(), "{name} {named}");
        }
        Some(image)
    }

    #[test]
    fn the_boot_loaders_partition_is_joined_and_never_missed() {
        let temp = tempfile::tempdir().unwrap();
        let at = temp.path();
        let boot = need!(boot_image(at, "boot"));
        let root = |name: &str, fstab: &str| {
            let files = [("etc/os-release", "ID=debian\n"), ("etc/fstab", fstab)];
            image(at, name, &[], &files)
        };
        let line = "UUID=5A5A-1234 /boot/efi vfat umask=0077 0 1\n";
        let mounting = need!(root("mounting", line));
        let not_mounting = root("not-mounting", "").unwrap();
        let source = open(&[&disk(at, "first", &[&boot, &mounting])], None).unwrap();
        let (tree, problems) = source.walk();
        assert_eq!(said(&problems), [] as [&str; 0]);
        let found = text(&source, &tree, "/boot/efi/EFI/debian/grub.cfg");
        assert_eq!(found, "search.fs_uuid 1111");
        let source = open(&[&disk(at, "second", &[&boot, &not_mounting])], None).unwrap();
        assert_eq!(said(&source.walk().1), [] as [&str; 0]);
    }

    #[test]
    fn a_machine_with_windows_is_told_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let boot = need!(boot_image(temp.path(), "boot"));
        let disk_of = |name: &str| disk(temp.path(), name, &[&boot]);
        let said = |path: &Path| match open(&[path], None) {
            Err(error) => error.to_string(),
            Ok(_) => "opened".to_owned(),
        };
        let plain = said(&disk_of("plain"));
        assert!(plain.ends_with("; sda1 is vfat"), "{plain}");
        for folder in [
            "::/WINDOWS",
            "::/WINDOWS/system32",
            "::/WINDOWS/system32/Config",
        ] {
            let status = Command::new(need!(tool("mmd")))
                .arg("-i")
                .args([&boot])
                .arg(folder)
                .status();
            assert!(status.unwrap().success());
        }
        let windows = said(&disk_of("windows"));
        let end = "sda1 is vfat and holds Windows: only Linux machines are examined";
        assert!(windows.ends_with(end), "{windows}");
    }

    #[test]
    fn several_roots_are_a_question_and_none_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let at = temp.path();
        let files = |id: &'static str| [("etc/os-release", id), ("usr/bin/x", "")];
        let one = need!(image(at, "one", &[], &files("ID=one\n")));
        let two = image(at, "two", &[], &files("ID=two\n")).unwrap();
        let none = image(at, "none", &[], &[("photos/cat", "meow")]).unwrap();
        let both = disk(at, "both", &[&one, &two, &none]);
        let message = open(&[&both], None).err().unwrap().to_string();
        assert!(
            message.contains("sda1, sda2") && message.contains("--root"),
            "{message}"
        );
        for device in ["sda2", "/dev/sda2"] {
            let source = open(&[&both], Some(device)).unwrap();
            let (tree, problems) = source.walk();
            assert_eq!(text(&source, &tree, "/etc/os-release"), "ID=two\n");
            // Nobody mounts the others, and they are not lost.
            let said = said(&problems);
            assert_eq!(said.len(), 2, "{said:?}");
            assert!(
                said[0].starts_with("/dev/sda1: ext4 that no line"),
                "{said:?}"
            );
        }
        let message = open(&[&both], Some("sda3")).err().unwrap().to_string();
        assert!(message.contains("no root file system on sda3"), "{message}");
        let message = open(&[&none], None).err().unwrap().to_string();
        assert!(
            message.contains("/etc/os-release") && message.contains("sda is ext4"),
            "{message}"
        );
    }

    #[test]
    fn later_mounts_hide_earlier_ones_and_loops_end() {
        let temp = tempfile::tempdir().unwrap();
        let fstab = "/dev/sdb /srv ext4\nLABEL=later /srv ext4\n/ /srv/again none bind\n/srv/x /srv/x none bind\n";
        let root = [
            ("etc/os-release", "ID=x\n"),
            ("etc/fstab", fstab),
            ("srv/x/y", ""),
        ];
        let root = need!(image(temp.path(), "root", &[], &root));
        let early = image(
            temp.path(),
            "early",
            &[],
            &[("early", "1"), ("x/early", "1")],
        )
        .unwrap();
        let later = image(
            temp.path(),
            "later",
            &["-L", "later"],
            &[("later", "2"), ("x/y", "2")],
        )
        .unwrap();
        let source = open(&[&root, &early, &later], None).unwrap();
        let (tree, _) = source.walk();
        assert_eq!(text(&source, &tree, "/srv/later"), "2");
        assert_eq!(text(&source, &tree, "/srv/early"), "absent");
        assert_eq!(text(&source, &tree, "/srv/x/y"), "2");
        // The root bound below itself is there once more, and its own mount points are not followed again.
        assert_eq!(text(&source, &tree, "/srv/again/etc/os-release"), "ID=x\n");
        assert!(!tree.exists(&"/srv/again/srv/again/etc".into()));
    }

    #[test]
    fn damage_is_an_answer_and_never_a_panic() {
        let temp = tempfile::tempdir().unwrap();
        let files = [
            ("etc/os-release", "ID=x\n"),
            ("etc/fstab", "LABEL=none /srv ext4\n"),
            ("usr/lib/a/b/c", "text"),
            ("link", "-> usr/lib/a"),
        ];
        let image = need!(image(temp.path(), "root", &[], &files));
        let whole = fs::read(&image).unwrap();
        let damaged = temp.path().join("damaged");
        let (mut opened, mut noise) = (0, 0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..40 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                // Metadata lies in the first part of so small a file system.
                let at = usize::try_from(noise % (1 << 21)).unwrap();
                bytes[at] = noise.to_le_bytes()[7];
            }
            fs::write(&damaged, &bytes).unwrap();
            if let Ok(source) = open(&[&damaged], None) {
                opened += 1;
                let (tree, _) = source.walk();
                for entry in tree.entries() {
                    let _ = source.read(entry, 1 << 16);
                }
            }
        }
        assert!(opened > 5, "{opened}");
        fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
        if let Ok(source) = open(&[&damaged], None) {
            assert!(!source.walk().1.is_empty());
        }
    }
}
