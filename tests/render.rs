//! From facts and workloads to files: what a plan decides, and what stands on the disk afterwards.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests, outside any test function"
)]

mod needs;
mod render_support;

use needs::need;
use render_support::{
    Bench, as_user, bench, configuration, data, evidence, lint, listen, listing, needed, owned,
    package, secret, workload,
};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use transvase::plan::Plan;
use transvase::product::Probe;
use transvase::product::{Connect, Listen};
use transvase::render::{self, Error, Machine, Options, write};
use transvase::walk::Entry;
use transvase::workload::Workload;

fn plan(bench: &Bench, workload: Workload) -> Plan {
    bench.plan(&[workload], false).remove(0)
}

fn dockerfile(bench: &Bench, plans: &[Plan], id: &str) -> String {
    let (out, _) = bench.write(&format!("out-{id}"), plans, Options::default());
    fs::read_to_string(out.join(format!("workloads/{id}/Dockerfile"))).unwrap()
}

#[test]
fn what_an_administrator_switched_on_and_off_is_what_the_image_has() {
    let mut bench = bench(&[
        ("/etc/webd/webd.conf", "pristine"),
        ("/etc/webd/extra.conf", "added"),
        ("/etc/webd/sites/", ""),
        ("/etc/webd/on/b -> ../sites/b", ""),
        ("/etc/webd/sites/b", "site"),
        ("/etc/webd/local/empty/", ""),
        ("/etc/default/webd", "pristine"),
        ("/etc/default/other", "not ours"),
    ]);
    let mut webd = package("webd", "1.0-1");
    let conffile = |path: &str| transvase::fact::Conffile {
        path: path.into(),
        digest: String::new(),
    };
    webd.conffiles = vec![
        conffile("/etc/webd/webd.conf"),
        conffile("/etc/webd/gone.conf"),
    ];
    bench.facts.packages = vec![webd];
    owned(
        &mut bench.facts,
        "webd",
        &[
            "/etc/webd",
            "/etc/webd/webd.conf",
            "/etc/webd/gone.conf",
            "/etc/webd/on",
            "/etc/webd/sites",
            "/etc/default/webd",
        ],
    );
    let mut web = workload("web", &["/usr/sbin/webd"]);
    web.packages = vec!["webd".into()];
    let plan = plan(&bench, web);
    let carried: Vec<String> = plan
        .image
        .files
        .iter()
        .map(|file| file.path.to_string())
        .collect();
    assert_eq!(
        carried,
        [
            "/etc/webd/extra.conf",
            "/etc/webd/local",
            "/etc/webd/on/b",
            "/etc/webd/sites/b"
        ]
    );
    let text = dockerfile(&bench, &[plan], "web");
    let removed = text.find("/etc/webd/gone.conf").unwrap();
    let emptied = text.find("      /etc/webd/on \\").unwrap();
    let copied = text.rfind("COPY ").unwrap();
    assert!(removed < emptied && emptied < copied, "{text}");
    assert!(
        text.contains("'webd=1.0-*'") && !text.contains("/etc/default"),
        "{text}"
    );
}

#[test]
fn accounts_keep_their_numbers_and_the_bases_own_give_way() {
    let mut bench = bench(&[("/srv/app/run", "x")]);
    let os = bench.facts.os.as_mut().unwrap();
    (os.id, os.version_id) = ("ubuntu".into(), "24.04".into());
    bench.facts.users.push(render_support::user("deploy", 1000));
    bench.facts.users.push(render_support::user("www", 33));
    let mut deploy = render_support::group("deploy", 1000);
    deploy.members = vec!["www".into()];
    bench
        .facts
        .groups
        .extend([deploy, render_support::group("www", 33)]);
    let mut app = as_user(workload("app", &["/srv/app/run"]), "deploy");
    app.packages = vec!["webd".into()];
    let mut web = as_user(workload("web", &["/srv/app/run"]), "www");
    web.packages = vec!["webd".into()];
    let plans = bench.plan(&[app, web], false);
    let (first, second) = (&plans[0], &plans[1]);
    assert_eq!(first.image.base, "docker.io/library/ubuntu:24.04");
    assert_eq!(
        (
            first.process.uid,
            first.process.gid,
            first.process.entrypoint
        ),
        (1000, 1000, false)
    );
    assert_eq!(first.image.displaced, ["ubuntu"]);
    // A static account is in the base; what it was given on the machine it is given again.
    assert!(second.image.users.is_empty() && second.process.entrypoint);
    assert_eq!(
        second.image.memberships,
        [("www".to_owned(), "deploy".to_owned())]
    );
    let text = dockerfile(&bench, &plans, "app");
    let gone = text.find("userdel ubuntu").unwrap();
    assert!(gone < text.find("useradd ").unwrap());
    assert!(text.find("useradd ").unwrap() < text.find("apt-get install").unwrap());
    assert!(
        text.contains("\nUSER 1000:1000\n") && !text.contains("ENTRYPOINT"),
        "{text}"
    );
}

