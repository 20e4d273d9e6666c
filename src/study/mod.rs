//! The whole of the right side in order: facts → services → workloads → assessment → plan → scan. Pure.

mod kernel;
pub mod outline;
mod prove;
mod served;
pub mod usage;
mod weigh;
pub use outline::Outline;
pub use prove::prove;
pub use weigh::weigh;

use self::usage::PackageUsage;
use crate::assess::rules::{self, Seen};
use crate::assess::{self, Place};
use crate::detect::native::package;
use crate::distribution::origin::Origins;
use crate::distribution::{base, family, lifetime, machine};
use crate::fact::{Facts, OsRelease, Unexamined};
use crate::kernel::need::Need;
use crate::kernel::{Reaches, join};
use crate::path::MachinePath;
use crate::plan::{self, Plan, Unclaimed};
use crate::product::Disposition;
use crate::product::pack::Packs;
use crate::rule::Concern;
use crate::scan::{
    Coverage, Libc, Machine, Os, Package, Packages, SCHEMA_VERSION, Scan, TargetScore, Tool,
    Totals, Variable, Workload,
};
use crate::service::{Service, Services};
use crate::source::SourceInfo;
use crate::workload::{self, Cut};
use std::collections::BTreeMap;

/// Everything known of a machine once facts are in.
pub struct Study {
    pub cut: Cut,
    pub plans: Vec<Plan>,
    pub scan: Scan,
}

/// Studies a machine for a target.
pub fn study(
    facts: &Facts,
    packs: &Packs,
    outline: Outline,
    source: SourceInfo,
    target: &Place,
) -> Study {
    let Outline {
        services,
        cut,
        mut plans,
        programs,
    } = outline;
    let reaches = join::programs(facts, &programs);
    plan::settle(&mut plans, &cut.workloads, facts, &reaches);
    plan::fill(&mut plans, facts, &programs);
    let (usage, by_package) = usage::usage(facts, &cut.workloads, &plans);
    let needs = cut.workloads.iter().map(|workload| {
        let programs = plan::programs(std::slice::from_ref(workload), &plans, facts);
        let needs = plan::needs(programs.keys(), facts, &reaches);
        (workload.id.clone(), needs)
    });
    let asked = Asked {
        plans: &plans,
        needs: &needs.collect(),
        reaches: &reaches,
    };
    let unexamined = unexamined(facts, &services, &cut);
    let unclaimed = plan::unclaimed(facts, &cut.workloads, &plans);
    let concerns = concerns(
        (facts, packs),
        (&services, &cut),
        (&unexamined, &unclaimed),
        asked,
    );
    let machine = machine(facts);
    let services = list(&services, &cut);
    let workloads: Vec<Workload> = cut
        .workloads
        .iter()
        .map(|w| workload(w, &concerns, facts, asked, target))
        .collect();
    let assessment = weigh::whole(&workloads, &services, &concerns, target);
    let scan = Scan {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "transvase".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
        source,
        machine,
        coverage: Coverage {
            files_seen: facts.tree.entries().len() as u64,
            bytes_read: facts.bytes_read,
            unexamined,
        },
        packages: packages(facts, &by_package),
        usage,
        services,
        workloads,
        unclaimed,
        assessment,
        totals: totals(&cut, &concerns),
        proof: None,
        concerns,
    };
    Study { cut, plans, scan }
}

/// What the programs of the workloads ask of the kernel.
#[derive(Clone, Copy)]
struct Asked<'a> {
    plans: &'a [Plan],
    /// By workload.
    needs: &'a BTreeMap<String, Need>,
    reaches: &'a Reaches,
}

