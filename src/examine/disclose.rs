//! Values of secrets, for the files that a user asked for with `--with-secrets`.
//!
//! The way from a file to the word of a command is long: drop-ins, files of variables, specifiers, `$OPTS` that is split
//! into words, a pack's own command line. So it is gone a second time by the same code, with facts that hide nothing, and
//! the word that was hidden the first time is taken from the same place.
//!
//! Disclosed facts, and what is made of them, live in [`values`] alone: they are put in the place of the masked ones,
//! asked, and dropped. Nothing comes out of it but contents of secrets' files, and reasons that name places and no values.

use crate::detect::native::syntax::{self, Configuration};
use crate::detect::native::{Cron, InitScripts, Managers, Units};
use crate::detect::{Detector, FileView, Purpose, Sink};
use crate::fact::{
    Dialect, Document, Fact, Facts, InitScript, Job, Managed, Masking, SecretRef, Syntax, UnitFile,
};
use crate::path::MachinePath;
use crate::plan::secret::{ARGUMENT, Argument, CREDENTIAL, VARIABLE, before};
use crate::plan::{Plan, PlannedSecret};
use crate::product::Product;
use crate::product::pack::Packs;
use crate::render::schedule::table;
use crate::render::secret::{Values, assignment, whole};
use crate::secret::MASK;
use crate::service::{self, Content, Service, Services};
use crate::source::Root;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::swap;

/// Why a secret cannot be written: which, and the reason.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot write secret {name} of {workload}: {why}; run without --with-secrets and put it in place yourself, or choose other workloads (--workload)"
)]
pub struct Undisclosed {
    name: String,
    workload: String,
    why: String,
}

/// The contents of the plans' secrets that are no whole files. The facts are lent, and come back as they were.
pub fn values(
    facts: &mut Facts,
    root: &Root,
    packs: &Packs,
    plans: &[Plan],
) -> Result<Values, Undisclosed> {
    let mut values = Values::default();
    let secrets = plans
        .iter()
        .flat_map(|plan| plan.state.secrets.iter().map(move |secret| (plan, secret)));
    let wanted: Vec<(&Plan, &PlannedSecret)> = secrets
        .filter(|(_, secret)| whole(secret).is_none())
        .collect();
    let Some((plan, first)) = wanted.first() else {
        return Ok(values);
    };
    let failed = |plan: &Plan, secret: &PlannedSecret, why: String| Undisclosed {
        name: secret.name.clone(),
        workload: plan.id.clone(),
        why,
    };
    let names: BTreeSet<&str> = wanted
        .iter()
        .filter_map(|(_, secret)| secret.service.as_deref())
        .collect();
    let mut disclosed = Disclosed::read(facts, root).map_err(|why| failed(plan, first, why))?;
    let masked = Seen::new(facts, packs, &names);
    disclosed.lend(facts);
    let open = Seen::new(facts, packs, &names);
    disclosed.lend(facts);
    for (plan, secret) in wanted {
        match content(plan, secret, &masked, &open) {
            Ok(text) => values.put(&secret.name, &text),
            // One that cannot be told is that workload's affair, and no reason to write nothing.
            Err(why) => values.lose(&secret.name, why),
        }
    }
    Ok(values)
}

/// What detectors say of the files that services are read from, nothing hidden.
struct Disclosed {
    masking: Masking,
    units: Vec<UnitFile>,
    init_scripts: Vec<InitScript>,
    jobs: Vec<Job>,
    managed: BTreeMap<(MachinePath, Dialect), Managed>,
    documents: BTreeMap<(MachinePath, Syntax), Document>,
}

