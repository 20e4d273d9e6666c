//! The layers of a lifted workload, in its build context: `rootfs/NAME.tar`. What all lifted workloads of a machine share is written
//! once, and is one file of the disk under several names.

use super::layer::{self, Parts, Searched};
use super::staging::Staging;
use super::{Error, Machine, Written, record};
use crate::path::MachinePath;
use crate::plan::{Layer, Lift, Plan, WrittenFile};
use std::path::{Path, PathBuf};

/// Where a layer stands below OUT.
pub(super) fn path(plan: &Plan, layer: &Layer) -> PathBuf {
    let rootfs = Path::new("workloads").join(&plan.id).join("rootfs");
    rootfs.join(format!("{}.tar", layer.name))
}

/// The shared layer's first place.
#[derive(Default)]
pub(super) struct Shared(Option<PathBuf>);

/// Writes them; `generated` are files of our own making beside those of the plan.
pub(super) fn write(
    staging: &Staging,
    plan: &Plan,
    lift: &Lift,
    generated: Vec<WrittenFile>,
    machine: &Machine<'_>,
    (shared, written): (&mut Shared, &mut Written),
) -> Result<(), Error> {
    let rootfs = Path::new("workloads").join(&plan.id).join("rootfs");
    staging.directory(&rootfs, 0o755)?;
    let mut tell = |unread: Vec<(MachinePath, String)>| {
        let unread = unread.into_iter();
        let said = unread.map(|(path, why)| format!("{path} of {}: {why}", plan.id));
        written.left_out.extend(said);
    };
    for layer in &lift.layers {
        let path = path(plan, layer);
        let is_shared = layer.name == SHARED;
        if let Some(first) = shared.0.as_ref().filter(|_| is_shared) {
            staging.link(first, &path)?;
            continue;
        }
        let own = layer.name == OWN;
        let mut files = Vec::new();
        if own {
            files.extend(lift.written.iter().cloned());
            files.extend(generated.iter().cloned());
            match recorded(lift, machine) {
                Some(Ok(file)) => files.push(file),
                Some(Err(problem)) => tell(vec![problem]),
                None => {}
            }
        }
        let parts = Parts {
            entries: &layer.entries,
            written: &files,
            searched: if layer.is_of_packages() {
                Searched::These(&lift.unproven)
            } else {
                Searched::All
            },
        };
        let file = std::io::BufWriter::with_capacity(1 << 17, staging.create(&path, 0o644)?);
        tell(layer::write(file, parts, machine.content)?);
        if is_shared {
            shared.0 = Some(path);
        }
    }
    written.paths.push(rootfs);
    Ok(())
}

/// The layer that all lifted workloads have.
const SHARED: &str = "shared";
/// The topmost one, which has the files of our own making.
const OWN: &str = "configuration";

fn recorded(
    lift: &Lift,
    machine: &Machine<'_>,
) -> Option<Result<WrittenFile, (MachinePath, String)>> {
    let record = lift.record.as_ref()?;
    Some(record::file(record, lift, machine.tree, machine.content))
}
