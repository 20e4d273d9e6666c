//! What a workload takes along, on small machines of which each had a fault once.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use transvase::assess::usual;
    use transvase::examine::examine;
    use transvase::plan::PlanOptions;
    use transvase::product::Disposition;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::source::{OpenOptions, Root};
    use transvase::study::{Study, study};
    use transvase::workload::Workload;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine.file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
            machine.file(
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/x\n",
            );
            machine.file(
                "usr/lib/systemd/system/multi-user.target",
                "[Unit]\nDescription=m\n",
            );
            let at = machine
                .0
                .path()
                .join("usr/lib/systemd/system/default.target");
            symlink("multi-user.target", at).unwrap();
            machine
        }

        fn file(&self, path: &str, text: &str) {
            let at = self.0.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(&at, text).unwrap();
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
        }

        /// A unit that starts at boot.
        fn unit(&self, name: &str, command: &str) {
            let unit = format!("etc/systemd/system/{name}");
            self.file(&unit, &format!("[Service]\nExecStart={command}\n"));
            let wants = self
                .0
                .path()
                .join("etc/systemd/system/multi-user.target.wants");
            fs::create_dir_all(&wants).unwrap();
            symlink(format!("/{unit}"), wants.join(name)).unwrap();
        }

        fn package(&self, name: &str, files: &[&str]) {
            self.related(name, "", files);
        }

        /// A package with more lines in its entry.
        fn related(&self, name: &str, fields: &str, files: &[&str]) {
            let status = self.0.path().join("var/lib/dpkg/status");
            let known = fs::read_to_string(&status).unwrap_or_default();
            let own = format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n{fields}\n"
            );
            self.file("var/lib/dpkg/status", &(known + &own));
            self.file(
                &format!("var/lib/dpkg/info/{name}.list"),
                &(files.join("\n") + "\n"),
            );
        }

        fn study(&self) -> Study {
            let root = Root::open(&[self.0.path().into()], &OpenOptions::default()).unwrap();
            let packs = Packs::builtin().unwrap();
            let registry = transvase::examine::registry(&packs).unwrap();
            let options = PlanOptions::default();
            let examined = examine(&root, &registry, &packs, &options, Vec::new(), &Silent);
            study(
                &examined.facts,
                &packs,
                examined.outline,
                root.info().clone(),
                usual(),
            )
        }

        fn workload(&self, id: &str) -> Workload {
            let found = self.study().cut.workloads;
            found
                .into_iter()
                .find(|workload| workload.id == id)
                .unwrap()
        }

        /// Ids of what a workload needs.
        fn needs(&self, id: &str) -> Vec<String> {
            let needs = self.workload(id).needs.into_iter();
            needs.map(|needed| needed.id).collect()
        }
    }

    fn claims(workload: &Workload) -> Vec<String> {
        workload.claims.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scripts_are_where_they_are_opened() {
        let machine = Machine::new();
        machine.file("usr/sbin/nginx", "x");
        machine.file("usr/sbin/php-fpm8.2", "x");
        machine.package("nginx", &["/usr/sbin/nginx"]);
        machine.package(
            "php8.2-fpm",
            &["/usr/sbin/php-fpm8.2", "/etc/php/8.2/fpm/php-fpm.conf"],
        );
        machine.file(
            "etc/php/8.2/fpm/php-fpm.conf",
            "[www]\nlisten = /run/php/own.sock\n",
        );
        machine.file(
            "etc/nginx/nginx.conf",
            "http { server { listen 80; root /srv/wiki; location ~ \\.php$ { fastcgi_pass unix:/run/php/own.sock; } } }\n",
        );
        machine.file("srv/wiki/index.php", "<?php echo 1;\n");
        machine.unit("nginx.service", "/usr/sbin/nginx -g 'daemon off;'");
        machine.unit("php8.2-fpm.service", "/usr/sbin/php-fpm8.2 --nodaemonize");
        assert_eq!(claims(&machine.workload("php8-2-fpm")), ["/srv/wiki"]);
        assert_eq!(claims(&machine.workload("nginx")), ["/srv/wiki"]);
    }

    #[test]
    fn what_was_put_into_a_directory_of_a_package() {
        let machine = Machine::new();
        let start = "/usr/libexec/tomcat9/tomcat-start.sh";
        machine.file("usr/libexec/tomcat9/tomcat-start.sh", "#!/bin/sh\n");
        machine.file("var/lib/tomcat9/webapps/shop/index.jsp", "x");
        machine.file("var/lib/tomcat9/webapps/docs/index.html", "x");
        machine.package(
            "tomcat9",
            &[
                start,
                "/var/lib/tomcat9",
                "/var/lib/tomcat9/webapps",
                "/var/lib/tomcat9/webapps/docs",
                "/var/lib/tomcat9/webapps/docs/index.html",
            ],
        );
        machine.unit("tomcat9.service", &format!("/bin/sh {start}"));
        assert_eq!(
            claims(&machine.workload("tomcat9")),
            ["/var/lib/tomcat9/webapps/shop"]
        );
    }

    #[test]
    fn files_that_a_script_opens_by_name() {
        let machine = Machine::new();
        machine.file("usr/bin/python3", "x");
        machine.package("python3", &["/usr/bin/python3"]);
        machine.file(
            "usr/local/sbin/tickd",
            "#!/usr/bin/python3\nopen('/etc/tickd.conf'); open('/srv/other/deep/x.db'); open('/etc/missing')\n",
        );
        machine.file("etc/tickd.conf", "x");
        machine.file("srv/other/deep/x.db", "x");
        machine.unit("tickd.service", "/usr/local/sbin/tickd");
        let workload = machine.workload("tickd");
        let configuration: Vec<String> = workload
            .configuration
            .iter()
            .map(|c| c.path.to_string())
            .collect();
        assert_eq!(configuration, ["/etc/tickd.conf"]);
        assert_eq!(claims(&workload), ["/usr/local/sbin/tickd"]);
    }

    #[test]
    fn an_application_in_a_home() {
        let machine = Machine::new();
        machine.file(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\napi:x:905:905::/home/api:/bin/sh\n",
        );
        machine.file("etc/skel/.bashrc", "x");
        machine.file("home/api/.bashrc", "x");
        machine.file("home/api/main.py", "x = '/run/mysqld/mysqld.sock'\n");
        machine.file("home/api/env/bin/serve", "#!/home/api/env/bin/python\n");
        machine.unit(
            "api.service",
            "/home/api/env/bin/serve main:app\nUser=api\nWorkingDirectory=/home/api",
        );
        let workload = machine.workload("api");
        assert_eq!(claims(&workload), ["/home/api/env", "/home/api/main.py"]);
        let connects: Vec<&str> = workload.connects.iter().map(|c| c.to.as_str()).collect();
        assert_eq!(connects, ["/run/mysqld/mysqld.sock"]);
    }

    #[test]
    fn a_port_that_only_a_client_and_a_command_line_know() {
        let machine = Machine::new();
        machine.file("usr/sbin/nginx", "x");
        machine.package("nginx", &["/usr/sbin/nginx"]);
        machine.file(
            "etc/nginx/nginx.conf",
            "http { server { listen 80; location / { proxy_pass http://127.0.0.1:7070; } } }\n",
        );
        machine.file("opt/pricer/serve", "#!/usr/bin/python3\n");
        machine.file("opt/other/serve", "#!/usr/bin/python3\n");
        machine.unit("nginx.service", "/usr/sbin/nginx -g 'daemon off;'");
        machine.unit("pricer.service", "/opt/pricer/serve 7070");
        machine.unit("other.service", "/opt/other/serve 17070");
        let pricer = machine.workload("pricer");
        let listens: Vec<u16> = pricer.listens.iter().map(|listen| listen.port).collect();
        assert_eq!(listens, [7070]);
        assert!(machine.workload("other").listens.is_empty());
        assert_eq!(machine.needs("nginx"), ["pricer"]);
    }

    /// PostgreSQL by its packages, one cluster on an unusual port.
    fn with_database(machine: &Machine) {
        machine.file("usr/lib/postgresql/15/bin/postgres", "x");
        machine.file("usr/bin/pg_ctlcluster", "#!/usr/bin/perl\n");
        machine.file("usr/bin/vacuumdb", "x");
        let unit = "usr/lib/systemd/system/postgresql@.service";
        machine.file(unit, "[Service]\nType=forking\nUser=postgres\nExecStart=pg_ctlcluster --skip-systemctl-redirect %i start\n");
        machine.package(
            "postgresql-15",
            &[
                "/usr/lib/postgresql/15/bin/postgres",
                "/usr/bin/pg_ctlcluster",
            ],
        );
        machine.package("postgresql-client-15", &["/usr/bin/vacuumdb"]);
        machine.file(
            "etc/postgresql/15/main/postgresql.conf",
            "port = 5440\nunix_socket_directories = '/var/run/postgresql'\n",
        );
        machine.unit("postgresql.service", "/bin/true");
    }

    #[test]
    fn a_job_with_a_servers_tool_reaches_the_server() {
        let machine = Machine::new();
        with_database(&machine);
        machine.file("etc/cron.d/vacuum", "0 3 * * 0 root vacuumdb -p 5440 -a\n");
        machine.file(
            "etc/cron.d/far",
            "0 4 * * 0 www-data vacuumdb -h db.example.net -a\n",
        );
        assert_eq!(machine.needs("jobs-root"), ["postgresql-15-main"]);
        assert!(machine.needs("jobs-www-data").is_empty());
    }

    /// `/var/run` is `/run`: whoever sees that a server is needed has to see by which connection, too.
    #[test]
    fn what_is_needed_over_a_socket_is_said_with_its_evidence() {
        let machine = Machine::new();
        machine.file("usr/bin/redis-server", "x");
        machine.package("redis-server", &["/usr/bin/redis-server"]);
        machine.file(
            "etc/redis/redis.conf",
            "port 0\nunixsocket /run/redis/redis.sock\n",
        );
        machine.unit(
            "redis-server.service",
            "/usr/bin/redis-server /etc/redis/redis.conf",
        );
        machine.file("opt/shop/serve", "#!/usr/bin/python3\n");
        let url = "unix:///var/run/redis/redis.sock";
        machine.unit(
            "shop.service",
            &format!("/opt/shop/serve\nEnvironment=CACHE_URL={url}"),
        );
        assert_eq!(machine.needs("shop"), ["redis-server"]);
        let scan = machine.study().scan;
        let coupling = scan
            .concerns
            .iter()
            .find(|concern| concern.rule == "network/loopback-coupling")
            .unwrap();
        assert_eq!(coupling.workload.as_deref(), Some("shop"));
        assert_eq!(
            coupling.evidence[0].excerpt,
            format!("Environment=CACHE_URL={url}")
        );
    }

    /// A container may not be kept from gaining privileges where a package that meets a dependency by what it provides
    /// brings a program that gains some.
    #[test]
    fn a_set_user_id_program_comes_with_what_provides_a_dependency() {
        let machine = Machine::new();
        machine.file("usr/bin/shop", "x");
        machine.file("usr/sbin/postdrop", "x");
        let drop = machine.0.path().join("usr/sbin/postdrop");
        fs::set_permissions(drop, fs::Permissions::from_mode(0o4755)).unwrap();
        machine.related("shop", "Depends: mail-agent\n", &["/usr/bin/shop"]);
        let postal = "Provides: mail-agent (= 1)\n";
        machine.related("postal", postal, &["/usr/sbin/postdrop"]);
        machine.unit("shop.service", "/usr/bin/shop\nUser=www-data");
        let study = machine.study();
        let plan = study.plans.iter().find(|plan| plan.id == "shop").unwrap();
        assert!(!plan.process.no_new_privileges);
        let unproven = plan.contract.unproven.as_deref().unwrap_or_default();
        assert!(unproven.contains("/usr/sbin/postdrop"), "{unproven}");
    }

    /// What a package does for its own server moves with nobody, and somebody has to know; what looks after the machine
    /// is nobody's, though the server's package asks for it too.
    #[test]
    fn upkeep_of_a_package_is_said_of_the_workload_that_it_served() {
        let machine = Machine::new();
        machine.file("usr/sbin/logrotate", "x");
        machine.file("usr/sbin/postd", "x");
        for name in ["postd", "rules", "logrotate", "lonely"] {
            let job = format!("etc/cron.daily/{name}");
            machine.file(&job, "#!/bin/sh\ntrue\n");
        }
        machine.file(
            "etc/crontab",
            "25 6 * * * root run-parts --report /etc/cron.daily\n",
        );
        let unit = "usr/lib/systemd/system/logrotate.service";
        machine.file(unit, "[Service]\nExecStart=/usr/sbin/logrotate x\n");
        machine.related(
            "postd",
            "Depends: postd-rules, logrotate, rest\n",
            &["/usr/sbin/postd", "/etc/cron.daily/postd"],
        );
        machine.package("postd-rules", &["/etc/cron.daily/rules"]);
        let unit = format!("/{unit}");
        machine.package(
            "logrotate",
            &["/usr/sbin/logrotate", "/etc/cron.daily/logrotate", &unit],
        );
        machine.package("lonely", &["/etc/cron.daily/lonely"]);
        machine.unit("postd.service", "/usr/sbin/postd");
        let study = machine.study();
        let of = |name: &str| {
            let mut jobs = study.cut.jobs.iter();
            let path = format!("/etc/cron.daily/{name}");
            let job = jobs.find(|placed| placed.job.command.contains(&path));
            let job = job.unwrap();
            assert_eq!(job.disposition, Disposition::Platform, "{name}");
            job.workload.as_deref()
        };
        assert_eq!(of("postd"), Some("postd"));
        assert_eq!(of("rules"), Some("postd"));
        assert_eq!((of("logrotate"), of("lonely")), (None, None));
        let concerns = study.scan.concerns.iter();
        let said: Vec<&str> = concerns
            .filter(|concern| concern.rule == "process/scheduled-job")
            .filter_map(|concern| concern.workload.as_deref())
            .collect();
        assert_eq!(said, ["postd", "postd"]);
    }
}
