//! Machines of several distributions: what kind each is, and that no image is told to install in another's way.

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::Command;

    /// Words of package managers and of what makes accounts, with which only some bases can do anything.
    const FOREIGN: &[&str] = &[
        "apt-get",
        "dpkg",
        "policy-rc.d",
        "DEBIAN_FRONTEND",
        "useradd",
        "groupadd",
        "usermod",
        "adduser",
        "dnf",
        "yum",
        "apk",
        "zypper",
        "pacman",
    ];

    fn file(root: &Path, path: &str, text: &str) {
        let at = root.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    /// A machine with one service and one job, which says this of its release.
    fn machine(release: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        file(root, "etc/os-release", release);
        let accounts = "root:x:0:0::/root:/bin/sh\nacme:x:1042:1042:Acme:/srv/acme:/bin/sh\n";
        file(root, "etc/passwd", accounts);
        file(
            root,
            "etc/group",
            "root:x:0:\nacme:x:1042:\nmedia:x:1050:acme\n",
        );
        file(root, "etc/locale.conf", "LANG=de_DE.UTF-8\n");
        file(root, "etc/crontab", "*/5 * * * * acme /srv/acme/tidy\n");
        file(root, "srv/acme/tidy", "#!/bin/sh\ntrue\n");
        file(root, "srv/acme/serve", "#!/bin/sh\nsleep 9\n");
        symlink(
            "/usr/share/zoneinfo/Europe/Zurich",
            root.join("etc/localtime"),
        )
        .unwrap();
        let unit = "[Service]\nUser=acme\nExecStart=/srv/acme/serve\n";
        file(root, "etc/systemd/system/acme.service", unit);
        let target = "usr/lib/systemd/system/multi-user.target";
        file(root, target, "[Unit]\nDescription=m\n");
        symlink(
            "multi-user.target",
            root.join("usr/lib/systemd/system/default.target"),
        )
        .unwrap();
        let wants = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("../acme.service", wants.join("acme.service")).unwrap();
        dir
    }

    /// The scan and every Dockerfile of a machine.
    fn migrated(root: &Path) -> (Value, String) {
        let out = tempfile::tempdir().unwrap();
        let out = out.path().join("out");
        let mut command = Command::new(env!("CARGO_BIN_EXE_transvase"));
        let done = command
            .arg("migrate")
            .arg(root)
            .arg("-o")
            .arg(&out)
            .output();
        let done = done.unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let scan = fs::read_to_string(out.join("scan.json")).unwrap();
        let files = walkdir::WalkDir::new(&out).sort_by_file_name();
        let files = files.into_iter().map(|entry| entry.unwrap().into_path());
        let files = files.filter(|path| path.ends_with("Dockerfile"));
        let text = files
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        (serde_json::from_str(&scan).unwrap(), text)
    }

    #[test]
    fn an_unknown_familys_image_is_told_of_no_other_familys_tools() {
        for (release, image, family) in [
            (
                "ID=gentoo\nVERSION_ID=2.15\n",
                "docker.io/library/gentoo:2.15",
                "gentoo",
            ),
            ("ID=odd\nVERSION_ID=1\n", "docker.io/library/odd:1", "odd"),
        ] {
            let machine = machine(release);
            let (scan, dockerfiles) = migrated(machine.path());
            let from = format!("FROM {image}\n");
            assert!(dockerfiles.matches(&from).count() >= 2, "{dockerfiles}");
            let told = FOREIGN.iter().filter(|word| dockerfiles.contains(*word));
            assert_eq!(told.count(), 0, "{dockerfiles}");
            for line in [
                "acme:x:1042:1042::/srv/acme:/bin/sh >> /etc/passwd",
                "media:x:1050:acme >> /etc/group",
            ] {
                assert!(dockerfiles.contains(line), "{dockerfiles}");
            }
            assert_eq!(scan["machine"]["os"]["family"], family);
            let concerns = scan["concerns"].as_array().unwrap();
            let said = concerns.iter().filter(|concern| {
                concern["rule"] == "platform/unavailable-package"
                    && concern["evidence"][0]["path"] == "/etc/os-release"
            });
            let workloads = scan["workloads"].as_array().unwrap();
            assert_eq!(said.count(), workloads.len(), "each workload is told");
            for workload in workloads {
                let notes = workload["plan"]["notes"].to_string();
                assert!(notes.contains("No package is installed"), "{notes}");
            }
        }
    }

    #[test]
    fn each_familys_image_has_its_own_tools_and_no_others() {
        const DEBIAN: [&str; 4] = [
            "apt-get",
            "policy-rc.d",
            "DEBIAN_FRONTEND",
            "/etc/default/locale",
        ];
        for (release, image, words) in [
            (
                "ID=fedora\nVERSION_ID=40\n",
                "docker.io/library/fedora:40",
                ["dnf -y install", "useradd"],
            ),
            (
                "ID=rocky\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.3\n",
                "docker.io/rockylinux/rockylinux:9",
                ["dnf -y install", "glibc-langpack-de"],
            ),
            (
                "ID=opensuse-leap\nVERSION_ID=15.5\n",
                "registry.opensuse.org/opensuse/leap:15.5",
                ["zypper --non-interactive install", "useradd"],
            ),
            (
                "ID=alpine\nVERSION_ID=3.20.1\n",
                "docker.io/library/alpine:3.20",
                ["apk add --no-cache", "adduser"],
            ),
            (
                "ID=arch\n",
                "docker.io/library/archlinux:base",
                ["pacman -Syyuu --noconfirm", "localedef -i de_DE"],
            ),
        ] {
            let machine = machine(release);
            let (_, dockerfiles) = migrated(machine.path());
            let from = format!("FROM {image}\n");
            assert!(dockerfiles.contains(&from), "{dockerfiles}");
            for word in words {
                assert!(dockerfiles.contains(word), "{word}:\n{dockerfiles}");
            }
            let told = DEBIAN.iter().filter(|word| dockerfiles.contains(*word));
            assert_eq!(told.count(), 0, "{dockerfiles}");
        }
    }

    #[test]
    fn a_known_familys_image_installs() {
        let machine = machine("ID=debian\nVERSION_ID=\"12\"\n");
        let (scan, dockerfiles) = migrated(machine.path());
        for words in [
            "apt-get install",
            "useradd",
            "localedef -i de_DE -c -f UTF-8",
        ] {
            assert!(dockerfiles.contains(words), "{words}:\n{dockerfiles}");
        }
        assert!(
            !scan["concerns"]
                .to_string()
                .contains("platform/unavailable-package")
        );
        assert_eq!(
            scan["packages"]["manager"],
            Value::Null,
            "no database was there"
        );
    }

    #[test]
    fn the_init_system_is_what_is_on_the_disk() {
        let init = |change: &dyn Fn(&Path)| {
            let machine = machine("ID=odd\n");
            change(machine.path());
            migrated(machine.path()).0["machine"]["init"].clone()
        };
        assert_eq!(init(&|_| {}), "systemd");
        let openrc = |root: &Path| {
            file(root, "bin/busybox", "");
            file(root, "sbin/openrc", "");
            file(root, "etc/inittab", "");
            symlink("/bin/busybox", root.join("sbin/init")).unwrap();
        };
        assert_eq!(init(&openrc), "openrc");
        // Units lie about on machines that systemd does not start.
        let plain = |root: &Path| file(root, "sbin/init", "");
        let sysv = |root: &Path| {
            plain(root);
            file(root, "etc/inittab", "");
        };
        assert_eq!(init(&sysv), "sysv");
        let upstart = |root: &Path| {
            sysv(root);
            file(root, "sbin/initctl", "");
        };
        assert_eq!(init(&upstart), "upstart");
        let systemd = |root: &Path| {
            file(root, "usr/lib/systemd/systemd", "");
            file(root, "sbin/initctl", "");
            symlink("../usr/lib/systemd/systemd", root.join("sbin/init")).unwrap();
        };
        assert_eq!(init(&systemd), "systemd");
    }
}
