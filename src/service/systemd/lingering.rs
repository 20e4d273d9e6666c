//! Managers of users: one that lingers has his from boot on (loginctl(1), "enable-linger"); all others have theirs while
//! they are logged in, which nobody is in a container.

use super::build::Limits;
use super::owner::{Owner, tiers};
use super::search::UnitPath;
use super::{resolve, timer};
use crate::fact::unit::SUFFIXES;
use crate::fact::{Document, Evidence, Facts, Syntax, User};
use crate::path::MachinePath;
use crate::service::managed::{Names, Reading, Wanted, at_home};
use crate::service::{DirectoryKind, ManagedDirectory, Service, Services};
use std::collections::BTreeSet;

/// A file of each user that lingers.
const LINGER: &str = "/var/lib/systemd/linger";

/// Users whose units are read.
const MOST_USERS: usize = 200;

/// Files of variables that a user's manager starts with (environment.d(5)), weakest first.
const OF_ALL: &[&str] = &[
    "/usr/lib/environment.d",
    "/usr/local/lib/environment.d",
    "/etc/environment.d",
];
const OF_ONE: &str = ".config/environment.d";

/// A user with units of his own, or who lingers.
struct Known<'a> {
    user: &'a User,
    /// The file that says so.
    lingers: Option<MachinePath>,
}

/// The file that says that a user lingers.
pub(in crate::service) fn of(facts: &Facts, user: &User) -> Option<MachinePath> {
    let linger = MachinePath::new(LINGER).join(&user.name);
    let entry = facts.tree.get(&linger);
    entry
        .is_some_and(crate::walk::Entry::is_file)
        .then_some(linger)
}

/// Lingering users first, each by number.
fn users(facts: &Facts) -> Vec<Known<'_>> {
    let mut homes = BTreeSet::new();
    let mut known = Vec::new();
    for user in &facts.users {
        let linger = of(facts, user);
        let lingers = linger.is_some();
        let home = MachinePath::new(&user.home);
        let mut own = tiers(&home)
            .into_iter()
            .filter(|tier| tier.is_within(&home));
        let mut has_units = || own.any(|tier| facts.tree.exists(&tier));
        let is_one = user.home.starts_with('/') && (lingers || has_units());
        if is_one && (homes.insert(home.clone()) || lingers) {
            known.push(Known {
                user,
                lingers: linger,
            });
        }
    }
    known.sort_by_key(|known| known.lingers.is_none());
    known
}

/// Units of all users, and what their managers start with.
pub(super) fn wants(facts: &Facts) -> Vec<Wanted> {
    let mut patterns: BTreeSet<(String, bool)> = BTreeSet::new();
    for known in users(facts).iter().take(MOST_USERS) {
        let home = MachinePath::new(&known.user.home);
        for tier in tiers(&home) {
            if facts.tree.exists(&tier) {
                let tier = crate::walk::literal(&tier);
                let units = SUFFIXES.iter().map(|kind| format!("{tier}/*.{kind}"));
                let units = units.chain([format!("{tier}/*.d/*.conf")]);
                patterns.extend(units.map(|pattern| (pattern, true)));
            }
        }
        for directory in variables(&home) {
            let directory = crate::walk::literal(&directory);
            patterns.insert((format!("{directory}/*.conf"), false));
        }
    }
    let wanted = patterns.into_iter().map(|(pattern, is_unit)| Wanted {
        pattern,
        reading: if is_unit {
            Reading::Unit
        } else {
            Reading::Environment
        },
    });
    wanted.collect()
}

fn variables(home: &MachinePath) -> impl Iterator<Item = MachinePath> + use<> {
    let all = OF_ALL.iter().map(MachinePath::new);
    all.chain([home.join(OF_ONE)])
}

/// Adds the services and timers of users.
pub(super) fn find(facts: &Facts, limits: &mut Limits<'_>, found: &mut Services) {
    let mut names = Names::of(found);
    let all = users(facts);
    if let Some(left) = all.get(MOST_USERS) {
        let reason =
            format!("more than {MOST_USERS} users have units; those of others were left out");
        found.leave_out(&left.user.evidence.path, "systemd", reason);
    }
    for known in all.iter().take(MOST_USERS) {
        of_user(facts, known, (limits, &mut names), found);
    }
    let strangers = facts.tree.children(&MachinePath::new(LINGER)).into_iter();
    let strangers = strangers.filter(|entry| facts.user(&entry.path.name()).is_none());
    for entry in strangers.take(MOST_USERS) {
        let reason = "a user that is in no passwd(5) lingers, and where his units are is not known";
        found.leave_out(&entry.path, "systemd", reason);
    }
}

