//! A hostile machine, examined whole: nothing outside its root is read, nothing waits, nothing is shown raw, and whatever
//! was passed over is said.

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use transvase::detect::engine::examine_with;
    use transvase::detect::{Detector, Doc, FileView, Interest, Purpose, Registry, Sink, Want};
    use transvase::examine::{examine, registry};
    use transvase::fact::{Evidence, Fact, Facts, FileState, SecretRef};
    use transvase::path::MachinePath;
    use transvase::plan::PlanOptions;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::service;
    use transvase::source::{OpenOptions, Root};

    /// Stands in files outside the machine, which nothing may ever read.
    const OUTSIDE: &str = "OUTSIDE-7c1f";

    fn open(path: &Path) -> Root {
        Root::open(&[path.to_path_buf()], &OpenOptions::default()).unwrap()
    }

    fn write(at: &Path, path: &str, text: &str) {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(at: &Path, target: impl AsRef<Path>, path: &str) {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn fifo(at: &Path, path: &str) {
        mknodat(CWD, at.join(path), FileType::Fifo, Mode::RUSR, 0).unwrap();
    }

    /// A machine whose interesting names lead out of it, wait for ever, or are no text.
    fn machine(temp: &Path) -> std::path::PathBuf {
        let root = temp.join("root");
        let outside = temp.join("outside");
        write(
            &outside,
            "secret",
            &format!("root:x:0:0:{OUTSIDE}:/root:/bin/sh\n"),
        );
        write(
            &outside,
            "units/evil.service",
            &format!("[Service]\nExecStart=/{OUTSIDE}\n"),
        );
        write(&root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        write(&root, "usr/bin/true", "#!/bin/sh\n");
        // Absolute, relative, by way of the running system, and through a directory.
        link(&root, outside.join("secret"), "etc/passwd");
        link(&root, "../../outside/secret", "etc/group");
        link(&root, "/proc/self/root/etc/hostname", "etc/hostname");
        link(&root, outside.join("units"), "etc/systemd/system");
        link(&root, "../../../../../../../../../etc/shadow", "etc/hosts");
        link(
            &root,
            format!("/proc/self/root{}", outside.display()),
            "etc/cron.d",
        );
        // Loops.
        link(&root, "loop", "etc/loop");
        link(&root, "b", "etc/crontab.a");
        link(&root, ".", "etc/default/self");
        link(&root, "/etc/default", "etc/default/again");
        write(&root, "etc/default/job", "A=1\n");
        // What waits, and what has effects when opened.
        fifo(&root, "etc/fstab");
        fifo(&root, "etc/anacrontab");
        fs::create_dir_all(root.join("usr/lib/systemd/system")).unwrap();
        fifo(&root, "usr/lib/systemd/system/waits.service");
        UnixListener::bind(root.join("etc/timezone")).unwrap();
        // Names.
        let odd = |name: &[u8], text: &str| {
            let path = root
                .join("usr/lib/systemd/system")
                .join(OsStr::from_bytes(name));
            fs::write(path, text).unwrap();
        };
        odd(
            b"a\nb\x1b[31m.service",
            "[Service]\nExecStart=/usr/bin/true\n",
        );
        odd(b"\xff\xfe.service", "[Service]\nExecStart=/usr/bin/true\n");
        odd(
            "\u{202e}x.service".as_bytes(),
            "[Service]\nEnvironmentFile=/etc/default/*/*/*/*/job\n",
        );
        root
    }

    #[test]
    fn nothing_outside_is_read_and_nothing_waits() {
        let temp = tempfile::tempdir().unwrap();
        let root = open(&machine(temp.path()));
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        let facts = examine(
            &root,
            &registry,
            &packs,
            &PlanOptions::default(),
            Vec::new(),
            &Silent,
        )
        .facts;
        let shown = format!("{facts:?}");
        assert!(!shown.contains(OUTSIDE));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
        assert_eq!(facts.users, []);
        assert_eq!(facts.hostname, None);
        // The odd names are read like any other.
        let units: Vec<String> = facts
            .units
            .iter()
            .map(|unit| unit.path.to_string())
            .collect();
        assert_eq!(units.len(), 3, "{units:?}");
        assert!(units.iter().any(|unit| unit.contains("\\n")), "{units:?}");
        // Every file the tree knows can be asked for; none is one from outside.
        for entry in facts.tree.entries().iter().filter(|entry| entry.is_file()) {
            let bytes = root.read(entry, 1 << 20).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains(OUTSIDE));
        }
        for path in [
            "/etc/passwd",
            "/etc/group",
            "/etc/hosts",
            "/etc/loop",
            "/etc/hostname",
        ] {
            assert!(facts.tree.get(&path.into()).is_none(), "{path}");
        }
    }

    #[test]
    fn the_source_itself_may_be_a_link() {
        let temp = tempfile::tempdir().unwrap();
        machine(temp.path());
        symlink("root", temp.path().join("by-link")).unwrap();
        let (tree, problems) = open(&temp.path().join("by-link")).walk();
        assert_eq!(problems, []);
        assert!(tree.exists(&"/etc/os-release".into()));
    }

    /// A detector made of a function, interested in `/etc/*`.
    struct Probe {
        id: &'static str,
        limit: u64,
        inspect: fn(&FileView<'_>, &mut Sink),
    }

    impl Detector for Probe {
        fn id(&self) -> &str {
            self.id
        }

        fn doc(&self) -> Doc {
            Doc {
                title: "probe",
                recognises: "what a test asks",
                why: "tests",
                cannot_see: "the rest",
                references: &["none"],
            }
        }

        fn interest(&self) -> Interest {
            Interest {
                paths: vec!["/etc/os-release".into(), "/link/os-release".into()],
                names: vec!["os-release".into()],
                globs: vec!["/etc/*".into(), "/link/os-rel*".into()],
                limit: self.limit,
                ..Interest::default()
            }
        }

        fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
            (self.inspect)(file, sink);
        }
    }

    fn probe(id: &'static str, inspect: fn(&FileView<'_>, &mut Sink)) -> Box<dyn Detector> {
        let limit = 0;
        Box::new(Probe { id, limit, inspect })
    }

    fn saw(file: &FileView<'_>, sink: &mut Sink) {
        sink.fact(Fact::Secret(SecretRef {
            kind: "seen".into(),
            key: file.purpose.context.clone(),
            evidence: Evidence::file(file.path),
        }));
    }

    fn small() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        write(temp.path(), "etc/os-release", "ID=x\n");
        write(temp.path(), "usr/lib/other", "12345678");
        link(temp.path(), "etc", "link");
        temp
    }

    fn run(root: &Root, detectors: Vec<Box<dyn Detector>>, wants: &[Want]) -> Facts {
        let registry = Registry::of(detectors).unwrap();
        let mut follow = |_: &Facts| wants.to_vec().into();
        examine_with(root, &registry, Vec::new(), &mut [&mut follow], &Silent)
    }

    fn seen(facts: &Facts) -> Vec<String> {
        facts
            .secrets
            .iter()
            .map(|s| format!("{} {}", s.evidence.path, s.key))
            .collect()
    }

    fn want(pattern: &str, detector: &'static str) -> Want {
        let purpose = Purpose {
            detector: detector.into(),
            context: "asked".into(),
        };
        Want {
            pattern: pattern.into(),
            purpose,
        }
    }

    #[test]
    fn a_file_is_read_once_and_shown_once_to_each() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        fn count(_: &FileView<'_>, _: &mut Sink) {
            LOOKS.fetch_add(1, Ordering::Relaxed);
        }
        let temp = small();
        let root = open(temp.path());
        let facts = run(&root, vec![probe("a/a", saw), probe("b/b", saw)], &[]);
        // Five ways of the interest lead to it, one of them by a link; both detectors looked.
        assert_eq!(seen(&facts), ["/etc/os-release "]);
        assert_eq!(facts.bytes_read, 5);

        let again = want("/usr/lib/*", "a/a");
        let facts = run(&root, vec![probe("a/a", count)], &[again.clone(), again]);
        assert_eq!(LOOKS.load(Ordering::Relaxed), 2);
        assert_eq!(facts.bytes_read, 5 + 8);
    }

    #[test]
    fn a_detector_that_panics_is_named_and_alone() {
        fn falls(_: &FileView<'_>, sink: &mut Sink) {
            sink.fact(Fact::Timezone("half a fact".into()));
            panic!("as a detector might");
        }
        let temp = small();
        let root = open(temp.path());
        let facts = run(
            &root,
            vec![probe("a/falls", falls), probe("b/saw", saw)],
            &[],
        );
        assert_eq!(facts.timezone, None);
        assert_eq!(seen(&facts), ["/etc/os-release "]);
        assert_eq!(facts.unexamined.len(), 1);
        assert_eq!(facts.unexamined[0].detector, "a/falls");
        assert_eq!(
            facts.unexamined[0].path,
            MachinePath::new("/etc/os-release")
        );
    }

    #[test]
    fn what_is_too_large_for_one_is_shown_to_the_other() {
        let temp = small();
        let root = open(temp.path());
        let (id, limit, inspect) = ("a/small", 3, saw as fn(&FileView<'_>, &mut Sink));
        let little = Box::new(Probe { id, limit, inspect });
        let facts = run(&root, vec![little, probe("b/large", saw)], &[]);
        assert_eq!(seen(&facts), ["/etc/os-release "]);
        assert_eq!(facts.unexamined[0].detector, "a/small");
        assert!(facts.unexamined[0].reason.contains("limit of 3"));
    }

    #[test]
    fn wants_end() {
        /// Asks for itself under ever new purposes.
        fn greedy(file: &FileView<'_>, sink: &mut Sink) {
            let deeper = format!("{}x", file.purpose.context);
            sink.want("/etc/os-release", "a/greedy", deeper);
            sink.want("/**", "a/greedy", "all");
            sink.want("/etc/os-release", "no/such", "");
        }
        let temp = small();
        let root = open(temp.path());
        let facts = run(&root, vec![probe("a/greedy", greedy)], &[]);
        let reasons: Vec<&str> = facts.unexamined.iter().map(|u| u.reason.as_str()).collect();
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(
            reasons
                .iter()
                .any(|reason| reason.contains("no detector is called no/such"))
        );
        assert!(
            reasons
                .iter()
                .any(|reason| reason.contains("rounds of reading"))
        );
    }

    #[test]
    fn ids_are_unique() {
        assert!(Registry::of(vec![probe("a/a", saw), probe("a/a", saw)]).is_err());
    }

    #[test]
    fn directories_that_an_administrator_moved_are_found_by_their_old_names() {
        let files = [
            ("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
            ("/var", "-> data/var"),
            ("/lib", "-> usr/lib"),
            ("/etc/default", "-> ../data/defaults"),
            ("/etc/systemd", "-> /data/systemd"),
            ("/data/defaults/app", "PORT=1\n"),
            (
                "/data/var/lib/dpkg/status",
                "Package: app\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nConffiles:\n /etc/default/app 00000000000000000000000000000000\n\n",
            ),
            (
                "/data/var/lib/dpkg/info/app.list",
                "/lib/app\n/var/lib/app\n/etc/default/app\n",
            ),
            ("/usr/lib/app", "x"),
            ("/data/var/lib/app", "x"),
            (
                "/data/var/spool/cron/crontabs/bob",
                "1 2 * * * /usr/lib/app\n",
            ),
            (
                "/data/systemd/system/app.service",
                "[Service]\nExecStart=/usr/lib/app\nEnvironmentFile=/etc/default/app\n",
            ),
            (
                "/data/systemd/system/multi-user.target.wants/app.service",
                "-> ../app.service",
            ),
            (
                "/usr/lib/systemd/system/default.target",
                "-> multi-user.target",
            ),
            (
                "/usr/lib/systemd/system/multi-user.target",
                "[Unit]\nDescription=x\n",
            ),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let root = Root::memory(&files.into());
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        let facts = examine(
            &root,
            &registry,
            &packs,
            &PlanOptions::default(),
            Vec::new(),
            &Silent,
        )
        .facts;
        assert_eq!(facts.packages.len(), 1);
        for path in [
            "/lib/app",
            "/usr/lib/app",
            "/var/lib/app",
            "/data/var/lib/app",
            "/etc/default/app",
        ] {
            assert!(facts.owner(&path.into()).is_some(), "{path}");
        }
        assert_eq!(facts.state(&"/etc/default/app".into()), FileState::Modified);
        let jobs: Vec<&str> = facts.jobs.iter().map(|job| job.user.as_str()).collect();
        assert_eq!(jobs, ["bob"]);
        let services = service::services(&facts, &packs.generated_units(&facts)).services;
        let app = services
            .iter()
            .find(|service| service.name == "app.service")
            .unwrap();
        assert!(app.enabled);
        assert_eq!(
            app.environment.variables,
            [("PORT".to_owned(), "1".to_owned())]
        );
    }
}
