//! The machine in outline: its services, the cut into workloads, their plans, the programs whose code counts. Worked out once and
//! kept for as long as no fact comes in that it rests on.

use crate::fact::Facts;
use crate::plan::{self, Plan, PlanOptions};
use crate::product::pack::Packs;
use crate::program::libraries::Programs;
use crate::service::{self, Services};
use crate::workload::{Cut, cut};

/// What facts say of the machine before anything is judged.
pub struct Outline {
    pub services: Services,
    pub cut: Cut,
    pub plans: Vec<Plan>,
    pub programs: Programs,
}

impl Outline {
    pub fn new(facts: &Facts, packs: &Packs, options: &PlanOptions) -> Self {
        let services = service::services(facts, &packs.generated_units(facts));
        Self::of(services, facts, packs, options)
    }

    fn of(services: Services, facts: &Facts, packs: &Packs, options: &PlanOptions) -> Self {
        let cut = cut::cut(facts, &services, packs);
        let plans = plan::plan(facts, &cut.workloads, options);
        let programs = plan::programs(&cut.workloads, &plans, facts);
        Self {
            services,
            cut,
            plans,
            programs,
        }
    }
}

/// The outline of a machine whose facts still come in: services first, the rest once somebody asks for it.
pub struct Growing<'p> {
    packs: &'p Packs,
    options: &'p PlanOptions,
    /// Of the facts that it was worked out from.
    revision: u64,
    services: Option<Services>,
    outline: Option<Outline>,
}

impl<'p> Growing<'p> {
    pub fn new(packs: &'p Packs, options: &'p PlanOptions) -> Self {
        Self {
            packs,
            options,
            revision: 0,
            services: None,
            outline: None,
        }
    }

    /// Services and jobs, by what is known so far.
    pub fn services(&mut self, facts: &Facts) -> &Services {
        self.forget(facts);
        if let Some(outline) = &self.outline {
            return &outline.services;
        }
        let packs = self.packs;
        self.services
            .get_or_insert_with(|| service::services(facts, &packs.generated_units(facts)))
    }

    /// All of it, by what is known so far.
    pub fn outline(&mut self, facts: &Facts) -> &Outline {
        let outline = self.take(facts);
        self.outline.insert(outline)
    }

    /// The same, for facts to which none will be added.
    pub fn finish(mut self, facts: &Facts) -> Outline {
        self.take(facts)
    }

    /// What was kept, or worked out now from as much of it as was.
    fn take(&mut self, facts: &Facts) -> Outline {
        self.forget(facts);
        match (self.outline.take(), self.services.take()) {
            (Some(outline), _) => outline,
            (None, Some(services)) => Outline::of(services, facts, self.packs, self.options),
            (None, None) => Outline::new(facts, self.packs, self.options),
        }
    }

    /// Drops what rests on other facts than these.
    fn forget(&mut self, facts: &Facts) {
        if facts.revision != self.revision {
            self.revision = facts.revision;
            (self.services, self.outline) = (None, None);
        }
    }
}
