//! Facts and workloads in, plans out: the order in which the parts of a plan are worked out.

use super::carried::{self, Carried};
use super::dropper::Dropper;
use super::identity::Identity;
use super::origin::{self, Sources};
use super::place::Place;
use super::pod::{self, Seat};
use super::process::Draft;
use super::strategy::{self, Strategy};
use super::{
    Contract, Image, Lift, Network, Plan, PlanOptions, PlannedPackage, PlannedSecret,
    PlannedVolume, Process, Schedule, State, command, contract, health, hosts, lift, limit, locale,
    mount, others, package, port, remark, schedule, secret, service, setup, socket, volume,
};
use crate::distribution::{base, family};
use crate::fact::Facts;
use crate::workload::Workload;
use std::collections::BTreeSet;

/// What the plans of one machine share.
struct Shared<'p, 'a> {
    place: &'p Place<'a>,
    options: &'p PlanOptions,
    workloads: &'p [Workload],
    seats: Vec<Seat>,
    volumes: volume::Names,
    secrets: secret::Taken,
    zone: Option<String>,
    locale: Option<String>,
    /// How all of its images are made, and why.
    strategy: (Strategy, String),
    /// The machine as lifted images see it, where there are any.
    disk: Option<lift::Disk<'a>>,
}

/// One plan for each workload, in their order. A release without a known base image is a note in each plan.
pub fn plan(facts: &Facts, workloads: &[Workload], options: &PlanOptions) -> Vec<Plan> {
    let Some(base) = base::choose(facts) else {
        return Vec::new();
    };
    let mut place = Place::new(facts, &base);
    let strategy = strategy::choose(options.strategy, &place);
    if strategy.0 == Strategy::Lift {
        place.lift();
    }
    let mut shared = Shared {
        disk: (strategy.0 == Strategy::Lift).then(|| lift::Disk::new(facts)),
        strategy,
        place: &place,
        options,
        workloads,
        seats: pod::seats(workloads),
        volumes: volume::Names::new(workloads, &place),
        secrets: secret::Taken::new(),
        zone: service::time_zone(facts.timezone.as_deref()),
        locale: facts
            .locale
            .clone()
            .filter(|locale| locale::is_locale(locale)),
    };
    let seats = shared.seats.clone();
    let plans = workloads.iter().zip(&seats);
    plans
        .map(|(workload, seat)| shared.one(workload, seat))
        .collect()
}

/// What is worked out before the plan is put together.
struct Parts<'a> {
    workload: &'a Workload,
    volumes: Vec<PlannedVolume>,
    carried: Carried,
    identity: Identity,
    draft: Draft,
    sources: Sources,
    lift: Option<Lift>,
}

