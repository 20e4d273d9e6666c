//! What a service's process is given in its container is what its manager gave it on the machine, secrets too; and no
//! secret is anywhere but in its file.

#![cfg(test)]

mod reach_support;

use reach_support::{Machine, holds};

/// What no quoting may lose.
const ODD: &str = r#"hunter2 "a' $HOME ${PATH} `id` \n \\ %h;#&|"#;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nhunter2/a+b=\n\n-----END PRIVATE KEY-----";

#[test]
fn by_variable_by_argument_and_before_the_start() {
    let unit = r#"[Service]
Environment="OPTS=--user a --password hunter2opts"
EnvironmentFile=/etc/app/app.env
ExecStartPre=/opt/app/prepare --token=${DB_PASSWORD} --secret "hunter2 x"
ExecStart=/opt/app/run --password=${DB_PASSWORD} $OPTS --api-key "hunter2 a\"b$$c`d" --port ${PORT} $$HOME $${DB_PASSWORD} %% ${NONE}
"#;
    let odd = ODD.replace('\'', "'\"'\"'");
    let env =
        format!("# of the application\nDB_PASSWORD='{odd}'\nPORT=80\nTLS_KEY='{KEY}'\nLAST=1\n");
    let machine = Machine::with_unit(unit, &[("/etc/app/app.env", env.as_bytes())]);
    machine.migrate();
    let run = machine.given("run");
    let password = format!("--password={ODD}");
    assert_eq!(
        run.words(),
        [
            &password,
            "--user",
            "a",
            "--password",
            "hunter2opts",
            "--api-key",
            "hunter2 a\"b$c`d",
            "--port",
            "80",
            "$HOME",
            "${DB_PASSWORD}",
            "%",
            ""
        ]
    );
    assert_eq!(run.variable("DB_PASSWORD").as_deref(), Some(ODD));
    assert_eq!(run.variable("TLS_KEY").as_deref(), Some(KEY));
    assert_eq!(
        run.variable("OPTS").as_deref(),
        Some("--user a --password hunter2opts")
    );
    let own = run
        .environment
        .keys()
        .filter(|name| name.contains("ARGUMENT"));
    assert_eq!(own.count(), 0, "{run:?}");
    let prepare = machine.given("prepare");
    let token = format!("--token={ODD}");
    assert_eq!(prepare.words(), [&token, "--secret", "hunter2 x"]);
    assert_eq!(prepare.variable("DB_PASSWORD").as_deref(), Some(ODD));
}

#[test]
fn a_variable_is_a_secret_where_it_is_used_as_one() {
    let unit = "[Service]\nEnvironment=P=hunter2p \"Q=hunter2 q\" PORT=81\nEnvironmentFile=-/etc/app/*.env\n\
        ExecStart=/opt/app/run --password=${P} --port=${PORT} -x ${S} /opt/app/tool\n";
    let machine = Machine::with_unit(
        unit,
        &[
            ("/etc/app/one.env", b"R=hunter2r\nS=plain\n"),
            (
                "/opt/app/tool",
                b"#!/bin/sh\nOWN='hunter2 own'\nMYSQL_PWD=$OWN mysql\nPGPASSWORD=$Q psql -h \"$S\"\ncurl -u app:$R http://x/\n",
            ),
        ],
    );
    machine.migrate();
    let run = machine.given("run");
    assert_eq!(
        run.words(),
        [
            "--password=hunter2p",
            "--port=81",
            "-x",
            "plain",
            &machine.there("/opt/app/tool")
        ]
    );
    for (name, value) in [("P", "hunter2p"), ("Q", "hunter2 q"), ("R", "hunter2r")] {
        assert_eq!(run.variable(name).as_deref(), Some(value));
    }
    let dockerfile = machine.text("workloads/app/Dockerfile");
    assert!(
        dockerfile.contains("PORT=81") || dockerfile.contains("PORT=\"81\""),
        "{dockerfile}"
    );
}

#[test]
fn credentials_are_files_that_only_the_user_reads() {
    let unit = "[Service]\nUser=app\nLoadCredential=one:/etc/app/one.key\nLoadCredential=two\nLoadCredential=all:/etc/app/more\n\
        SetCredential=two:not this one\nSetCredential=three:hunter2\\nthree\nImportCredential=app.*\n\
        SetCredentialEncrypted=four: abc\nLoadCredential=five:/etc/nowhere\n\
        Environment=FILE=%d/one\nExecStart=/opt/app/run ${CREDENTIALS_DIRECTORY}/two\n";
    let big = [b"hunter2".as_slice(), &vec![7; 5 << 20]].concat();
    let machine = Machine::with_unit(
        unit,
        &[
            ("/etc/app/one.key", &big),
            ("/usr/lib/credstore/two", b"hunter2 two\xff\n"),
            ("/etc/app/more/a", b"hunter2 a"),
            ("/etc/credstore/app.x", b"hunter2 x"),
            ("/usr/lib/credstore/app.x", b"hunter2 not this one"),
        ],
    );
    machine.migrate();
    let entry = machine.text("workloads/app/entrypoint.sh");
    let put = |name: &str, secret: &str, content: &[u8]| {
        let line = format!(
            "install -D -o 1500 -g 1500 -m 0400 /run/secrets/{secret} /run/credentials/app.service/{name}\n"
        );
        assert!(entry.contains(&line), "{line}{entry}");
        assert!(machine.secret(secret) == content, "{name}");
    };
    put("one", "app-one", &big);
    put("two", "app-two", b"hunter2 two\xff\n");
    put("three", "app-three", b"hunter2\nthree");
    put("all_a", "app-all_a", b"hunter2 a");
    put("app.x", "app-app.x", b"hunter2 x");
    let dockerfile = machine.text("workloads/app/Dockerfile");
    for said in [
        "CREDENTIALS_DIRECTORY=\"/run/credentials/app.service\"",
        "FILE=\"/run/credentials/app.service/one\"",
        "CMD [\"/opt/app/run\", \"/run/credentials/app.service/two\"]",
    ] {
        assert!(dockerfile.contains(said), "{said} in {dockerfile}");
    }
    let report = machine.text("report.md");
    for said in ["systemd-creds decrypt", "five is not on the disk"] {
        assert!(report.contains(said), "{said} in {report}");
    }
}