#[test]
fn secrets_are_references_until_they_are_asked_for() {
    let mut bench = bench(&[
        ("/srv/app/settings.py", "PASSWORD = 'hunter2-settings'\n"),
        ("/srv/app/app.py", "code"),
    ]);
    bench.facts.secrets = vec![secret("/srv/app/settings.py")];
    let mut app = as_user(workload("app", &["/bin/app", "--key", "[redacted]"]), "app");
    app.claims = vec!["/srv/app".into()];
    app.services[0].environment.secrets = vec![
        ("TOKEN".into(), evidence("/etc/app.env", 2)),
        ("KEY".into(), evidence("/etc/systemd/system/x.service", 8)),
    ];
    let plans = bench.plan(&[app], false);
    assert!(plans[0].process.entrypoint);
    let values = [
        ("TOKEN", "hunter2 to'ken"),
        ("KEY", "hunter2 unit%"),
        ("ARGUMENT_2", "hunter2-argument"),
    ];
    let values = values.map(|(name, value)| render::secret::assignment(name, value));
    bench.values.put("app-environment", &values.concat());
    assert!(!format!("{:?}", bench.values).contains("hunter2"));
    for with_secrets in [false, true] {
        let name = format!("out-{with_secrets}");
        let (out, written) = bench.write(
            &name,
            &plans,
            Options {
                with_secrets,
                ..Options::default()
            },
        );
        assert_eq!(written.left_out, Vec::<String>::new());
        for (name, (mode, content)) in listing(&out) {
            let held = content.windows(7).any(|window| window == b"hunter2");
            assert_eq!(held, name.starts_with("secrets/"), "{name}");
            assert!(!name.starts_with("secrets/") || mode == 0o600, "{name}");
        }
        assert_eq!(out.join("secrets").exists(), with_secrets);
        if with_secrets {
            assert_eq!(
                fs::metadata(out.join("secrets"))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777,
                0o700
            );
            let script = ". ./secrets/app-environment; printf '%s|%s|%s' \"$TOKEN\" \"$KEY\" \"$ARGUMENT_2\"";
            let run = std::process::Command::new("sh")
                .args(["-c", script])
                .current_dir(&out)
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8_lossy(&run.stdout),
                "hunter2 to'ken|hunter2 unit%|hunter2-argument"
            );
        } else {
            assert!(
                fs::read_to_string(out.join("README.md"))
                    .unwrap()
                    .contains("secrets/app-environment")
            );
        }
        let entry = fs::read_to_string(out.join("workloads/app/entrypoint.sh")).unwrap();
        assert!(
            entry.contains("/run/secrets/app-srv-app-settings.py /srv/app/settings.py"),
            "{entry}"
        );
        let text = fs::read_to_string(out.join("workloads/app/Dockerfile")).unwrap();
        assert!(
            text.contains(
                r#""set -- /bin/app --key \"${ARGUMENT_2?}\"; unset ARGUMENT_2; exec \"$@\"""#
            ),
            "{text}"
        );
    }
}

/// Content that breaks off.
struct Damaged<'a>(&'a dyn render::Content);