impl<'p> Shared<'p, '_> {
    fn one(&mut self, workload: &Workload, seat: &Seat) -> Plan {
        let place = self.place;
        let volumes = self.mounted(workload, seat);
        let asked = self.package_names(workload);
        let mut lift = self.lift(workload, &asked);
        let (mut names, mut sources) = if lift.is_some() {
            (BTreeSet::new(), Sources::default())
        } else {
            package::sources(workload, &asked, place)
        };
        let others = others::left_to(workload, self.workloads, place);
        let image = carried::OfImage {
            names: &names,
            lifted: &sources.lifted,
            disk: lift.as_ref().map(|lift| &lift.chosen),
        };
        let carried = carried::carried(
            workload,
            (&volumes, &others),
            image,
            place,
            &mut self.secrets,
        );
        if let Some(lift) = &mut lift {
            lift.out.clone_from(&carried.left_out);
            if let Some(disk) = &self.disk {
                lift.add(&carried.packages, &BTreeSet::new(), disk);
            }
        } else {
            names.extend(carried.packages.iter().cloned());
            if names != asked {
                let lifted = std::mem::take(&mut sources.lifted);
                sources = origin::sources(&names, &package::makers(workload), place);
                sources.lifted = lifted;
            }
        }
        let identity = Identity::new(workload, &carried, &volumes, place);
        let zone = self.zone.as_deref();
        let draft = Draft::new(workload, &identity, zone, place, &mut self.secrets);
        let parts = Parts {
            workload,
            volumes,
            carried,
            identity,
            draft,
            sources,
            lift,
        };
        self.assemble(seat, &names, parts)
    }

    /// What is taken from the disk, where all of it is.
    fn lift(&self, workload: &Workload, asked: &BTreeSet<String>) -> Option<Lift> {
        let disk = self.disk.as_ref()?;
        let run = lift::of_workload(workload, self.place);
        Some(Lift::new(asked, &run, workload, disk))
    }

    fn assemble(&self, seat: &Seat, names: &BTreeSet<String>, parts: Parts<'_>) -> Plan {
        let workload = parts.workload;
        let (packages, remarks) = package::packages(names, &parts.sources, self.place);
        let uninstalled = setup::remark(&parts.draft.command, self.place.base);
        let uninstalled = uninstalled.filter(|_| parts.lift.is_none());
        let own = [
            remarks
                .into_iter()
                .chain(package::remarks(&parts.sources))
                .chain(uninstalled)
                .chain(parts.carried.remark())
                .chain(parts.carried.notes.iter().cloned())
                .collect(),
            parts.identity.accounts.notes.clone(),
            parts.draft.notes.clone(),
        ];
        let mut plan = Plan {
            id: workload.id.clone(),
            title: workload.title.clone(),
            strategy: self.strategy.0.id().to_owned(),
            reason: self.strategy.1.clone(),
            notes: self.notes(workload, seat, own),
            process: self.process(&parts),
            network: self.network(workload, seat),
            schedule: Schedule {
                jobs: parts.draft.jobs.clone(),
                scheduler: workload
                    .services
                    .is_empty()
                    .then(|| schedule::scheduler(self.place)),
            },
            contract: Contract::default(),
            state: self.state(&parts),
            image: self.image(parts, packages),
        };
        let run = lift::of_plan(&plan);
        if let (Some(lift), Some(disk)) = (&mut plan.image.lift, &self.disk) {
            lift.add(&BTreeSet::new(), &run, disk);
            let lacks = lift::lacks(&plan, self.place);
            plan.notes.extend(lacks);
        }
        plan
    }

    fn process(&self, parts: &Parts<'_>) -> Process {
        let (workload, draft, identity) = (parts.workload, &parts.draft, &parts.identity);
        let main = workload.services.first();
        let (stop_signal, stop_timeout) = command::stop(main, workload);
        let checked = health::check(workload, self.place).filter(|_| main.is_some());
        let (health, probe) = checked.unzip();
        Process {
            entrypoint: main.is_none()
                || !parts.carried.secrets.is_empty()
                || parts.volumes.iter().any(|volume| volume.load)
                || draft.needs_preparation(identity),
            programs: contract::programs(draft.commands(), self.place.facts),
            command: draft.command.clone(),
            before: draft.before.clone(),
            environment: draft.environment.clone(),
            dropper: Dropper::new(&identity.user, identity.gid, self.place),
            user: identity.user.clone(),
            group: identity.group.clone(),
            uid: identity.uid,
            gid: identity.gid,
            working_directory: draft.directory.clone(),
            health,
            probe,
            stop_signal,
            stop_timeout,
            restart: command::restart(main).to_owned(),
            limits: limit::limits(workload, self.place.facts).0,
            capabilities: draft.capabilities.clone(),
            no_new_privileges: main.is_some_and(|main| main.privileges.no_new),
            init: draft.init,
            umask: draft.umask,
            replicas: command::replicas(workload),
        }
    }

    fn network(&self, workload: &Workload, seat: &Seat) -> Network {
        let place = self.place;
        let hostname = place.facts.hostname.as_ref().map(|(name, _)| name.clone());
        Network {
            pod: seat.pod.clone(),
            depends_on: seat.waits.clone(),
            ports: port::ports(workload),
            hosts: hosts::hosts(place),
            search: hosts::search(place.facts),
            sysctls: port::sysctls(&self.members(seat), place),
            hostname: hostname.filter(|name| hosts::is_host_name(name)),
        }
    }

    fn state(&self, parts: &Parts<'_>) -> State {
        let loaded = parts.volumes.iter().filter(|volume| volume.load);
        let data = loaded.map(|volume| (volume.name.clone(), volume::contents(volume, self.place)));
        let secrets = parts.carried.secrets.iter().chain(&parts.draft.secrets);
        State {
            data: data.collect(),
            volumes: parts.volumes.clone(),
            mounts: mount::mounts(parts.workload),
            secrets: secrets
                .cloned()
                .map(|secret| PlannedSecret {
                    written: self.options.with_secrets,
                    ..secret
                })
                .collect(),
            secret_entries: parts.carried.secret_entries.clone(),
        }
    }

    fn image(&self, parts: Parts<'_>, packages: Vec<PlannedPackage>) -> Image {
        let (place, accounts) = (self.place, parts.identity.accounts);
        let os = place.facts.os.as_ref();
        let mut image = Image {
            base: match &parts.lift {
                Some(_) => lift::BASE.to_owned(),
                None => place.base.image.clone(),
            },
            lift: parts.lift,
            demand: None,
            bases: Vec::new(),
            release: os.map(|os| os.pretty_name.clone()).unwrap_or_default(),
            archives: parts.sources.archives,
            pins: parts.sources.pins,
            components: parts.sources.components.into_iter().collect(),
            origins: parts.sources.origins,
            packages,
            package_directories: place.base.distribution.packages.directories.clone(),
            directories: service::directories(parts.workload, &parts.volumes, &accounts, place),
            displaced: accounts.displaced,
            memberships: accounts.memberships,
            groups: accounts.groups,
            users: accounts.users,
            files: parts.carried.files,
            entries: parts.carried.entries,
            removals: parts
                .carried
                .removals
                .into_iter()
                .chain(parts.draft.removals)
                .collect(),
            log_files: parts.draft.log_files,
            log_links: parts.draft.log_links,
            timezone: self.zone.clone(),
            locale: self.locale.clone(),
            locales: locale::more(parts.workload, self.locale.as_deref(), place.facts),
            prepare: Vec::new(),
            archive_files: Vec::new(),
            modules: parts.sources.modules.into_iter().collect(),
            steps: Vec::new(),
            finish: Vec::new(),
        };
        if image.lift.is_none() {
            image.finish = setup::finish(&image.entries, place.facts);
            setup::steps(&mut image, place.base);
        }
        image
    }

    /// What the reader has to know or decide, sorted; `own` are those of the plan's parts.
    fn notes(&self, workload: &Workload, seat: &Seat, own: [Vec<String>; 3]) -> Vec<String> {
        let place = self.place;
        let installs = self.strategy.0 == Strategy::Packages;
        let files = volume::single_files(workload, place);
        let files = files.iter().map(|file| format!("{file} is data in a directory that holds other things too: give it a directory of its own, and that a volume."));
        let notes = [
            place
                .base
                .note
                .clone()
                .filter(|_| installs)
                .into_iter()
                .collect(),
            port::remarks(workload),
            remark::left_behind(workload),
            command::alone(workload).into_iter().collect(),
            self.lonely(workload, seat),
            files.collect(),
            limit::limits(workload, place.facts).1,
            mount::notes(workload),
            strategy::remark(self.options.strategy, self.strategy.0)
                .into_iter()
                .collect(),
        ];
        let notes: BTreeSet<String> = notes.into_iter().chain(own).flatten().collect();
        notes.into_iter().collect()
    }

    fn lonely(&self, workload: &Workload, seat: &Seat) -> Vec<String> {
        if seat.pod == workload.id && self.members(seat).len() == 1
            || !pod::is_lonely(workload, self.workloads)
        {
            return Vec::new();
        }
        vec!["It listens on the machine's loopback only, and no configuration says who uses it; it shares the network of the largest group of containers, where it can be reached as before.".to_owned()]
    }

    fn members(&self, seat: &Seat) -> Vec<&'p Workload> {
        let all = self.workloads.iter().zip(&self.seats);
        all.filter(|(_, other)| other.pod == seat.pod)
            .map(|(workload, _)| workload)
            .collect()
    }

    /// Volumes of data and of shared sockets, one for each directory.
    fn mounted(&mut self, workload: &Workload, seat: &Seat) -> Vec<PlannedVolume> {
        let (place, members) = (self.place, self.members(seat));
        let mut volumes =
            volume::volumes(workload, place, &mut self.volumes, self.options.with_data);
        volumes.extend(socket::volumes(
            workload,
            &seat.pod,
            &members,
            &mut self.volumes,
            place,
        ));
        volumes.sort_by(|a, b| a.path.cmp(&b.path));
        volumes.dedup_by(|a, b| a.path == b.path);
        volumes
    }

    /// The workload's packages, and what the image needs beside them.
    fn package_names(&self, workload: &Workload) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = workload.packages.iter().cloned().collect();
        names.extend(
            workload
                .product
                .iter()
                .flat_map(|product| product.companions.iter().cloned()),
        );
        if self.strategy.0 == Strategy::Lift {
            return names;
        }
        let main = self.locale.as_deref();
        let more = locale::more(workload, main, self.place.facts);
        let made = main.filter(|name| locale::is_made(name)).into_iter();
        let locales = made.chain(more.iter().map(|locale| locale.name.as_str()));
        names.extend(family::locale::packages(&self.place.base.locales, locales));
        names.extend(package::helpers(workload, self.zone.is_some(), self.place));
        names
    }
}