#[test]
fn jobs_keep_their_lines() {
    let table = b"P=hunter2p\nPATH=/bin\n# a comment with hunter2\n*/5 * * * * app PGPASSWORD=\"hunter2 \xff\" /opt/app/run -p a%b\n\
        0 1 * * * app /opt/app/run --password=$P\n0 2 * * * app /opt/app/run plain\n";
    let timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    let service = "[Service]\nType=oneshot\nUser=app\nEnvironment=DB_PASSWORD=hunter2db\nSetCredential=c:hunter2c\n\
        ExecStart=/opt/app/prepare --token ${DB_PASSWORD}\nExecStart=/opt/app/run --secret 'hunter2 100%%'\n";
    let machine = Machine::with_unit(
        "[Service]\nExecStart=/opt/app/run\n",
        &[
            ("/etc/cron.d/app", table),
            ("/etc/systemd/system/nightly.timer", timer.as_bytes()),
            ("/etc/systemd/system/nightly.service", service.as_bytes()),
            ("/etc/systemd/system/timers.target", b"[Unit]\n"),
        ],
    );
    machine.link(
        "/etc/systemd/system/timers.target.wants/nightly.timer",
        "../nightly.timer",
    );
    machine.link(
        "/etc/systemd/system/multi-user.target.wants/timers.target",
        "../timers.target",
    );
    machine.migrate();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for name in ["jobs-app-job", "jobs-app-job-2", "jobs-app-job-3"] {
        let table = machine.secret(name);
        lines.extend(table.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
    for wanted in [
        b"P=hunter2p".as_slice(),
        b"PATH=/bin",
        b"*/5 * * * * app PGPASSWORD=\"hunter2 \xff\" /opt/app/run -p a%b",
        b"0 1 * * * app /opt/app/run --password=$P",
        b"0 2 * * * app /opt/app/run plain",
    ] {
        assert!(lines.contains(&wanted.to_vec()), "{lines:?}");
    }
    let set = String::from_utf8(machine.secret("jobs-app-environment")).unwrap();
    assert_eq!(
        set,
        "ARGUMENT_2='hunter2 100%'\nBEFORE_0_ARGUMENT_2=hunter2db\nDB_PASSWORD=hunter2db\n"
    );
    assert_eq!(machine.secret("jobs-app-c"), b"hunter2c");
    let rootfs = machine.out().join("workloads/jobs-app/rootfs");
    let tables = walkdir::WalkDir::new(rootfs).into_iter().flatten();
    let tables = tables.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    let tables = tables.collect::<String>();
    let command = "app set -a; . /run/jobs-app-environment; set +a; export CREDENTIALS_DIRECTORY=/run/credentials/nightly.service; \
        /opt/app/prepare --token \"${BEFORE_0_ARGUMENT_2}\" && /opt/app/run --secret \"${ARGUMENT_2}\"\n";
    assert!(tables.contains(command), "{tables}");
}

#[test]
fn an_init_script_hands_over_what_its_settings_say() {
    let script = b"#!/bin/sh\n### BEGIN INIT INFO\n# Provides: app\n# Default-Start: 2 3 4 5\n### END INIT INFO\n\
        DAEMON=/opt/app/run\n[ -r /etc/default/app ] && . /etc/default/app\n\
        case $1 in start)\n start-stop-daemon --start --background --exec $DAEMON -- --password $PW --dir $DIR\n ;; esac\n";
    let machine = Machine::new(&[
        ("/etc/init.d/app", script),
        ("/etc/default/app", b"PW=hunter2pw\nDIR=/srv\n"),
        ("/opt/app/run", b"#!/bin/sh\n"),
    ]);
    machine.link("/etc/rc3.d/S01app", "../init.d/app");
    machine.migrate();
    let run = machine.given("run");
    assert_eq!(run.words(), ["--password", "hunter2pw", "--dir", "/srv"]);
}

#[test]
fn a_secret_that_cannot_be_told_is_left_to_the_user() {
    // With its secret, the line has more words than anybody can tell without.
    let unit =
        "[Service]\nEnvironment=\"P=hunter2 two words\"\nExecStart=/opt/app/run --password $P\n";
    let machine = Machine::with_unit(unit, &[]);
    let done = machine.run(&["--with-secrets"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{said}");
    for wanted in ["app-environment", "/etc/systemd/system/app.service:3"] {
        assert!(said.contains(wanted), "{said}");
    }
    assert!(!holds(&done.stderr) && !machine.out().join("secrets/app-environment").exists());
    machine.nothing_elsewhere();
    let readme = machine.text("README.md");
    assert!(readme.contains("secrets/app-environment"), "{readme}");
}
