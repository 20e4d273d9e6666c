//! What a guest's own tools say of its tree, and whether our facts say the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use transvase::examine::{examine, registry};
use transvase::fact::{Facts, FileState};
use transvase::path::MachinePath;
use transvase::plan::PlanOptions;
use transvase::product::pack::Packs;
use transvase::progress::Silent;
use transvase::source::{OpenOptions, Root};

type Lines = BTreeSet<String>;

/// Standard output, whatever the exit code: `dpkg --verify` leaves with 1 where files differ.
fn lines(command: &mut Command) -> Lines {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !text.trim().is_empty(),
        "{command:?} says nothing: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn same(what: &str, truth: &Lines, ours: &Lines) {
    let missing: Vec<_> = truth.difference(ours).collect();
    let invented: Vec<_> = ours.difference(truth).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "{what}: missing {missing:?}, invented {invented:?}"
    );
}

/// Unpacks the guest's tar, asks dpkg, apt and its account files, and compares.
pub fn facts_are_the_guests_own(tar: &Path, image: &Path, scratch: &Path) {
    let tree = scratch.join("tree");
    std::fs::create_dir_all(&tree).expect("a directory for the tree");
    let unpacked = Command::new("tar")
        .arg("-C")
        .arg(&tree)
        .args(["--numeric-owner", "--exclude=./dev/*", "-xf"])
        .arg(tar)
        .status()
        .expect("tar runs");
    assert!(unpacked.success(), "{} can be unpacked", tar.display());

    let root = Root::open(&[image.into()], &OpenOptions::default()).expect("the image opens");
    let packs = Packs::builtin().expect("packs");
    let registry = registry(&packs).expect("a registry");
    let facts = examine(
        &root,
        &registry,
        &packs,
        &PlanOptions::default(),
        Vec::new(),
        &Silent,
    )
    .facts;
    packages(&tree, &facts);
    marks(&tree, &facts);
    changed(&tree, &facts);
    accounts(&tree, &facts);
}

fn packages(tree: &Path, facts: &Facts) {
    let format = "${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
    let truth = lines(
        Command::new("dpkg-query")
            .arg(format!("--admindir={}/var/lib/dpkg", tree.display()))
            .args(["-W", "-f", format]),
    );
    let truth = truth
        .iter()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(str::to_owned)
        .collect();
    let ours = facts
        .packages
        .iter()
        .map(|package| format!("{} {} {}", package.name, package.version, package.arch));
    same("packages", &truth, &ours.collect());
}

fn marks(tree: &Path, facts: &Facts) {
    let state = tree.join("var/lib");
    let truth = lines(
        Command::new("apt-mark")
            .arg("-o")
            .arg(format!(
                "Dir::State::status={}/dpkg/status",
                state.display()
            ))
            .arg("-o")
            .arg(format!("Dir::State={}/apt", state.display()))
            .arg("showmanual"),
    );
    let truth = truth
        .iter()
        .map(|name| name.split(':').next().unwrap_or_default().to_owned());
    let manual = facts.packages.iter().filter(|package| package.manual);
    let ours = manual.map(|package| package.name.clone());
    same("manual packages", &truth.collect(), &ours.collect());
}

/// dpkg hashes every packaged file; ours must find the same changes by looking at far fewer.
fn changed(tree: &Path, facts: &Facts) {
    let verified = lines(Command::new("dpkg").arg("--root").arg(tree).arg("--verify"));
    // `??5?????? c /etc/x`: the third mark is the digest's. What is missing is named so, and is another matter.
    let truth = verified
        .iter()
        .filter(|line| line.starts_with("??5"))
        .filter_map(|line| line.find('/').and_then(|at| line.get(at..)))
        .map(|path| facts.tree.canonical(&MachinePath::from(path)).to_string());
    let modified = facts
        .digests
        .keys()
        .filter(|path| facts.state(path) == FileState::Modified);
    let ours = modified.map(ToString::to_string);
    same("changed files", &truth.collect(), &ours.collect());
}

fn accounts(tree: &Path, facts: &Facts) {
    let name_and_number = |file: &str| -> Lines {
        let text = std::fs::read_to_string(tree.join(file)).expect("an account file");
        let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.map(|f| format!("{} {}", f[0], f[2])).collect()
    };
    let users = facts.users.iter().map(|u| format!("{} {}", u.name, u.uid));
    same("users", &name_and_number("etc/passwd"), &users.collect());
    let groups = facts.groups.iter().map(|g| format!("{} {}", g.name, g.gid));
    same("groups", &name_and_number("etc/group"), &groups.collect());
}