impl render::Content for Damaged<'_> {
    fn read_at(&self, entry: &Entry, offset: u64, buf: &mut [u8]) -> Result<usize, String> {
        let is_late = offset >= 1 << 20;
        if is_late {
            return Err("block 7 is damaged".into());
        }
        self.0.read_at(entry, offset, buf)
    }

    fn data_from(&self, entry: &Entry, offset: u64) -> Result<u64, String> {
        self.0.data_from(entry, offset)
    }

    fn attributes(&self, entry: &Entry) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0.attributes(entry)
    }
}

#[test]
fn a_secret_is_whole_or_nothing_is_written() {
    let large = format!("PASSWORD = 'hunter2'\n{}", "#\n".repeat(5 << 20));
    let mut bench = bench(&[("/srv/app/settings.py", &large)]);
    bench.facts.secrets = vec![secret("/srv/app/settings.py")];
    let mut app = workload("app", &["/bin/app"]);
    app.claims = vec!["/srv/app".into()];
    let plans = bench.plan(&[app.clone()], false);
    let options = Options {
        with_secrets: true,
        with_data: false,
        ..Options::default()
    };
    let (out, _) = bench.write("whole", &plans, options);
    let written = fs::read(out.join("secrets/app-srv-app-settings.py")).unwrap();
    assert!(written == large.as_bytes());
    let refused = |plans: &[Plan], content: &dyn render::Content| {
        let machine = Machine {
            tree: &bench.facts.tree,
            content,
            values: &bench.values,
        };
        let out = bench.dir.path().join("refused");
        let said = render::write(&out, plans, &machine, options).unwrap_err();
        assert!(!out.exists());
        said.to_string()
    };
    let said = refused(&plans, &Damaged(&bench.root));
    assert!(
        said.contains("/srv/app/settings.py: block 7 is damaged"),
        "{said}"
    );
    app.services[0].environment.secrets = vec![("TOKEN".into(), evidence("/etc/app.env", 2))];
    let said = refused(&bench.plan(&[app], false), &bench.root);
    assert!(said.contains("secret app-environment of app"), "{said}");
}

#[test]
fn a_private_key_that_nobody_found_stays_out() {
    let key = "text before\n-----BEGIN EC PRIVATE KEY-----\nMHQ\n";
    let bench = bench(&[
        ("/srv/app/key.pem", key),
        ("/srv/app/public.pem", "-----BEGIN PUBLIC KEY-----\n"),
    ]);
    let mut app = as_user(workload("app", &["/bin/app"]), "app");
    app.claims = vec!["/srv/app".into()];
    let (out, written) = bench.write("out", &bench.plan(&[app], false), Options::default());
    assert!(!out.join("workloads/app/rootfs/srv/app/key.pem").exists());
    assert!(out.join("workloads/app/rootfs/srv/app/public.pem").exists());
    assert!(
        written.left_out[0].contains("/srv/app/key.pem"),
        "{:?}",
        written.left_out
    );
}

#[test]
fn data_goes_beside_the_image_with_its_holes() {
    let bench = bench(&[
        ("/var/lib/app/a", "content"),
        ("/var/lib/app/sub/link -> ../a", ""),
        ("/var/lib/app/sparse", ""),
        ("/srv/app/code", "x"),
    ]);
    let sparse = bench.dir.path().join("machine/var/lib/app/sparse");
    let file = fs::OpenOptions::new().write(true).open(&sparse).unwrap();
    file.set_len(8 << 20).unwrap();
    file.write_at(b"end", (8 << 20) - 3).unwrap();
    let mut bench = bench;
    bench.facts.tree = bench.root.walk().0;
    let mut app = as_user(workload("app", &["/srv/app/code"]), "app");
    app.data = vec![data("/var/lib/app")];
    app.claims = vec!["/srv/app".into(), "/var/lib/app/a".into()];
    let plans = bench.plan(&[app], true);
    let (out, written) = bench.write(
        "out",
        &plans,
        Options {
            with_secrets: false,
            with_data: true,
            ..Options::default()
        },
    );
    assert_eq!(written.left_out, Vec::<String>::new());
    assert!(
        !out.join("workloads/app/rootfs/var/lib/app/a").exists(),
        "data is not in the image"
    );
    let path = out.join("data/app-data.tar");
    let meta = fs::metadata(&path).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert!(
        meta.size() > 8 << 20 && meta.blocks() * 512 < 1 << 20,
        "{} blocks",
        meta.blocks()
    );
    let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if name == "sparse" {
            assert!(content.len() == 8 << 20 && content.ends_with(b"end"));
        }
        names.push(name);
    }
    assert_eq!(names, [".", "a", "sparse", "sub", "sub/link"]);
    let entry = fs::read_to_string(out.join("workloads/app/entrypoint.sh")).unwrap();
    assert!(
        entry.contains("\nload /run/transvase/app-data.tar /var/lib/app\n"),
        "{entry}"
    );
}

