//! What configuration and files ask of the kernel. What binaries ask is read from their code, elsewhere.

use super::Seen;
use super::network::documents;
use crate::fact::{Evidence, Facts, FileState, Syntax};
use crate::path::MachinePath;
use crate::rule::Concern;
use crate::rule::catalogue::concern;
use crate::walk::Entry;
use std::collections::BTreeSet;

/// Sysctls that belong to a name space (namespaces(7), sysctl(7)); everything else is the host's.
const NAMESPACED: &[&str] = &[
    "net.",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
    "kernel.hostname",
    "kernel.domainname",
    "fs.mqueue.",
];

/// Sysctls under net. that only the initial network name space has.
const NOT_NAMESPACED: &[&str] = &[
    "net.core.rmem",
    "net.core.wmem",
    "net.core.netdev",
    "net.core.optmem",
    "net.core.bpf",
    "net.core.default_qdisc",
    "net.core.busy",
    "net.netfilter.nf_conntrack_max",
    "net.nf_conntrack_max",
    "net.ipv4.tcp_mem",
    "net.ipv4.udp_mem",
    "net.ipv4.tcp_max_orphans",
    "net.bridge.",
];

pub(super) fn concerns(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = modules_on_disk(seen.facts);
    found.extend(modules_by_configuration(seen.facts));
    found.extend(sysctls(seen.facts));
    found.extend(devices(seen));
    found.extend(other_processors(seen));
    found
}

fn is_module(entry: &Entry) -> bool {
    let name = entry.path.name();
    entry.is_file()
        && [".ko", ".ko.xz", ".ko.zst", ".ko.gz"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Modules under /lib/modules that no package owns, or that stand where add-ons are put and are not of the kernel's own
/// packages. Who owns what no database says is not known, and nothing is said of it.
fn modules_on_disk(facts: &Facts) -> Vec<Concern> {
    let Some(modules) = facts.tree.resolve(&"/lib/modules".into()) else {
        return Vec::new();
    };
    if facts.package_database.is_none() {
        return Vec::new();
    }
    let is_whole = facts.damaged_databases.is_empty();
    let kernels = kernels(facts, &modules);
    let foreign = |entry: &&Entry| {
        let path = entry.path.text().into_owned();
        let addon = ["/extra/", "/updates/", "/weak-updates/"]
            .iter()
            .any(|part| path.contains(part));
        is_module(entry)
            && match facts.owner(&entry.path) {
                Some(owner) => addon && !kernels.contains(owner.source.as_str()),
                None => addon || is_whole,
            }
    };
    let found: Vec<&Entry> = facts.tree.below(&modules).filter(foreign).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = found
        .iter()
        .map(|entry| entry.path.name().into_owned())
        .collect();
    let detail = crate::text::list(&names, 6);
    let evidence = found
        .iter()
        .take(20)
        .map(|entry| Evidence::file(&entry.path))
        .collect();
    concern("kernel/out-of-tree-module", None, detail, evidence)
        .into_iter()
        .collect()
}

/// The source packages of the kernels: of those that own the lists of what is built in, or what is below `kernel` in a
/// directory of modules where nobody owns the lists.
fn kernels<'a>(facts: &'a Facts, modules: &MachinePath) -> BTreeSet<&'a str> {
    let of = |wanted: &dyn Fn(&[u8], &Entry) -> bool| -> BTreeSet<&'a str> {
        let owners = facts.tree.below(modules).filter_map(|entry| {
            let release = modules.components().count();
            let part = entry.path.components().nth(release + 1);
            let is_wanted = part.is_some_and(|part| wanted(part, entry));
            is_wanted.then(|| facts.owner(&entry.path)).flatten()
        });
        owners.map(|owner| owner.source.as_str()).collect()
    };
    let lists = of(&|part, entry| part == b"modules.builtin" && entry.is_file());
    if lists.is_empty() {
        return of(&|part, entry| part == b"kernel" && is_module(entry));
    }
    lists
}

/// modules-load.d(5) and /etc/modules, as far as an administrator wrote them.
fn modules_by_configuration(facts: &Facts) -> Vec<Concern> {
    let wanted = |path: &str| path == "/etc/modules" || path.contains("/modules-load.d/");
    let mut found = Vec::new();
    for document in documents(facts, Syntax::Columns, wanted) {
        if facts.state(&document.path) == FileState::Pristine
            && facts.owner(&document.path).is_some()
        {
            continue;
        }
        for setting in &document.settings {
            let detail = format!("loads {}", setting.key);
            let evidence = vec![document.evidence(setting)];
            found.extend(concern(
                "kernel/module-loaded-by-config",
                None,
                detail,
                evidence,
            ));
        }
    }
    found
}

fn sysctls(facts: &Facts) -> Vec<Concern> {
    let wanted = |path: &str| path == "/etc/sysctl.conf" || path.contains("/sysctl.d/");
    let mut found = Vec::new();
    for document in documents(facts, Syntax::KeyEquals, wanted) {
        let owned = facts.owner(&document.path).is_some();
        if owned && facts.state(&document.path) == FileState::Pristine {
            continue;
        }
        for setting in &document.settings {
            let name = sysctl_name(&setting.key);
            let rule = if is_namespaced(&name) {
                "kernel/namespaced-sysctl"
            } else {
                "kernel/host-sysctl"
            };
            let detail = format!("{name} = {}", setting.args.join(" "));
            found.extend(concern(
                rule,
                None,
                detail,
                vec![document.evidence(setting)],
            ));
        }
    }
    found
}

