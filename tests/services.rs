//! Units as systemd loads them. Every expectation here was read off systemd's own test mode
//! (`systemd --test --system`, versions 247, 252 and 257) on the same unit files.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use transvase::examine::{examine, registry};
    use transvase::plan::PlanOptions;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::service::{
        DirectoryKind, RemarkKind, Service, ServiceType, Services, Starter, services,
    };
    use transvase::source::{OpenOptions, Root};

    const E: &str = "etc/systemd/system";
    const L: &str = "usr/lib/systemd/system";
    const RUNS: &str = "[Service]\nExecStart=/bin/true\n";

    /// A machine in a directory of its own; one target pulls in what tests say.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine
                .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
                .file("etc/hostname", "box.example.net\n")
                .file(
                    "etc/passwd",
                    "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/x\napp:x:900:901::/srv/app:/x\n",
                )
                .file("etc/group", "root:x:0:\ndaemon:x:1:\nbin:x:2:\napps:x:901:\n")
                .file("usr/bin/true", "#!/bin/sh\n")
                .link("bin", "usr/bin")
                .link("lib", "usr/lib")
                .file(&format!("{L}/graphical.target"), "[Unit]\nRequires=multi-user.target\n")
                .file(&format!("{L}/multi-user.target"), "[Unit]\nRequires=basic.target\n")
                .file(
                    &format!("{L}/basic.target"),
                    "[Unit]\nRequires=sysinit.target\nWants=sockets.target timers.target paths.target\n",
                )
                .file(&format!("{L}/sysinit.target"), "[Unit]\nDefaultDependencies=no\n")
                .file(&format!("{L}/sockets.target"), "[Unit]\nDescription=s\n")
                .file(&format!("{L}/timers.target"), "[Unit]\nDescription=t\n")
                .file(&format!("{L}/paths.target"), "[Unit]\nDescription=p\n")
                .link(&format!("{L}/default.target"), "graphical.target");
            machine
        }

        fn file(&self, path: &str, text: &str) -> &Self {
            let at = self.0.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(&at, text).unwrap();
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
            self
        }

        fn link(&self, path: &str, target: &str) -> &Self {
            let at = self.0.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            symlink(target, at).unwrap();
            self
        }

        fn unit(&self, name: &str, text: &str) -> &Self {
            self.file(&format!("{E}/{name}"), text)
        }

        fn wanted(&self, name: &str) -> &Self {
            self.link(
                &format!("{E}/multi-user.target.wants/{name}"),
                &format!("/{E}/{name}"),
            )
        }

        fn services(&self) -> Services {
            let root = Root::open(&[self.0.path().into()], &OpenOptions::default()).unwrap();
            let packs = Packs::builtin().unwrap();
            let registry = registry(&packs).unwrap();
            services(
                &examine(
                    &root,
                    &registry,
                    &packs,
                    &PlanOptions::default(),
                    Vec::new(),
                    &Silent,
                )
                .facts,
                &[],
            )
        }

        fn enabled(&self) -> Vec<String> {
            let found = self.services().services.into_iter();
            found.filter(|s| s.enabled).map(|s| s.name).collect()
        }

        /// The one service of a machine that is only about it.
        fn only(text: &str) -> Service {
            let machine = Self::new();
            machine.unit("a.service", text).wanted("a.service");
            named(machine.services(), "a.service")
        }
    }

    fn named(all: Services, name: &str) -> Service {
        let mut found = all.services.into_iter();
        found.find(|service| service.name == name).unwrap()
    }

    fn variables(service: &Service) -> Vec<(&str, &str)> {
        let all = service.environment.variables.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn what_is_reached_starts() {
        let machine = Machine::new();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            machine.unit(&format!("{name}.service"), RUNS);
        }
        machine
            .unit(
                "a.service",
                "[Unit]\nWants=b.service\nRequires=c.service\n[Service]\nExecStart=/bin/true\n",
            )
            // Dependencies cannot be taken back; Requisite= and OnFailure= start nothing.
            .unit(
                "a.service.d/z.conf",
                "[Unit]\nWants=\nBindsTo=d.service\nRequisite=e.service\nOnFailure=f.service\n",
            )
            .wanted("a.service")
            // Only links count in a directory of dependencies, and a link to /dev/null takes one back.
            .unit("multi-user.target.wants/g.service", RUNS)
            .link(
                &format!("{E}/multi-user.target.wants/h.service"),
                "/dev/null",
            )
            .link(
                &format!("{L}/multi-user.target.wants/h.service"),
                "../h.service",
            );
        assert_eq!(
            machine.enabled(),
            ["a.service", "b.service", "c.service", "d.service"]
        );
    }

    #[test]
    fn sockets_and_paths_start_their_services() {
        let machine = Machine::new();
        for name in ["by-socket", "by-path", "by-accept@", "handed"] {
            machine.unit(&format!("{name}.service"), RUNS);
        }
        machine
            .unit(
                "s.socket",
                "[Socket]\nListenStream=9999\nService=by-socket.service\n",
            )
            .link(&format!("{E}/sockets.target.wants/s.socket"), "../s.socket")
            .unit("by-accept.socket", "[Socket]\nListenStream=7\nAccept=yes\n")
            .link(
                &format!("{E}/sockets.target.wants/by-accept.socket"),
                "../by-accept.socket",
            )
            .unit("p.path", "[Path]\nPathExists=/x\nUnit=by-path.service\n")
            .link(&format!("{E}/paths.target.wants/p.path"), "../p.path")
            .unit(
                "handed.service",
                "[Service]\nExecStart=/bin/true\nSockets=t.socket\nStandardInput=socket\n",
            )
            .unit(
                "t.socket",
                "[Socket]\nListenStream=/run/t\nService=handed.service\n",
            )
            .wanted("handed.service");
        assert_eq!(
            machine.enabled(),
            ["by-path.service", "by-socket.service", "handed.service"]
        );
        let found = named(machine.services(), "by-socket.service");
        let socket = found.sockets.first().unwrap();
        assert_eq!((&*socket.address, socket.is_input), ("9999", false));
        let found = named(machine.services(), "handed.service");
        let socket = found.sockets.first().unwrap();
        assert_eq!((&*socket.address, socket.is_input), ("/run/t", true));
    }

    #[test]
    fn masks_links_and_tiers() {
        let machine = Machine::new();
        machine
            .link(&format!("{E}/masked.service"), "/dev/null")
            .file(&format!("{L}/masked.service"), RUNS)
            .wanted("masked.service")
            .link(&format!("{E}/alias-of-masked.service"), "masked.service")
            .wanted("alias-of-masked.service")
            .unit("empty.service", "")
            .file(&format!("{L}/empty.service"), RUNS)
            .wanted("empty.service")
            // A link out of the search path brings the file in under its own name.
            .file(
                "opt/app/other-name.service",
                "[Service]\nExecStart=/bin/true\nUser=app\n",
            )
            .link(
                &format!("{E}/linked.service"),
                "/opt/app/other-name.service",
            )
            .wanted("linked.service")
            .link(&format!("{E}/dangling.service"), "/nowhere/x.service")
            .wanted("dangling.service")
            .file(
                "usr/local/lib/systemd/system/local.service",
                "[Service]\nExecStart=/bin/true\nUser=daemon\n",
            )
            .file(&format!("{L}/local.service"), RUNS)
            .wanted("local.service");
        let found = machine.services();
        let enabled = found.services.iter().filter(|s| s.enabled);
        let enabled: Vec<(&str, &str)> = enabled.map(|s| (&*s.name, &*s.user)).collect();
        assert_eq!(
            enabled,
            [("linked.service", "app"), ("local.service", "daemon")]
        );
        let masked = found.services.iter().filter(|s| s.masked);
        let masked: Vec<&str> = masked.map(|s| &*s.name).collect();
        assert_eq!(masked, ["empty.service", "masked.service"]);
    }

    #[test]
    fn aliases_are_the_unit_itself() {
        let machine = Machine::new();
        machine
            .unit("real.service", RUNS)
            .link(&format!("{E}/other.service"), "real.service")
            .link(&format!("{E}/third.service"), "other.service")
            // A plain name cannot stand for an instance.
            .file(&format!("{L}/t@.service"), RUNS)
            .link(
                &format!("{E}/solo.service"),
                &format!("/{L}/t@solo.service"),
            )
            .wanted("solo.service")
            .unit(
                "other.service.d/x.conf",
                "[Service]\nEnvironment=VIA=other\n",
            )
            .unit("more.service", RUNS)
            .link(
                &format!("{E}/third.service.wants/more.service"),
                "../more.service",
            )
            .wanted("third.service");
        assert_eq!(machine.enabled(), ["more.service", "real.service"]);
        let real = named(machine.services(), "real.service");
        assert_eq!(real.aliases, ["other.service", "third.service"]);
        assert_eq!(variables(&real), [("VIA", "other")]);
    }

    #[test]
    fn drop_ins_by_name_and_by_directory() {
        let machine = Machine::new();
        let set = |value: &str| format!("[Service]\nEnvironment={value}=1\n");
        machine
            .file(&format!("{L}/a-b@.service"), RUNS)
            .link(
                &format!("{E}/multi-user.target.wants/a-b@i.service"),
                &format!("/{L}/a-b@.service"),
            )
            .unit("service.d/10.conf", &set("TYPE"))
            .unit("a-b@i.service.d/20.conf", &set("INSTANCE"))
            .unit("a-b@.service.d/30.conf", &set("TEMPLATE"))
            .unit("a-@i.service.d/40.conf", &set("PREFIX_INSTANCE"))
            .unit("a-@.service.d/50.conf", &set("PREFIX_TEMPLATE"))
            .unit("a-.service.d/60.conf", &set("PREFIX"))
            // Of one name the stronger tier's counts, were it for the prefix only; in a tier the more specific.
            .unit("a-.service.d/70.conf", &set("ETC_PREFIX"))
            .file(
                &format!("{L}/a-b@i.service.d/70.conf"),
                &set("LIB_INSTANCE"),
            )
            .unit("a-b@.service.d/20.conf", &set("LOST"))
            .link(&format!("{E}/a-b@i.service.d/80.conf"), "/dev/null")
            .file(&format!("{L}/a-b@i.service.d/80.conf"), &set("MASKED"))
            .file(
                "etc/systemd/system.control/a-b@i.service.d/90.conf",
                &set("CONTROL"),
            );
        let found = named(machine.services(), "a-b@i.service");
        let names: Vec<&str> = variables(&found).iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "TYPE",
                "INSTANCE",
                "TEMPLATE",
                "PREFIX_INSTANCE",
                "PREFIX_TEMPLATE",
                "PREFIX",
                "ETC_PREFIX",
                "CONTROL"
            ]
        );
    }

    #[test]
    fn templates_and_their_instances() {
        let machine = Machine::new();
        machine
            .file(
                &format!("{L}/t@.service"),
                "[Unit]\nWants=u@%i-x.service v@.service t@%i-again.service\n[Service]\nExecStart=/bin/echo %i %I %f %p %j %n %N %%x\n",
            )
            .file(&format!("{L}/u@.service"), RUNS)
            .file(&format!("{L}/v@.service"), RUNS)
            .link(&format!("{E}/w@.service"), &format!("/{L}/v@.service"))
            .wanted("w@nine.service")
            .link(&format!("{E}/multi-user.target.wants/v@.service"), &format!("/{L}/v@.service"))
            .wanted("t@a-b\\x2dc.service");
        let found = machine.services();
        let t = found
            .services
            .iter()
            .find(|s| s.name == "t@a-b\\x2dc.service");
        assert_eq!(
            t.unwrap().commands.start.first().unwrap().argv,
            [
                "/bin/echo",
                "a-b\\x2dc",
                "a/b-c",
                "/a/b-c",
                "t",
                "t",
                "t@a-b\\x2dc.service",
                "t@a-b\\x2dc",
                "%x"
            ]
        );
        let has = |name: &str| found.services.iter().any(|s| s.enabled && s.name == name);
        for name in [
            "u@a-b\\x2dc-x.service",
            "v@a-b\\x2dc.service",
            "v@multi-user.service",
            "v@nine.service",
        ] {
            assert!(has(name), "{name}");
        }
        // A unit that wants an ever longer one ends where names do.
        assert!(found.services.iter().all(|s| s.name.len() < 256));
    }

    #[test]
    fn command_lines() {
        let found = Machine::only(
            r#"[Service]
Type=oneshot
Environment="A=one two" B=three
ExecStart=/bin/echo a \; b ; /bin/echo ";" x
ExecStart=/bin/echo \d 's/\./x/' "\"q\"" \x41\101 a"b c"d ''
ExecStart=/bin/echo one \
# comment
   two
ExecStart=@/bin/echo self a
ExecStart=-:/bin/echo $A ${B}
ExecStart=+/bin/echo $A x${B}y $B-z $$A $UNSET x${UNSET} $HOME
ExecStart=/bin/echo trailing\\
ExecStart=/bin/echo %H %l %S/x 100%%
"#,
        );
        let argv: Vec<Vec<&str>> = found
            .commands
            .start
            .iter()
            .map(|command| command.argv.iter().skip(1).map(String::as_str).collect())
            .collect();
        assert_eq!(
            argv,
            [
                vec!["a", ";", "b"],
                vec![";", "x"],
                vec!["\\d", "s/\\./x/", "\"q\"", "AA", "ab cd", ""],
                vec!["one", "two"],
                vec!["a"],
                vec!["$A", "${B}"],
                vec!["one", "two", "xthreey", "$B-z", "$A", "x", "$HOME"],
                vec!["trailing\\"],
                vec!["box.example.net", "box", "/var/lib/x", "100%"],
            ]
        );
        let flags = |at: usize| {
            (
                found.commands.start[at].ignore_failure,
                found.commands.start[at].privileged,
            )
        };
        assert_eq!(
            (flags(4), flags(5), flags(6)),
            ((false, false), (true, false), (false, true))
        );
    }

    #[test]
    fn what_only_the_manager_does() {
        let found = Machine::only(
            "[Unit]\nOnFailure=mail.service\n[Service]\nExecStart=/bin/a\nWatchdogSec=5\n\
             LimitMEMLOCK=64\nLimitRTPRIO=infinity\nStandardOutput=append:/var/log/a\n\
             DeviceAllow=/dev/old\nDeviceAllow=\nDeviceAllow=/dev/fuse rw\nPrivateDevices=no\n\
             ProtectClock=yes\n",
        );
        let remarks: Vec<(RemarkKind, &str, Option<u32>)> = found
            .remarks
            .iter()
            .map(|remark| (remark.kind, &*remark.text, remark.evidence.line))
            .collect();
        assert_eq!(
            remarks,
            [
                (
                    RemarkKind::OfTheManager,
                    "OnFailure=: use the platform's restart policy and alerts",
                    Some(2)
                ),
                (
                    RemarkKind::OfTheManager,
                    "WatchdogSec=: the health check takes its place",
                    Some(5)
                ),
                (RemarkKind::RealTime, "LimitRTPRIO=infinity", Some(7)),
            ]
        );
        let devices: Vec<(&str, &str)> = found
            .devices
            .iter()
            .map(|device| (&*device.name, &*device.evidence.excerpt))
            .collect();
        assert_eq!(devices, [("/dev/fuse", "DeviceAllow=/dev/fuse rw")]);
        assert_eq!(found.output, ["/var/log/a".into()]);
        let wall = found.privileges.walled.unwrap();
        assert_eq!(wall.excerpt, "ProtectClock=yes");
        assert!(!found.boot_only);
        let early = Machine::only("[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/a\n");
        assert!(early.boot_only && early.privileges.walled.is_none());
    }

    #[test]
    fn only_blanks_part_a_device_from_what_it_is_allowed() {
        let found =
            Machine::only("[Service]\nExecStart=/bin/a\u{2028}b\nDeviceAllow=/dev/a\u{a0}b rw\n");
        let devices = found.devices.iter().map(|device| &*device.name);
        assert_eq!(devices.collect::<Vec<_>>(), ["/dev/a\u{a0}b"]);
        assert_eq!(found.commands.start[0].argv, ["/bin/a\u{2028}b"]);
    }

    #[test]
    fn a_line_that_exports_is_none_of_an_environment_file() {
        let machine = Machine::new();
        machine
            .unit(
                "a.service",
                "[Service]\nExecStart=/bin/a\nEnvironmentFile=/etc/a.env\n",
            )
            .wanted("a.service")
            .file("etc/a.env", "A=1\nexport B=2\n");
        let found = named(machine.services(), "a.service").environment.variables;
        assert_eq!(found, [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_the_manager_gives_every_service() {
        let machine = Machine::new();
        machine
            .unit(
                "a.service",
                "[Service]\nExecStart=/bin/a\nEnvironment=STAGE=test\nLimitCORE=0\n",
            )
            .wanted("a.service")
            .file(
                "etc/systemd/system.conf",
                "[Manager]\n#DefaultTasksMax=15%\nDefaultEnvironment=\"STAGE=live\" \"WORDS=a b\"\nDefaultLimitNOFILE=2048\n",
            )
            .file(
                "etc/systemd/system.conf.d/50-more.conf",
                "[Manager]\nDefaultLimitNOFILE=4096:8192\nDefaultTimeoutStopSec=7\n[Other]\nDefaultLimitCPU=1\n",
            );
        let found = named(machine.services(), "a.service");
        let variables = found.environment.variables;
        assert!(variables.contains(&("STAGE".into(), "test".into())));
        assert!(variables.contains(&("WORDS".into(), "a b".into())));
        let limits = found.limits.iter();
        let limits: Vec<(&str, &str)> = limits
            .map(|limit| (limit.name.as_str(), limit.value.as_str()))
            .collect();
        assert_eq!(limits, [("NOFILE", "4096:8192"), ("CORE", "0")]);
        assert_eq!(found.stop_timeout, Some(7));
    }

    #[test]
    fn settings_of_the_process() {
        let found = Machine::only(
            "[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\nUser=900\nGroup=2\n\
             SupplementaryGroups=adm\nSupplementaryGroups=tty\nKillSignal=3\nTimeoutStopSec=1min 30\n\
             UMask=27\nPIDFile=x/y.pid\nLimitNOFILE=1024\nLimitNOFILE=2048:4096\nWorkingDirectory=~\n\
             CapabilityBoundingSet=CAP_NET_ADMIN CAP_CHOWN\nCapabilityBoundingSet=~CAP_CHOWN\n\
             AmbientCapabilities=CAP_KILL\n[X-Other]\nUser=no\n",
        );
        assert_eq!(found.commands.start.len(), 1);
        assert_eq!((&*found.user, &*found.group), ("app", "bin"));
        assert_eq!(found.supplementary_groups, ["adm", "tty"]);
        assert_eq!(
            (&*found.kill_signal, found.stop_timeout),
            ("SIGQUIT", Some(90))
        );
        assert_eq!(found.umask, Some(0o27));
        assert_eq!(found.pid_file, Some("/run/x/y.pid".into()));
        let limits = found.limits.iter();
        let limits: Vec<(&str, &str)> = limits
            .map(|limit| (limit.name.as_str(), limit.value.as_str()))
            .collect();
        assert_eq!(limits, [("NOFILE", "2048:4096")]);
        assert_eq!(found.working_directory, Some("/srv/app".into()));
        assert_eq!(found.privileges.bounding.unwrap(), ["CAP_NET_ADMIN"]);
        assert_eq!(found.privileges.ambient, ["CAP_KILL"]);

        let found = Machine::only(
            "\u{feff}[Service]\r\nExecStart=/bin/a\r\nDynamicUser=yes\r\nTimeoutSec=infinity\r\n\
             StateDirectory=a a/b\r\nStateDirectoryMode=0700\r\nPIDFile=/var/run/a.pid\r\n",
        );
        assert_eq!((&*found.user, &*found.group), ("a", "a"));
        assert_eq!(found.stop_timeout, Some(0));
        assert_eq!(found.pid_file, Some("/run/a.pid".into()));
        let made: Vec<(String, u32)> = found
            .directories
            .iter()
            .map(|made| (made.path.to_string(), made.mode))
            .collect();
        assert_eq!(
            made,
            [
                ("/var/lib/a".to_owned(), 0o700),
                ("/var/lib/a/b".to_owned(), 0o700)
            ]
        );
        assert_eq!(
            Machine::only("[Service]\nExecStop=/bin/x\n").kind,
            ServiceType::Oneshot
        );
    }

    #[test]
    fn environment_files_come_after() {
        let machine = Machine::new();
        machine
            .file(
                "etc/x/a.env",
                "A=file\nB=\"two \\\"words\\\" \\n\"\nC='single $x'\n; c\nF=a \"b\" c\nGONE=1\n",
            )
            .file("etc/x-a", "B=later\n")
            .unit(
                "a.service",
                "[Service]\nExecStart=/bin/x $A\nEnvironment=A=unit\nEnvironmentFile=/etc/x/*.env\n\
                 EnvironmentFile=-/etc/none\nEnvironmentFile=/etc/x-%N\nUnsetEnvironment=GONE F=other\n",
            )
            .wanted("a.service");
        let found = named(machine.services(), "a.service");
        assert_eq!(
            variables(&found),
            [
                ("A", "file"),
                ("C", "single $x"),
                ("F", "a \"b\" c"),
                ("B", "later")
            ]
        );
        assert_eq!(
            found.commands.start.first().unwrap().argv,
            ["/bin/x", "file"]
        );
    }

    #[test]
    fn only_what_the_run_may_set_stays_a_variable() {
        let of = |setting: &str| {
            let machine = Machine::new();
            machine
                .file("etc/default/a", "# nothing\n")
                .unit(
                    "a.service",
                    &format!(
                        "[Service]\nExecStart=/bin/x ${{STATE_DIRECTORY}} $OPTS\nStateDirectory=a\n{setting}\n"
                    ),
                )
                .wanted("a.service");
            let found = named(machine.services(), "a.service");
            found.commands.start[0].argv[1..].join(" ")
        };
        assert_eq!(of("EnvironmentFile=/etc/default/a"), "/var/lib/a");
        assert_eq!(of("EnvironmentFile=-/etc/default/none"), "/var/lib/a");
        for open in [
            "EnvironmentFile=/etc/default/none",
            "EnvironmentFile=-/run/made-at-boot",
            "PassEnvironment=OPTS",
        ] {
            assert_eq!(of(open), "/var/lib/a $OPTS", "{open}");
        }
    }

    #[test]
    fn tmpfiles_of_the_administrator() {
        let machine = Machine::new();
        machine
            .file(
                "etc/tmpfiles.d/app.conf",
                "d /run/app 2750 app apps -\nd /srv 0755 - - -\n",
            )
            .file(
                "usr/lib/tmpfiles.d/app.conf",
                "d /run/weaker 0755 app app -\n",
            )
            .unit("a.service", "[Service]\nExecStart=/bin/x\nUser=app\n")
            .wanted("a.service");
        let found = named(machine.services(), "a.service").directories;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.to_string(), found[0].mode, found[0].kind),
            ("/run/app".to_owned(), 0o2750, DirectoryKind::Temporary)
        );
    }

    #[test]
    fn timers() {
        let machine = Machine::new();
        let timer = |name: &str, text: &str| {
            machine
                .unit(&format!("{name}.timer"), &format!("[Timer]\n{text}\n"))
                .unit(&format!("{name}.service"), RUNS)
                .link(
                    &format!("{E}/timers.target.wants/{name}.timer"),
                    &format!("../{name}.timer"),
                );
        };
        timer(
            "a",
            "OnCalendar=daily\nOnCalendar=\nOnCalendar=Mon..Fri 02:30",
        );
        timer("b", "OnBootSec=5min\nOnCalendar=\nOnUnitActiveSec=15min");
        timer("c", "OnCalendar=daily\nOnCalendar=Sun 12:00");
        timer("d", "OnActiveSec=1h");
        timer("e", "OnCalendar=Sat *-*-1..7 18:00");
        machine.unit("a.timer.d/x.conf", "[Timer]\nOnCalendar=Mon..Fri 02:30\n");
        let jobs = machine.services().jobs;
        let said: Vec<(&str, &str, Option<&str>)> = jobs
            .iter()
            .map(|job| (&*job.name, &*job.schedule, job.cron.as_deref()))
            .collect();
        assert_eq!(
            said,
            [
                ("a.timer", "Mon..Fri 02:30", Some("30 2 * * 1-5")),
                ("b.timer", "every 15min", Some("*/15 * * * *")),
                ("c.timer", "daily; Sun 12:00", None),
                ("d.timer", "1h after start", Some("@reboot")),
                ("e.timer", "Sat *-*-1..7 18:00", None),
            ]
        );
    }

    #[test]
    fn init_scripts_without_a_unit() {
        let machine = Machine::new();
        let script = |name: &str, provides: &str, levels: &str, first: &str| {
            machine.file(
                &format!("etc/init.d/{name}"),
                &format!(
                    "{first}### BEGIN INIT INFO\n# Provides: {provides}\n### END INIT INFO\n\
                     OPTS=\"--port 1\"\nRUNAS=daemon\n[ -r /etc/default/{name} ] && . /etc/default/{name}\n\
                     start-stop-daemon --start --chuid $RUNAS --exec /opt/x -- $OPTS $NEVER_SET $1 1>/dev/null\n"
                ),
            );
            for level in levels.chars() {
                machine.link(
                    &format!("etc/rc{level}.d/S01{name}"),
                    &format!("../init.d/{name}"),
                );
            }
        };
        script("one", "one", "2345", "#!/bin/sh\n");
        script("two.sh", "two", "3", "#!/bin/sh\n");
        // Its name decides, not what it provides.
        script("three", "native", "2", "#!/bin/sh\n");
        script("native", "native", "2345", "#!/bin/sh\n");
        script("off", "off", "", "#!/bin/sh\n");
        script("single", "single", "1S", "#!/bin/sh\n");
        script("plain", "plain", "2345", "# no program\n");
        machine
            .unit("native.service", RUNS)
            .file("etc/default/one", "OPTS=\"--port 2\"\nRUNAS=app\n")
            .file("etc/rc.local", "#!/bin/sh -e\n/opt/y --once\nexit 0\n")
            .file(
                &format!("{L}/rc-local.service"),
                "[Service]\nExecStart=/etc/rc.local start\n",
            );
        let found = machine.services().services;
        let enabled: Vec<(&str, Starter)> = found
            .iter()
            .filter(|s| s.enabled)
            .map(|s| (&*s.name, s.manager))
            .collect();
        assert_eq!(
            enabled,
            [
                ("one", Starter::Sysv),
                ("rc.local", Starter::RcLocal),
                ("three", Starter::Sysv),
                ("two.sh", Starter::Sysv)
            ]
        );
        assert!(found.iter().all(|s| s.name != "rc-local.service"));
        let of = |name: &str| found.iter().find(|s| s.name == name).unwrap();
        assert_eq!(
            of("one").commands.start[0].argv,
            ["/opt/x", "--port", "2", "start"]
        );
        assert_eq!((&*of("one").user, &*of("three").user), ("app", "daemon"));
        assert_eq!(
            of("three").commands.start[0].argv,
            ["/opt/x", "--port", "1", "start"]
        );
    }

    /// Expectations as `systemctl status` words them: "condition failed" and "assertion failed", or not.
    #[test]
    fn conditions_that_the_disk_decides() {
        let machine = Machine::new();
        machine
            .file("etc/there.conf", "x")
            .file("etc/empty.conf", "")
            .file("srv/d/x", "x");
        let cases = [
            ("ConditionPathExists=/etc/there.conf", true),
            ("ConditionPathExists=/etc/missing.conf", false),
            ("ConditionPathExists=!/etc/there.conf", false),
            ("AssertPathExists=/etc/missing.conf", false),
            ("ConditionFileNotEmpty=/etc/empty.conf", false),
            ("ConditionPathIsDirectory=/srv/d", true),
            ("ConditionDirectoryNotEmpty=/srv/e", false),
            ("ConditionPathExistsGlob=/etc/th*.conf", true),
            ("ConditionFileIsExecutable=/etc/there.conf", false),
            ("ConditionFileIsExecutable=/bin/true", true),
            ("ConditionPathExists=/run/missing", true),
            ("ConditionVirtualization=vmware", true),
            (
                "ConditionPathExists=|/etc/a\nConditionPathExists=|/etc/there.conf",
                true,
            ),
            (
                "ConditionPathExists=|/etc/a\nConditionPathExists=|!/etc/there.conf",
                false,
            ),
            ("ConditionPathExists=/etc/a\nConditionPathExists=", true),
        ];
        for (number, (lines, _)) in cases.iter().enumerate() {
            let name = format!("c{number}.service");
            machine
                .unit(&name, &format!("[Unit]\n{lines}\n{RUNS}"))
                .wanted(&name);
        }
        let found = machine.services();
        for (number, (lines, runs)) in cases.iter().enumerate() {
            let name = format!("c{number}.service");
            let service = found
                .services
                .iter()
                .find(|service| service.name == name)
                .unwrap();
            assert!(service.enabled, "{lines}");
            assert_eq!(
                service.unmet.is_none(),
                *runs,
                "{lines}: {:?}",
                service.unmet
            );
        }
    }
}
