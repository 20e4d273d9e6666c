//! Applications as people have them: what they use beside their own files is there, and is what it was.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside any test function"
)]

mod small;

use serde_json::Value;
use small::{machine, program, service, write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Migrates a machine; what stands in OUT/scan.json.
fn migrate(root: &Path, out: &Path) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args([Path::new("migrate"), root, Path::new("-o"), out])
        .args(["--allow-partial", "--with-secrets"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    serde_json::from_str(&std::fs::read_to_string(out.join("scan.json")).unwrap()).unwrap()
}

fn workload<'s>(scan: &'s Value, id: &str) -> &'s Value {
    let mut all = scan["workloads"].as_array().unwrap().iter();
    all.find(|workload| workload["id"] == id).unwrap()
}

fn rules(scan: &Value, workload: &str) -> Vec<String> {
    let all = scan["concerns"].as_array().unwrap().iter();
    let own = all.filter(|concern| concern["workload"] == workload);
    own.map(|concern| concern["rule"].as_str().unwrap().to_owned())
        .collect()
}

fn paths(list: &Value) -> Vec<&str> {
    let all = list.as_array().unwrap().iter();
    all.map(|item| item["path"].as_str().unwrap()).collect()
}

#[test]
fn what_is_mounted_where_an_application_looks() {
    let scratch = tempfile::tempdir().unwrap();
    let (root, out) = (scratch.path().join("machine"), scratch.path().join("out"));
    machine(&root);
    program(&root, "opt/dms/bin/dms", "#!/bin/dash\n");
    let config = "[server]\nlisten = 0.0.0.0:7070\ninbox_dir = /mnt/share/inbox\n";
    write(&root, "opt/dms/etc/dms.conf", config);
    write(&root, "opt/dms/tmp/old", "x");
    write(&root, "srv/archive/2023/a", "x");
    let fstab = "nas:/share /mnt/share nfs4 rw 0 0\ntmpfs /opt/dms/tmp tmpfs size=9m,nosuid 0 0\n\
                 /dev/sdb1 /srv/archive xfs rw 0 2\nnas:/other /mnt/other nfs4 rw 0 0\n";
    write(&root, "etc/fstab", fstab);
    write(&root, "etc/resolv.conf", "search corp.example.net\n");
    let lines = "User=shop\nExecStart=/opt/dms/bin/dms --config /opt/dms/etc/dms.conf --archive=/srv/archive";
    service(&root, "dms", lines);
    let scan = migrate(&root, &out);
    let dms = workload(&scan, "dms");
    assert_eq!(dms["listens"][0]["port"], 7070);
    assert_eq!(paths(&dms["data"]), ["/srv/archive"]);
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    for line in [
        "source: \"/mnt/share\"",
        "- \"/opt/dms/tmp:size=9m\"",
        "dns_search:",
        "target: \"/srv/archive\"",
    ] {
        assert!(compose.contains(line), "{line} in\n{compose}");
    }
    assert!(!compose.contains("/mnt/other"), "nobody looks there");
    let image = out.join("workloads/dms/rootfs");
    assert!(image.join("opt/dms/etc/dms.conf").exists());
    assert!(!image.join("srv/archive").exists() && !image.join("opt/dms/tmp/old").exists());
}

