//! `transvase inspect` as a user meets it: the tree, and the files inside, compared with what other tools say.

#[cfg(test)]
#[path = "disk_support/mod.rs"]
#[expect(
    dead_code,
    reason = "shared by several test files; each needs a part of it"
)]
mod support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{self, need, tool};
    use super::support::run;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::{FileExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output, Stdio};
    use transvase::source::{OpenOptions, Root};

    const UUID: &str = "11111111-2222-4333-8444-555555555555";

    fn transvase(image: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_transvase"))
            .arg("inspect")
            .arg(image)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Exit 0, and what was written.
    fn done(image: &Path, arguments: &[&str]) -> Vec<u8> {
        let output = transvase(image, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        output.stdout
    }

    /// Exit 2, nothing on standard output, and one sentence with these words.
    fn refuses(image: &Path, arguments: &[&str], words: &[&str]) {
        let output = transvase(image, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        for word in words {
            assert!(said.contains(word), "{said:?} does not say {word:?}");
        }
    }

    /// A machine of 16 MiB: links, a hole, a long name, a hostile one, a device, an owner, attributes.
    fn machine(at: &Path) -> Option<PathBuf> {
        let (mke2fs, debugfs) = (tool("mke2fs")?, tool("debugfs")?);
        let tree = at.join("tree");
        let write = |path: &str, content: &[u8]| {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write(
            "usr/lib/os-release",
            b"NAME=Some\nPRETTY_NAME=\"Some Linux 3\"\n",
        );
        write("etc/hostname", b"shop-1\n");
        fs::create_dir_all(tree.join("dev")).unwrap();
        symlink("../usr/lib/os-release", tree.join("etc/os-release")).unwrap();
        symlink("/gone", tree.join("etc/dangling")).unwrap();
        write(&format!("srv/{}", "long-".repeat(45)), b"long\n");
        write("srv/\u{1b}[31m\u{202e}\"x", b"odd\n");
        write("srv/one", b"two names\n");
        fs::hard_link(tree.join("srv/one"), tree.join("srv/two")).unwrap();
        let hole = fs::File::create(tree.join("srv/hole")).unwrap();
        hole.write_all_at(b"middle", 3 << 20).unwrap();
        hole.set_len(9 << 20).unwrap();
        let image = at.join("machine.raw");
        run(Command::new(mke2fs)
            .args([
                "-q",
                "-F",
                "-t",
                "ext4",
                "-L",
                "data\u{1b}[0m",
                "-U",
                UUID,
                "-d",
            ])
            .args([&tree, &image])
            .arg("16M"));
        let script = at.join("script");
        fs::write(
            &script,
            "cd /dev\nmknod null c 1 3\ncd /srv\nset_inode_field one uid 1000\nset_inode_field one mode 0104750\n\
             set_inode_field one mtime @951782400\nea_set one user.note kept\n",
        )
        .unwrap();
        run(Command::new(debugfs)
            .arg("-w")
            .arg("-f")
            .args([&script, &image]));
        Some(image)
    }

    /// A disk with an MBR whose partitions are these images.
    fn disk(at: &Path, parts: &[&Path]) -> PathBuf {
        let path = at.join("disk.raw");
        let file = fs::File::create(&path).unwrap();
        let mut table = [0u8; 512];
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
            start += sectors;
        }
        file.write_all_at(&table, 0).unwrap();
        path
    }

    #[test]
    fn the_tree_of_a_small_disk() {
        let scratch = tempfile::tempdir().unwrap();
        let image = need!(machine(scratch.path()));
        // A second machine is a copy of the first, and beside them is swap.
        let swap = scratch.path().join("swap");
        let mut page = vec![0u8; 1 << 20];
        page[4086..4096].copy_from_slice(b"SWAPSPACE2");
        page[1036..1052].copy_from_slice(&[0xab; 16]);
        fs::write(&swap, page).unwrap();
        let disk = disk(scratch.path(), &[&image, &swap, &image]);
        let text = String::from_utf8(done(&disk, &[])).unwrap();
        let text = text.replace(&disk.display().to_string(), "disk.raw");
        // What mke2fs takes for itself is its affair.
        let used = text
            .split("  ")
            .find_map(|word| Some(word.split_once(" used")?.0));
        let text = text.replace(&format!("{} used", used.unwrap()), "N used");
        let expected = "\
disk.raw  raw
└─ sda  34.0 MiB  raw  dos
   ├─ sda1  16.0 MiB  ext4  LABEL=data\\u{1b}[0m  UUID=11111111-2222-4333-8444-555555555555  N used
   ├─ sda2  1.0 MiB  swap  UUID=abababab-abab-abab-abab-abababababab
   └─ sda3  16.0 MiB  ext4  LABEL=data\\u{1b}[0m  UUID=11111111-2222-4333-8444-555555555555  N used

Operating systems
  Some Linux 3  shop-1  --root sda1
    /  sda1
    not read: /dev/sda3: ext4 that no line of the machine's fstab mounts; it was not walked
  Some Linux 3  shop-1  --root sda3
    /  sda3
    not read: /dev/sda1: ext4 that no line of the machine's fstab mounts; it was not walked
";
        assert_eq!(text, expected);

        let json: serde_json::Value =
            serde_json::from_slice(&done(&disk, &["--format", "json"])).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["disks"][0]["table"], "dos");
        assert_eq!(json["disks"][0]["volumes"][1]["state"], "swap");
        assert_eq!(json["disks"][0]["volumes"][0]["uuid"], UUID);
        assert_eq!(json["systems"][1]["root"], "sda3");

        refuses(&disk, &["ls", "/"], &["sda1, sda3", "--root"]);
        refuses(
            &disk,
            &["ls", "/", "--root", "sda2"],
            &["sda2", "sda1, sda3"],
        );
        assert_eq!(
            done(&disk, &["cat", "/etc/hostname", "--root", "sda3"]),
            b"shop-1\n"
        );
    }

    #[test]
    fn names_and_contents() {
        let scratch = tempfile::tempdir().unwrap();
        let image = need!(machine(scratch.path()));
        let listed = |path: &str| String::from_utf8(done(&image, &["ls", path])).unwrap();
        let srv = listed("/srv");
        assert!(
            !srv.chars()
                .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{srv}"
        );
        assert!(srv.contains("\"\\u{1b}[31m\\u{202e}\\\"x\""), "{srv}");
        let one: Vec<&str> = srv
            .lines()
            .find(|line| line.ends_with("\"one\""))
            .unwrap()
            .split_whitespace()
            .collect();
        let gid = fs::metadata(scratch.path().join("tree/srv/one")).unwrap();
        let gid = std::os::unix::fs::MetadataExt::gid(&gid).to_string();
        assert_eq!(
            one,
            [
                "-rwsr-x---",
                "1000",
                &gid,
                "10",
                "2000-02-29",
                "00:00",
                "\"one\""
            ]
        );
        assert!(listed("/dev").contains("1, 3 "), "{}", listed("/dev"));
        assert!(listed("/etc").contains("\"os-release\" -> \"../usr/lib/os-release\""));
        assert!(listed("/etc/dangling").contains("-> \"/gone\""));

        // Every name that debugfs sees, and no other.
        let theirs = Command::new(tool("debugfs").unwrap())
            .args(["-R", "ls -p /etc"])
            .arg(&image)
            .output();
        let theirs = String::from_utf8(theirs.unwrap().stdout).unwrap();
        let names = theirs.lines().filter_map(|line| line.split('/').nth(5));
        let mut names: Vec<String> = names
            .filter(|name| !name.starts_with('.'))
            .map(|name| format!("\"{name}\""))
            .collect();
        names.sort();
        let etc = listed("/etc");
        let ours: Vec<&str> = etc
            .lines()
            .map(|line| line.split_whitespace().nth(6).unwrap())
            .collect();
        assert_eq!(ours, names);

        assert_eq!(
            done(&image, &["cat", "/etc/os-release"]),
            b"NAME=Some\nPRETTY_NAME=\"Some Linux 3\"\n"
        );
        let mut hole = vec![0; 9 << 20];
        hole[3 << 20..][..6].copy_from_slice(b"middle");
        assert!(done(&image, &["cat", "/srv/hole"]) == hole);
        refuses(&image, &["cat", "/etc"], &["/etc is a directory"]);
        refuses(&image, &["cat", "/dev/null"], &["/dev/null is a device"]);
        refuses(&image, &["cat", "/etc/dangling"], &["leads nowhere"]);
        refuses(
            &image,
            &["cat", "/none\u{1b}"],
            &["there is no /none\\u{1b}"],
        );
        refuses(&image, &["extract", "/none"], &["there is no /none"]);
    }

    #[test]
    fn too_large_a_file_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let image = need!(machine(scratch.path()));
        let request = "set_inode_field /srv/hole size 0x1200000000";
        run(Command::new(tool("debugfs").unwrap())
            .args(["-w", "-R", request])
            .arg(&image));
        refuses(
            &image,
            &["cat", "/srv/hole"],
            &["77309411328 bytes", "extract"],
        );
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let scratch = tempfile::tempdir().unwrap();
        let image = need!(machine(scratch.path()));
        for arguments in [["cat", "/srv/hole"], ["extract", "/srv"]] {
            let mut child = Command::new(env!("CARGO_BIN_EXE_transvase"))
                .arg("inspect")
                .arg(&image)
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            drop(child.stdout.take());
            let mut said = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            assert_eq!(
                (child.wait().unwrap().code(), said.as_str()),
                (Some(0), ""),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn an_archive_holds_all_that_the_disk_does() {
        let scratch = tempfile::tempdir().unwrap();
        let image = need!(machine(scratch.path()));
        let tar = need!(tool("tar"));
        let archive = scratch.path().join("all.tar");
        let bytes = done(&image, &["extract", "/"]);
        assert!(
            bytes.len() < 1 << 20,
            "holes were written: {} bytes",
            bytes.len()
        );
        fs::write(&archive, bytes).unwrap();

        // GNU tar reads it without a word, and restores what the tree was made from.
        let out = scratch.path().join("out");
        fs::create_dir(&out).unwrap();
        let unpacked = Command::new(&tar)
            .args(["-x", "-p", "--no-same-owner", "--exclude=dev/null", "-f"])
            .arg(&archive)
            .arg("-C")
            .arg(&out)
            .output()
            .unwrap();
        assert!(
            unpacked.status.success() && unpacked.stderr.is_empty(),
            "{unpacked:?}"
        );
        let tree = scratch.path().join("tree");
        let same = Command::new("diff")
            .args(["-r", "--no-dereference"])
            .args([&tree, &out])
            .output()
            .unwrap();
        let difference = String::from_utf8_lossy(&same.stdout);
        let lines: Vec<&str> = difference
            .lines()
            .filter(|line| !line.contains("lost+found"))
            .collect();
        assert!(lines.is_empty(), "{lines:?}");
        let inode = |name: &str| {
            std::os::unix::fs::MetadataExt::ino(&fs::metadata(out.join(name)).unwrap())
        };
        assert_eq!(inode("srv/one"), inode("srv/two"));

        // And so it is the same machine to us, to the attribute.
        let open =
            |path: &Path| Root::open(&[path.to_path_buf()], &OpenOptions::default()).unwrap();
        let (disk, packed) = (open(&image), open(&archive));
        let ((ours, _), (theirs, problems)) = (disk.walk(), packed.walk());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(ours.entries().len(), theirs.entries().len());
        let mut attributes = 0;
        for (a, b) in ours.entries().iter().zip(theirs.entries()) {
            let facts = |e: &transvase::walk::Entry| {
                let size = if e.is_file() { e.size } else { 0 };
                (
                    e.path.clone(),
                    e.kind,
                    e.mode,
                    e.uid,
                    e.gid,
                    size,
                    e.mtime,
                    e.target.clone(),
                )
            };
            assert_eq!(facts(a), facts(b));
            let xattrs = disk.xattrs(a).unwrap();
            attributes += xattrs.len();
            assert_eq!(xattrs, packed.xattrs(b).unwrap(), "{}", a.path);
            if a.is_file() {
                assert!(
                    disk.read(a, 1 << 30).unwrap() == packed.read(b, 1 << 30).unwrap(),
                    "{}",
                    a.path
                );
            }
        }
        assert!(attributes > 0);
        let listed = Command::new(tar)
            .args(["--numeric-owner", "-tvf"])
            .arg(&archive)
            .output()
            .unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout);
        let line = listed
            .lines()
            .find(|line| line.ends_with("dev/null"))
            .unwrap();
        assert!(line.starts_with('c') && line.contains(" 1,3 "), "{line}");
    }

    /// The element's text, where there is one.
    fn text<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> Option<&'a str> {
        node.children()
            .find(|child| child.has_tag_name(name))?
            .text()
    }

    #[test]
    fn the_guests_of_libguestfs_are_as_its_own_tool_says() {
        let scratch = tempfile::tempdir().unwrap();
        for guest in ["debian", "ubuntu", "archlinux", "fedora"] {
            let xml = need!(needs::corpus(&format!("disk/expected-{guest}.img.xml")));
            let xml = fs::read_to_string(xml).unwrap();
            // One of them is packed.
            let image = if guest == "fedora" {
                let packed = need!(needs::corpus("disk/fedora.qcow2.gz"));
                let packed = fs::File::open(packed).unwrap();
                let image = scratch.path().join(guest);
                let mut file = fs::File::create(&image).unwrap();
                std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut file).unwrap();
                image
            } else {
                need!(needs::corpus(&format!("disk/{guest}.qcow2")))
            };
            agrees(guest, &xml, &image);
        }
    }

    fn agrees(guest: &str, xml: &str, image: &Path) {
        let document = roxmltree::Document::parse(xml).unwrap();
        let expected = document
            .descendants()
            .find(|node| node.has_tag_name("operatingsystem"))
            .unwrap();
        let found = Root::inspect(&[image.to_path_buf()], &OpenOptions::default()).unwrap();
        // libguestfs names a logical volume /dev/GROUP/VOLUME.
        let plain = |device: &str| match device.strip_prefix("mapper/") {
            Some(name) => format!("/dev/{}", name.replacen('-', "/", 1)),
            None => format!("/dev/{device}"),
        };
        let [system] = found.systems.as_slice() else {
            panic!("{guest}: {:?}", found.systems);
        };
        assert_eq!(
            system.root.as_deref().map(plain).as_deref(),
            text(expected, "root")
        );
        assert_eq!(system.name.as_deref(), text(expected, "product_name"));
        assert!(system.likely && system.readable);
        let mut ours: Vec<(String, String)> = system
            .mounts
            .iter()
            .map(|mount| (mount.point.clone(), plain(&mount.device)))
            .collect();
        let points = expected
            .descendants()
            .filter(|node| node.has_tag_name("mountpoint"));
        let mut theirs: Vec<(String, String)> = points
            .map(|node| {
                (
                    node.text().unwrap().into(),
                    node.attribute("dev").unwrap().into(),
                )
            })
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{guest}");
        for expected in expected
            .descendants()
            .filter(|node| node.has_tag_name("filesystem"))
        {
            // A device of crypttab is on no disk.
            let Some(kind) = text(expected, "type") else {
                continue;
            };
            let device = expected.attribute("dev").unwrap();
            let volume = found
                .volumes()
                .find(|volume| plain(&volume.device) == device)
                .unwrap();
            assert_eq!(volume.contents.as_deref(), Some(kind), "{guest} {device}");
            assert_eq!(
                volume.uuid.as_deref(),
                text(expected, "uuid"),
                "{guest} {device}"
            );
            assert_eq!(
                volume.label.as_deref(),
                text(expected, "label"),
                "{guest} {device}"
            );
        }
    }
}
