//! What the code of a workload's programs can do, with a place that shows it.

use super::Seen;
use super::index::Index;
use crate::fact::Evidence;
use crate::kernel::need::Program;
use crate::program::is_shell;
use crate::workload::Workload;

/// What code says of something it might do.
pub(super) enum Witness {
    /// A place that does it.
    Does(&'static str, Evidence),
    /// Its code was read, and nothing in it does.
    Never,
    /// Its code, or a part of it, was not read.
    Unread,
}

/// Whether the programs of a workload can make one of these calls; of `own`, only where their own code does.
pub(super) fn witness(
    seen: &Seen<'_>,
    index: &Index<'_>,
    workload: &Workload,
    any: &[&'static str],
    own: &[&'static str],
) -> Witness {
    let plan = index.plan(workload);
    let programs = plan.map_or(&[][..], |plan| &plan.process.programs);
    let mut starts = workload
        .services
        .iter()
        .flat_map(|service| &service.commands.start);
    // A shell runs others, and which ones is for its script to say.
    // So is which of several programs an init script means.
    let mut scripts = seen.facts.init_scripts.iter();
    let several = scripts.any(|script| {
        let mut services = workload.services.iter();
        script.starts.len() > 1 && services.any(|own| own.files.first() == Some(&script.path))
    });
    let is_open =
        several || starts.next().is_none() || programs.iter().any(|path| is_shell(&path.text()));
    let mut found = if programs.is_empty() || is_open {
        Witness::Unread
    } else {
        Witness::Never
    };
    for path in programs {
        let Some(reach) = seen.reaches.get(path) else {
            found = Witness::Unread;
            continue;
        };
        // What is in the part that was not read may do it too.
        if !reach.unresolved.is_empty() {
            found = Witness::Unread;
        }
        let program = Program::new(path, reach, seen.facts);
        let calls = any.iter().map(|call| (call, false));
        for (call, must_be_own) in calls.chain(own.iter().map(|call| (call, true))) {
            let Some(sites) = reach.calls.get(*call) else {
                continue;
            };
            if must_be_own && !program.calls_itself(call, sites) {
                continue;
            }
            // The place in the program itself says more than the one in the C library.
            let site = sites.iter().find(|site| site.path == *path);
            if let Some(site) = site.or(sites.first()) {
                return Witness::Does(call, Evidence::offset(&site.path, site.offset, call));
            }
        }
    }
    found
}