impl Disclosed {
    fn read(facts: &Facts, root: &Root) -> Result<Self, String> {
        let mut found = Self {
            masking: Masking::Disclosed,
            units: Vec::new(),
            init_scripts: Vec::new(),
            jobs: Vec::new(),
            managed: BTreeMap::new(),
            documents: BTreeMap::new(),
        };
        let mut reader = Reader {
            facts,
            root,
            found: &mut found,
        };
        let units = facts.units.iter().map(|unit| &unit.path);
        reader.all(&Units, units)?;
        let scripts = facts.init_scripts.iter().map(|script| &script.path);
        reader.all(&InitScripts, scripts)?;
        let tables: BTreeSet<&MachinePath> =
            facts.jobs.iter().map(|job| &job.evidence.path).collect();
        reader.all(&Cron, tables.into_iter())?;
        for (path, dialect) in facts.managed.keys() {
            reader.one(&Managers, path, &Managers::purpose(*dialect))?;
        }
        for (path, syntax) in facts.documents.keys() {
            if *syntax == Syntax::Environment {
                let want = syntax::want(*syntax, &path.text());
                reader.one(&Configuration, path, &want.purpose)?;
            }
        }
        found.jobs.sort_by(|a, b| a.evidence.cmp(&b.evidence));
        Ok(found)
    }

    /// Puts these facts in the place of the masked ones, or the masked ones back.
    fn lend(&mut self, facts: &mut Facts) {
        swap(&mut self.masking, &mut facts.masking);
        swap(&mut self.units, &mut facts.units);
        swap(&mut self.init_scripts, &mut facts.init_scripts);
        swap(&mut self.jobs, &mut facts.jobs);
        swap(&mut self.managed, &mut facts.managed);
        for (key, document) in &mut self.documents {
            if let Some(other) = facts.documents.get_mut(key) {
                swap(document, other);
            }
        }
    }
}

struct Reader<'a> {
    facts: &'a Facts,
    root: &'a Root,
    found: &'a mut Disclosed,
}

