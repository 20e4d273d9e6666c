//! Launchers, start scripts, links and daemons: what a command comes to, and what the container of it has.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside any test function"
)]

mod small;

use serde_json::Value;
use small::{machine, program, service, write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Out {
    _scratch: tempfile::TempDir,
    path: PathBuf,
    scan: Value,
}

/// Migrates the machine that `fill` makes.
fn migrate(fill: impl FnOnce(&Path)) -> Out {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    fill(&root);
    let path = scratch.path().join("out");
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args([
            "migrate",
            root.to_str().unwrap(),
            "-o",
            path.to_str().unwrap(),
        ])
        .args(["--with-secrets", "--allow-partial"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let scan = std::fs::read_to_string(path.join("scan.json")).unwrap();
    let scan = serde_json::from_str(&scan).unwrap();
    Out {
        _scratch: scratch,
        path,
        scan,
    }
}

impl Out {
    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap()
    }

    fn workload(&self, id: &str) -> &Value {
        let mut all = self.scan["workloads"].as_array().unwrap().iter();
        all.find(|workload| workload["id"] == id).unwrap()
    }

    fn ports(&self, id: &str) -> Vec<u64> {
        let listens = self.workload(id)["listens"].as_array().unwrap().iter();
        listens
            .map(|listen| listen["port"].as_u64().unwrap())
            .collect()
    }
}

const JAR: &str = "PK\u{3}\u{4}";

#[test]
fn a_link_by_which_a_product_is_called_is_carried_and_no_home_stands_over_it() {
    let out = migrate(|root| {
        write(
            root,
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nshop:x:900:900::/opt/shop:/bin/sh\n",
        );
        program(
            root,
            "opt/shop-1.2/bin/run.sh",
            "#!/bin/dash\nexec /opt/shop/bin/shopd\n",
        );
        program(root, "opt/shop-1.2/bin/shopd", "x");
        symlink("shop-1.2", root.join("opt/shop")).unwrap();
        service(
            root,
            "shop",
            "User=shop\nExecStart=/opt/shop/bin/run.sh --listen :8080",
        );
    });
    let link = out.path.join("workloads/shop/rootfs/opt/shop");
    assert_eq!(std::fs::read_link(link).unwrap(), Path::new("shop-1.2"));
    let file = out.text("workloads/shop/Dockerfile");
    assert!(
        !file
            .lines()
            .any(|line| line.trim_end_matches([' ', '\\']).ends_with(" /opt/shop")),
        "{file}"
    );
    assert_eq!(out.ports("shop"), [8080]);
}

#[test]
fn a_daemon_that_forks_is_followed() {
    let out = migrate(|root| {
        program(root, "opt/shop/shopd", "x");
        service(
            root,
            "shop",
            "Type=forking\nPIDFile=/run/shop.pid\nExecStart=/opt/shop/shopd -d",
        );
        service(root, "other", "Type=forking\nExecStart=/opt/shop/shopd -d");
    });
    for (id, sign) in [("shop", "/run/shop.pid"), ("other", "/proc/[0-9]*")] {
        let command = out.workload(id)["plan"]["process"]["command"]["argv"].to_string();
        assert!(
            command.contains("\"follow\"") && command.contains(sign),
            "{command}"
        );
        assert!(
            command.ends_with("\"/opt/shop/shopd\",\"-d\"]"),
            "{command}"
        );
    }
}

#[test]
fn an_authority_of_the_machine_is_carried_with_what_is_made_of_it_and_reported() {
    let out = migrate(|root| {
        write(
            root,
            "usr/local/share/ca-certificates/corp.crt",
            "-----BEGIN CERTIFICATE-----\n",
        );
        write(
            root,
            "etc/ssl/certs/ca-certificates.crt",
            "-----BEGIN CERTIFICATE-----\n",
        );
        symlink(
            "/usr/local/share/ca-certificates/corp.crt",
            root.join("etc/ssl/certs/corp.pem"),
        )
        .unwrap();
        symlink("corp.pem", root.join("etc/ssl/certs/1a2b3c4d.0")).unwrap();
        program(root, "opt/shop/shopd", "x");
        service(root, "shop", "ExecStart=/opt/shop/shopd");
    });
    let top = out.path.join("workloads/shop/rootfs");
    for path in [
        "usr/local/share/ca-certificates/corp.crt",
        "etc/ssl/certs/ca-certificates.crt",
        "etc/ssl/certs/corp.pem",
        "etc/ssl/certs/1a2b3c4d.0",
    ] {
        assert!(top.join(path).symlink_metadata().is_ok(), "{path}");
    }
    let concerns = out.scan["concerns"].as_array().unwrap();
    assert!(
        concerns
            .iter()
            .any(|concern| concern["rule"] == "security/certificate")
    );
}

#[test]
fn without_an_authority_of_its_own_no_store_is_carried() {
    let out = migrate(|root| {
        write(
            root,
            "etc/ssl/certs/ca-certificates.crt",
            "-----BEGIN CERTIFICATE-----\n",
        );
        program(root, "opt/shop/shopd", "x");
        service(root, "shop", "ExecStart=/opt/shop/shopd");
    });
    let store = out
        .path
        .join("workloads/shop/rootfs/etc/ssl/certs/ca-certificates.crt");
    assert!(!store.exists());
}

#[test]
fn a_literal_in_code_is_a_likely_answer_and_no_fact() {
    let out = migrate(|root| {
        program(root, "usr/bin/node", "x");
        write(
            root,
            "srv/web/package.json",
            r#"{"scripts":{"start":"node server.js"}}"#,
        );
        write(
            root,
            "srv/web/server.js",
            "app.listen(process.env.PORT || 3000);\n",
        );
        program(root, "usr/bin/npm", "#!/usr/bin/node\n");
        service(
            root,
            "web",
            "WorkingDirectory=/srv/web\nExecStart=/usr/bin/npm run start",
        );
    });
    assert!(out.ports("web").is_empty());
    let questions = out.text("questions.toml");
    assert!(questions.contains("# ports = [\"3000\"]"), "{questions}");
}

#[test]
fn two_products_of_one_tree_have_their_own_secrets_only() {
    let out = migrate(|root| {
        write(root, "opt/kafka/libs/kafka.jar", JAR);
        for name in ["kafka", "zookeeper"] {
            program(
                root,
                &format!("opt/kafka/bin/{name}-server-start.sh"),
                "#!/bin/dash\n",
            );
        }
        write(
            root,
            "opt/kafka/config/server.properties",
            "listeners=SSL://:9094\nssl.keystore.password=not-a-real-1\nzookeeper.connect=localhost:2181\n",
        );
        write(
            root,
            "opt/kafka/config/zookeeper.properties",
            "clientPort=2181\n",
        );
        let start = "/opt/kafka/bin";
        service(
            root,
            "broker",
            &format!("ExecStart={start}/kafka-server-start.sh /opt/kafka/config/server.properties"),
        );
        service(
            root,
            "keeper",
            &format!(
                "ExecStart={start}/zookeeper-server-start.sh /opt/kafka/config/zookeeper.properties"
            ),
        );
    });
    let secrets = |id: &str| out.workload(id)["plan"]["state"]["secrets"].to_string();
    assert!(secrets("broker").contains("server.properties"));
    assert!(!secrets("keeper").contains("server.properties"));
    let carried = out.path.join("workloads/keeper/rootfs/opt/kafka");
    assert!(carried.join("libs/kafka.jar").exists());
    assert!(!carried.join("config/server.properties").exists());
}

#[test]
fn words_in_a_file_are_words_of_the_line() {
    let out = migrate(|root| {
        program(root, "usr/bin/java", "x");
        write(
            root,
            "srv/app/app.args",
            "# how it is run\n-Dserver.port=8099\n-jar app.jar\n",
        );
        write(root, "srv/app/app.jar", JAR);
        service(
            root,
            "app",
            "WorkingDirectory=/srv/app\nExecStart=/usr/bin/java @app.args",
        );
    });
    assert_eq!(out.ports("app"), [8099]);
}

#[test]
fn a_shells_output_file_is_a_log() {
    let out = migrate(|root| {
        program(root, "opt/shop/shopd", "x");
        write(root, "opt/shop/logs/old", "x");
        service(
            root,
            "shop",
            "ExecStart=/bin/sh -c 'exec /opt/shop/shopd --port 8081 > /opt/shop/logs/shop.log 2>&1'",
        );
    });
    assert_eq!(out.workload("shop")["logs"][0], "/opt/shop/logs/shop.log");
    assert_eq!(out.ports("shop"), [8081]);
}

/// A zip archive with one member, stored.
fn archive(name: &str, text: &str) -> Vec<u8> {
    let size = u32::try_from(text.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let numbers = [vec![0; 8], size.to_vec(), size.to_vec(), length.to_vec()].concat();
    let mut local = b"PK\x03\x04\x14\0\0\0\0\0".to_vec();
    local.extend(numbers.iter().chain(&[0, 0]));
    local.extend(name.bytes().chain(text.bytes()));
    let mut central = b"PK\x01\x02\x14\0\x14\0\0\0\0\0".to_vec();
    central.extend(numbers.iter().chain(&[0; 16]));
    central.extend(name.bytes());
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
    end.extend(u32::try_from(local.len()).unwrap().to_le_bytes());
    end.extend([0, 0]);
    [local, central, end].concat()
}

#[test]
fn settings_inside_an_archive_count_and_those_beside_it_stand_over_them() {
    let out = migrate(|root| {
        program(root, "usr/bin/java", "x");
        let text = "server:\n  port: 8097\nmanagement:\n  server:\n    port: 9097\n";
        let jar = archive("BOOT-INF/classes/application.yml", text);
        write(root, "srv/app/app-1.jar", jar);
        symlink("app-1.jar", root.join("srv/app/app.jar")).unwrap();
        write(root, "srv/app/application.properties", "server.port=8098\n");
        let run = "ExecStart=/usr/bin/java -jar /srv/app/app.jar";
        service(root, "app", &format!("WorkingDirectory=/srv/app\n{run}"));
        service(root, "bare", run);
    });
    assert_eq!(out.ports("app"), [8098, 9097]);
    assert_eq!(out.ports("bare"), [8097, 9097]);
}

#[test]
fn what_is_bound_to_another_place_is_found_there() {
    let out = migrate(|root| {
        program(root, "opt/shop/bin/shopd", "x");
        write(root, "srv/rules/a", "a\n");
        write(root, "srv/pool/b", "b\n");
        write(root, "srv/shop/tool/c", "c\n");
        write(root, "var/lib/shop/x", "x\n");
        service(
            root,
            "shop",
            "User=shop\nExecStart=/opt/shop/bin/shopd\nStateDirectory=shop\nBindReadOnlyPaths=/srv/rules:/opt/shop/%p-rules:rbind -/srv/none:/opt/shop/none\nBindPaths=/srv/pool:/opt/shop/pool /srv/shop/tool:/var/lib/shop/tool",
        );
    });
    let at = |path: &str| out.path.join("workloads/shop/rootfs").join(path);
    let leads = |path: &str| std::fs::read_link(at(path)).ok();
    assert_eq!(leads("opt/shop/shop-rules"), Some("/srv/rules".into()));
    assert_eq!(leads("opt/shop/pool"), Some("/srv/pool".into()));
    assert!(at("srv/rules/a").exists() && !at("srv/pool/b").exists());
    // What may be missing is missing here, too.
    assert!(leads("opt/shop/none").is_none());
    // What may be written is kept.
    assert!(out.text("compose.yaml").contains("target: \"/srv/pool\""));
    // A volume has no link of the image in it: that is said.
    assert!(leads("var/lib/shop/tool").is_none());
    assert!(
        out.text("workloads/shop/README.md")
            .contains("shown to the service at /var/lib/shop/tool"),
    );
}

#[test]
fn a_limit_that_a_start_script_is_handed_as_a_command_is_a_limit() {
    let out = migrate(|root| {
        program(root, "usr/sbin/apache2", "x");
        program(root, "usr/sbin/apachectl", "#!/bin/sh\n");
        write(
            root,
            "etc/apache2/envvars",
            "#APACHE_ULIMIT_MAX_FILES='ulimit -n 9000'\nAPACHE_ULIMIT_MAX_FILES='ulimit -S -n 65536'\n",
        );
        write(root, "etc/apache2/apache2.conf", "Listen 80\n");
        service(
            root,
            "apache2",
            "Type=forking\nLimitNOFILE=16384\nExecStart=/usr/sbin/apachectl start",
        );
    });
    let limits = &out.workload("apache2")["plan"]["process"]["limits"]["process"];
    assert_eq!(limits, &serde_json::json!([["nofile", "65536"]]));
}

/// A user with a home, and an environment that a tool keeps for a project.
fn environment(root: &Path, at: &str, program_name: &str) {
    write(
        root,
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nshop:x:900:900::/home/shop:/bin/sh\n",
    );
    let python = "home/shop/.pyenv/versions/3.11.4/bin/python3.11";
    program(root, python, "x");
    write(
        root,
        "home/shop/.pyenv/versions/3.11.4/lib/python3.11/os.py",
        "x\n",
    );
    let file = format!("{at}/bin/{program_name}");
    program(root, &file, &format!("#!/{at}/bin/python\nimport x\n"));
    symlink(format!("/{python}"), root.join(at).join("bin/python")).unwrap();
    write(
        root,
        &format!("{at}/pyvenv.cfg"),
        "home = /home/shop/.pyenv/versions/3.11.4/bin\n",
    );
}

fn carried(out: &Out, id: &str, path: &str) -> bool {
    let rootfs = out.path.join(format!("workloads/{id}/rootfs"));
    rootfs.join(path).symlink_metadata().is_ok()
}

#[test]
fn what_poetry_runs_is_of_the_environment_of_its_project() {
    let own = "home/shop/.cache/pypoetry/virtualenvs/api-Wv6W3vCY-py3.11";
    let out = migrate(|root| {
        environment(root, own, "gunicorn");
        write(
            root,
            "home/shop/.cache/pypoetry/virtualenvs/other-AAAAAAAA-py3.11/bin/gunicorn",
            "x",
        );
        write(root, "home/shop/.cache/pip/x", "x");
        program(root, "usr/bin/poetry", "x");
        write(
            root,
            "srv/api/pyproject.toml",
            "[tool.poetry]\nname = \"api\"\n",
        );
        service(
            root,
            "api",
            "User=shop\nWorkingDirectory=/srv/api\nExecStart=/usr/bin/poetry run gunicorn -b 0.0.0.0:8073 api:app",
        );
    });
    assert_eq!(out.ports("api"), [8073]);
    assert!(carried(&out, "api", &format!("{own}/bin/gunicorn")));
    assert!(carried(
        &out,
        "api",
        "home/shop/.pyenv/versions/3.11.4/lib/python3.11/os.py"
    ));
    // The tool's other environments and caches are none of this service's.
    assert!(!carried(&out, "api", "home/shop/.cache/pip"));
    assert!(!carried(
        &out,
        "api",
        "home/shop/.cache/pypoetry/virtualenvs/other-AAAAAAAA-py3.11"
    ));
}

#[test]
fn what_pipenv_runs_is_of_the_environment_of_its_project() {
    let own = "home/shop/.local/share/virtualenvs/web-Qt99SJk8";
    let out = migrate(|root| {
        environment(root, own, "uvicorn");
        program(root, "usr/bin/pipenv", "x");
        write(root, "srv/web/Pipfile", "[packages]\n");
        service(
            root,
            "web",
            "User=shop\nWorkingDirectory=/srv/web\nExecStart=/usr/bin/pipenv run uvicorn web:app --port 8074",
        );
    });
    assert_eq!(out.ports("web"), [8074]);
    assert!(carried(&out, "web", &format!("{own}/bin/uvicorn")));
    assert!(carried(&out, "web", &format!("{own}/pyvenv.cfg")));
}

#[test]
fn what_conda_runs_is_of_the_environment_that_it_names() {
    let own = "home/shop/miniconda3/envs/model";
    let out = migrate(|root| {
        environment(root, own, "gunicorn");
        program(root, "home/shop/miniconda3/bin/conda", "x");
        service(
            root,
            "model",
            "User=shop\nWorkingDirectory=/srv\nExecStart=/home/shop/miniconda3/bin/conda run --no-capture-output -n model gunicorn -b :8075 m:app",
        );
    });
    assert_eq!(out.ports("model"), [8075]);
    assert!(carried(&out, "model", &format!("{own}/bin/gunicorn")));
}

#[test]
fn of_several_documents_those_count_whose_profile_is_on() {
    let text = "server:\n  port: 8080\n---\nspring:\n  config:\n    activate:\n      on-profile: prod\n  datasource:\n    url: jdbc:postgresql://pg.example.net:5432/a\nserver:\n  port: 8076\n---\nspring:\n  config:\n    activate:\n      on-profile: dev\n  datasource:\n    url: jdbc:postgresql://dev.example.net:5432/a\nserver:\n  port: 9999\n";
    let out = migrate(|root| {
        program(root, "usr/bin/java", "x");
        write(root, "srv/a/a.jar", JAR);
        write(root, "srv/a/application.yml", text);
        write(
            root,
            "srv/a/application-dev.properties",
            "server.port=9998\nmail.host=mail.dev.example.net\nmail.port=25\n",
        );
        write(root, "srv/b/b.jar", JAR);
        write(
            root,
            "srv/b/application.properties",
            "server.port=8080\nspring.profiles.active=live\n#---\nspring.config.activate.on-profile=live\nserver.port=8077\n#---\nspring.config.activate.on-profile=!live\nserver.port=9997\n",
        );
        let unit = |jar: &str, more: &str| {
            format!(
                "User=shop\nWorkingDirectory=/srv/{jar}\nExecStart=/usr/bin/java -jar /srv/{jar}/{jar}.jar{more}"
            )
        };
        service(root, "a", &unit("a", " --spring.profiles.active=prod"));
        service(root, "b", &unit("b", ""));
    });
    assert_eq!(out.ports("a"), [8076]);
    let connects = out.workload("a")["connects"].to_string();
    assert!(
        connects.contains("pg.example.net") && !connects.contains("dev.example.net"),
        "{connects}"
    );
    assert_eq!(out.ports("b"), [8077]);
}

#[test]
fn a_secret_that_cannot_be_told_leaves_the_rest_written() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("machine");
    machine(&root);
    program(&root, "opt/shop/shopd", "x");
    // The value has a blank, and the variable is split into words.
    write(
        &root,
        "etc/default/odd",
        "OPTS=\"--password=geheim1x --verbose\"\nDB_PASSWORD=\"geheim2x zwei\"\n",
    );
    service(
        &root,
        "odd",
        "EnvironmentFile=/etc/default/odd\nExecStart=/opt/shop/shopd --password $DB_PASSWORD",
    );
    service(
        &root,
        "fine",
        "Environment=DB_PASSWORD=geheim3x\nExecStart=/opt/shop/shopd --password ${DB_PASSWORD}",
    );
    let out = scratch.path().join("out");
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args([
            "migrate",
            root.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
        ])
        .args(["--with-secrets", "--allow-partial"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    // Not silently: what is asked for is not all there.
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains("of odd: the command at"), "{said}");
    assert!(!said.contains("geheim"), "{said}");
    let written: Vec<String> = std::fs::read_dir(out.join("secrets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        written.iter().any(|name| name.starts_with("fine")),
        "{written:?}"
    );
    assert!(out.join("workloads/odd/Dockerfile").exists());
    let readme = std::fs::read_to_string(out.join("README.md")).unwrap();
    assert!(readme.contains("secrets/odd"), "{readme}");
}