#[test]
fn a_filling_that_was_interrupted_starts_over() {
    let bench = bench(&[("/var/lib/app/a", "content"), ("/var/lib/app/b", "more")]);
    let mut app = workload("app", &["/bin/true"]);
    app.data = vec![data("/var/lib/app")];
    let plans = bench.plan(&[app], true);
    let (out, _) = bench.write(
        "out",
        &plans,
        Options {
            with_secrets: false,
            with_data: true,
            ..Options::default()
        },
    );
    let script = fs::read_to_string(out.join("workloads/app/entrypoint.sh")).unwrap();
    let volume = bench.dir.path().join("volume");
    fs::create_dir(&volume).unwrap();
    let script = script
        .replace(
            "/run/transvase/app-data.tar",
            out.join("data/app-data.tar").to_str().unwrap(),
        )
        .replace("/var/lib/app", volume.to_str().unwrap());
    let run = || {
        let run = std::process::Command::new("sh")
            .args(["-c", &script, "sh", "true"])
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        listing(&volume).into_keys().collect::<Vec<_>>()
    };
    assert_eq!(run(), ["a", "b"]);
    fs::remove_file(volume.join("b")).unwrap();
    assert_eq!(run(), ["a"], "a volume in use is left alone");
    fs::write(volume.join(".loading"), "").unwrap();
    assert_eq!(run(), ["a", "b"]);
}

#[test]
fn a_pod_shares_its_network_and_its_sockets() {
    let bench = bench(&[("/run/", ""), ("/etc/x.conf", "")]);
    let mut web = workload("a-web", &["/usr/sbin/webd"]);
    web.listens = vec![listen("0.0.0.0", 80), listen("127.0.0.1", 81)];
    web.needs = vec![needed("db")];
    web.connects = vec![Connect {
        to: "/var/run/dbd/s".into(),
        via: "socket".into(),
        evidence: evidence("/etc/x.conf", 1),
    }];
    let mut db = as_user(workload("db", &["/usr/sbin/dbd"]), "app");
    db.listens = vec![Listen {
        address: "/run/dbd/s".into(),
        port: 0,
        protocol: "unix".into(),
        evidence: evidence("/etc/x.conf", 1),
    }];
    db.services[0].directories = vec![transvase::service::ManagedDirectory {
        path: "/run/dbd".into(),
        mode: 0o2750,
        user: String::new(),
        group: String::new(),
        kind: transvase::service::DirectoryKind::Runtime,
    }];
    let mut alone = as_user(workload("alone", &["/usr/sbin/x"]), "app");
    alone.listens = vec![listen("0.0.0.0", 443)];
    let plans = bench.plan(&[web, db, alone], false);
    let (out, _) = bench.write("out", &plans, Options::default());
    let text = fs::read_to_string(out.join("compose.yaml")).unwrap();
    let compose: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let services = &compose["services"];
    assert_eq!(services["a-web"]["network_mode"], "service:db-pod");
    assert_eq!(services["db"]["network_mode"], "service:db-pod");
    // What holds the network is none of those that may restart, and their image serves for it.
    let pod = &services["db-pod"];
    assert_eq!(pod["build"]["context"], "./workloads/db");
    assert_eq!(
        pod["entrypoint"],
        serde_json::json!(["/bin/sleep", "infinity"])
    );
    assert_eq!(services["alone"]["network_mode"], serde_json::Value::Null);
    // Published where the name space is; loopback is not published at all.
    assert_eq!(pod["ports"], serde_json::json!(["${A_WEB_PORT_80:-80}:80"]));
    assert_eq!(services["a-web"]["ports"], serde_json::Value::Null);
    assert_eq!(
        services["a-web"]["depends_on"]["db"]["condition"],
        "service_started"
    );
    for id in ["a-web", "db"] {
        assert_eq!(services[id]["volumes"][0]["source"], "db-run-dbd");
        assert_eq!(services[id]["volumes"][0]["target"], "/run/dbd");
    }
    assert_eq!(pod["hostname"], "web1");
    assert_eq!(services["db"]["hostname"], serde_json::Value::Null);
    assert_eq!(services["a-web"]["hostname"], serde_json::Value::Null);
    // A port below 1024 and no root.
    assert_eq!(
        services["alone"]["sysctls"]["net.ipv4.ip_unprivileged_port_start"],
        "0"
    );
    let text = fs::read_to_string(out.join("workloads/a-web/Dockerfile")).unwrap();
    assert!(
        text.contains("install -d -o 1500 -g 1500 -m 2750 /run/dbd"),
        "{text}"
    );
}