impl Reader<'_> {
    fn all<'p>(
        &mut self,
        detector: &dyn Detector,
        paths: impl Iterator<Item = &'p MachinePath>,
    ) -> Result<(), String> {
        for path in paths {
            self.one(detector, path, &Purpose::default())?;
        }
        Ok(())
    }

    /// Shows a file that was read before to the detector that read it.
    fn one(
        &mut self,
        detector: &dyn Detector,
        path: &MachinePath,
        purpose: &Purpose,
    ) -> Result<(), String> {
        let entry = self.facts.tree.get(path);
        let entry = entry.ok_or_else(|| format!("{path} is not in the tree"))?;
        let bytes = self.root.read(entry, entry.size);
        let bytes = bytes.map_err(|error| format!("{path}: {error}"))?;
        let view = FileView::new(path, entry, &bytes, purpose).disclosed();
        let mut sink = Sink::default();
        detector.inspect(&view, &mut sink);
        for fact in sink.facts {
            match fact {
                Fact::Unit(unit) => self.found.units.push(unit),
                Fact::InitScript(script) => self.found.init_scripts.push(script),
                Fact::Job(job) => self.found.jobs.push(job),
                Fact::Managed(file) => {
                    let key = (file.path.clone(), file.dialect);
                    self.found.managed.insert(key, file);
                }
                Fact::Document(document) => {
                    let key = (document.path.clone(), document.syntax);
                    self.found.documents.insert(key, document);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The machine's services by some facts, and the products of those that are asked for.
struct Seen {
    services: Services,
    products: BTreeMap<String, Product>,
}

impl Seen {
    fn new(facts: &Facts, packs: &Packs, names: &BTreeSet<&str>) -> Self {
        let services = service::services(facts, &packs.generated_units(facts));
        let mut seen = Self {
            services,
            products: BTreeMap::new(),
        };
        for name in names {
            let product = seen
                .service(name)
                .and_then(|service| packs.recognise(service, facts));
            if let Some(product) = product {
                seen.products.insert((*name).to_owned(), product);
            }
        }
        seen
    }

    /// A service of its own, or one that a timer starts.
    fn service(&self, name: &str) -> Option<&Service> {
        let services = self.services.services.iter();
        let timed = self
            .services
            .jobs
            .iter()
            .filter_map(|job| job.service.as_deref());
        services.chain(timed).find(|service| service.name == name)
    }

    /// The words of the command that an argument belongs to.
    fn words(&self, name: &str, argument: Argument) -> Option<&[String]> {
        let service = self.service(name)?;
        if let Some(number) = argument.before {
            return Some(&before(service).nth(number)?.argv);
        }
        let product = self.products.get(name);
        let own = service.commands.start.last().map(|command| &command.argv);
        let argv = product.and_then(|product| product.command.as_ref());
        Some(argv.or(own)?)
    }

    fn variable(&self, name: &str, variable: &str) -> Option<&str> {
        let product = self.products.get(name);
        let product = product.into_iter().flat_map(|product| &product.environment);
        let own = self.service(name)?.environment.variables.iter();
        let mut all = own.chain(product);
        let found = all.rfind(|(known, _)| known == variable);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is in a secret's file.
fn content(
    plan: &Plan,
    secret: &PlannedSecret,
    masked: &Seen,
    open: &Seen,
) -> Result<String, String> {
    let Some(service) = secret.service.as_deref() else {
        return of_job(plan, secret, open);
    };
    let mut assignments = String::new();
    for held in &secret.holds {
        let place = held.evidence.place();
        let value = match held.kind.as_str() {
            VARIABLE => open.variable(service, &held.key).map(str::to_owned),
            ARGUMENT => argument(service, held, masked, open)?,
            CREDENTIAL => {
                return credential(service, held, open)
                    .ok_or_else(|| format!("{} was not found again at {place}", held.key));
            }
            _ => None,
        };
        let value = value.ok_or_else(|| format!("{} was not found again at {place}", held.key))?;
        assignments.push_str(&assignment(&held.key, &value));
    }
    Ok(assignments)
}

fn credential(service: &str, held: &SecretRef, open: &Seen) -> Option<String> {
    let mut all = open.service(service)?.credentials.iter();
    match &all.find(|credential| credential.name == held.key)?.content {
        Content::Text(text) => Some(text.clone()),
        Content::File(_) => None,
    }
}

/// A word of a command line. The line has to be the same but for what was hidden: else its words are not where they were.
fn argument(
    service: &str,
    held: &SecretRef,
    masked: &Seen,
    open: &Seen,
) -> Result<Option<String>, String> {
    let Some(argument) = Argument::parse(&held.key) else {
        return Ok(None);
    };
    let (masked, open) = (
        masked.words(service, argument),
        open.words(service, argument),
    );
    let (Some(masked), Some(open)) = (masked, open) else {
        return Ok(None);
    };
    let mut pairs = masked.iter().zip(open);
    let is_same = masked.len() == open.len()
        && pairs.all(|(masked, open)| masked == open || masked.contains(MASK));
    if !is_same {
        return Err(format!(
            "the command at {} has other words with its secrets than without, so none can be told to be {}",
            held.evidence.place(),
            held.key
        ));
    }
    Ok(open.get(argument.word).cloned())
}

/// A job's own table, with what was hidden in it.
fn of_job(plan: &Plan, secret: &PlannedSecret, open: &Seen) -> Result<String, String> {
    let mut jobs = plan.schedule.jobs.iter();
    let planned = jobs.find(|job| job.secret.as_ref() == Some(&secret.name));
    let planned = planned.ok_or("no job has it")?;
    let evidence = &planned.evidence;
    let mut all = open.services.jobs.iter();
    let job = all.find(|job| {
        job.service.is_none()
            && (&job.evidence.path, job.evidence.line) == (&evidence.path, evidence.line)
    });
    let lost = || format!("the job was not found again at {}", evidence.place());
    let job = job.ok_or_else(lost)?;
    let mut disclosed = planned.clone();
    disclosed.command.clone_from(&job.command);
    let hidden = disclosed.environment.iter_mut();
    for (name, value) in hidden.filter(|(_, value)| value.contains(MASK)) {
        let known = job.environment.iter().find(|(known, _)| known == name);
        value.clone_from(&known.ok_or_else(lost)?.1);
    }
    table(plan, &disclosed).map_err(|error| error.to_string())
}
