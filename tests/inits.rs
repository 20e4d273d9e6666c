//! Machines that do not start with systemd: run levels and init scripts, jobs of upstart, OpenRC, inetd, and what names their
//! release.

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use transvase::examine::{Examined, examine, registry};
    use transvase::plan::PlanOptions;
    use transvase::product::Disposition;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::service::{Service, Starter};
    use transvase::source::{OpenOptions, Root};

    /// Files by path: `-> TARGET` is a link, `#!` a program.
    fn seen(files: &[(&str, &str)]) -> Seen {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        write(
            root,
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nshop:x:900:900::/srv/shop:/bin/sh\n",
        );
        write(root, "etc/group", "root:x:0:\nshop:x:900:\n");
        for path in ["opt/d", "opt/e", "sbin/init", "usr/bin/x", "bin/sh"] {
            program(root, path, "#!/bin/sh\nexec sleep 1\n");
        }
        for (path, text) in files {
            put(root, path, text);
        }
        let root = Root::open(&[root.into()], &OpenOptions::default()).unwrap();
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        let options = PlanOptions::default();
        Seen(examine(
            &root,
            &registry,
            &packs,
            &options,
            Vec::new(),
            &Silent,
        ))
    }

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn program(root: &Path, path: &str, text: &str) {
        write(root, path, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(root.join(path), mode).unwrap();
    }

    fn put(root: &Path, path: &str, text: &str) {
        if let Some(target) = text.strip_prefix("-> ") {
            let link = root.join(path);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
        } else if text.starts_with("#!") {
            program(root, path, text);
        } else {
            write(root, path, text);
        }
    }

    struct Seen(Examined);

    impl Seen {
        fn service(&self, name: &str) -> &Service {
            let all = &self.0.outline.services.services;
            let found = all.iter().find(|service| service.name == name);
            let names: Vec<&String> = all.iter().map(|service| &service.name).collect();
            found.unwrap_or_else(|| panic!("no {name} among {names:?}"))
        }

        /// Names of what starts, with its command.
        fn enabled(&self) -> Vec<String> {
            let all = self.0.outline.services.services.iter();
            all.filter(|service| service.enabled)
                .map(|service| format!("{}: {}", service.name, line(service)))
                .collect()
        }

        fn disposition(&self, name: &str) -> Disposition {
            let mut all = self.0.outline.cut.services.iter();
            all.find(|placed| placed.service.name == name)
                .unwrap()
                .disposition
        }
    }

    fn line(service: &Service) -> String {
        let start = service.commands.start.first();
        start.map_or_else(String::new, |command| command.argv.join(" "))
    }

    fn limits(service: &Service) -> Vec<(&str, &str)> {
        let limits = service.limits.iter();
        limits.map(|limit| (&*limit.name, &*limit.value)).collect()
    }

    #[test]
    fn only_links_of_the_default_run_level_count() {
        for (table, wanted) in [
            ("id:3:initdefault:\n", "three: /opt/d"),
            ("# c\nid:5:initdefault:\n", "five: /opt/e"),
            ("", "two: /opt/d 2"),
        ] {
            let found = seen(&[
                ("etc/inittab", table),
                (
                    "etc/init.d/two",
                    "#!/bin/sh\nstart-stop-daemon --start --exec /opt/d -- 2\n",
                ),
                ("etc/init.d/three", "#!/bin/sh\ndaemon /opt/d\n"),
                ("etc/init.d/five", "#!/bin/sh\ndaemon /opt/e\n"),
                ("etc/rc2.d/S20two", "-> ../init.d/two"),
                ("etc/rc3.d/S20three", "-> ../init.d/three"),
                ("etc/rc3.d/K20two", "-> ../init.d/two"),
                ("etc/rc5.d/S20five", "-> ../init.d/five"),
            ]);
            assert_eq!(found.enabled(), [wanted], "{table}");
        }
    }

    #[test]
    fn a_script_has_the_settings_of_its_file() {
        let found = seen(&[
            ("etc/inittab", "id:3:initdefault:\n"),
            (
                "etc/rc.d/init.d/d",
                "#!/bin/bash\n. /etc/rc.d/init.d/functions\n[ -f /etc/sysconfig/d ] && . /etc/sysconfig/d\nexport D_HOME\n\
                 start() {\n ulimit -n ${D_FILES:-1024}\n daemon --user $D_USER --pidfile /run/d.pid \"/opt/d -p $D_PORT >> /var/log/d.log 2>&1 &\"\n}\n\
                 case \"$1\" in start) start;; esac\n",
            ),
            ("etc/rc.d/init.d/functions", "daemon() { false; }\n"),
            (
                "etc/sysconfig/d",
                "D_USER=shop\nD_PORT=9200\nD_FILES=4096\nD_HOME=/srv/d\n",
            ),
            ("etc/init.d", "-> rc.d/init.d"),
            ("etc/rc.d/rc3.d/S85d", "-> ../init.d/d"),
        ]);
        let d = found.service("d");
        assert_eq!(
            (line(d).as_str(), d.user.as_str()),
            ("/opt/d -p 9200", "shop")
        );
        assert_eq!(limits(d), [("NOFILE", "4096")]);
        assert_eq!(
            d.environment.variables,
            [("D_HOME".to_owned(), "/srv/d".to_owned())]
        );
        assert_eq!(d.output, ["/var/log/d.log".into()]);
        assert_eq!(
            d.environment.set_by["D_HOME"].path,
            "/etc/sysconfig/d".into()
        );
    }

    #[test]
    fn a_script_that_its_settings_end_never_runs() {
        let found = seen(&[
            (
                "etc/init.d/d",
                "#!/bin/sh\n. /etc/default/d\ntest \"$START\" = yes || exit 0\nstart-stop-daemon --start --exec /opt/d\n",
            ),
            ("etc/default/d", "START=no\n"),
            ("etc/rc2.d/S20d", "-> ../init.d/d"),
        ]);
        let d = found.service("d");
        assert_eq!(d.unmet.as_ref().unwrap().line, Some(3));
    }

    #[test]
    fn debian_has_an_interpreter_for_scripts_that_only_say_what() {
        let found = seen(&[
            (
                "etc/init.d/d",
                "#!/usr/bin/env /lib/init/init-d-script\nDAEMON=/opt/d\nDAEMON_ARGS=\"$D_OPTS -f\"\n",
            ),
            ("etc/default/d", "D_OPTS=-q\n"),
            ("etc/rc2.d/S20d", "-> ../init.d/d"),
        ]);
        assert_eq!(line(found.service("d")), "/opt/d -q -f");
    }

    #[test]
    fn what_the_first_process_keeps_running() {
        let found = seen(&[
            (
                "etc/inittab",
                "id:3:initdefault:\n1:2345:respawn:/sbin/getty 38400 tty1\nd:3:respawn:/opt/d --fg >/var/log/d 2>&1\ne:5:once:/opt/e\nx:3:off:/opt/e\n",
            ),
            ("sbin/getty", "#!/bin/sh\n"),
        ]);
        assert_eq!(
            found.enabled(),
            ["d: /opt/d --fg", "getty: /sbin/getty 38400 tty1"]
        );
        assert_eq!(found.service("d").restart, "always");
        assert_eq!(found.disposition("getty"), Disposition::Platform);
        assert_eq!(found.disposition("d"), Disposition::Containerize);
    }

    #[test]
    fn what_rc_local_puts_behind_is_a_service() {
        let found = seen(&[(
            "etc/rc.local",
            "#!/bin/sh\necho 1 > /proc/sys/x\nsu - shop -c \"/opt/d --watch\"\ncd /srv && A=1 nohup /opt/e >/var/log/e 2>&1 &\nexit 0\n",
        )]);
        assert_eq!(
            found.enabled(),
            ["d: /opt/d --watch", "e: /opt/e", "rc.local: /etc/rc.local"]
        );
        assert_eq!(found.service("d").user, "shop");
        let e = found.service("e");
        assert_eq!(e.working_directory, Some("/srv".into()));
        assert_eq!(found.disposition("rc.local"), Disposition::Platform);
        assert_eq!(found.disposition("e"), Disposition::Containerize);
    }

    /// An Ubuntu's jobs with one more.
    fn job(name: &str, text: &str, more: &[(&str, &str)]) -> Seen {
        let path = format!("etc/init/{name}.conf");
        let mut files = vec![
            (
                "etc/init/rc-sysinit.conf",
                "start on filesystem\nenv DEFAULT_RUNLEVEL=2\ntask\nemits runlevel\nscript\n telinit $DEFAULT_RUNLEVEL\nend script\n",
            ),
            (
                "etc/init/rc.conf",
                "start on runlevel [0123456]\ntask\nexec /etc/init.d/rc $RUNLEVEL\n",
            ),
            (path.as_str(), text),
        ];
        files.extend(more);
        seen(&files)
    }

    #[test]
    fn events_of_a_boot_start_jobs() {
        for (expression, wanted) in [
            ("runlevel [2345]", true),
            ("runlevel [345]", false),
            ("runlevel [!06]", true),
            ("runlevel RUNLEVEL=2", true),
            ("(local-filesystems and net-device-up IFACE!=lo)", true),
            ("local-filesystems\n  and never-emitted", true),
            ("(never-emitted\n or started rc)", true),
            ("(started rc and never-emitted)", false),
            ("stopped rc RUNLEVEL=[2345]", true),
            ("stopped rc RUNLEVEL=[016]", false),
            ("stopping other", false),
            ("started nothing", false),
            ("starting", false),
        ] {
            let found = job("d", &format!("start on {expression}\nexec /opt/d\n"), &[]);
            assert_eq!(found.service("d").enabled, wanted, "{expression}");
        }
    }

    #[test]
    fn a_job_is_what_its_stanzas_say() {
        let found = job(
            "d",
            "description \"The d\"\nstart on runlevel [2345]\nrespawn\nrespawn limit 10 5\nlimit nofile 65536 unlimited\nsetuid shop\nenv PORT=80 # not 81\n\
             env DB_PASSWORD=geheim1x\nchdir /srv/shop\numask 027\nkill timeout 70\nkill signal QUIT\npre-start script\n  mkdir -p /run/d\nend script\nexec /opt/d \\\n  --port $PORT\n",
            &[],
        );
        let d = found.service("d");
        assert_eq!(
            (d.manager, line(d).as_str()),
            (Starter::Upstart, "/opt/d --port 80")
        );
        assert_eq!((d.user.as_str(), d.group.as_str()), ("shop", "shop"));
        assert_eq!(limits(d), [("NOFILE", "65536:infinity")]);
        assert_eq!(d.working_directory, Some("/srv/shop".into()));
        assert_eq!(
            (d.umask, d.stop_timeout, d.kill_signal.as_str()),
            (Some(0o27), Some(70), "SIGQUIT")
        );
        assert_eq!(
            (d.description.as_str(), d.restart.as_str()),
            ("The d", "always")
        );
        let secret = &d.environment.secrets[0];
        assert_eq!((secret.0.as_str(), secret.1.line), ("DB_PASSWORD", Some(8)));
        assert!(!format!("{d:?}").contains("geheim"));
    }

    #[test]
    fn overrides_change_a_job() {
        let text = "start on runlevel [2345]\nexec /opt/d a\n";
        let with = |more: &str| job("d", text, &[("etc/init/d.override", more)]);
        assert!(!with("manual\n").service("d").enabled);
        assert!(!with("start on never\n").service("d").enabled);
        let changed = with("exec /opt/d b\nsetuid shop\n");
        let d = changed.service("d");
        assert_eq!(
            (line(d).as_str(), d.user.as_str(), d.enabled),
            ("/opt/d b", "shop", true)
        );
    }

    #[test]
    fn instances_are_started_by_other_jobs() {
        let found = job(
            "worker",
            "instance $N\nrespawn\nscript\n  . /etc/default/worker\n  exec su -s /bin/sh -c 'exec \"$0\" \"$@\"' shop -- /opt/d --queue $QUEUE --id $N\nend script\n",
            &[
                ("etc/default/worker", "QUEUE=mail\n"),
                (
                    "etc/init/all.conf",
                    "start on runlevel [2345]\ntask\nscript\n for i in 1 2; do start worker N=$i; done\nend script\n",
                ),
            ],
        );
        let one = found.service("worker (1)");
        assert_eq!(
            (line(one).as_str(), one.user.as_str()),
            ("/opt/d --queue mail --id 1", "shop")
        );
        assert!(found.service("worker (2)").enabled);
    }

    #[test]
    fn jobs_that_systemd_left_behind_start_nothing() {
        let found = seen(&[
            ("usr/lib/systemd/systemd", "#!\n"),
            ("etc/init/d.conf", "start on runlevel [2345]\nexec /opt/d\n"),
            ("lib/x", ""),
        ]);
        assert!(
            found.service("d").enabled,
            "without a first process that says otherwise"
        );
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        put(root, "usr/lib/systemd/systemd", "#!\n");
        put(root, "sbin/init", "-> ../usr/lib/systemd/systemd");
        put(
            root,
            "etc/init/d.conf",
            "start on runlevel [2345]\nexec /opt/d\n",
        );
        let root = Root::open(&[root.into()], &OpenOptions::default()).unwrap();
        let packs = Packs::builtin().unwrap();
        let found = examine(
            &root,
            &registry(&packs).unwrap(),
            &packs,
            &PlanOptions::default(),
            Vec::new(),
            &Silent,
        );
        assert!(found.outline.services.services.is_empty());
    }

    /// An Alpine with a script, its settings, and links.
    fn openrc(files: &[(&str, &str)]) -> Seen {
        let mut all = vec![
            ("sbin/openrc-run", "#!\n"),
            (
                "etc/inittab",
                "::sysinit:/sbin/openrc sysinit\n::wait:/sbin/openrc default\ntty1::respawn:/sbin/getty 38400 tty1\n",
            ),
            ("etc/runlevels/default/d", "-> /etc/init.d/d"),
        ];
        all.extend(files);
        seen(&all)
    }

    #[test]
    fn openrc_starts_what_a_script_names() {
        let found = openrc(&[
            (
                "etc/init.d/d",
                "#!/sbin/openrc-run\nname=\"The d\"\ncommand=/opt/d\ncommand_args=\"--port ${port:-80} $D_OPTS\"\ncommand_user=\"shop:shop\"\ncommand_background=yes\n\
                 directory=/srv/d\noutput_log=/var/log/d.log\npidfile=\"/run/$RC_SVCNAME.pid\"\nexport DATABASE_URL\ndepend() {\n need net e\n}\n",
            ),
            (
                "etc/init.d/e",
                "#!/sbin/openrc-run\nstart() {\n ebegin x\n start-stop-daemon --start -b -m --pidfile /run/e --user shop --exec /opt/e -- -v\n eend $?\n}\n",
            ),
            (
                "etc/conf.d/d",
                "D_OPTS=\"-a 'b c'\"\nDATABASE_URL=\"postgres://d:geheim1x@db/d\"\nrc_ulimit=\"-n 30000\"\n",
            ),
        ]);
        let d = found.service("d");
        assert_eq!(
            d.commands.start[0].argv,
            ["/opt/d", "--port", "80", "-a", "b c"]
        );
        assert_eq!((d.user.as_str(), d.manager), ("shop", Starter::Openrc));
        assert_eq!(limits(d), [("NOFILE", "30000")]);
        assert_eq!(d.working_directory, Some("/srv/d".into()));
        assert_eq!(d.environment.secrets[0].1.path, "/etc/conf.d/d".into());
        assert!(!format!("{d:?}").contains("geheim"));
        let e = found.service("e");
        assert_eq!((line(e).as_str(), e.user.as_str()), ("/opt/e -v", "shop"));
        assert!(e.enabled, "what is needed starts too");
    }

    #[test]
    fn a_secret_that_a_script_hands_on_is_hidden_where_it_is_set() {
        let found = openrc(&[
            (
                "etc/init.d/d",
                "#!/sbin/openrc-run\ncommand=/opt/d\ncommand_args=\"--password=$D_PW\"\nexport D_PW\n",
            ),
            ("etc/conf.d/d", "D_PW=geheim1x\nD_PORT=80\n"),
        ]);
        assert!(!format!("{:?}", found.service("d")).contains("geheim"));
        assert!(!format!("{:?}", found.0.facts.managed).contains("geheim"));
    }

    #[test]
    fn openrc_supervises_and_has_instances() {
        let script = "#!/sbin/openrc-run\nqueue=\"${RC_SVCNAME#d.}\"\nsupervisor=supervise-daemon\ncommand=/opt/d\ncommand_args=\"--queue $queue $ARGS\"\n";
        let found = openrc(&[
            ("etc/init.d/d", script),
            ("etc/init.d/d.mail", "-> d"),
            ("etc/init.d/d.report", "-> d"),
            ("etc/conf.d/d.mail", "ARGS=\"--rate 5\"\n"),
            ("etc/conf.d/d", "ARGS=-x\n"),
            ("etc/runlevels/default/d.mail", "-> /etc/init.d/d.mail"),
            ("etc/runlevels/extra/d.report", "-> /etc/init.d/d.report"),
        ]);
        assert_eq!(
            line(found.service("d.mail")),
            "/opt/d --queue mail --rate 5"
        );
        let report = found.service("d.report");
        assert_eq!(
            (line(report).as_str(), report.enabled),
            ("/opt/d --queue report -x", false)
        );
    }

    #[test]
    fn openrc_runs_local_scripts() {
        let files = |level: &'static str| {
            openrc(&[
                (
                    "etc/init.d/local",
                    "#!/sbin/openrc-run\nstart() { for f in /etc/local.d/*.start; do eval $f; done; }\n",
                ),
                ("etc/local.d/tunnel.start", "#!/bin/sh\n/opt/d --tunnel &\n"),
                ("etc/local.d/off.start", "/opt/e &\n"),
                (level, "-> /etc/init.d/local"),
            ])
        };
        let found = files("etc/runlevels/default/local");
        assert_eq!(line(found.service("d")), "/opt/d --tunnel");
        assert_eq!(found.disposition("local"), Disposition::Platform);
        let found = files("etc/runlevels/other/local");
        assert!(!found.enabled().iter().any(|name| name.contains("tunnel")));
    }

    #[test]
    fn services_of_super_servers() {
        let found = seen(&[
            ("etc/inittab", "id:3:initdefault:\n"),
            ("usr/sbin/xinetd", "#!\n"),
            ("usr/sbin/inetd", "#!\n"),
            (
                "etc/init.d/xinetd",
                "#!/bin/sh\nstart-stop-daemon --start --exec /usr/sbin/xinetd\n",
            ),
            (
                "etc/init.d/inetd",
                "#!/bin/sh\nstart-stop-daemon --start --exec /usr/sbin/inetd\n",
            ),
            ("etc/rc3.d/S1xinetd", "-> ../init.d/xinetd"),
            ("etc/rc3.d/S1inetd", "-> ../init.d/inetd"),
            ("etc/services", "look 4711/tcp\nlook 4711/udp\n"),
            (
                "etc/xinetd.d/look",
                "service look\n{\n socket_type = stream\n wait = no\n user = shop\n server = /opt/d\n server_args = -s /srv\n disable = no\n}\nservice off\n{\n server = /opt/e\n disable = yes\n}\n",
            ),
            (
                "etc/inetd.conf",
                "#x stream tcp nowait root /opt/e e\n9000 stream tcp nowait shop /usr/sbin/tcpd /opt/e -q\ntime stream tcp nowait root internal\n",
            ),
        ]);
        let look = found.service("look");
        assert_eq!(
            (line(look).as_str(), look.user.as_str(), look.enabled),
            ("/opt/d -s /srv", "shop", true)
        );
        assert_eq!(look.sockets[0].address, "0.0.0.0:4711");
        assert!(!found.service("off").enabled);
        let other = found.service("9000");
        assert_eq!(
            (line(other).as_str(), other.sockets[0].address.as_str()),
            ("/opt/e -q", "0.0.0.0:9000")
        );
    }

    #[test]
    fn older_files_say_what_a_machine_is() {
        let found = seen(&[
            ("etc/os-release", ""),
            ("etc/centos-release", "CentOS release 6.10 (Final)\n"),
            ("etc/redhat-release", "-> centos-release"),
            (
                "etc/sysconfig/network",
                "NETWORKING=yes\nHOSTNAME=old1.example.com\n",
            ),
            ("etc/sysconfig/clock", "ZONE=\"America/New_York\"\n"),
            ("etc/sysconfig/i18n", "LANG=\"en_US.ISO-8859-1\"\n"),
        ]);
        let facts = &found.0.facts;
        let os = facts.os.as_ref().unwrap();
        assert_eq!((os.id.as_str(), os.version_id.as_str()), ("centos", "6.10"));
        assert_eq!(facts.hostname.as_ref().unwrap().0, "old1.example.com");
        assert_eq!(facts.timezone.as_deref(), Some("America/New_York"));
        assert_eq!(facts.locale.as_deref(), Some("en_US.ISO-8859-1"));
        let newer = seen(&[
            ("etc/os-release", "ID=rocky\nVERSION_ID=9.1\n"),
            ("etc/redhat-release", "Red Hat 5\n"),
        ]);
        assert_eq!(newer.0.facts.os.as_ref().unwrap().id, "rocky");
    }
}
