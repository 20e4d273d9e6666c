//! Managers of programs other than the machine's own: each program is a service of its own, as its manager would run it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside any test function"
)]

mod small;

#[cfg(test)]
mod tests {
    use super::small::{machine, program, service, write};
    use transvase::examine::{Examined, examine, registry};
    use transvase::plan::{Plan, PlanOptions};
    use transvase::product::Disposition;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::service::{Service, Starter};
    use transvase::source::{OpenOptions, Root};
    use transvase::workload::Placed;

    /// A machine with a program, and files.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn with(files: &[(&str, &str)]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path();
            machine(root);
            program(root, "opt/app/run", "#!/bin/sh\nexec sleep 1\n");
            for (path, text) in files {
                if text.starts_with("#!") {
                    program(root, path, text);
                } else {
                    write(root, path, text);
                }
            }
            Self(directory)
        }

        /// The same with a unit that starts at boot.
        fn starting(self, name: &str, lines: &str) -> Self {
            service(self.0.path(), name, lines);
            self
        }

        fn seen(&self) -> Seen {
            let root = Root::open(&[self.0.path().into()], &OpenOptions::default()).unwrap();
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
    }

    struct Seen(Examined);

    impl Seen {
        fn service(&self, name: &str) -> &Service {
            let all = &self.0.outline.services.services;
            let found = all.iter().find(|service| service.name == name);
            let names: Vec<&String> = all.iter().map(|service| &service.name).collect();
            found.unwrap_or_else(|| panic!("no {name} among {names:?}"))
        }

        fn placed(&self, name: &str) -> &Placed {
            let mut all = self.0.outline.cut.services.iter();
            all.find(|placed| placed.service.name == name).unwrap()
        }

        fn plan(&self, name: &str) -> &Plan {
            let id = self.placed(name).workload.as_ref().unwrap();
            let mut all = self.0.outline.plans.iter();
            all.find(|plan| plan.id == *id).unwrap()
        }

        fn names(&self) -> Vec<&str> {
            let all = self.0.outline.services.services.iter();
            all.map(|service| service.name.as_str()).collect()
        }
    }

    fn line(service: &Service) -> String {
        service.commands.start[0].argv.join(" ")
    }

    fn variable<'a>(service: &'a Service, name: &str) -> &'a str {
        let mut all = service.environment.variables.iter();
        all.find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    const UNIT: &str = "ExecStart=/usr/bin/supervisord -n -c /etc/s/main.conf";

    fn supervised(text: &str) -> Seen {
        Machine::with(&[
            ("usr/bin/supervisord", "#!/usr/bin/python3\n"),
            ("etc/s/main.conf", text),
        ])
        .starting("watch", UNIT)
        .seen()
    }

    #[test]
    fn a_supervised_program_runs_as_its_section_says() {
        let seen = supervised(
            "[program:a]\ncommand=/opt/app/run -p 80\nuser=shop\ndirectory=/opt/app\nstopsignal=QUIT\nstopwaitsecs=70\numask=027\nautorestart=unexpected\nstdout_logfile=/var/log/a.log\n",
        );
        let a = seen.service("a");
        assert_eq!(a.manager, Starter::Supervisord);
        assert_eq!((line(a).as_str(), a.enabled), ("/opt/app/run -p 80", true));
        assert_eq!((a.user.as_str(), a.group.as_str()), ("shop", "shop"));
        assert_eq!(a.working_directory, Some("/opt/app".into()));
        assert_eq!(
            (a.kill_signal.as_str(), a.stop_timeout),
            ("SIGQUIT", Some(70))
        );
        assert_eq!((a.umask, a.restart.as_str()), (Some(0o27), "on-failure"));
        assert_eq!(a.output, ["/var/log/a.log".into()]);
        assert_eq!(seen.placed("a").disposition, Disposition::Containerize);
    }

    #[test]
    fn a_supervisor_whose_programs_are_known_is_no_workload() {
        let seen =
            supervised("[program:a]\ncommand=/opt/app/run\n[inet_http_server]\nport=*:9001\n");
        let own = seen.placed("watch.service");
        assert_eq!(own.disposition, Disposition::Platform);
        assert!(
            own.reason.starts_with("starts and watches a, each") && own.reason.contains("*:9001"),
            "{}",
            own.reason
        );
        // One whose configuration is not there may start anything.
        let seen = Machine::with(&[("usr/bin/supervisord", "#!/usr/bin/python3\n")])
            .starting("watch", UNIT)
            .seen();
        let own = seen.placed("watch.service");
        assert_eq!(own.disposition, Disposition::Containerize);
    }

    #[test]
    fn programs_stand_in_what_is_included_too() {
        let seen = Machine::with(&[
            ("usr/bin/supervisord", "#!/usr/bin/python3\n"),
            ("etc/s/main.conf", "[include]\nfiles=more/*.ini\n %(here)s/one.conf\n[program:old]\ncommand=/opt/app/run\nautostart=false\n"),
            ("etc/s/more/b.ini", "[program:b]\ncommand=%(here)s/run\n"),
            ("etc/s/more/c.txt", "[program:c]\ncommand=/opt/app/run\n"),
            ("etc/s/one.conf", "[program:d]\ncommand=/opt/app/run\n"),
        ])
        .starting("watch", UNIT)
        .seen();
        assert_eq!(seen.names(), ["b", "d", "old", "watch.service"]);
        assert_eq!(line(seen.service("b")), "/etc/s/more/run");
        assert!(!seen.service("old").enabled);
    }

    #[test]
    fn variables_are_those_of_the_supervisor_and_of_the_program() {
        let seen = Machine::with(&[
            ("usr/bin/supervisord", "#!/usr/bin/python3\n"),
            ("etc/s/main.conf", "[supervisord]\nenvironment=B=2,C=\"x%(ENV_A)s\"\n[program:a]\ncommand=/opt/app/run %(ENV_C)s %(ENV_D)s 5%%\nenvironment=B=\"3\",D=\"4,5\",API_TOKEN=\"geheim-geheim-1\"\n"),
        ])
        .starting("watch", &format!("Environment=A=1\n{UNIT}"))
        .seen();
        let a = seen.service("a");
        assert_eq!(line(a), "/opt/app/run x1 4,5 5%");
        assert_eq!(
            ["A", "B", "C", "D"].map(|name| variable(a, name)),
            ["1", "3", "x1", "4,5"]
        );
        assert_eq!(variable(a, "API_TOKEN"), "[redacted]");
        assert_eq!(a.environment.secrets[0].0, "API_TOKEN");
    }

    #[test]
    fn processes_that_are_alike_are_one_service_several_times() {
        let text = "[program:w]\ncommand=/opt/app/run\nnumprocs=3\nprocess_name=%(program_name)s_%(process_num)02d\n[group:g]\nprograms=w\n";
        let seen = supervised(text);
        assert_eq!(seen.names(), ["w", "watch.service"]);
        assert_eq!(seen.service("w").aliases, ["g:w_00"]);
        assert_eq!(seen.plan("w").process.replicas, 3);
        // What listens would take its fellows' port.
        let seen = supervised(&text.replace("run\n", "run --port 80\n"));
        let plan = seen.plan("w");
        assert_eq!(plan.process.replicas, 1);
        assert!(plan.notes.iter().any(|note| note.contains("3 processes")));
    }

    #[test]
    fn processes_that_differ_are_services_of_their_own() {
        let text = "[program:w]\ncommand=/opt/app/run --port 80%(process_num)02d\nnumprocs=2\nnumprocs_start=1\nprocess_name=%(program_name)s_%(process_num)02d\n";
        let seen = supervised(text);
        assert_eq!(seen.names(), ["w:w_01", "w:w_02", "watch.service"]);
        assert_eq!(line(seen.service("w:w_02")), "/opt/app/run --port 8002");
    }

    #[test]
    fn a_program_of_a_name_that_is_taken_keeps_its_own_place() {
        let seen = Machine::with(&[
            ("usr/bin/supervisord", "#!/usr/bin/python3\n"),
            (
                "etc/init.d/app",
                "#!/bin/sh\nstart-stop-daemon --start --exec /opt/app/run\n",
            ),
            ("etc/s/main.conf", "[program:app]\ncommand=/opt/app/run\n"),
        ])
        .starting("watch", UNIT)
        .seen();
        assert_eq!(seen.names(), ["app", "supervisord/app", "watch.service"]);
        assert!(seen.service("supervisord/app").enabled);
    }

    #[test]
    fn sockets_and_listeners_of_a_supervisor() {
        let seen = supervised(
            "[fcgi-program:f]\ncommand=/opt/app/run\nsocket=unix:///run/%(program_name)s.sock\n[eventlistener:e]\ncommand=/opt/app/run\n",
        );
        let socket = &seen.service("f").sockets[0];
        assert_eq!(
            (socket.address.as_str(), socket.is_input),
            ("/run/f.sock", true)
        );
        let listener = seen.placed("e");
        assert_eq!(listener.disposition, Disposition::Platform);
        assert!(listener.reason.contains("events"), "{}", listener.reason);
    }

    /// A machine on which `deploy` has a process manager brought back at boot, or told what to start.
    fn managed(command: &str, files: &[(&str, &str)]) -> Seen {
        let own = [
            (
                "etc/passwd",
                "root:x:0:0::/root:/bin/sh\ndeploy:x:1001:1001::/home/deploy:/bin/bash\n",
            ),
            ("usr/bin/node", "x"),
            ("usr/lib/node_modules/pm2/bin/pm2", "#!/usr/bin/env node\n"),
            ("srv/api/dist/server.js", "listen(process.env.PORT)\n"),
            ("srv/mailer/worker.js", "run()\n"),
        ];
        Machine::with(&[&own, files].concat())
            .starting(
                "scripts",
                &format!(
                    "Type=forking\nUser=deploy\nExecStart=/usr/lib/node_modules/pm2/bin/{command}"
                ),
            )
            .seen()
    }

    const SAVED: &str = r#"[
 {"name":"api","pm_exec_path":"/srv/api/dist/server.js","pm_cwd":"/srv/api","exec_interpreter":"node","exec_mode":"cluster_mode",
  "node_args":["--max-old-space-size=512"],"args":[],"kill_timeout":8000,
  "env":{"PORT":"3000","DB_PASSWORD":"geheim-geheim-1","SSH_TTY":"/dev/pts/0","PM2_HOME":"/x","api":{}}},
 {"name":"api","pm_exec_path":"/srv/api/dist/server.js","pm_cwd":"/srv/api","exec_interpreter":"node","exec_mode":"cluster_mode",
  "node_args":["--max-old-space-size=512"],"args":[],"env":{"PORT":"3000"}},
 {"name":"mailer","pm_exec_path":"/srv/mailer/worker.js","pm_cwd":"/srv/mailer","args":["--queue","a b"],"env":{"SMTP_HOST":"smtp.example.net"}},
 {"name":"old","pm_exec_path":"/srv/mailer/worker.js","status":"stopped"}]"#;

    #[test]
    fn saved_processes_are_services_and_their_manager_is_none() {
        let seen = managed("pm2 resurrect", &[("home/deploy/.pm2/dump.pm2", SAVED)]);
        assert_eq!(seen.names(), ["api", "mailer", "old", "scripts.service"]);
        let api = seen.service("api");
        assert_eq!(
            line(api),
            "node --max-old-space-size=512 /srv/api/dist/server.js"
        );
        assert_eq!((api.manager, api.user.as_str()), (Starter::Pm2, "deploy"));
        assert_eq!(
            (api.kill_signal.as_str(), api.stop_timeout),
            ("SIGINT", Some(8))
        );
        assert_eq!(api.processes, 2);
        assert_eq!(variable(api, "PORT"), "3000");
        assert_eq!(variable(api, "DB_PASSWORD"), "[redacted]");
        assert_eq!(
            (variable(api, "SSH_TTY"), variable(api, "PM2_HOME")),
            ("", "")
        );
        let mailer = seen.service("mailer");
        assert_eq!(
            mailer.commands.start[0].argv[1..],
            ["/srv/mailer/worker.js", "--queue", "a b"]
        );
        assert_eq!(mailer.working_directory, Some("/srv/mailer".into()));
        assert!(!seen.service("old").enabled);
        let own = seen.placed("scripts.service");
        assert_eq!(own.disposition, Disposition::Platform);
    }

    #[test]
    fn a_list_that_a_script_exports_is_read_as_far_as_it_is_written_down() {
        let list = "const path = require('path');\nmodule.exports = { apps: [\n  // the first\n  { name: 'api', script: 'dist/server.js', cwd: __dirname, instances: 2, exec_mode: 'cluster',\n    env: { PORT: 3000, SECRET: process.env.SECRET }, env_production: { MODE: 'p' } },\n  { name: \"mailer\", script: path.join(__dirname, '../mailer/worker.js'), args: '--queue mail', interpreter: 'none', },\n  { name: 'odd', script: pick() },\n] };\n";
        let seen = managed(
            "pm2-runtime start /srv/api/ecosystem.config.js --env production",
            &[("srv/api/ecosystem.config.js", list)],
        );
        let api = seen.service("api");
        assert_eq!(line(api), "node /srv/api/dist/server.js");
        assert_eq!(
            (api.working_directory.clone(), api.processes),
            (Some("/srv/api".into()), 2)
        );
        assert_eq!(
            (variable(api, "PORT"), variable(api, "MODE")),
            ("3000", "p")
        );
        assert!(
            api.remarks
                .iter()
                .any(|remark| remark.text.starts_with("SECRET"))
        );
        assert_eq!(
            line(seen.service("mailer")),
            "/srv/mailer/worker.js --queue mail"
        );
        // What is computed is a question.
        let odd = seen.placed("odd");
        assert_eq!(odd.disposition, Disposition::Containerize);
        assert!(odd.service.commands.start.is_empty());
    }

    #[test]
    fn lists_have_three_notations_and_a_command_line_is_one() {
        let yaml = "apps:\n  - name: api\n    script: ./dist/server.js\n    cwd: /srv/api\n    env:\n      PORT: 3000\n";
        let seen = managed(
            "pm2 start /srv/api/p.yml --no-daemon",
            &[("srv/api/p.yml", yaml)],
        );
        assert_eq!(line(seen.service("api")), "node /srv/api/dist/server.js");
        assert_eq!(variable(seen.service("api"), "PORT"), "3000");
        let seen = managed(
            "pm2 start -n api -i 2 /srv/api/dist/server.js -- --port 80",
            &[],
        );
        let api = seen.service("api");
        assert_eq!(line(api), "node /srv/api/dist/server.js --port 80");
        assert_eq!(api.processes, 2);
    }

    #[test]
    fn a_list_that_is_computed_keeps_its_manager_a_question() {
        let list = "module.exports = require('./all')();\n";
        let seen = managed(
            "pm2 start /srv/api/ecosystem.config.js",
            &[("srv/api/ecosystem.config.js", list)],
        );
        assert_eq!(seen.names(), ["scripts.service"]);
        assert_eq!(
            seen.placed("scripts.service").disposition,
            Disposition::Containerize
        );
        assert!(
            seen.0
                .facts
                .unexamined
                .iter()
                .any(|one| one.reason.contains("computed"))
        );
    }

    /// One tree of code: a pool of workers behind a web server, a supervised worker, and what all of them write.
    fn shared() -> Seen {
        let machine = Machine::with(&[
            ("usr/bin/supervisord", "#!/usr/bin/python3\n"),
            ("usr/sbin/nginx", "x"),
            ("usr/sbin/php-fpm8.2", "x"),
            ("usr/bin/php", "x"),
            (
                "etc/nginx/nginx.conf",
                "http { server { listen 80; root /srv/shop/public; location ~ \\.php$ { fastcgi_pass unix:/run/php/shop.sock; } } }\n",
            ),
            (
                "etc/php/8.2/fpm/php-fpm.conf",
                "[shop]\nuser = shop\nlisten = /run/php/shop.sock\n",
            ),
            (
                "etc/s/main.conf",
                "[program:work]\ncommand=php artisan work\ndirectory=/srv/shop\nuser=shop\n",
            ),
            ("srv/shop/artisan", "#!/usr/bin/env php\n"),
            ("srv/shop/composer.json", "{}"),
            ("srv/shop/vendor/autoload.php", "<?php\n"),
            (
                "srv/shop/public/index.php",
                "<?php require '../vendor/autoload.php';\n",
            ),
            ("srv/shop/uploads/a.pdf", "x"),
            (
                "srv/shop/.env",
                "DB_HOST=db.example.net\nDB_PORT=3306\nDB_PASSWORD=geheim-geheim-1\n",
            ),
            ("srv/other/composer.json", "{}"),
            (
                "srv/other/.env",
                "DB_HOST=other.example.net\nDB_PORT=3306\n",
            ),
        ]);
        let root = machine.0.path();
        std::os::unix::fs::symlink("../uploads", root.join("srv/shop/public/files")).unwrap();
        machine
            .starting("nginx", "ExecStart=/usr/sbin/nginx")
            .starting("php8.2-fpm", "ExecStart=/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/php/8.2/fpm/php-fpm.conf")
            .starting("watch", UNIT)
            .seen()
    }

    #[test]
    fn what_opens_a_part_of_an_application_has_all_of_it() {
        let seen = shared();
        let claims = |id: &str| {
            let mut all = seen.0.outline.cut.workloads.iter();
            all.find(|workload| workload.id == id)
                .unwrap()
                .claims
                .clone()
        };
        assert!(claims("php8-2-fpm").contains(&"/srv/shop".into()));
        assert!(claims("work").contains(&"/srv/shop".into()));
        assert!(!claims("nginx").contains(&"/srv/shop".into()));
    }

    #[test]
    fn an_application_connects_to_whom_its_variables_name() {
        let seen = shared();
        for id in ["php8-2-fpm", "work", "nginx"] {
            let mut all = seen.0.outline.cut.workloads.iter();
            let workload = all.find(|workload| workload.id == id).unwrap();
            let to: Vec<&str> = workload
                .connects
                .iter()
                .map(|found| found.to.as_str())
                .collect();
            assert_eq!(
                to.contains(&"db.example.net:3306"),
                id != "nginx",
                "{id} {to:?}"
            );
            assert!(!to.contains(&"other.example.net:3306"), "{id} {to:?}");
        }
    }

    #[test]
    fn what_a_link_leads_to_is_the_same_volume() {
        let machine = Machine::with(&[
            ("srv/site/index.html", "x"),
            ("var/lib/app/uploads/a.pdf", "x"),
        ]);
        let root = machine.0.path();
        std::os::unix::fs::symlink("/var/lib/app/uploads", root.join("srv/site/files")).unwrap();
        let seen = machine
            .starting("app", "ExecStart=/opt/app/run\nStateDirectory=app")
            .starting("site", "ExecStart=/opt/app/run --root /srv/site")
            .seen();
        let volume = |name: &str| seen.plan(name).state.volumes[0].name.clone();
        assert_eq!(volume("site.service"), volume("app.service"));
    }

    #[test]
    fn a_port_beside_a_host_is_opened_there() {
        let seen = supervised("[program:a]\ncommand=/opt/app/run --host=127.0.0.1 --port=6001\n");
        let listens = &seen.0.outline.cut.workloads[0].listens;
        assert_eq!(
            (listens[0].address.as_str(), listens[0].port),
            ("127.0.0.1", 6001)
        );
    }

    #[test]
    fn directories_that_runit_watches_are_services() {
        let machine = Machine::with(&[
            ("usr/bin/runsvdir", "x"),
            (
                "etc/sv/web/run",
                "#!/bin/sh\nexec 2>&1\nPORT=8080\ncd /opt/app\nexec chpst -u shop:shop -e ./env -o 4096 /opt/app/run --port $PORT\n",
            ),
            ("etc/sv/web/env/DB_HOST", "db.example.net\n"),
            ("etc/sv/web/env/DB_PASSWORD", "geheim-geheim-1\n"),
            ("etc/sv/off/run", "#!/bin/sh\nexec /opt/app/run\n"),
            ("etc/sv/off/down", ""),
            ("etc/sv/idle/run", "#!/bin/sh\nexec /opt/app/run\n"),
        ]);
        let root = machine.0.path();
        std::fs::create_dir_all(root.join("etc/service")).unwrap();
        for name in ["web", "off"] {
            std::os::unix::fs::symlink(
                format!("/etc/sv/{name}"),
                root.join("etc/service").join(name),
            )
            .unwrap();
        }
        let seen = machine
            .starting("runit", "ExecStart=/usr/bin/runsvdir -P /etc/service")
            .seen();
        assert_eq!(seen.names(), ["off", "runit.service", "web"]);
        let web = seen.service("web");
        assert_eq!(line(web), "/opt/app/run --port 8080");
        assert_eq!((web.user.as_str(), web.manager), ("shop", Starter::Runit));
        assert_eq!(web.working_directory, Some("/opt/app".into()));
        let limit = web
            .limits
            .first()
            .map(|limit| (&*limit.name, &*limit.value));
        assert_eq!(limit, Some(("NOFILE", "4096")));
        assert!(!seen.service("off").enabled);
        assert_eq!(
            seen.placed("runit.service").disposition,
            Disposition::Platform
        );
    }

    #[test]
    fn variables_of_a_directory_are_read_and_its_secrets_kept() {
        let seen = Machine::with(&[
            ("usr/bin/svscanboot", "x"),
            ("service/a/run", "#!/bin/sh\nexec setuidgid shop envdir ./env softlimit -o 64 /opt/app/run \\\n  --port 80 2>&1\n"),
            ("service/a/env/DB_HOST", "db.example.net\n"),
            ("service/a/env/DB_PASSWORD", "geheim-geheim-1\n"),
        ])
        .starting("djb", "ExecStart=/usr/bin/svscanboot")
        .seen();
        let a = seen.service("a");
        assert_eq!(line(a), "/opt/app/run --port 80");
        assert_eq!((a.user.as_str(), a.manager), ("shop", Starter::Daemontools));
        assert_eq!(variable(a, "DB_HOST"), "db.example.net");
        assert_eq!(variable(a, "DB_PASSWORD"), "[redacted]");
        assert_eq!(a.environment.secrets[0].0, "DB_PASSWORD");
    }

    #[test]
    fn scripts_of_execline_become_their_last_program() {
        let seen = Machine::with(&[
            ("usr/bin/s6-svscan", "x"),
            ("etc/services.d/a/run", "#!/usr/bin/execlineb -P\nwith-contenv\ns6-setuidgid shop\nforeground { mkdir -p /run/a }\nexport MODE live\ncd /opt/app\nfdmove -c 2 1\n./run --port 80\n"),
            ("etc/services.d/odd/run", "#!/bin/sh\nif test -e /x; then exec /opt/app/run; fi\n"),
        ])
        .starting("s6", "ExecStart=/usr/bin/s6-svscan -t0 /etc/services.d")
        .seen();
        let a = seen.service("a");
        assert_eq!(line(a), "/opt/app/run --port 80");
        assert_eq!((a.user.as_str(), a.manager), ("shop", Starter::S6));
        assert_eq!(variable(a, "MODE"), "live");
        // What cannot be told is run as it is.
        assert_eq!(line(seen.service("odd")), "/etc/services.d/odd/run");
    }

    #[test]
    fn vassals_of_an_emperor_are_services() {
        let seen = Machine::with(&[
            ("usr/bin/uwsgi", "x"),
            (
                "etc/uwsgi-emperor/emperor.ini",
                "[uwsgi]\nemperor = /etc/uwsgi-emperor/vassals\nuid = shop\n",
            ),
            (
                "etc/uwsgi-emperor/vassals/api.ini",
                "[uwsgi]\nhttp-socket = 0.0.0.0:9090\nchdir = /opt/app\n",
            ),
            (
                "etc/uwsgi-emperor/vassals/web.yaml",
                "uwsgi:\n  socket: /run/web.sock\n",
            ),
            ("etc/uwsgi-emperor/vassals/README", "x"),
        ])
        .starting(
            "emperor",
            "ExecStart=/usr/bin/uwsgi --ini /etc/uwsgi-emperor/emperor.ini",
        )
        .seen();
        assert_eq!(seen.names(), ["api.ini", "emperor.service", "web.yaml"]);
        let api = seen.placed("api.ini");
        assert_eq!(
            line(&api.service),
            "/usr/bin/uwsgi --ini /etc/uwsgi-emperor/vassals/api.ini"
        );
        assert_eq!(api.service.user, "shop");
        let mut all = seen.0.outline.cut.workloads.iter();
        let workload = all
            .find(|workload| Some(&workload.id) == api.workload.as_ref())
            .unwrap();
        assert_eq!(workload.listens[0].port, 9090);
        assert_eq!(
            seen.placed("emperor.service").disposition,
            Disposition::Platform
        );
    }

    const HOME: &str = "home/bot/.config/systemd/user";
    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nbot:x:1010:1011::/home/bot:/bin/bash\ndev:x:1012:1012::/home/dev:/bin/bash\n";
    const GROUPS: &str = "root:x:0:\nbots:x:1011:\n";
    const TARGET: (&str, &str) = ("usr/lib/systemd/user/default.target", "[Unit]\n");

    /// A machine with two users, of whom `bot` lingers.
    fn lingering(files: &[(&str, &str)], links: &[(&str, &str)]) -> Seen {
        let own = [
            ("etc/passwd", PASSWD),
            ("etc/group", GROUPS),
            TARGET,
            ("var/lib/systemd/linger/bot", ""),
        ];
        let machine = Machine::with(&[&own, files].concat());
        for (link, target) in links {
            let at = machine.0.path().join(link);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, at).unwrap();
        }
        machine.seen()
    }

    fn wanted(home: &str, name: &str) -> (String, String) {
        let link = format!("{home}/default.target.wants/{name}");
        (link, format!("../{name}"))
    }

    #[test]
    fn a_unit_of_a_lingering_user_runs_as_his_manager_has_it() {
        let unit = "[Service]\nUser=root\nExecStart=%h/run --socket %t/a.sock --state %S --cache %C --for %u\nEnvironment=A=2\nStateDirectory=a\n";
        let (link, target) = wanted(HOME, "a.service");
        let seen = lingering(
            &[
                (&format!("{HOME}/a.service"), unit),
                (
                    &format!("{HOME}/a.service.d/x.conf"),
                    "[Service]\nNice=1\nRestart=always\n",
                ),
                ("home/bot/run", "#!/bin/sh\n"),
                ("home/bot/.config/environment.d/a.conf", "A=1\nB=3\n"),
            ],
            &[(&link, &target)],
        );
        let a = seen.service("a.service");
        assert!(a.enabled);
        assert_eq!((a.user.as_str(), a.group.as_str()), ("bot", "bots"));
        assert_eq!(
            line(a),
            "/home/bot/run --socket /run/user/1010/a.sock --state /home/bot/.local/state --cache /home/bot/.cache --for bot"
        );
        assert_eq!(a.restart, "always");
        // All of a home is no program's, as long as it names nothing in it.
        assert_eq!(a.working_directory, None);
        assert_eq!(
            ["A", "B", "XDG_RUNTIME_DIR"].map(|name| variable(a, name)),
            ["2", "3", "/run/user/1010"]
        );
        let made: Vec<String> = a
            .directories
            .iter()
            .map(|made| made.path.to_string())
            .collect();
        assert_eq!(made, ["/home/bot/.local/state/a", "/run/user/1010"]);
        assert_eq!(
            seen.placed("a.service").disposition,
            Disposition::Containerize
        );
    }

    #[test]
    fn units_of_one_name_are_those_of_their_users() {
        let dev = "home/dev/.config/systemd/user";
        let unit = |path: &str| format!("[Service]\nExecStart={path}\n");
        let (own, his, system) = (
            unit("/opt/app/run a"),
            unit("/opt/app/run b"),
            unit("/opt/app/run c"),
        );
        let links = [wanted(HOME, "a.service"), wanted(dev, "a.service")];
        let links: Vec<(&str, &str)> = links
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let seen = lingering(
            &[
                (&format!("{HOME}/a.service"), &own),
                (&format!("{dev}/a.service"), &his),
                ("etc/systemd/system/a.service", &system),
            ],
            &links,
        );
        assert_eq!(
            seen.names(),
            ["a.service", "bot/a.service", "dev/a.service"]
        );
        assert_eq!(line(seen.service("bot/a.service")), "/opt/app/run a");
        let dev = seen.service("dev/a.service");
        assert!(!dev.enabled && dev.stays.as_ref().unwrap().contains("does not linger"));
    }

    #[test]
    fn what_packages_start_in_every_session_stays() {
        let list = "/usr/lib/systemd/user/agent.service\n/usr/lib/systemd/user/sync.service\n";
        let status =
            "Package: agent\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n";
        let link = format!("{HOME}/default.target.wants/sync.service");
        let seen = lingering(
            &[
                ("var/lib/dpkg/status", status),
                ("var/lib/dpkg/info/agent.list", list),
                (
                    "usr/lib/systemd/user/agent.service",
                    "[Service]\nExecStart=/opt/app/run\n",
                ),
                (
                    "usr/lib/systemd/user/sync.service",
                    "[Service]\nExecStart=/opt/app/run\n",
                ),
                (
                    "usr/lib/systemd/user/unused.service",
                    "[Service]\nExecStart=/opt/app/run\n",
                ),
            ],
            &[
                (
                    "etc/systemd/user/default.target.wants/agent.service",
                    "/usr/lib/systemd/user/agent.service",
                ),
                (&link, "/usr/lib/systemd/user/sync.service"),
            ],
        );
        assert_eq!(
            seen.placed("agent.service").disposition,
            Disposition::Platform
        );
        assert_eq!(
            seen.placed("sync.service").disposition,
            Disposition::Containerize
        );
        assert!(!seen.names().contains(&"unused.service"));
    }

    #[test]
    fn a_timer_of_a_lingering_user_is_his_job() {
        let link = format!("{HOME}/timers.target.wants/b.timer");
        let seen = lingering(
            &[
                (
                    "usr/lib/systemd/user/basic.target",
                    "[Unit]\nWants=timers.target\n",
                ),
                ("usr/lib/systemd/user/timers.target", "[Unit]\n"),
                (
                    &format!("{HOME}/b.service"),
                    "[Service]\nExecStart=%h/run\n",
                ),
                (&format!("{HOME}/b.timer"), "[Timer]\nOnCalendar=daily\n"),
                ("home/bot/run", "#!/bin/sh\n"),
            ],
            &[(&link, "../b.timer")],
        );
        let job = &seen.0.outline.services.jobs[0];
        assert_eq!((job.name.as_str(), job.user.as_str()), ("b.timer", "bot"));
        assert_eq!(job.command, "/home/bot/run");
        assert_eq!(job.service.as_ref().unwrap().name, "b.service");
    }

    #[test]
    fn programs_of_monit_are_services_and_those_of_the_machine_stay_one() {
        let rc = "set daemon 30\ninclude /etc/monit/on/*\ncheck process web with pidfile /run/web.pid\n  start program = \"/opt/app/run --port 8070\" as uid shop and gid shop\ncheck process idle matching idle\n  start program = \"/opt/app/run --idle\"\n  mode manual\n";
        let more = "check process queue with pidfile /run/queue.pid\n  start program = \"/bin/sh -c 'cd /opt/app && exec ./run --queue'\"\ncheck process off with pidfile /run/off.pid\n  start program = \"/usr/bin/systemctl start off\"\ncheck process old with pidfile /run/old.pid\n  start program = \"/etc/init.d/old start\"\n";
        let machine = Machine::with(&[
            ("usr/bin/monit", "x"),
            ("etc/monit/monitrc", rc),
            ("etc/monit/on/more", more),
            (
                "etc/systemd/system/off.service",
                "[Service]\nExecStart=/opt/app/run --off\n",
            ),
        ]);
        let seen = machine
            .starting("monit", "ExecStart=/usr/bin/monit -c /etc/monit/monitrc -I")
            .starting("old", "ExecStart=/opt/app/run --old")
            .seen();
        let web = seen.service("web");
        assert_eq!((web.manager, web.enabled), (Starter::Monit, true));
        assert_eq!((web.user.as_str(), web.group.as_str()), ("shop", "shop"));
        assert_eq!(line(web), "/opt/app/run --port 8070");
        assert_eq!(web.pid_file, Some("/run/web.pid".into()));
        let queue = seen.service("queue");
        assert_eq!(queue.working_directory, Some("/opt/app".into()));
        assert!(line(queue).ends_with("run --queue"), "{}", line(queue));
        assert!(!seen.service("idle").enabled);
        // What only tells the machine's manager is that manager's service, and runs.
        assert!(seen.service("off.service").enabled && seen.service("old.service").enabled);
        assert!(!seen.names().contains(&"off") && !seen.names().contains(&"old"));
        assert_eq!(seen.placed("monit.service").workload, None);
        assert!(
            seen.plan("web")
                .process
                .command
                .argv
                .contains(&"8070".to_owned())
        );
    }

    #[test]
    fn definitions_of_s6_rc_run_where_the_boot_reaches_them() {
        let run = "#!/bin/execlineb -P\ns6-setuidgid shop\n/opt/app/run --port 8071\n";
        let seen = Machine::with(&[
            ("usr/bin/s6-svscan", "x"),
            ("usr/bin/s6-rc-init", "x"),
            ("etc/s6-rc/source/default/type", "bundle\n"),
            ("etc/s6-rc/source/default/contents.d/web", ""),
            ("etc/s6-rc/source/web/type", "longrun\n"),
            ("etc/s6-rc/source/web/run", run),
            ("etc/s6-rc/source/web/producer-for", "web-log\n"),
            ("etc/s6-rc/source/web/dependencies.d/queue", ""),
            ("etc/s6-rc/source/web-log/type", "longrun\n"),
            ("etc/s6-rc/source/web-log/consumer-for", "web\n"),
            (
                "etc/s6-rc/source/web-log/run",
                "#!/bin/execlineb -P\ns6-log /var/log/web\n",
            ),
            ("etc/s6-rc/source/queue/type", "longrun\n"),
            (
                "etc/s6-rc/source/queue/run",
                "#!/bin/sh\nexec /opt/app/run --queue\n",
            ),
            ("etc/s6-rc/source/queue/dependencies", "prepare\n"),
            ("etc/s6-rc/source/prepare/type", "oneshot\n"),
            ("etc/s6-rc/source/prepare/up", "mkdir -p /run/queue\n"),
            ("etc/s6-rc/source/spare/type", "longrun\n"),
            (
                "etc/s6-rc/source/spare/run",
                "#!/bin/sh\nexec /opt/app/run --spare\n",
            ),
        ])
        .starting("scan", "ExecStart=/usr/bin/s6-svscan /run/service")
        .starting("rc", "ExecStart=/usr/bin/s6-rc-init /run/service")
        .seen();
        let web = seen.service("web");
        assert_eq!((web.manager, web.user.as_str()), (Starter::S6, "shop"));
        assert_eq!(line(web), "/opt/app/run --port 8071");
        // What is reached by a dependency runs too; what nothing names does not.
        assert!(web.enabled && seen.service("queue").enabled && !seen.service("spare").enabled);
        assert_eq!(seen.placed("prepare").disposition, Disposition::Platform);
        assert!(!seen.names().contains(&"web-log"));
        for master in ["scan.service", "rc.service"] {
            assert_eq!(seen.placed(master).workload, None, "{master}");
        }
    }

    #[test]
    fn files_of_containers_count_in_homes_and_in_every_kind() {
        let install = "[Install]\nWantedBy=default.target\n";
        let web = format!("[Container]\nImage=example.org/web:1\nPod=shop.pod\n{install}");
        let pod = format!("[Pod]\nPublishPort=8072:80\n{install}");
        let kube = format!("[Kube]\nYaml=/opt/app/all.yaml\n{install}");
        let seen = Machine::with(&[
            ("usr/bin/podman", "x"),
            ("var/lib/systemd/linger/shop", ""),
            (
                "var/lib/shop/.config/containers/systemd/web.container",
                &web,
            ),
            ("etc/containers/systemd/users/900/shop.pod", &pod),
            ("etc/containers/systemd/all.kube", &kube),
            ("root/.config/containers/systemd/mine.container", &web),
        ])
        .seen();
        let web = seen.service("web.service");
        assert_eq!((web.user.as_str(), web.enabled), ("shop", true));
        assert_eq!(line(web), "podman run --pod shop.pod example.org/web:1");
        let pod = seen.service("shop-pod.service");
        assert_eq!(line(pod), "podman pod create --publish 8072:80");
        assert_eq!(pod.user, "shop");
        let all = seen.service("all.service");
        assert_eq!(line(all), "podman kube play /opt/app/all.yaml");
        assert_eq!(all.user, "root");
        for name in ["web.service", "shop-pod.service", "all.service"] {
            assert_eq!(seen.placed(name).disposition, Disposition::Keep, "{name}");
        }
        // Nobody is logged in.
        assert!(!seen.service("mine.service").enabled);
    }
}
