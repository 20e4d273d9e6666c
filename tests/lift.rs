//! Images lifted off the disk: what is in them and what not, layer by layer, and the OCI layouts made of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_push_string
)]

#[path = "small/mod.rs"]
mod small;

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One package: its paragraph, and its files.
fn package(root: &Path, name: &str, fields: &str, files: &[(&str, u32)]) {
    let record = root.join("var/lib/dpkg/status");
    let mut status = fs::read_to_string(&record).unwrap_or_default();
    status += &format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n{fields}\n"
    );
    small::write(root, "var/lib/dpkg/status", status);
    let mut list = String::from("/.\n");
    for (path, mode) in files {
        small::write(root, path, format!("{name}{path}"));
        let file = root.join(path.trim_start_matches('/'));
        fs::set_permissions(file, fs::Permissions::from_mode(*mode)).unwrap();
        let mut at = String::new();
        for part in path.trim_start_matches('/').split('/') {
            at += &format!("/{part}");
            list += &format!("{at}\n");
        }
    }
    small::write(root, &format!("var/lib/dpkg/info/{name}.list"), list);
}

/// A server of a package with dependencies of several kinds, as an administrator left it.
fn machine(root: &Path) {
    small::machine(root);
    let essential = "Essential: yes\nPriority: required\n";
    package(
        root,
        "base-files",
        essential,
        &[("/usr/share/base-files/profile", 0o644)],
    );
    package(root, "dash", essential, &[("/usr/bin/dash", 0o755)]);
    symlink("dash", root.join("usr/bin/sh")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    let fields = "Depends: libshop1, shop-data, debconf (>= 0.5) | debconf-2.0, wrapper\n";
    package(
        root,
        "shopd",
        fields,
        &[
            ("/usr/sbin/shopd", 0o755),
            ("/usr/lib/shopd/helper", 0o4755),
            ("/usr/share/doc/shopd/copyright", 0o644),
            ("/usr/share/doc/shopd/README", 0o644),
            ("/usr/share/man/man8/shopd.8", 0o644),
            ("/usr/include/shopd.h", 0o644),
        ],
    );
    small::program(root, "usr/sbin/shopd", "#!/bin/sh\nexec sleep 1000\n");
    package(root, "libshop1", "", &[("/usr/lib/libshop.so.1.0", 0o644)]);
    symlink("libshop.so.1.0", root.join("usr/lib/libshop.so.1")).unwrap();
    package(
        root,
        "shop-data",
        "",
        &[
            ("/usr/share/shop/goods", 0o644),
            ("/usr/share/shop/.wh.goods", 0o644),
        ],
    );
    package(root, "debconf", "", &[("/usr/bin/debconf", 0o755)]);
    package(root, "wrapper", "", &[("/usr/bin/wrapper", 0o755)]);
    package(root, "unrelated", "", &[("/usr/bin/unrelated", 0o755)]);
    // Made by packages' scripts: an index beside what it is of, and a link by way of alternatives.
    small::write(root, "usr/share/shop/goods.index", "index");
    fs::hard_link(
        root.join("usr/share/shop/goods"),
        root.join("usr/share/shop/goods.old"),
    )
    .unwrap();
    fs::create_dir_all(root.join("etc/alternatives")).unwrap();
    symlink("/usr/sbin/shopd", root.join("etc/alternatives/shop")).unwrap();
    symlink("/etc/alternatives/shop", root.join("usr/bin/shop")).unwrap();
    symlink("/usr/bin/unrelated", root.join("usr/bin/other")).unwrap();
    // The machine's own.
    small::write(root, "etc/shopd/site.conf", "port 8123\n");
    small::write(root, "srv/shop/page", "hello\n");
    small::write(
        root,
        "etc/shadow",
        "root:$6$abcdefgh$0123456789:1:0:99999:7:::\n",
    );
    let users = "root:x:0:0:Root:/root:/bin/sh\nshop:x:900:900::/var/lib/shop:/bin/sh\njoe:x:1000:1000:Joe:/home/joe:/bin/bash\n";
    small::write(root, "etc/passwd", users);
    let exec =
        "ExecStart=/usr/sbin/shopd --config /etc/shopd/site.conf --root /srv/shop\nUser=shop";
    small::service(root, "shopd", exec);
}

fn transvase(root: &Path, out: &Path, more: &[&str]) -> std::process::Output {
    let output = Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(["migrate", "--allow-partial", "-q"])
        .arg(root)
        .arg("-o")
        .arg(out)
        .args(more)
        .output();
    output.unwrap()
}

fn migrate(root: &Path, out: &Path, more: &[&str]) -> String {
    let output = transvase(root, out, more);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

/// A member as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    link: Option<PathBuf>,
    text: Vec<u8>,
}

/// The members of an archive; none is in it twice.
fn members(from: impl Read) -> BTreeMap<String, Member> {
    let mut archive = tar::Archive::new(from);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry
            .path()
            .unwrap()
            .to_string_lossy()
            .trim_end_matches('/')
            .to_owned();
        let mut text = Vec::new();
        let link = entry.link_name().unwrap().map(std::borrow::Cow::into_owned);
        let header = entry.header();
        let member = Member {
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            link,
            text: Vec::new(),
        };
        entry.read_to_end(&mut text).unwrap();
        assert!(
            !name.starts_with('/') && !name.split('/').any(|part| part == ".."),
            "{name}"
        );
        let before = found.insert(name.clone(), Member { text, ..member });
        assert!(before.is_none(), "{name} is in it twice");
    }
    found
}

