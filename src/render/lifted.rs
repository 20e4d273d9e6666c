//! A lifted workload's files as layers, for the one who packs images, and in its build context: `rootfs/NAME.tar`, and as a tree
//! what a context can hold with nothing lost. What all lifted workloads of a machine share is written once, and is one file of the
//! disk under several names.

use super::layer::{self, Parts, Searched};
use super::staging::Staging;
use super::{Error, Machine, Written, record, rootfs};
use crate::path::MachinePath;
use crate::plan::{Layer, Lift, Plan, WrittenFile};
use crate::walk::Entry;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What could not be written as it is, with the reason.
pub(super) type Unread = Vec<(MachinePath, String)>;

/// The layer that all lifted workloads have.
const SHARED: &str = "shared";
/// The topmost one, which has the files of our own making.
const OWN: &str = "configuration";

/// A lifted workload with all of its files.
pub(super) struct Lifted<'a> {
    pub plan: &'a Plan,
    pub lift: &'a Lift,
    /// Of our own making.
    files: Vec<WrittenFile>,
    /// What was wrong with the record of packages.
    problem: Unread,
}

impl<'a> Lifted<'a> {
    /// `None` of a plan that is made otherwise; `generated` are files of our own making beside those of the plan.
    pub(super) fn new(
        plan: &'a Plan,
        generated: &[WrittenFile],
        machine: &Machine<'_>,
    ) -> Option<Self> {
        let lift = plan.image.lift.as_ref()?;
        let mut files = lift.written.clone();
        files.extend(generated.iter().cloned());
        let record = lift.record.as_ref();
        let record = record.map(|record| record::file(record, lift, machine.tree, machine.content));
        let mut problem = Vec::new();
        match record {
            Some(Ok(file)) => files.push(file),
            Some(Err(why)) => problem.push(why),
            None => {}
        }
        Some(Self {
            plan,
            lift,
            files,
            problem,
        })
    }

    /// Writes a layer as a tar archive; of its entries those that `takes` says.
    pub(super) fn layer(
        &self,
        layer: &Layer,
        takes: impl Fn(&Entry) -> bool,
        machine: &Machine<'_>,
        to: impl Write,
    ) -> Result<Unread, Error> {
        let entries: Vec<&Entry> = layer.entries.iter().filter(|entry| takes(entry)).collect();
        let parts = Parts {
            entries: &entries,
            written: if layer.name == OWN { &self.files } else { &[] },
            searched: if layer.is_of_packages() {
                Searched::These(&self.lift.unproven)
            } else {
                Searched::All
            },
        };
        layer::write(to, parts, machine.content)
    }
}

/// Whether all lifted workloads have this layer.
pub(super) fn is_shared(layer: &Layer) -> bool {
    layer.name == SHARED
}

/// Where a shared layer was written first.
#[derive(Default)]
pub(super) struct Shared(Option<PathBuf>);

/// Writes the build context's part.
pub(super) fn context(
    staging: &Staging,
    lifted: &Lifted<'_>,
    machine: &Machine<'_>,
    (shared, written): (&mut Shared, &mut Written),
) -> Result<(), Error> {
    let (plan, lift) = (lifted.plan, lifted.lift);
    let rootfs = Path::new("workloads").join(&plan.id).join("rootfs");
    let folder = staging.directory(&rootfs, 0o755)?;
    let mut unread = lifted.problem.clone();
    for layer in &lift.layers {
        let path = rootfs.join(format!("{}.tar", layer.name));
        if let Some(first) = shared.0.as_ref().filter(|_| is_shared(layer)) {
            staging.link(first, &path)?;
            continue;
        }
        let file = BufWriter::with_capacity(1 << 17, staging.create(&path, 0o644)?);
        let in_tar = |entry: &Entry| layer.is_of_packages() || !lift.is_in_tree(&entry.path);
        unread.extend(lifted.layer(layer, in_tar, machine, file)?);
        if is_shared(layer) {
            shared.0 = Some(path);
        }
    }
    let entries = plan.image.entries.iter();
    let trees: Vec<Entry> = entries
        .filter(|entry| lift.is_in_tree(&entry.path))
        .cloned()
        .collect();
    unread.extend(rootfs::write(&folder, &trees, machine.content)?);
    let unread = unread.into_iter();
    written
        .left_out
        .extend(unread.map(|(path, why)| format!("{path} of {}: {why}", plan.id)));
    written.paths.push(rootfs);
    Ok(())
}