/// What was not examined: by readers of the disk, of services, of products' configuration, and by the cut.
fn unexamined(facts: &Facts, services: &Services, cut: &Cut) -> Vec<Unexamined> {
    let products = cut
        .services
        .iter()
        .filter_map(|placed| placed.product.as_ref());
    let mut found = facts.unexamined.clone();
    found.extend(services.unexamined.iter().cloned());
    found.extend(products.flat_map(|product| product.unexamined.iter().cloned()));
    found.extend(cut.unexamined.iter().cloned());
    let unread = package::unread(facts).into_iter();
    // Of a damaged one its reader said what is wrong with it.
    let is_told = |path: &MachinePath| facts.damaged_databases.iter().any(|(_, own)| own == path);
    let unread = unread.filter(|unread| !is_told(&unread.path));
    found.extend(unread.map(|unread| Unexamined {
        path: unread.path,
        detector: format!("packages/{}", unread.name),
        reason: format!(
            "{}'s database has no packages, or was not read",
            unread.name
        ),
    }));
    found.extend(plan::hosts_left_out(facts).filter(|_| !cut.workloads.is_empty()));
    found.sort();
    found.dedup();
    found
}

/// Native rules, rule packs, and what products' packs say of their workloads and of what stays.
fn concerns(
    (facts, packs): (&Facts, &Packs),
    (services, cut): (&Services, &Cut),
    (unexamined, unclaimed): (&[Unexamined], &[Unclaimed]),
    asked: Asked<'_>,
) -> Vec<Concern> {
    let enabled: Vec<Service> = services
        .services
        .iter()
        .filter(|service| service.enabled)
        .cloned()
        .collect();
    let mut found = rules::concerns(&Seen {
        facts,
        unexamined,
        services: &enabled,
        placed: &cut.services,
        jobs: &cut.jobs,
        workloads: &cut.workloads,
        plans: asked.plans,
        needs: asked.needs,
        reaches: asked.reaches,
        unclaimed,
    });
    found.extend(packs.concerns(facts, &enabled));
    for placed in &cut.services {
        let own = placed.product.iter().flat_map(|product| &product.concerns);
        found.extend(own.map(|concern| Concern {
            workload: placed.workload.clone(),
            ..concern.clone()
        }));
    }
    rules::sort(&mut found);
    found
}