/// Everything in a build context's archives, later ones over earlier ones, and in the trees beside them.
fn context(out: &Path) -> BTreeMap<String, Member> {
    let rootfs = out.join("workloads/shopd/rootfs");
    let mut found = BTreeMap::new();
    for layer in ["shared", "packages", "application", "configuration"] {
        if let Ok(file) = fs::File::open(rootfs.join(format!("{layer}.tar"))) {
            found.extend(members(file));
        }
    }
    found
}

#[test]
fn an_image_has_what_the_service_needs_and_nothing_that_only_installs() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path().join("root"), folder.path().join("out"));
    machine(&root);
    let told = migrate(&root, &out, &["--strategy", "lift"]);
    let found = context(&out);
    for there in [
        "usr/sbin/shopd",
        "usr/bin/dash",
        "usr/bin/sh",
        "bin",
        "usr/lib/libshop.so.1.0",
        "usr/lib/libshop.so.1",
        "usr/share/shop/goods",
        "usr/share/doc/shopd/copyright",
        // What packages' scripts made.
        "usr/share/shop/goods.index",
        "etc/alternatives/shop",
        "usr/bin/shop",
        "tmp",
    ] {
        assert!(
            found.contains_key(there),
            "{there} is missing: {:?}",
            found.keys()
        );
    }
    for gone in [
        "usr/bin/debconf",
        "usr/bin/unrelated",
        "usr/bin/other",
        "usr/share/doc/shopd/README",
        "usr/share/man/man8/shopd.8",
        "usr/include/shopd.h",
        "etc/shadow",
        "etc/systemd/system/shopd.service",
        "var/lib/dpkg/info/shopd.list",
    ] {
        assert!(!found.contains_key(gone), "{gone}");
    }
    // A name that would delete what a lower layer has.
    assert!(!found.keys().any(|name| name.contains(".wh.")));
    assert!(told.contains(".wh.goods"), "{told}");
    assert_eq!(found["usr/lib/shopd/helper"].mode, 0o4755);
    let linked: Vec<&Member> = ["usr/share/shop/goods", "usr/share/shop/goods.old"]
        .iter()
        .map(|name| &found[*name])
        .collect();
    assert!(
        linked
            .iter()
            .any(|member| member.kind == tar::EntryType::Link),
        "{linked:?}"
    );
    // Accounts of the system and of the service; a person's stays behind, and so do passwords and full names.
    let passwd = String::from_utf8_lossy(&found["etc/passwd"].text);
    assert_eq!(
        passwd,
        "root:x:0:0::/root:/bin/sh\nshop:x:900:900::/var/lib/shop:/bin/sh\n"
    );
    let record = String::from_utf8_lossy(&found["var/lib/dpkg/status"].text);
    let named: BTreeSet<&str> = record
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .collect();
    assert_eq!(
        named,
        BTreeSet::from([
            "base-files",
            "dash",
            "libshop1",
            "shop-data",
            "shopd",
            "wrapper"
        ])
    );
}

#[test]
fn what_the_machine_added_stands_beside_the_archives_for_people_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path().join("root"), folder.path().join("out"));
    machine(&root);
    migrate(&root, &out, &["--strategy", "lift"]);
    let workload = out.join("workloads/shopd");
    let page = fs::read_to_string(workload.join("rootfs/srv/shop/page")).unwrap();
    assert_eq!(page, "hello\n");
    let dockerfile = fs::read_to_string(workload.join("Dockerfile")).unwrap();
    assert!(dockerfile.contains("\nFROM scratch\n"), "{dockerfile}");
    let owner = fs::metadata(root.join("srv/shop")).unwrap();
    let copy = format!(
        "COPY --chown={}:{} rootfs/srv/shop/ /srv/shop/",
        owner.uid(),
        owner.gid()
    );
    assert!(dockerfile.contains(&copy), "{dockerfile}");
    assert!(!dockerfile.contains("\nRUN "), "{dockerfile}");
    assert!(
        !context(&out).contains_key("srv/shop/page"),
        "it would be there twice"
    );
    let readme = fs::read_to_string(workload.join("README.md")).unwrap();
    assert!(
        readme.contains("| documentation | 2 |") && readme.contains("`libshop1`"),
        "{readme}"
    );
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

