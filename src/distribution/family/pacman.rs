//! Arch Linux and what is made from it: pacman.
//!
//! No version is asked for: an archive has one of each package, and the archive of the machine's own day has the machine's.

use super::locale::{self, Locale};
use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedPackage, PlannedPin, Preparation,
    Step, rpm, shadow, typed,
};
use crate::distribution::account::Accounts;
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use std::cmp::Ordering;

#[derive(Debug)]
pub(super) struct Pacman;

/// Groups of the base with the machine's name are the machine's: a name that is there is no failure (groupadd(8)).
const IF_MISSING: &[&str] = &["--force"];

impl Family for Pacman {
    fn id(&self) -> &'static str {
        "pacman"
    }

    fn database(&self) -> &'static str {
        "pacman"
    }

    fn is_version(&self, version: &str) -> bool {
        rpm::is_version(version)
    }

    fn pin(&self, _: &str, _: &str, _: &[Moving]) -> String {
        String::new()
    }

    /// vercmp(8) is rpm's.
    fn compare(&self, a: &str, b: &str) -> Ordering {
        rpm::compare(a, b)
    }

    fn is_doubtful(&self, _: &str) -> bool {
        false
    }

    fn archives(&self, _: &[PlannedArchive], _: &[PlannedPin]) -> Vec<ArchiveFile> {
        Vec::new()
    }

    fn prepare(&self, wanted: &Preparation<'_>) -> Vec<Step> {
        let first = wanted.moved.first();
        let told = first.map(|server| {
            let step = Step::new(["printf", "Server = %s\\n", server]);
            step.written("/etc/pacman.d/mirrorlist")
                .why("The archive of the day of the machine's newest package.")
        });
        told.into_iter().collect()
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let mut steps = Vec::new();
        let more = wanted.more_locales.iter().filter_map(Locale::beside);
        let made = wanted.locale.and_then(Locale::new).into_iter().chain(more);
        let made: Vec<Locale<'_>> = made.collect();
        if !made.is_empty() {
            let words = ["sed", "-i", "/^NoExtract/d", "/etc/pacman.conf"];
            let step = Step::new(words);
            steps.push(step.why("The base leaves out what locales are made from."));
        }
        let is_locales =
            |package: &&PlannedPackage| !made.is_empty() && package.name == wanted.locales;
        // The base is of another day: what is newer in it goes back as well (-uu).
        let words = ["pacman", "-Syyuu", "--noconfirm", "--needed"];
        let packages = wanted.packages.iter().filter(|p| !is_locales(p));
        steps.push(packages.fold(Step::new(words), |step, package| {
            step.remarked(package.remark(), package.name.clone())
        }));
        if !made.is_empty() {
            steps.push(Step::new(["pacman", "-S", "--noconfirm", wanted.locales]));
        }
        steps.extend(made.iter().map(Locale::made));
        steps.extend(wanted.locale.map(locale::configured));
        steps.extend(wanted.timezone.map(locale::zone));
        steps.push(
            Step::new(["rm", "-rf"])
                .inside("/var/cache/pacman/pkg")
                .inside("/var/lib/pacman/sync"),
        );
        steps
    }

    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step> {
        shadow::accounts(accounts, IF_MISSING)
    }

    fn purl(&self, distribution: Option<&str>, package: &Package) -> String {
        typed("alpm", distribution, package, &package.version)
    }

    fn libc(&self, facts: &Facts) -> Option<Libc> {
        rpm::libc(facts)
    }

    fn architecture<'a>(&self, package: &'a Package) -> Option<&'a str> {
        Some(package.arch.as_str()).filter(|arch| !matches!(*arch, "any" | ""))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, wanted};
    use super::*;

    #[test]
    fn the_machines_own_day_is_installed() {
        let moved = ["https://archive.archlinux.org/repos/2024/01/31/$repo/os/$arch".to_owned()];
        let before = Pacman.prepare(&Preparation {
            archives: &[],
            components: &[],
            moved: &moved,
            past: &[],
        });
        assert_eq!(
            shown(&before),
            [format!(
                "printf Server = %s\\n {} > /etc/pacman.d/mirrorlist",
                moved[0]
            )]
        );
        let steps = Pacman.install(&Installation {
            locale: Some("de_DE.UTF-8"),
            locales: "glibc",
            ..wanted(&Pacman)
        });
        let shown = shown(&steps);
        assert_eq!(shown[1], "pacman -Syyuu --noconfirm --needed alpha");
        assert_eq!(shown[2], "pacman -S --noconfirm glibc");
        assert!(shown[3].starts_with("localedef -i de_DE"), "{shown:?}");
        assert_eq!(
            shown.last().unwrap(),
            "rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*"
        );
    }
}