/// sysctl.d(5) takes `net/ipv4/ip_forward` and `-net.ipv4.ip_forward` too.
pub fn sysctl_name(key: &str) -> String {
    key.trim_start_matches('-').replace('/', ".")
}

pub fn is_namespaced(name: &str) -> bool {
    NAMESPACED.iter().any(|prefix| name.starts_with(prefix))
        && !NOT_NAMESPACED.iter().any(|prefix| name.starts_with(prefix))
}

/// Devices that units ask for by name.
fn devices(seen: &Seen<'_>) -> Vec<Concern> {
    let always = [
        "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "stdin",
        "stdout", "stderr", "log", "console",
    ];
    let mut found = Vec::new();
    for workload in seen.workloads {
        let services = workload.services.iter();
        for device in services.flat_map(|service| &service.devices) {
            let name = device.name.strip_prefix("/dev/").unwrap_or(&device.name);
            if name.is_empty() || always.contains(&name) {
                continue;
            }
            found.extend(concern(
                "device/special-node",
                Some(&workload.id),
                device.name.clone(),
                vec![device.evidence.clone()],
            ));
        }
    }
    found
}

/// Programs for another processor than hosts commonly have, or for a level of it that not every host has.
fn other_processors(seen: &Seen<'_>) -> Vec<Concern> {
    let mut found = Vec::new();
    for workload in seen.workloads {
        for elf in seen.elfs(workload) {
            let common = matches!(elf.machine.as_str(), "x86_64" | "aarch64");
            let (detail, excerpt) = match elf.level {
                _ if !common => (
                    format!("{} is a {}-bit {} program", elf.path, elf.bits, elf.machine),
                    format!("e_machine {}", elf.machine),
                ),
                // The second level is in every processor since 2009; the third and fourth are not.
                Some(level) if level > 2 => (
                    format!(
                        "{} needs {}",
                        elf.path,
                        crate::kernel::need::level_name(&elf.machine, level)
                    ),
                    "GNU_PROPERTY_X86_ISA_1_NEEDED".to_owned(),
                ),
                _ => continue,
            };
            let evidence = if common {
                Evidence::file(&elf.path).with_excerpt(&excerpt)
            } else {
                Evidence::offset(&elf.path, 18, &excerpt)
            };
            let id = Some(workload.id.as_str());
            found.extend(concern(
                "kernel/instruction-set",
                id,
                detail,
                vec![evidence],
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileKind;
    use crate::fact::{Ownership, Package};
    use crate::walk::Tree;

    /// Which modules are foreign on a machine with a kernel's package, one with more modules of the same source, and a vendor's.
    fn foreign(database: Option<&str>, is_damaged: bool) -> Vec<String> {
        let package = |name: &str, source: &str| Package {
            name: name.into(),
            version: "1".into(),
            arch: "x86_64".into(),
            source: source.into(),
            manual: true,
            ..Package::new(Evidence::file(&"/var/lib/rpm/rpmdb.sqlite".into()))
        };
        let owned = ["kernel/a.ko", "extra/more.ko.xz", "extra/vendor.ko"];
        let nobodys = ["kernel/made.ko", "updates/dkms.ko"];
        let path = |name: &str| MachinePath::new(format!("/lib/modules/5.1/{name}"));
        let files = owned.iter().chain(&nobodys);
        let owners = (0..)
            .zip(owned)
            .map(|(at, name)| (path(name), at))
            .collect();
        let directory = |path: &str| Entry {
            kind: FileKind::Directory,
            ..Entry::file(&path.into(), 0o755)
        };
        let mut entries = vec![directory("/lib"), directory("/lib/modules")];
        entries.extend(files.map(|name| Entry::file(&path(name), 0o644)));
        let facts = Facts {
            tree: Tree::new(entries),
            packages: vec![
                package("kernel-core", "kernel"),
                package("kernel-modules-extra", "kernel"),
                package("vendor", "vendor"),
            ],
            package_database: database.map(str::to_owned),
            damaged_databases: is_damaged
                .then(|| ("rpm", "/x".into()))
                .into_iter()
                .collect(),
            ownership: Ownership::new(owners, Vec::new()),
            ..Facts::default()
        };
        let evidence = modules_on_disk(&facts)
            .into_iter()
            .flat_map(|concern| concern.evidence);
        evidence
            .map(|evidence| evidence.path.name().into_owned())
            .collect()
    }

    #[test]
    fn modules_of_the_kernels_own_packages_are_not_foreign_wherever_they_are() {
        assert_eq!(
            foreign(Some("rpm"), false),
            ["vendor.ko", "made.ko", "dkms.ko"]
        );
    }

    #[test]
    fn modules_whose_owner_is_not_known_are_not_foreign() {
        assert!(foreign(None, false).is_empty());
        assert_eq!(foreign(Some("rpm"), true), ["vendor.ko", "dkms.ko"]);
    }

    #[test]
    fn which_sysctls_are_the_containers() {
        assert!(is_namespaced("net.ipv4.ip_forward") && is_namespaced("kernel.shmmax"));
        assert!(!is_namespaced("vm.swappiness") && !is_namespaced("net.core.rmem_max"));
        assert_eq!(sysctl_name("-net/ipv4/ip_forward"), "net.ipv4.ip_forward");
    }
}