/// A blob by the digest that something names, which has to be its own.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap();
    let bytes = fs::read(layout.join("blobs/sha256").join(digest)).unwrap();
    assert_eq!(hex(&bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

#[test]
fn layouts_are_whole_and_the_same_on_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    machine(&root);
    small::service(
        &root,
        "second",
        "ExecStart=/usr/sbin/shopd --config /etc/shopd/second.conf\nUser=shop",
    );
    small::write(&root, "etc/shopd/second.conf", "port 8124\n");
    let outs = ["one", "two"].map(|name| folder.path().join(name));
    for out in &outs {
        migrate(&root, out, &["--formats", "compose,oci"]);
    }
    let same = Command::new("diff").arg("-r").args(&outs).output().unwrap();
    assert!(
        same.status.success(),
        "{}",
        String::from_utf8_lossy(&same.stdout)
    );
    let all = outs[0].join("oci");
    let index = json(&all.join("index.json"));
    let manifests = index["manifests"].as_array().unwrap();
    let names: Vec<&str> = manifests
        .iter()
        .filter_map(|manifest| {
            manifest["annotations"]["org.opencontainers.image.ref.name"].as_str()
        })
        .collect();
    assert_eq!(names.len(), manifests.len());
    for manifest in manifests {
        let manifest: Value = serde_json::from_slice(&blob(&all, manifest)).unwrap();
        let config: Value = serde_json::from_slice(&blob(&all, &manifest["config"])).unwrap();
        let diffs = config["rootfs"]["diff_ids"].as_array().unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(diffs.len(), layers.len());
        assert_eq!(config["history"].as_array().unwrap().len(), layers.len());
        for (layer, diff) in layers.iter().zip(diffs) {
            let packed = blob(&all, layer);
            let mut archive = Vec::new();
            flate2::read::GzDecoder::new(packed.as_slice())
                .read_to_end(&mut archive)
                .unwrap();
            assert_eq!(diff, &format!("sha256:{}", hex(&archive)));
            // Directories above are in every layer: an engine makes those that are not anew, as root's.
            let found = members(archive.as_slice());
            for name in found.keys() {
                let above = Path::new(name)
                    .parent()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                assert!(
                    above.is_empty() || found.contains_key(&above),
                    "{name} without {above}"
                );
            }
        }
        assert_eq!(config["os"], "linux");
        assert!(
            config["config"]["Cmd"]
                .as_array()
                .is_some_and(|words| !words.is_empty())
        );
    }
}

#[test]
fn without_compose_nothing_is_there_to_be_built() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path().join("root"), folder.path().join("out"));
    machine(&root);
    migrate(&root, &out, &["--formats", "oci"]);
    let workload = out.join("workloads/shopd");
    assert!(workload.join("oci/index.json").exists());
    for name in ["Dockerfile", "rootfs", "entrypoint.sh", ".dockerignore"] {
        assert!(!workload.join(name).exists(), "{name}");
    }
    assert!(!out.join("compose.yaml").exists());
    let readme = fs::read_to_string(out.join("README.md")).unwrap();
    assert!(
        !readme.contains("docker compose") && readme.contains("skopeo copy"),
        "{readme}"
    );
    let refused = transvase(
        &root,
        &folder.path().join("no"),
        &["--formats", "oci", "--strategy", "packages"],
    );
    assert_eq!(refused.status.code(), Some(2));
    assert!(!folder.path().join("no").exists());
}

#[test]
fn where_nothing_can_be_lifted_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path().join("root"), folder.path().join("out"));
    small::machine(&root);
    small::program(&root, "opt/own/run", "#!/bin/sh\nexec sleep 1000\n");
    small::service(&root, "own", "ExecStart=/opt/own/run");
    let told = migrate(&root, &out, &["--formats", "compose,oci"]);
    assert!(told.contains("the image layout of own"), "{told}");
    let readme = fs::read_to_string(out.join("workloads/own/README.md")).unwrap();
    assert!(readme.contains("Lift was asked for"), "{readme}");
}
