//! Sources made to keep us busy, to fill the disk, or to be called whole when they are not. Each is made here, small, and
//! stands for a kind; what was cut is in the coverage, and the exit code says so.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{self, need};
    use serde_json::Value;
    use std::fs::{self, File};
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::process::ExitStatusExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output, Stdio};
    use std::time::{Duration, Instant};

    const STATUS: &str =
        "Package: base-files\nStatus: install ok installed\nVersion: 12\nArchitecture: amd64\n\n";

    fn write(at: &Path, path: &str, text: impl AsRef<[u8]>) {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A machine with one service, whose program is given.
    fn machine(at: &Path, program: &[u8]) {
        write(at, "etc/os-release", "ID=debian\nVERSION_ID=12\n");
        write(
            at,
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\napp:x:1001:1001::/srv/app:/bin/sh\n",
        );
        write(at, "usr/bin/sh", "");
        let units = at.join("usr/lib/systemd/system");
        write(
            &units,
            "multi-user.target",
            "[Unit]\nDescription=Multi-User System\n",
        );
        symlink("multi-user.target", units.join("default.target")).unwrap();
        let unit =
            "[Service]\nUser=app\nExecStart=/srv/app/run\n[Install]\nWantedBy=multi-user.target\n";
        write(at, "etc/systemd/system/app.service", unit);
        let wants = at.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("/etc/systemd/system/app.service", wants.join("app.service")).unwrap();
        write(at, "var/lib/dpkg/status", STATUS);
        write(at, "srv/app/run", program);
        let path = at.join("srv/app/run");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn root() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        machine(&root, b"#!/bin/sh\nexec sleep 1\n");
        (temp, root)
    }

    fn transvase(args: &[&str], paths: &[&Path]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transvase"));
        command.args(args).args(paths).output().unwrap()
    }

    fn said(done: &Output) -> String {
        String::from_utf8_lossy(&done.stderr).into_owned()
    }

    /// The scan of a source and its exit code.
    fn scan(source: &Path) -> (Value, Option<i32>) {
        let done = transvase(&["scan"], &[source]);
        let scan = serde_json::from_slice(&done.stdout);
        (
            scan.unwrap_or_else(|_| panic!("{}", said(&done))),
            done.status.code(),
        )
    }

    /// Whether a reason of the coverage has these words.
    fn names(scan: &Value, words: &str) -> bool {
        let parts = scan["coverage"]["unexamined"].as_array().unwrap();
        let mut reasons = parts.iter().map(|part| part["reason"].as_str().unwrap());
        reasons.any(|reason| reason.contains(words))
    }

    /// The same tree as a file system in a file.
    fn ext4(temp: &Path, root: &Path, megabytes: u64) -> Option<PathBuf> {
        needs::tool("mke2fs")?;
        let image = temp.join("disk.img");
        File::create(&image)
            .unwrap()
            .set_len(megabytes << 20)
            .unwrap();
        let mut made = Command::new("mke2fs");
        let made = made.args(["-q", "-F", "-t", "ext4", "-b", "4096", "-N", "60000", "-U"]);
        let made = made.arg("11111111-2222-4333-8444-555555555555").arg("-d");
        let made = made.arg(root).arg(&image).output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        Some(image)
    }

    #[test]
    fn one_volume_mounted_often_is_walked_once() {
        let (temp, root) = root();
        for number in 0..3000 {
            write(&root, &format!("srv/many/{number}"), "");
        }
        let uuid = "UUID=11111111-2222-4333-8444-555555555555";
        let lines = (0..1200)
            .map(|number| format!("{uuid} /m{number} ext4\n/srv /bind{number} none bind\n"));
        let fstab = format!("{uuid} / ext4\n{}", lines.collect::<String>());
        write(&root, "etc/fstab", fstab);
        let image = need!(ext4(temp.path(), &root, 256));
        let (scan, code) = scan(&image);
        assert_eq!(code, Some(3));
        assert!(
            names(&scan, "mounted here once more"),
            "{}",
            scan["coverage"]
        );
        assert!(names(&scan, "more than 1,000 mounts"));
        let seen = scan["coverage"]["files_seen"].as_u64().unwrap();
        assert!((203_000..210_000).contains(&seen), "{seen}");
    }

    /// A file of 200 GB that stores nothing is carried as such, by whatever source.
    #[test]
    fn holes_are_passed_by() {
        let (temp, root) = root();
        let huge = File::create(root.join("srv/app/huge.bin")).unwrap();
        huge.set_len(200 << 30).unwrap();
        let sources = [
            Some(root.clone()),
            ext4(temp.path(), &root, 64),
            sparse_tar(temp.path(), &root),
        ];
        for source in sources {
            let source = need!(source);
            let out = temp.path().join("out");
            let done = transvase(&["migrate", "--with-data", "-o"], &[&out, &source]);
            assert!(done.status.success(), "{}", said(&done));
            let carried = fs::metadata(out.join("workloads/app/rootfs/srv/app/huge.bin")).unwrap();
            assert_eq!(carried.len(), 200 << 30, "{}", source.display());
            assert!(carried.blocks() < 100);
            fs::remove_dir_all(&out).unwrap();
            let extracted = Command::new(env!("CARGO_BIN_EXE_transvase"));
            let mut extracted = extracted;
            let extracted = extracted.args(["inspect".as_ref(), source.as_os_str()]);
            let extracted = extracted.args(["extract", "/srv"]).output().unwrap();
            assert!(extracted.stdout.len() < 100_000, "{}", source.display());
        }
    }

    fn sparse_tar(temp: &Path, root: &Path) -> Option<PathBuf> {
        needs::tool("tar")?;
        let archive = temp.join("machine.tar");
        let mut made = Command::new("tar");
        let made = made.args(["-cS", "--format=gnu", "-C"]).arg(root).arg("-f");
        let made = made.arg(&archive).arg(".").output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        Some(archive)
    }

    /// The inode says 2^42 bytes, and one block is there.
    #[test]
    fn a_forged_size_costs_nothing() {
        let (temp, root) = root();
        write(&root, "srv/app/huge.bin", "a");
        let image = need!(ext4(temp.path(), &root, 64));
        need!(needs::tool("debugfs"));
        let size = "set_inode_field /srv/app/huge.bin size 4398046511104";
        let mut forged = Command::new("debugfs");
        let forged = forged
            .args(["-w", "-R", size])
            .arg(&image)
            .output()
            .unwrap();
        assert!(forged.status.success(), "{}", said(&forged));
        let out = temp.path().join("out");
        let done = transvase(&["migrate", "--with-data", "-o"], &[&out, &image]);
        assert!(done.status.code() < Some(2), "{}", said(&done));
        let carried = fs::metadata(out.join("workloads/app/rootfs/srv/app/huge.bin")).unwrap();
        let told = format!("{} bytes in {} blocks", carried.len(), carried.blocks());
        assert!(
            carried.len() == 1 << 42 && carried.blocks() < 1000,
            "{told}"
        );
    }

    /// A program that enters the kernel at every seventh byte, always with a number in the register.
    fn syscalls(count: u32) -> Vec<u8> {
        let mut code = Vec::new();
        for number in 0..count {
            code.push(0xb8);
            code.extend((number % 400).to_le_bytes());
            code.extend([0x0f, 0x05]);
        }
        let mut elf = vec![0; 0x1000];
        elf[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        let mut put = |at: usize, bytes: &[u8]| elf[at..at + bytes.len()].copy_from_slice(bytes);
        put(16, &[2, 0, 62, 0, 1]);
        put(24, &0x40_1000_u64.to_le_bytes());
        put(32, &64_u64.to_le_bytes());
        put(52, &[64, 0, 56, 0, 1, 0, 64, 0]);
        put(64, &[1, 0, 0, 0, 5, 0, 0, 0]);
        let length = code.len() as u64;
        for (at, value) in [
            (72, 0x1000),
            (80, 0x40_1000),
            (88, 0x40_1000),
            (96, length),
            (104, length),
            (112, 0x1000),
        ] {
            put(at, &value.to_le_bytes());
        }
        elf.extend(code);
        elf
    }

    #[test]
    fn reading_code_has_a_budget_and_narrows_nothing() {
        let temp = tempfile::tempdir().unwrap();
        machine(temp.path(), &syscalls(160_000));
        let (scan, code) = scan(temp.path());
        assert_eq!(code, Some(3));
        assert!(names(
            &scan,
            "enters the kernel in more ways than are followed"
        ));
        let workload = &scan["workloads"][0];
        let open = workload["kernel"]["unresolved"].as_array().unwrap();
        assert!(
            !open.is_empty() && workload["plan"]["contract"]["seccomp"].is_null(),
            "{workload}"
        );
    }

    #[test]
    fn a_signal_leaves_nothing_half_written() {
        need!(needs::tool("env"));
        need!(needs::tool("sh"));
        let (temp, root) = root();
        // Enough to be interrupted.
        write(&root, "srv/app/0", "");
        for number in 1..20_000 {
            fs::hard_link(
                root.join("srv/app/0"),
                root.join(format!("srv/app/{number}")),
            )
            .unwrap();
        }
        let folder = temp.path().join("here");
        for (signal, is_there) in [(1, false), (2, true), (15, false)] {
            let out = folder.join("out");
            fs::create_dir_all(if is_there { &out } else { &folder }).unwrap();
            // Whoever runs the tests may ignore signals, as nohup(1) and shells in the background do; so would the program.
            let mut running = Command::new("env");
            let running = running.args([
                "--default-signal=HUP,INT,TERM",
                env!("CARGO_BIN_EXE_transvase"),
            ]);
            let running = running.args(["migrate", "-q", "-o"]).args([&out, &root]);
            let mut running = running.stderr(Stdio::null()).spawn().unwrap();
            let within = if is_there { &out } else { &folder };
            let is_begun = || fs::read_dir(within).unwrap().next().is_some();
            let begun = Instant::now();
            while !is_begun() && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
            let kill = format!("kill -{signal} {}", running.id());
            assert!(
                Command::new("sh")
                    .args(["-c", &kill])
                    .status()
                    .unwrap()
                    .success()
            );
            let ended = running.wait().unwrap();
            assert_eq!(ended.signal(), Some(signal), "{ended}");
            assert!(!is_begun(), "{signal}: something was left");
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn out_inside_the_source_is_left_out() {
        let (_temp, root) = root();
        let out = root.join("srv/app/out");
        let done = transvase(&["migrate", "-o"], &[&out, &root]);
        assert!(done.status.success() && said(&done).contains("lies inside the source"));
        let carried = out.join("workloads/app/rootfs/srv/app");
        assert!(carried.join("run").exists(), "{}", said(&done));
        assert!(!carried.join("out").exists());
        let names = fs::read_dir(&carried).unwrap();
        assert_eq!(names.count(), 1, "what is written aside was carried");
    }

    /// The classic attack on whoever unpacks: a link, and a member below it.
    #[test]
    fn members_below_a_link_or_file_are_named_and_emitted_by_nobody() {
        let (temp, root) = root();
        let outside = temp.path().join("outside");
        let path = temp.path().join("machine.tar");
        let mut archive = tar::Builder::new(File::create(&path).unwrap());
        archive.follow_symlinks(false);
        archive.append_dir_all("", &root).unwrap();
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        archive
            .append_link(&mut link, "srv/app/link", &outside)
            .unwrap();
        for name in ["srv/app/link/below", "srv/app/run/below", "srv/app/run/a/b"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, &b"x"[..]).unwrap();
        }
        archive.finish().unwrap();
        let out = temp.path().join("out");
        let done = transvase(&["migrate", "-o"], &[&out, &path]);
        assert_eq!(done.status.code(), Some(3), "{}", said(&done));
        let scan: Value =
            serde_json::from_slice(&fs::read(out.join("scan.json")).unwrap()).unwrap();
        assert!(names(&scan, "below what is no directory"));
        assert!(!outside.exists());
        let mut extract = Command::new(env!("CARGO_BIN_EXE_transvase"));
        let extract = extract
            .arg("inspect")
            .arg(&path)
            .args(["extract", "/srv"])
            .output()
            .unwrap();
        let mut members = tar::Archive::new(&extract.stdout[..]);
        let members = members.entries().unwrap();
        let members: Vec<PathBuf> = members
            .map(|m| m.unwrap().path().unwrap().into_owned())
            .collect();
        assert!(members.contains(&"srv/app/link".into()), "{members:?}");
        assert!(
            !members
                .iter()
                .any(|path| path.ends_with("below") || path.ends_with("b"))
        );
    }

    #[test]
    fn a_full_disk_is_told() {
        let (temp, root) = root();
        let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
        for args in [
            ["scan"].as_slice(),
            &["report", "--format", "md"],
            &["inspect"],
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_transvase"));
            let done = command
                .args(args)
                .arg(&root)
                .stdout(full())
                .output()
                .unwrap();
            assert_eq!(done.status.code(), Some(2), "{args:?}");
            assert!(
                said(&done).contains("cannot write standard output"),
                "{args:?}"
            );
        }
        // A limit on the size of files stands for a disk that is full; what is named is the file of OUT.
        need!(needs::tool("sh"));
        let random: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        write(&root, "srv/app/large", random);
        let out = temp.path().join("out");
        let mut command = Command::new("sh");
        let command = command.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]);
        let command = command
            .arg(env!("CARGO_BIN_EXE_transvase"))
            .args(["migrate", "-o"]);
        let done = command.args([&out, &root]).output().unwrap();
        let large = out.join("workloads/app/rootfs/srv/app/large");
        assert_eq!(done.status.code(), Some(2));
        assert!(
            said(&done).contains(&large.display().to_string()),
            "{}",
            said(&done)
        );
        assert_eq!(
            fs::read_dir(temp.path()).unwrap().count(),
            1,
            "something was left"
        );
    }

    #[test]
    fn a_report_waits_for_no_fifo_beside_a_scan() {
        let (temp, root) = root();
        let out = temp.path().join("out");
        assert!(
            transvase(&["migrate", "-o"], &[&out, &root])
                .status
                .success()
        );
        for name in ["README.md", "compose.yaml"] {
            fs::remove_file(out.join(name)).unwrap();
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
            rustix::fs::mknodat(rustix::fs::CWD, out.join(name), kind, mode, 0).unwrap();
        }
        let done = transvase(&["report", "--format", "html"], &[&out.join("scan.json")]);
        assert!(done.status.success(), "{}", said(&done));
    }

    #[test]
    fn a_damaged_package_database_is_not_examined() {
        let (_temp, root) = root();
        assert_eq!(scan(&root).1, Some(0));
        for text in [&STATUS[..60], "\0\0\0\0", "", "garbage\n"] {
            write(&root, "var/lib/dpkg/status", text);
            let (scan, code) = scan(&root);
            assert_eq!(code, Some(3), "{text:?}");
            assert!(names(&scan, "dpkg's database"), "{text:?}");
        }
    }

    #[test]
    fn an_image_cut_short_says_so() {
        let (temp, root) = root();
        let image = need!(ext4(temp.path(), &root, 64));
        let mut all = File::options().write(true).open(&image).unwrap();
        all.set_len(48 << 20).unwrap();
        all.flush().unwrap();
        let (scan, code) = scan(&image);
        assert_eq!(code, Some(3), "{}", scan["coverage"]);
    }

    #[test]
    fn a_bind_mount_within_a_tree_is_told() {
        need!(needs::root());
        need!(needs::tool("umount"));
        let (_temp, root) = root();
        let again = root.join("srv/again");
        fs::create_dir_all(&again).unwrap();
        let mut mount = Command::new("mount");
        need!(needs::allowed(
            mount.arg("--bind").arg(root.join("srv/app")).arg(&again)
        ));
        let (scan, code) = scan(&root);
        let gone = Command::new("umount").arg(&again).status().unwrap();
        assert!(gone.success());
        assert_eq!(code, Some(3));
        assert!(names(&scan, "a bind mount"), "{}", scan["coverage"]);
    }
}
