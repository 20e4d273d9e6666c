//! A pack's own cases: a small machine in memory goes through the real readers, and what is found is compared.

use crate::detect::native::package;
use crate::plan::PlanOptions;
use crate::product::Product;
use crate::product::pack::{Case, Expect, Pack, Packs};
use crate::progress::Silent;
use crate::service;
use crate::source::Root;
use std::collections::BTreeMap;

/// What every machine has: a target to start, and the shelves a package owns.
const BASE: &[(&str, &str)] = &[
    (
        "/etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
    ),
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\nwww-data:x:33:\n"),
    (
        "/usr/lib/systemd/system/default.target",
        "-> multi-user.target",
    ),
    (
        "/usr/lib/systemd/system/multi-user.target",
        "[Unit]\nDescription=Multi-User System\n",
    ),
    ("/lib", "-> usr/lib"),
    ("/bin", "-> usr/bin"),
    ("/sbin", "-> usr/sbin"),
    ("/usr/bin/", ""),
    ("/usr/sbin/", ""),
    ("/srv/", ""),
    ("/opt/", ""),
];

/// Runs one case; returns what differs, a line each.
pub fn run(pack: &Pack, packs: &Packs, case: &Case) -> Vec<String> {
    let root = Root::memory(&files(case));
    let registry = match super::registry(packs) {
        Ok(registry) => registry,
        Err(error) => return vec![error.to_string()],
    };
    let facts = super::examine(
        &root,
        &registry,
        packs,
        &PlanOptions::default(),
        Vec::new(),
        &Silent,
    )
    .facts;
    let services = service::services(&facts, &packs.generated_units(&facts));
    let Some(name) = &case.service else {
        let all = packs.concerns(&facts, &services.services);
        let own: Vec<String> = all
            .iter()
            .filter(|concern| {
                pack.file
                    .concern
                    .iter()
                    .any(|own| own.rule == concern.rule && own.detail == concern.detail)
            })
            .map(|concern| concern.rule.clone())
            .collect();
        let mut failures = compare(
            "recognised",
            &[case.expect.recognised.to_string()],
            &[(!own.is_empty()).to_string()],
        );
        failures.extend(
            case.expect
                .concerns
                .iter()
                .flat_map(|wanted| compare("concerns", wanted, &own)),
        );
        return failures;
    };
    let Some(service) = services
        .services
        .iter()
        .find(|service| service.name == *name)
    else {
        return vec![format!("no service {name} on the machine")];
    };
    let product = packs
        .recognise(service, &facts)
        .filter(|product| product.pack == pack.file.id);
    match (product, case.expect.recognised) {
        (None, false) => Vec::new(),
        (Some(_), false) => vec![format!("{name} was recognised")],
        (None, true) => {
            let by = packs
                .of(service, &facts)
                .map_or("nobody", |pack| pack.file.id.as_str());
            vec![format!("{name} was not recognised (but by {by})")]
        }
        (Some(product), true) => differences(&case.expect, &product),
    }
}

/// What a case asks, what it expects, and what was found.
type Asked<'a> = (&'a str, &'a Option<Vec<String>>, Vec<String>);

fn differences(expect: &Expect, product: &Product) -> Vec<String> {
    let listens: Vec<String> = product
        .listens
        .iter()
        .map(|listen| match listen.port {
            0 => format!("{} {}", listen.protocol, listen.address),
            port if listen.address.contains(':') => {
                format!("{} [{}]:{port}", listen.protocol, listen.address)
            }
            port => format!("{} {}:{port}", listen.protocol, listen.address),
        })
        .collect();
    let connects = product
        .connects
        .iter()
        .map(|connect| connect.to.clone())
        .collect();
    let data = product
        .data
        .iter()
        .map(|(path, ..)| path.to_string())
        .collect();
    let claims = product
        .claims
        .iter()
        .map(|(path, _)| path.to_string())
        .collect();
    let concerns = product
        .concerns
        .iter()
        .map(|concern| concern.rule.clone())
        .collect();
    let asked: [Asked<'_>; 5] = [
        ("listens", &expect.listens, listens),
        ("connects", &expect.connects, connects),
        ("data", &expect.data, data),
        ("claims", &expect.claims, claims),
        ("concerns", &expect.concerns, concerns),
    ];
    let mut failures = Vec::new();
    if let Some(wanted) = expect
        .disposition
        .filter(|wanted| *wanted != product.disposition)
    {
        failures.push(format!(
            "disposition: expected {wanted:?}, found {:?}",
            product.disposition
        ));
    }
    for (what, wanted, found) in asked {
        failures.extend(
            wanted
                .iter()
                .flat_map(|wanted| compare(what, wanted, &found)),
        );
    }
    if let Some(wanted) = &expect.command {
        let found = product.command.clone().unwrap_or_default();
        if *wanted != found {
            failures.push(format!("command: expected {wanted:?}, found {found:?}"));
        }
    }
    if expect.user.is_some() && expect.user != product.user {
        let (wanted, found) = (&expect.user, &product.user);
        failures.push(format!("user: expected {wanted:?}, found {found:?}"));
    }
    failures
}

/// As sets: the order is the evaluation's own.
fn compare(what: &str, wanted: &[String], found: &[String]) -> Vec<String> {
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list.dedup();
        list
    };
    let (wanted, found) = (sorted(wanted), sorted(found));
    if wanted == found {
        Vec::new()
    } else {
        vec![format!("{what}: expected {wanted:?}, found {found:?}")]
    }
}

fn files(case: &Case) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BASE
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let mut packages = case.packages.clone();
    packages
        .entry("base-files".into())
        .or_default()
        .extend(["/srv", "/opt", "/etc", "/usr/bin", "/usr/sbin"].map(str::to_owned));
    files.extend(package::made_up(&packages));
    let owned = packages.values().flatten();
    for path in owned.filter(|path| path.contains("bin/")) {
        files.entry(path.clone()).or_insert_with(|| "binary".into());
    }
    files.extend(case.files.clone());
    if let Some(service) = &case.service {
        let template = service
            .split_once('@')
            .map(|(stem, _)| format!("{stem}@.service"));
        let names: Vec<&String> = std::iter::once(service).chain(&template).collect();
        let unit = files
            .keys()
            .find(|path| names.iter().any(|name| path.ends_with(&format!("/{name}"))))
            .cloned();
        if let Some(unit) = unit.filter(|unit| unit.contains("systemd/system/")) {
            files.insert(
                format!("/etc/systemd/system/multi-user.target.wants/{service}"),
                format!("-> {unit}"),
            );
        }
    }
    files
}