fn workload(
    workload: &workload::Workload,
    concerns: &[Concern],
    facts: &Facts,
    asked: Asked<'_>,
    target: &Place,
) -> Workload {
    let plan = asked.plans.iter().find(|plan| plan.id == workload.id);
    let none = Need::default();
    let need = asked.needs.get(&workload.id).unwrap_or(&none);
    let own = || {
        concerns
            .iter()
            .filter(|concern| concern.workload.as_ref() == Some(&workload.id))
    };
    let targets = assess::targets().map(|target| {
        let found = assess::assess(target, own());
        (
            target.id.clone(),
            TargetScore {
                score: found.score,
                verdict: found.verdict,
            },
        )
    });
    Workload {
        id: workload.id.clone(),
        title: workload.title.clone(),
        kind: workload.kind.clone(),
        product: served::product(workload),
        hosts: served::hosts(workload),
        paths: served::paths(workload),
        services: served::names(workload),
        packages: workload.packages.clone(),
        executables: workload.executables.clone(),
        listens: workload.listens.clone(),
        connects: workload.connects.clone(),
        needs: workload
            .needs
            .iter()
            .map(|needed| needed.id.clone())
            .collect(),
        kernel: kernel::kernel(workload, plan, need, facts, asked.reaches),
        user: workload.user.clone(),
        environment: workload
            .environment
            .iter()
            .map(|(name, value)| Variable {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        configuration: workload.configuration.clone(),
        data: workload.data.clone(),
        logs: workload.logs.clone(),
        schedule: workload.schedule.clone(),
        assessment: assess::assess(target, own()),
        targets: targets.collect(),
        plan: plan.cloned(),
    }
}

fn machine(facts: &Facts) -> Machine {
    let family = family::of(facts);
    let kernels = facts.tree.children(&"/lib/modules".into());
    Machine {
        os: facts.os.as_ref().map(os),
        architecture: machine::architecture(facts, family),
        hostname: facts.hostname.as_ref().map(|(name, _)| name.clone()),
        init: machine::init(facts).map(str::to_owned),
        kernels: kernels
            .iter()
            .filter(|entry| entry.is_dir())
            .map(|entry| entry.path.name().into_owned())
            .collect(),
        libc: machine::libc(facts, family).map(|libc| Libc {
            kind: libc.kind.to_owned(),
            version: libc.version,
        }),
    }
}

fn os(os: &OsRelease) -> Os {
    Os {
        id: os.id.clone(),
        version_id: os.version_id.clone(),
        pretty_name: os.pretty_name.clone(),
        family: machine::family(os),
        end_of_life: lifetime::end_of_life(os).map(str::to_owned),
    }
}

fn packages(facts: &Facts, usage: &[PackageUsage]) -> Packages {
    let family = family::of(facts);
    let origins = base::choose(facts).map(|base| {
        let origins = Origins::new(facts, &base);
        let all = 0..facts.packages.len();
        all.map(|at| origins.says(at)).collect::<Vec<_>>()
    });
    let origins = origins.unwrap_or_default();
    let items: Vec<Package> = facts
        .packages
        .iter()
        .zip(usage)
        .enumerate()
        .map(|(at, (package, usage))| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            arch: package.arch.clone(),
            origin: origins
                .get(at)
                .map_or_else(String::new, |(says, _)| says.clone()),
            origin_evidence: origins
                .get(at)
                .map_or_else(Vec::new, |(_, why)| why.clone()),
            source: package.source.clone(),
            manual: package.manual,
            purl: family::purl(family, facts, package),
            bytes: usage.bytes,
            moves: usage.moves,
            evidence: Some(package.evidence.clone()),
        })
        .collect();
    Packages {
        manager: facts.package_database.clone(),
        count: items.len() as u64,
        items,
    }
}

fn list(services: &Services, cut: &Cut) -> Vec<crate::scan::Service> {
    let mut found: Vec<crate::scan::Service> = Vec::new();
    for service in &services.services {
        let placed = cut
            .services
            .iter()
            .find(|placed| placed.service.name == service.name);
        let user = placed
            .and_then(|placed| placed.product.as_ref())
            .and_then(|product| product.user.clone());
        found.push(crate::scan::Service {
            name: service.name.clone(),
            manager: service.manager,
            enabled: service.enabled,
            exec: service
                .commands
                .start
                .first()
                .map(|command| command.argv.join(" "))
                .unwrap_or_default(),
            user: user
                .filter(|_| service.user == "root")
                .unwrap_or_else(|| service.user.clone()),
            disposition: placed.map(|placed| placed.disposition),
            reason: placed.map_or_else(
                || {
                    let stays = service.stays.clone();
                    stays.unwrap_or_else(|| "does not start at boot".to_owned())
                },
                |placed| placed.reason.clone(),
            ),
            workload: placed.and_then(|placed| placed.workload.clone()),
            evidence: service
                .enabled_by
                .clone()
                .unwrap_or_else(|| service.evidence.clone()),
        });
    }
    for placed in &cut.jobs {
        found.push(crate::scan::Service {
            name: placed.job.name.clone(),
            manager: placed.job.manager,
            enabled: placed.job.enabled,
            exec: placed.job.command.clone(),
            user: placed.job.user.clone(),
            disposition: Some(placed.disposition),
            reason: placed.reason.clone(),
            workload: placed.workload.clone(),
            evidence: placed.job.evidence.clone(),
        });
    }
    found.sort_by(|a, b| (&a.name, &a.evidence).cmp(&(&b.name, &b.evidence)));
    found
}

fn totals(cut: &Cut, concerns: &[Concern]) -> Totals {
    let all: Vec<Disposition> = cut
        .services
        .iter()
        .map(|placed| placed.disposition)
        .chain(cut.jobs.iter().map(|placed| placed.disposition))
        .collect();
    let count = |wanted: Disposition| {
        all.iter()
            .filter(|disposition| **disposition == wanted)
            .count() as u64
    };
    let mut by_severity: BTreeMap<String, u64> = BTreeMap::new();
    for concern in concerns {
        *by_severity
            .entry(format!("{:?}", concern.severity).to_lowercase())
            .or_default() += 1;
    }
    Totals {
        services: all.len() as u64,
        containerize: count(Disposition::Containerize),
        platform: count(Disposition::Platform),
        drop: count(Disposition::Drop),
        keep: count(Disposition::Keep),
        workloads: cut.workloads.len() as u64,
        concerns: by_severity,
    }
}