fn of_user(
    facts: &Facts,
    known: &Known<'_>,
    (limits, names): (&mut Limits<'_>, &mut Names),
    found: &mut Services,
) {
    let owner = Owner::of(known.user, facts);
    let home = owner.home.clone();
    let path = UnitPath::new(facts, owner);
    let reached = resolve::reach(&path, &[]);
    let user = &known.user.name;
    let is_own = |path: &MachinePath| facts.owner(path).is_none();
    let of_home = |service: &Service| {
        let mut files = service.files.iter();
        files.any(|file| file.is_within(&home))
    };
    let settle = |service: &mut Service, names: &mut Names| {
        service.name = names.free(&service.name, user);
        started_with(facts, service, &home, known.user.uid);
        if service.working_directory.is_none() {
            service.working_directory = at_home(facts, &home, &service.commands.start);
        }
        let by = service.enabled_by.as_ref();
        let is_chosen = by.is_some_and(|by| by.path.is_within(&home));
        if known.lingers.is_none() {
            let when = if service.enabled {
                "starts"
            } else {
                "could be started"
            };
            service.stays = Some(format!(
                "{when} while {user} is logged in, who does not linger"
            ));
            service.enabled = false;
        } else if !is_chosen && !service.files.first().is_none_or(is_own) {
            let reason = "belongs to the session of every user, and a container has none";
            service.stays = Some(reason.to_owned());
        }
    };
    let mut services = super::services(facts, &path, &reached, &[], limits);
    // What packages bring for sessions and nobody starts is nothing of the user's.
    services.retain(|service| of_home(service) || (service.enabled && known.lingers.is_some()));
    for service in &mut services {
        settle(service, names);
    }
    found.services.append(&mut services);
    let Some(lingers) = &known.lingers else {
        return;
    };
    for mut job in timer::timers(facts, &path, &reached, limits) {
        if let Some(service) = &mut job.service {
            started_with(facts, service, &home, known.user.uid);
            let known = found
                .services
                .iter()
                .find(|known| known.files == service.files && known.user == service.user);
            service.name = match known {
                Some(known) => known.name.clone(),
                None => names.free(&service.name, user),
            };
            service.enabled_by = Some(Evidence::file(lingers));
        }
        found.jobs.push(job);
    }
}

/// What a user's manager gives all that it starts, below what units say.
fn started_with(facts: &Facts, service: &mut Service, home: &MachinePath, uid: u32) {
    let runtime = MachinePath::new(format!("/run/user/{uid}"));
    let own = &service.environment.variables;
    let is_set = |name: &str| own.iter().any(|(known, _)| known == name);
    let mut environment = crate::service::Environment::default();
    let evidence = service.evidence.clone();
    if !is_set("XDG_RUNTIME_DIR") {
        environment.put("XDG_RUNTIME_DIR", runtime.text().into_owned(), evidence);
    }
    let directories: Vec<MachinePath> = variables(home).collect();
    for document in facts
        .documents
        .values()
        .filter(|d| d.syntax == Syntax::Environment)
    {
        let is_one = |dir: &MachinePath| document.path.parent().as_ref() == Some(dir);
        if directories.iter().any(is_one) && document.path.name().ends_with(".conf") {
            put_all(&mut environment, document, &is_set);
        }
    }
    let with = &mut service.environment;
    with.secrets.splice(0..0, environment.secrets);
    with.variables.splice(0..0, environment.variables);
    with.set_by.append(&mut environment.set_by);
    service.directories.push(ManagedDirectory {
        path: runtime,
        mode: 0o700,
        user: String::new(),
        group: String::new(),
        kind: DirectoryKind::Runtime,
    });
}

fn put_all(
    environment: &mut crate::service::Environment,
    document: &Document,
    is_set: &dyn Fn(&str) -> bool,
) {
    for setting in document
        .settings
        .iter()
        .filter(|setting| !is_set(&setting.key))
    {
        let value = setting.args.first().cloned().unwrap_or_default();
        environment.put(&setting.key, value, document.evidence(setting));
    }
}
