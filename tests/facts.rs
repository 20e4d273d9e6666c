//! Facts of a small machine against what its package manager would say of it.

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use transvase::examine::{examine, registry};
    use transvase::fact::{Facts, FileState};
    use transvase::plan::PlanOptions;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::source::{OpenOptions, Root};

    const STATUS: &str = "Package: acme\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nConffiles:\n \
        /etc/acme/a b.conf d41d8cd98f00b204e9800998ecf8427e\n /etc/acme/empty.conf d41d8cd98f00b204e9800998ecf8427e\n";

    /// A file whose time lies `age` seconds back.
    fn file(root: &Path, name: &str, text: &str, age: u64) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - age);
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(time))
            .unwrap();
    }

    fn machine() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        file(root, "etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n", 0);
        file(root, "etc/timezone", "Etc/UTC\n", 0);
        let zone = "../usr/share/zoneinfo/Europe/Zurich";
        std::os::unix::fs::symlink(zone, root.join("etc/localtime")).unwrap();
        file(root, "etc/acme/a b.conf", "changed", 0);
        file(root, "etc/acme/empty.conf", "", 0);
        // Patched, touched, replaced with its old time kept, and as it came.
        for (name, text, age) in [
            ("patched.py", "print(2)", 10),
            ("touched.py", "", 10),
            ("kept.py", "", 5000),
        ] {
            file(root, &format!("usr/share/acme/{name}"), text, age);
        }
        let info = "var/lib/dpkg/info/acme:amd64";
        let list = "/.\n/etc/acme/a b.conf\n/etc/acme/empty.conf\n/usr/share/acme/patched.py\n/usr/share/acme/touched.py\n\
            /usr/share/acme/kept.py\n";
        file(root, &format!("{info}.list"), list, 1000);
        let empty = "d41d8cd98f00b204e9800998ecf8427e";
        let digests =
            ["patched", "touched", "kept"].map(|name| format!("{empty}  usr/share/acme/{name}.py"));
        let digests = digests.join("\n");
        file(root, &format!("{info}.md5sums"), &digests, 1000);
        file(root, "var/lib/dpkg/status", STATUS, 0);
        dir
    }

    fn facts() -> Facts {
        let dir = machine();
        let root = Root::open(&[dir.path().into()], &OpenOptions::default()).unwrap();
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        examine(
            &root,
            &registry,
            &packs,
            &PlanOptions::default(),
            Vec::new(),
            &Silent,
        )
        .facts
    }

    #[test]
    fn files_that_were_changed_after_their_package_came() {
        let facts = facts();
        let state = |path: &str| facts.state(&path.into());
        assert_eq!(state("/etc/acme/a b.conf"), FileState::Modified);
        assert_eq!(state("/etc/acme/empty.conf"), FileState::Pristine);
        assert_eq!(state("/usr/share/acme/patched.py"), FileState::Modified);
        assert_eq!(state("/usr/share/acme/touched.py"), FileState::Pristine);
        assert_eq!(state("/usr/share/acme/kept.py"), FileState::Pristine);
        assert_eq!(state("/etc/os-release"), FileState::Unowned);
        // Nothing that is as old as its package was read for a digest.
        assert!(
            !facts
                .digests
                .contains_key(&transvase::path::MachinePath::from(
                    "/usr/share/acme/kept.py"
                ))
        );
    }

    #[test]
    fn the_zone_is_where_the_link_leads() {
        assert_eq!(facts().timezone.as_deref(), Some("Europe/Zurich"));
    }
}
