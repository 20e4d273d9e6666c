//! What is done to the base before the workload's files come: accounts are made, packages installed, in the way of the
//! base's family, and its installer is told of further archives.

use super::{Image, PlannedCommand};
use crate::distribution::account::Accounts;
use crate::distribution::base::Base;
use crate::distribution::family::{Installation, Preparation, Step};
use crate::fact::Facts;
use crate::program::libraries::{Loader, is_library};
use crate::walk::Entry;

/// The steps, in order. Where the family is not known, accounts are lines of the image's files and nothing is installed.
pub(super) fn steps(image: &mut Image, base: &Base) {
    let accounts = Accounts {
        users: &image.users,
        groups: &image.groups,
        displaced: &image.displaced,
        memberships: &image.memberships,
    };
    let Some(family) = base.family else {
        image.steps = accounts.written();
        return;
    };
    let mut steps = family.accounts(&accounts);
    steps.extend(family.install(&Installation {
        packages: &image.packages,
        archives: &image.archives,
        program: &base.program,
        modules: &image.modules,
        components: &image.components,
        directories: &image.package_directories,
        locale: image.locale.as_deref(),
        more_locales: &image.locales,
        locales: &base.locales,
        timezone: image.timezone.as_deref(),
    }));
    let installs = !image.packages.is_empty();
    let moved = base.moved.as_slice();
    let prepare = family.prepare(&Preparation {
        archives: &image.archives,
        components: &image.components,
        moved: if installs { moved } else { &[] },
        past: if installs { &base.past } else { &[] },
    });
    image.archive_files = family.archives(&image.archives, &image.pins);
    if image.archive_files.is_empty() {
        image.steps = prepare.into_iter().chain(steps).collect();
    } else {
        (image.prepare, image.steps) = (prepare, steps);
    }
}

/// The loader's cache is made of what the packages brought: libraries that are carried to where only its configuration
/// leads are not in it.
pub(super) fn finish(entries: &[Entry], facts: &Facts) -> Vec<Step> {
    let loader = Loader::new(facts);
    let is_new = |entry: &&Entry| {
        let directory = entry.path.parent();
        is_library(&entry.path.name()) && directory.is_some_and(|dir| loader.is_configured(&dir))
    };
    let library = entries.iter().filter(|entry| !entry.is_dir()).find(is_new);
    let why = |library: &Entry| format!("{} is found through the loader's cache.", library.path);
    let step = library.map(|library| Step::new(["ldconfig"]).why(why(library)));
    step.into_iter().collect()
}

/// What is left to a person where nothing is installed.
pub(super) fn remark(command: &PlannedCommand, base: &Base) -> Option<String> {
    let program = command.argv.first()?;
    base.family.is_none().then(|| {
        format!(
            "No package is installed in this image, and neither its locale nor its time zone is set up: add to the Dockerfile what {program} needs beside the carried files, with the package manager of {}.",
            base.image
        )
    })
}

/// Why the image is made from this base, and in this way.
pub(super) fn reason(base: &Base) -> String {
    let what = match base.family {
        Some(_) => "the machine's own release and packages",
        None => "the machine's own release, whose packages this version cannot install",
    };
    format!("{what}: {}", base.reason)
}
