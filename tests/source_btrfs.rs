//! Machines on btrfs: the root found among the subvolumes, the others joined as fstab says, copies walked once.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{self, need};
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::atomic::{AtomicU32, Ordering};
    use transvase::fact::Unexamined;
    use transvase::source::{Error, OpenOptions, Root};
    use transvase::walk::Tree;

    /// File systems made so far: the kernel mounts no two of one UUID.
    static MADE: AtomicU32 = AtomicU32::new(0);

    /// A mounted image; unmounted when it goes.
    struct Guest {
        image: PathBuf,
        point: PathBuf,
        uuid: String,
    }

    impl Guest {
        /// An empty file system; `None` where it cannot be made or mounted.
        fn new(folder: &Path) -> Option<Self> {
            let (image, point) = (folder.join("image"), folder.join("point"));
            fs::create_dir(&point).unwrap();
            let file = fs::File::create(&image).unwrap();
            file.set_len(128 << 20).unwrap();
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let uuid = format!("{:08x}-2222-4333-8444-{number:012x}", std::process::id());
            let mut mkfs = Command::new(needs::tool("mkfs.btrfs")?);
            mkfs.args(["-q", "-f", "-U", &uuid]).arg(&image);
            let made = mkfs.output().unwrap();
            assert!(made.status.success(), "{made:?}");
            needs::root()?;
            let mut mount = Command::new("mount");
            mount.args(["-t", "btrfs", "-o", "loop"]).arg(&image);
            needs::allowed(mount.arg(&point))?;
            Some(Self { image, point, uuid })
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.point.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// Runs `btrfs subvolume`, the words that begin with a slash being paths below the mount point.
        fn subvolume(&self, words: &str) {
            let mut command = Command::new("btrfs");
            command.arg("subvolume");
            for word in words.split(' ') {
                match word.strip_prefix('/') {
                    Some(path) => {
                        let path = self.point.join(path);
                        fs::create_dir_all(path.parent().unwrap()).unwrap();
                        command.arg(path)
                    }
                    None => command.arg(word),
                };
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{words}: {output:?}");
        }

        /// Makes a root of a subvolume.
        fn root(&self, path: &str, fstab: &str) {
            self.write(&format!("{path}/etc/os-release"), &format!("ID={path}\n"));
            self.write(&format!("{path}/etc/fstab"), fstab);
        }

        fn open(self, root: Option<&str>) -> Result<Root, Error> {
            let image = self.image.clone();
            drop(self);
            let options = OpenOptions {
                root: root.map(str::to_owned),
                ..OpenOptions::default()
            };
            Root::open(&[image], &options)
        }
    }

    impl Drop for Guest {
        fn drop(&mut self) {
            let status = Command::new("umount").arg(&self.point).status();
            assert!(status.is_ok_and(|status| status.success()));
        }
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

    #[test]
    fn the_root_is_a_subvolume_and_home_another() {
        let temp = tempfile::tempdir().unwrap();
        let guest = need!(Guest::new(temp.path()));
        for subvolume in [
            "root",
            "home",
            "extra",
            "root/var/lib/machines",
            "root/srv/base",
        ] {
            guest.subvolume(&format!("create /{subvolume}"));
        }
        let uuid = guest.uuid.clone();
        guest.root(
            "root",
            &format!(
                "UUID={uuid} / btrfs subvol=root,compress=zstd:1 0 0\n\
                 UUID={uuid} /home btrfs subvol=/home/ 0 0\n\
                 UUID={uuid} /mnt/top btrfs subvolid=5 0 0\n\
                 UUID={uuid} /opt btrfs subvol=gone 0 0\n"
            ),
        );
        guest.write("home/user/file", "of home");
        guest.write("root/var/lib/machines/file", "nested");
        guest.write("root/srv/base/file", "once");
        guest.write("extra/file", "of extra");
        guest.subvolume("snapshot -r /home /home/.past/1");
        guest.subvolume("snapshot /root/srv/base /root/srv/copy");
        let root = guest.open(None).unwrap();
        let (tree, problems) = root.walk();
        for (path, content) in [
            ("/etc/os-release", "ID=root\n"),
            ("/home/user/file", "of home"),
            ("/var/lib/machines/file", "nested"),
            ("/srv/base/file", "once"),
            ("/srv/copy/file", "absent"),
            ("/home/.past/1/user/file", "absent"),
            ("/mnt/top/extra/file", "of extra"),
            // What is mounted elsewhere is seen there.
            ("/mnt/top/home/user/file", "absent"),
            ("/mnt/top/root/etc/os-release", "absent"),
        ] {
            assert_eq!(text(&root, &tree, path), content, "{path}");
        }
        assert!(tree.get(&"/home/.past/1".into()).is_some());
        assert_eq!(
            said(&problems),
            [
                format!("/opt: there is no subvolume gone on UUID={uuid}"),
                "/srv/copy: a snapshot of another subvolume, which may have changed since; it was not walked".to_owned(),
            ]
        );
        assert_eq!(root.info().volumes[0].filesystem.as_deref(), Some("btrfs"));
        assert_eq!(root.info().volumes[0].mount.as_deref(), Some("/"));
    }

    #[test]
    fn after_a_rollback_the_default_subvolume_is_the_root() {
        let temp = tempfile::tempdir().unwrap();
        let guest = need!(Guest::new(temp.path()));
        for subvolume in [
            "@",
            "@/.snapshots",
            "@/.snapshots/1/snapshot",
            "@/var",
            "other",
        ] {
            guest.subvolume(&format!("create /{subvolume}"));
        }
        let uuid = &guest.uuid;
        let fstab = format!(
            "UUID={uuid} / btrfs defaults 0 0\n\
             UUID={uuid} /var btrfs subvol=/@/var 0 0\n\
             UUID={uuid} /.snapshots btrfs subvol=/@/.snapshots 0 0\n"
        );
        guest.root("@/.snapshots/1/snapshot", &fstab);
        guest.write("@/var/log/file", "of var");
        guest.write("other/file", "unmounted");
        guest.subvolume("snapshot -r /@/.snapshots/1/snapshot /@/.snapshots/2/snapshot");
        guest.subvolume("snapshot /@/.snapshots/2/snapshot /@/.snapshots/3/snapshot");
        guest.write("@/.snapshots/3/snapshot/etc/os-release", "ID=rolled\n");
        guest.subvolume("set-default /@/.snapshots/3/snapshot");
        let root = guest.open(None).unwrap();
        let (tree, problems) = root.walk();
        assert_eq!(text(&root, &tree, "/etc/os-release"), "ID=rolled\n");
        assert_eq!(text(&root, &tree, "/var/log/file"), "of var");
        for number in 1..=3 {
            let snapshot = format!("/.snapshots/{number}/snapshot");
            assert!(tree.get(&snapshot.as_str().into()).is_some());
            let below = format!("{snapshot}/etc");
            assert!(tree.get(&below.as_str().into()).is_none());
        }
        // `@` holds nothing but directories that others hang in.
        assert_eq!(
            said(&problems),
            [
                "/dev/sda[/other]: a subvolume that no line of the machine's fstab mounts; it was not walked"
            ]
        );
    }

    #[test]
    fn of_two_roots_one_is_to_be_chosen() {
        let temp = tempfile::tempdir().unwrap();
        let guest = need!(Guest::new(temp.path()));
        for name in ["a", "b"] {
            guest.subvolume(&format!("create /{name}"));
            guest.root(name, "");
        }
        guest.subvolume("snapshot -r /a /past");
        let image = guest.image.clone();
        let Err(several) = guest.open(None) else {
            panic!("there are two");
        };
        let several = several.to_string();
        assert!(several.contains("sda[/a], sda[/b]"), "{several}");
        let open = |name: &str| {
            let options = OpenOptions {
                root: Some(name.to_owned()),
                ..OpenOptions::default()
            };
            let root = Root::open(std::slice::from_ref(&image), &options)?;
            let (tree, _) = root.walk();
            Ok::<_, Error>(text(&root, &tree, "/etc/os-release"))
        };
        assert_eq!(open("/dev/sda[/b]").unwrap(), "ID=b\n");
        assert_eq!(open("sda[/past]").unwrap(), "ID=a\n");
        let none = open("sda[/c]").unwrap_err().to_string();
        assert!(none.contains("sda[/past]"), "{none}");
    }

    #[test]
    fn a_file_system_on_two_disks_is_one() {
        let temp = tempfile::tempdir().unwrap();
        let guest = need!(Guest::new(temp.path()));
        let uuid = guest.uuid.clone();
        guest.subvolume("create /@");
        guest.root(
            "@",
            &format!("/dev/sdb / btrfs subvol=@ 0 0\nUUID={uuid} /top btrfs subvolid=5 0 0\n"),
        );
        let second = temp.path().join("second");
        fs::File::create(&second)
            .unwrap()
            .set_len(128 << 20)
            .unwrap();
        let attach = Command::new("losetup")
            .args(["-f", "--show"])
            .arg(&second)
            .output();
        let attached = String::from_utf8(attach.unwrap().stdout)
            .unwrap()
            .trim()
            .to_owned();
        let balance = ["balance", "start", "-mconvert=raid1", "-dconvert=raid0"];
        for words in [["device", "add", attached.as_str()].as_slice(), &balance] {
            let mut command = Command::new("btrfs");
            let output = command.args(words).arg(&guest.point).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        let image = guest.image.clone();
        drop(guest);
        let detached = Command::new("losetup").args(["-d", &attached]).status();
        assert!(detached.unwrap().success());
        for disks in [[&image, &second], [&second, &image]] {
            let disks = disks.map(Clone::clone);
            let root = Root::open(&disks, &OpenOptions::default()).unwrap();
            let (tree, problems) = root.walk();
            assert_eq!(text(&root, &tree, "/etc/os-release"), "ID=@\n");
            assert_eq!(said(&problems), [] as [&str; 0]);
            assert_eq!(root.info().volumes[0].mount.as_deref(), Some("/"));
            assert_eq!(root.info().volumes[1].filesystem.as_deref(), Some("btrfs"));
        }
    }

    #[test]
    fn of_two_roots_that_which_names_itself_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let guest = need!(Guest::new(temp.path()));
        let uuid = &guest.uuid;
        let fstab = format!("UUID={uuid} / btrfs subvol=@ 0 0\n");
        for name in ["@", "@old"] {
            guest.subvolume(&format!("create /{name}"));
            guest.root(name, &fstab);
        }
        let root = guest.open(None).unwrap();
        let (tree, problems) = root.walk();
        assert_eq!(text(&root, &tree, "/etc/os-release"), "ID=@\n");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].path.to_string().contains("[/@old]"));
    }
}