#[test]
fn a_server_nobody_is_seen_to_use_joins_the_largest_pod() {
    let bench = bench(&[]);
    let mut web = workload("web", &["/usr/sbin/webd"]);
    web.needs = vec![needed("app")];
    let app = workload("app", &["/bin/app"]);
    let mut cache = workload("cache", &["/bin/cached"]);
    cache.listens = vec![listen("127.0.0.1", 6379)];
    let other = workload("other", &["/bin/other"]);
    let plans = bench.plan(&[web, app, cache, other], false);
    let pods: Vec<&str> = plans.iter().map(|plan| plan.network.pod.as_str()).collect();
    assert_eq!(pods, ["app", "app", "app", "other"]);
    assert!(
        plans[2]
            .notes
            .iter()
            .any(|note| note.contains("loopback only"))
    );
}

#[test]
fn locale_zone_and_probe_are_the_machines() {
    let mut bench = bench(&[]);
    bench.facts.locale = Some("de_DE.UTF-8".into());
    bench.facts.timezone = Some("Europe/Berlin".into());
    bench.facts.packages = vec![
        package("locales", "2.36-9+deb12u1"),
        package("webd", "1.0-1"),
    ];
    let mut app = as_user(workload("app", &["/usr/bin/app"]), "app");
    app.packages = vec!["webd".into()];
    app.listens = vec![listen("127.0.0.5", 8080)];
    let plan = plan(&bench, app);
    assert_eq!(plan.process.probe, Some(Probe::Tcp { port: 8080 }));
    assert_eq!(
        plan.process.health.as_ref().unwrap().command[2],
        "exec 3<>/dev/tcp/127.0.0.5/8080"
    );
    let text = dockerfile(&bench, &[plan], "app");
    let made = text.find("localedef -i de_DE -c -f UTF-8").unwrap();
    let used = text.find("LANG=de_DE.UTF-8 apt-get install").unwrap();
    assert!(
        made < used && text.contains("'tzdata=*'") && text.contains("/zoneinfo/Europe/Berlin"),
        "{text}"
    );
    assert!(text.contains("ENV LANG=\"de_DE.UTF-8\"") && text.contains("ENV TZ=\"Europe/Berlin\""));
}

#[test]
fn a_directory_the_product_needs_is_made_for_its_owner() {
    let bench = bench(&[]);
    let mut app = as_user(workload("app", &["/usr/bin/app"]), "app");
    app.services[0].commands.before = app.services[0].commands.start.clone();
    app.services[0].commands.before[0].argv =
        vec!["/usr/bin/systemctl".into(), "reset-failed".into()];
    let mut own = app.services[0].commands.before[0].clone();
    own.argv = vec!["/bin/check".into(), "a b".into()];
    own.ignore_failure = true;
    app.services[0].commands.before.push(own);
    let mut plans = bench.plan(&[app], false);
    plans[0].image.directories = vec![transvase::plan::PlannedDirectory {
        path: "/run/app".into(),
        mode: 0o750,
        uid: 1500,
        gid: 4,
        runtime: true,
    }];
    let (out, _) = bench.write("out", &plans, Options::default());
    let entry = fs::read_to_string(out.join("workloads/app/entrypoint.sh")).unwrap();
    assert!(
        entry.contains("install -d -o 1500 -g 4 -m 0750 /run/app"),
        "{entry}"
    );
    assert!(
        entry.contains("-- /bin/check 'a b' || :") && !entry.contains("systemctl"),
        "{entry}"
    );
    assert!(
        entry.ends_with(
            "exec setpriv --reuid=1500 --regid=1500 --init-groups --inh-caps=-all -- \"$@\"\n"
        ),
        "{entry}"
    );
}

