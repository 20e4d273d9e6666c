//! Package databases that other people's machines have, against what their own tools say of them; and a machine whose
//! database rpm wrote, with files as they were, changed, and nobody's.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::needs::{self, need};
    use flate2::read::GzDecoder;
    use lzma_rust2::XzReader;
    use std::collections::BTreeSet;
    use std::fs::{self, File};
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use transvase::examine::{examine, registry};
    use transvase::fact::{Facts, FileState};
    use transvase::path::MachinePath;
    use transvase::plan::PlanOptions;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::source::{OpenOptions, Root};

    fn facts(root: &Path) -> Facts {
        let root = Root::open(&[root.into()], &OpenOptions::default()).unwrap();
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        let options = PlanOptions::default();
        examine(&root, &registry, &packs, &options, Vec::new(), &Silent).facts
    }

    fn unpacked(file: &Path) -> Box<dyn Read> {
        let packed = File::open(file).unwrap();
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("xz") => Box::new(XzReader::new(packed, true)),
            Some("gz") => Box::new(GzDecoder::new(packed)),
            _ => Box::new(packed),
        }
    }

    /// Of an archive what a package database needs, without the tops of its names.
    fn tree(archive: &Path, skipped: usize, root: &Path) {
        let parts = [
            "etc/os-release",
            "usr/lib/os-release",
            "var/lib/rpm",
            "lib/apk",
            "etc/apk/world",
            "usr/lib/opkg",
        ];
        let mut archive = tar::Archive::new(unpacked(archive));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let path: PathBuf = path
                .components()
                .filter(|part| part.as_os_str() != ".")
                .skip(skipped)
                .collect();
            if entry.header().entry_type().is_file()
                && parts.iter().any(|part| path.starts_with(part))
            {
                let place = root.join(path);
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                std::io::copy(&mut entry, &mut File::create(place).unwrap()).unwrap();
            }
        }
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
    }

    fn found(facts: &Facts) -> BTreeSet<[String; 4]> {
        assert!(
            facts.damaged_databases.is_empty() && facts.unexamined.is_empty(),
            "{:?}",
            facts.unexamined
        );
        let packages = facts.packages.iter();
        let own = packages.map(|p| [&p.name, &p.version, &p.arch, &p.source].map(Clone::clone));
        own.collect()
    }

    /// What `rpm -qa` printed: name, epoch, version, release, architecture and source.
    fn queried(file: &Path) -> BTreeSet<[String; 4]> {
        let text = fs::read_to_string(file).unwrap();
        let lines = text
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>());
        let packages = lines
            .filter(|fields| fields[0] != "gpg-pubkey")
            .map(|fields| {
                let [name, epoch, version, release, arch, source] = fields[..6] else {
                    panic!("{fields:?}");
                };
                let epoch = match epoch {
                    "0" | "" | "(none)" => String::new(),
                    epoch => format!("{epoch}:"),
                };
                let source = source.rsplitn(3, '-').nth(2).unwrap_or(name);
                [
                    name.to_owned(),
                    format!("{epoch}{version}-{release}"),
                    arch.to_owned(),
                    source.to_owned(),
                ]
            });
        packages.collect()
    }

    fn agree(ours: &BTreeSet<[String; 4]>, theirs: &BTreeSet<[String; 4]>, of: &str) {
        let missing: Vec<_> = theirs.difference(ours).collect();
        let extra: Vec<_> = ours.difference(theirs).collect();
        assert!(
            missing.is_empty() && extra.is_empty() && !ours.is_empty(),
            "{of}: {missing:?} {extra:?}"
        );
    }

    #[test]
    fn rpm_says_the_same_of_whole_machines() {
        for (archive, truth, skipped) in [
            (
                "rootfs/almalinux-8.9-20231122-s390x-micro.tar.xz",
                "rootfs/almalinux-8.9-20231122-s390x-micro.rpm-qa.tsv",
                0,
            ),
            (
                "rootfs/almalinux-9.0-20220527-aarch64-micro.tar.xz",
                "rootfs/almalinux-9.0-20220527-aarch64-micro.rpm-qa.tsv",
                0,
            ),
            (
                "rootfs/almalinux-9.3-20231124-aarch64-micro.tar.xz",
                "rootfs/almalinux-9.3-20231124-aarch64-micro.rpm-qa.tsv",
                0,
            ),
            (
                "rpmdb/fedora26-bdb/bdb-fedora-rootfs.tar.xz",
                "rpmdb/fedora26-bdb/fed26.rpm-qa.tsv",
                1,
            ),
            (
                "rpmdb/rhel8-bdb/var-lib-rpm.tar.xz",
                "rpmdb/rhel8-bdb/rhel.rpm-qa.tsv",
                1,
            ),
        ] {
            let truth = queried(&need!(needs::corpus(truth)));
            let root = tempfile::tempdir().unwrap();
            tree(&need!(needs::corpus(archive)), skipped, root.path());
            agree(&found(&facts(root.path())), &truth, archive);
        }
    }

    /// A machine that has a database and nothing else.
    fn alone(file: &Path, place: &str) -> Facts {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        let place = root.path().join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::io::copy(&mut unpacked(file), &mut File::create(&place).unwrap()).unwrap();
        let log = PathBuf::from(format!("{}-wal", file.display()));
        if log.is_file() {
            fs::copy(log, format!("{}-wal", place.display())).unwrap();
        }
        facts(root.path())
    }

    #[test]
    fn rpm_says_the_same_of_databases() {
        let truth = queried(&need!(needs::corpus("rpmdb/SLE15WithNDB.tsv")));
        let file = need!(needs::corpus("rpmdb/sle15-bci/Packages.db.gz"));
        agree(
            &found(&alone(&file, "usr/lib/sysimage/rpm/Packages.db")),
            &truth,
            "SLE 15",
        );
        for (file, place, count) in [
            (
                "rpmdb/cbl-mariner-2.0/rpmdb.sqlite.gz",
                "var/lib/rpm/rpmdb.sqlite",
                129,
            ),
            ("rpmdb/osquery/rpm-bdb/Packages", "var/lib/rpm/Packages", 3),
            (
                "rpmdb/osquery/rpm-ndb/Packages.db",
                "var/lib/rpm/Packages.db",
                3,
            ),
            (
                "rpmdb/osquery/rpm-sqlite/rpmdb.sqlite",
                "usr/share/rpm/rpmdb.sqlite",
                9,
            ),
        ] {
            let path = need!(needs::corpus(file));
            assert_eq!(found(&alone(&path, place)).len(), count, "{file}");
        }
    }

    #[test]
    fn apk_says_the_same_of_whole_machines() {
        for (archive, truth) in [
            (
                "rootfs/alpine-library-3.2-x86_64.tar.xz",
                "rootfs/alpine-library-3.2-x86_64.apk.tsv",
            ),
            (
                "rootfs/alpine-minirootfs-3.10.9-x86_64.tar.gz",
                "rootfs/alpine-minirootfs-3.10.9-x86_64.apk.tsv",
            ),
            (
                "rootfs/alpine-minirootfs-3.20.3-x86_64.tar.gz",
                "rootfs/alpine-minirootfs-3.20.3-x86_64.apk.tsv",
            ),
        ] {
            let text = fs::read_to_string(need!(needs::corpus(truth))).unwrap();
            let lines = text.lines().map(|line| {
                let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
                <[String; 4]>::try_from(fields).unwrap()
            });
            let root = tempfile::tempdir().unwrap();
            tree(&need!(needs::corpus(archive)), 0, root.path());
            agree(&found(&facts(root.path())), &lines.collect(), archive);
        }
    }

    #[test]
    fn opkg_has_all_its_packages() {
        let root = tempfile::tempdir().unwrap();
        tree(
            &need!(needs::corpus("rootfs/openwrt-rootfs.tar.gz")),
            0,
            root.path(),
        );
        let facts = facts(root.path());
        assert_eq!(found(&facts).len(), 91);
        assert!(facts.owner(&"/usr/sbin/uhttpd".into()).is_some());
    }

    #[test]
    fn libguestfs_says_the_same_of_its_guests() {
        for (guest, image) in [
            ("archlinux", "disk/archlinux.qcow2"),
            ("fedora", "disk/fedora.qcow2.gz"),
        ] {
            let xml = need!(needs::corpus(&format!("disk/expected-{guest}.img.xml")));
            let xml = fs::read_to_string(xml).unwrap();
            let document = roxmltree::Document::parse(&xml).unwrap();
            let applications = document
                .descendants()
                .filter(|node| node.has_tag_name("application"));
            let text = |node: roxmltree::Node<'_, '_>, name: &str| {
                let mut children = node.children();
                let child = children.find(|child| child.has_tag_name(name));
                child
                    .and_then(|child| child.text().map(str::to_owned))
                    .unwrap_or_default()
            };
            let theirs: BTreeSet<[String; 2]> = applications
                .map(|node| {
                    let epoch = match text(node, "epoch").as_str() {
                        "" | "0" => String::new(),
                        epoch => format!("{epoch}:"),
                    };
                    let version =
                        format!("{epoch}{}-{}", text(node, "version"), text(node, "release"));
                    [text(node, "name"), version]
                })
                .filter(|[name, _]| name != "gpg-pubkey")
                .collect();
            let scratch = tempfile::tempdir().unwrap();
            let packed = need!(needs::corpus(image));
            let disk = scratch.path().join("disk.qcow2");
            std::io::copy(&mut unpacked(&packed), &mut File::create(&disk).unwrap()).unwrap();
            let facts = facts(&disk);
            let ours: BTreeSet<[String; 2]> = facts
                .packages
                .iter()
                .map(|p| [p.name.clone(), p.version.clone()])
                .collect();
            assert_eq!(ours, theirs, "{guest}");
        }
    }

    /// A machine with the database of fixtures/packages, which has merged its directories since.
    fn machine() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for name in ["etc", "usr/bin", "var/lib/rpm"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink("usr/bin", root.join("bin")).unwrap();
        let databases = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packages");
        for name in ["rpmdb.sqlite", "rpmdb.sqlite-wal"] {
            fs::copy(databases.join(name), root.join("var/lib/rpm").join(name)).unwrap();
        }
        for (name, text) in [
            ("etc/os-release", "ID=rocky\nVERSION_ID=\"9.3\"\n"),
            ("etc/alpha.conf", "a=1\n"),
            ("etc/alpha.key", "made here\n"),
            ("etc/other.conf", "made here\n"),
            ("usr/bin/alpha-tool", "patched\n"),
        ] {
            fs::write(root.join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn files_are_compared_with_what_rpm_recorded() {
        let dir = machine();
        let read = facts(dir.path());
        assert_eq!(
            (read.packages.len(), read.package_database.as_deref()),
            (5, Some("rpm"))
        );
        let state = |facts: &Facts, path: &str| facts.state(&path.into());
        assert_eq!(state(&read, "/etc/alpha.conf"), FileState::Pristine);
        assert_eq!(state(&read, "/bin/alpha-tool"), FileState::Modified);
        assert_eq!(state(&read, "/usr/bin/alpha-tool"), FileState::Modified);
        assert_eq!(state(&read, "/etc/alpha.key"), FileState::Unowned);
        assert_eq!(state(&read, "/etc/other.conf"), FileState::Unowned);
        // As long as it was, and yet another.
        fs::write(dir.path().join("etc/alpha.conf"), "a=2\n").unwrap();
        fs::write(dir.path().join("usr/bin/alpha-tool"), "tool\n").unwrap();
        let read = facts(dir.path());
        assert_eq!(state(&read, "/etc/alpha.conf"), FileState::Modified);
        assert_eq!(state(&read, "/usr/bin/alpha-tool"), FileState::Pristine);
    }

    #[test]
    fn modules_are_out_of_tree_where_their_owner_is_known_to_be_none() {
        let dir = machine();
        let modules = dir.path().join("usr/lib/modules/5.1/kernel");
        fs::create_dir_all(&modules).unwrap();
        symlink("usr/lib", dir.path().join("lib")).unwrap();
        fs::write(modules.join("x.ko"), "x").unwrap();
        let scan = |of: &Path| {
            let out = dir.path().join("scan.json");
            let done = std::process::Command::new(env!("CARGO_BIN_EXE_transvase"))
                .args([Path::new("scan"), of, Path::new("-o"), &out])
                .output()
                .unwrap();
            let scan: serde_json::Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
            let rules: BTreeSet<String> = scan["concerns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|concern| concern["rule"].as_str().unwrap().to_owned())
                .collect();
            (done.status.code(), rules)
        };
        let (code, rules) = scan(dir.path());
        assert!(
            rules.contains("kernel/out-of-tree-module") && !rules.contains("unknown/packages"),
            "{rules:?}"
        );
        assert_eq!(code, Some(0));
        // Half a database: some packages are missing, so nobody can say whose the module is.
        let database = dir.path().join("var/lib/rpm/rpmdb.sqlite");
        let bytes = fs::read(&database).unwrap();
        fs::write(&database, &bytes[..bytes.len() - 2048]).unwrap();
        let (code, rules) = scan(dir.path());
        assert!(
            !rules.contains("kernel/out-of-tree-module") && rules.contains("unknown/packages"),
            "{rules:?}"
        );
        assert_eq!(code, Some(3));
    }

    #[test]
    fn an_empty_database_is_told_unless_another_has_packages() {
        let dir = machine();
        let empty = "var/lib/dpkg/status";
        fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        // As the tool for another distribution's packages leaves it.
        fs::write(dir.path().join(empty), "").unwrap();
        let unread = |facts: &Facts| transvase::detect::native::package::unread(facts).len();
        let read = facts(dir.path());
        assert_eq!(
            (read.packages.len(), unread(&read), read.unexamined.len()),
            (5, 0, 0)
        );
        for name in ["rpmdb.sqlite", "rpmdb.sqlite-wal"] {
            fs::write(dir.path().join("var/lib/rpm").join(name), "").unwrap();
        }
        assert_eq!(unread(&facts(dir.path())), 2);
    }

    #[test]
    fn a_second_name_of_the_place_is_no_second_database() {
        let dir = machine();
        let real = dir.path().join("usr/lib/sysimage");
        fs::create_dir_all(&real).unwrap();
        fs::rename(dir.path().join("var/lib/rpm"), real.join("rpm")).unwrap();
        symlink("../../usr/lib/sysimage/rpm", dir.path().join("var/lib/rpm")).unwrap();
        let read = facts(dir.path());
        assert_eq!(read.packages.len(), 5);
        let place = MachinePath::from("/usr/lib/sysimage/rpm/rpmdb.sqlite");
        assert!(
            read.packages
                .iter()
                .all(|package| package.evidence.path == place)
        );
    }

    #[test]
    fn what_installers_note_says_which_packages_were_asked_for() {
        let dir = machine();
        let manual = |name: &str, text: &str| {
            let place = dir.path().join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, text).unwrap();
            let facts = facts(dir.path());
            fs::remove_file(&place).unwrap();
            let manual = facts.packages.into_iter().filter(|package| package.manual);
            manual
                .map(|package| package.name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(manual("etc/none", ""), "alpha beta gamma+x kernel kernel");
        let state = "version = \"1.0\"\n[packages]\n\"beta.noarch\" = {reason = \"Dependency\"}\n\"alpha.noarch\" = {reason = \"User\"}\n";
        assert_eq!(
            manual("usr/lib/sysimage/libdnf5/packages.toml", state),
            "alpha gamma+x kernel kernel"
        );
        assert_eq!(
            manual("var/lib/zypp/AutoInstalled", "# made by zypp\nkernel\n"),
            "alpha beta gamma+x"
        );
        let history =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/packages/history.sqlite");
        let place = dir.path().join("var/lib/dnf/history.sqlite");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(history, &place).unwrap();
        // Of alpha the last entry counts.
        assert_eq!(manual("etc/none", ""), "alpha gamma+x");
        fs::remove_file(place).unwrap();
        let note = "var/lib/yum/yumdb/g/0123abcd-gamma+x-1.0^20240101git-1.el9-noarch/reason";
        assert_eq!(manual(note, "dep"), "alpha beta kernel kernel");
        assert_eq!(manual(note, "user"), "alpha beta gamma+x kernel kernel");
    }
}