#[test]
fn the_state_of_a_service_without_an_account_is_used_by_its_own_name() {
    let scratch = tempfile::tempdir().unwrap();
    let (root, out) = (scratch.path().join("machine"), scratch.path().join("out"));
    machine(&root);
    program(&root, "opt/ledger/ledger", "#!/bin/dash\n");
    write(&root, "var/lib/private/ledger/db", "x");
    symlink("private/ledger", root.join("var/lib/ledger")).unwrap();
    write(&root, "etc/ledger/handed-over", "not a real secret\n");
    let lines = "DynamicUser=yes\nStateDirectory=ledger\nConfigurationDirectory=ledger\n\
                 ReadWritePaths=/etc/ledger\n\
                 LoadCredential=key:/etc/ledger/handed-over\nExecStart=/opt/ledger/ledger";
    service(&root, "ledger", lines);
    let scan = migrate(&root, &out);
    assert_eq!(
        paths(&workload(&scan, "ledger")["data"]),
        ["/var/lib/ledger"]
    );
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    assert!(compose.contains("target: \"/var/lib/ledger\""), "{compose}");
    let dockerfile = std::fs::read_to_string(out.join("workloads/ledger/Dockerfile")).unwrap();
    assert!(dockerfile.contains("ENV STATE_DIRECTORY=\"/var/lib/ledger\""));
    assert!(!dockerfile.contains("/var/lib/private"), "{dockerfile}");
    let image = out.join("workloads/ledger/rootfs");
    assert!(!image.join("etc/ledger/handed-over").exists());
}

#[test]
fn jobs_have_what_they_call_read_and_write() {
    let scratch = tempfile::tempdir().unwrap();
    let (root, out) = (scratch.path().join("machine"), scratch.path().join("out"));
    machine(&root);
    program(&root, "opt/tools/load", "#!/bin/dash\n");
    program(&root, "usr/bin/mysqldump", "x");
    write(&root, "etc/environment", "STAGE=live\nPATH=/nowhere\n");
    write(
        &root,
        "var/lib/shop/.my.cnf",
        "[client]\npassword=not-a-real-one\n",
    );
    std::fs::create_dir_all(root.join("srv/out")).unwrap();
    let table = "PATH=/usr/bin:/opt/tools\nMAILTO=ops@example.net\n\
                 1 2 * * * shop load && mysqldump shop > /srv/out/shop-$(date).sql\n\
                 * * * * * shop systemctl is-active shop\n";
    write(&root, "etc/cron.d/shop", table);
    let scan = migrate(&root, &out);
    let jobs = workload(&scan, "jobs-shop");
    assert_eq!(paths(&jobs["data"]), ["/srv/out"]);
    let found = rules(&scan, "jobs-shop");
    for rule in ["process/local-mail", "process/service-manager"] {
        assert!(found.iter().any(|own| own == rule), "{rule} in {found:?}");
    }
    let folder = out.join("workloads/jobs-shop/rootfs");
    assert!(folder.join("opt/tools/load").exists());
    let table = std::fs::read_to_string(folder.join("etc/cron.d/jobs-shop")).unwrap();
    assert!(
        table.contains("STAGE=live") && !table.contains("/nowhere"),
        "{table}"
    );
    let compose = std::fs::read_to_string(out.join("compose.yaml")).unwrap();
    assert!(compose.contains(".my.cnf"), "{compose}");
}

#[test]
fn directories_that_an_application_writes_into_are_there() {
    let scratch = tempfile::tempdir().unwrap();
    let (root, out) = (scratch.path().join("machine"), scratch.path().join("out"));
    machine(&root);
    program(&root, "srv/site/bin/site", "#!/bin/dash\n");
    write(
        &root,
        "srv/site/config/site.ini",
        "[files]\nstorage_dir = /srv/site/storage\n",
    );
    std::fs::create_dir_all(root.join("srv/site/storage/app/2026")).unwrap();
    for directory in ["storage", "storage/app", "storage/app/2026"] {
        let path = root.join("srv/site").join(directory);
        std::os::unix::fs::chown(path, Some(900), Some(900)).unwrap_or_default();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(root.join("srv/site").join(directory), mode).unwrap();
    }
    service(&root, "site", "User=shop\nExecStart=/srv/site/bin/site");
    let scan = migrate(&root, &out);
    assert_eq!(
        paths(&workload(&scan, "site")["data"]),
        ["/srv/site/storage"]
    );
    let dockerfile = std::fs::read_to_string(out.join("workloads/site/Dockerfile")).unwrap();
    assert!(
        dockerfile.contains(" /srv/site/storage/app/2026"),
        "{dockerfile}"
    );
}