#[test]
fn the_same_plans_give_the_same_bytes_and_lint_clean() {
    let mut bench = bench(&[
        ("/srv/app/code", "x"),
        ("/srv/app/bin/run -> ../code", ""),
        ("/var/lib/app/a", "1"),
    ]);
    bench.facts.packages = vec![package("webd", "1.0-1")];
    let mut app = as_user(workload("app", &["/srv/app/code"]), "app");
    app.packages = vec!["webd".into()];
    app.claims = vec!["/srv/app".into()];
    app.data = vec![data("/var/lib/app")];
    app.configuration = vec![configuration("/srv/app/code")];
    app.listens = vec![listen("0.0.0.0", 8080)];
    let options = Options {
        with_secrets: true,
        with_data: true,
        ..Options::default()
    };
    let (first, _) = bench.write(
        "one",
        &bench.plan(std::slice::from_ref(&app), true),
        options,
    );
    let (second, _) = bench.write("two", &bench.plan(&[app], true), options);
    assert_eq!(listing(&first), listing(&second));
    assert_eq!(need!(lint(&first)), "");
}

#[test]
fn an_out_with_something_in_it_is_refused_and_left_alone() {
    let bench = bench(&[("/srv/app/code", "x")]);
    let out = bench.dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "").unwrap();
    let machine = Machine {
        tree: &bench.facts.tree,
        content: &bench.root,
        values: &bench.values,
    };
    let plans = bench.plan(&[workload("app", &["/bin/app"])], false);
    let refused = write(&out, &plans, &machine, Options::default());
    assert!(matches!(refused, Err(Error::NotEmpty(_))));
    assert_eq!(listing(&out).into_keys().collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn a_stop_without_end_has_time_and_a_single_run_is_not_repeated() {
    let bench = bench(&[]);
    let mut app = workload("app", &["/bin/app"]);
    app.services[0].stop_timeout = Some(0);
    app.services[0].restart = "on-abort".into();
    let mut once = workload("once", &["/bin/once"]);
    once.services[0].kind = transvase::service::ServiceType::Oneshot;
    let plans = bench.plan(&[app, once], false);
    assert_eq!(
        (
            plans[0].process.stop_timeout,
            plans[0].process.restart.as_str()
        ),
        (3600, "on-failure")
    );
    assert_eq!(
        (
            plans[1].process.stop_timeout,
            plans[1].process.restart.as_str()
        ),
        (90, "no")
    );
}

#[test]
fn a_single_file_of_data_never_makes_a_shared_directory_a_volume() {
    let mut bench = bench(&[
        ("/etc/app.db", "1"),
        ("/var/lib/app/app.db", "1"),
        ("/run/app.db", ""),
    ]);
    bench.facts.packages = vec![package("webd", "1.0-1")];
    owned(&mut bench.facts, "webd", &["/etc", "/var/lib"]);
    let mut app = as_user(workload("app", &["/bin/app"]), "app");
    app.data = vec![
        data("/etc/app.db"),
        data("/var/lib/app/app.db"),
        data("/run/app.db"),
    ];
    let plan = plan(&bench, app);
    let volumes: Vec<String> = plan
        .state
        .volumes
        .iter()
        .map(|volume| volume.path.to_string())
        .collect();
    assert_eq!(volumes, ["/var/lib/app"]);
    let files: Vec<String> = plan
        .image
        .files
        .iter()
        .map(|file| file.path.to_string())
        .collect();
    assert_eq!(files, ["/etc/app.db"]);
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("/etc/app.db is data"))
    );
}
