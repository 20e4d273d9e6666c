//! SUSE and openSUSE: zypper.
//!
//! A pin is a relation and a version without its release: `=2.4.57` fits every rebuild of it.

use super::locale;
use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedPin, Preparation, Step, rpm, shadow,
};
use crate::distribution::account::Accounts;
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use std::cmp::Ordering;

#[derive(Debug)]
pub(super) struct Zypper;

/// Where archives are told.
const ARCHIVES: &str = "/etc/zypp/repos.d";

/// Groups of the base with the machine's name are the machine's: a name that is there is no failure (groupadd(8)).
const IF_MISSING: &[&str] = &["--force"];

impl Family for Zypper {
    fn id(&self) -> &'static str {
        "zypper"
    }

    fn database(&self) -> &'static str {
        rpm::DATABASE
    }

    fn is_version(&self, version: &str) -> bool {
        rpm::is_version(version)
    }

    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String {
        let parts = rpm::Version::new(version);
        let (epoch, upstream) = (parts.epoch, parts.upstream);
        match rpm::kept(source, moving) {
            _ if upstream.is_empty() => ">=0".to_owned(),
            Some(0) => ">=0".to_owned(),
            Some(keep) => match parts.first(keep) {
                Some(kept) => format!(">={epoch}{kept}"),
                None => format!(">={epoch}{upstream}"),
            },
            None => format!("={epoch}{upstream}"),
        }
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        rpm::compare(a, b)
    }

    /// Who made a package says it, and no version.
    fn is_doubtful(&self, _: &str) -> bool {
        false
    }

    fn archives(&self, archives: &[PlannedArchive], _: &[PlannedPin]) -> Vec<ArchiveFile> {
        rpm::files(archives, ARCHIVES)
    }

    fn prepare(&self, wanted: &Preparation<'_>) -> Vec<Step> {
        let told = rpm::told(wanted.moved, &format!("{ARCHIVES}/moved.repo"), false);
        let told = told.map(|told| {
            let gone = Step::new(["rm", "-rf"]).inside(ARCHIVES);
            [gone.why("The release's archive has moved."), told]
        });
        told.into_iter().flatten().collect()
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let mut steps = Vec::new();
        // It asks before it trusts a key, and there is nobody to answer.
        if wanted.archives.iter().any(|archive| archive.key.is_some()) {
            steps.push(Step::new(["rpm", "--import"]).inside(rpm::KEYS));
        }
        let words = ["zypper", "--non-interactive", "install", "--no-recommends"];
        let packages = wanted.packages.iter();
        steps.push(packages.fold(Step::new(words), |step, package| {
            step.remarked(package.remark(), format!("{}{}", package.name, package.pin))
        }));
        steps.extend(wanted.locale.map(locale::configured));
        steps.extend(wanted.timezone.map(locale::zone));
        steps.push(Step::new(["zypper", "clean", "--all"]));
        steps
    }

    fn accounts(&self, accounts: &Accounts<'_>) -> Vec<Step> {
        shadow::accounts(accounts, IF_MISSING)
    }

    fn purl(&self, distribution: Option<&str>, package: &Package) -> String {
        rpm::purl(distribution, package)
    }

    fn libc(&self, facts: &Facts) -> Option<Libc> {
        rpm::libc(facts)
    }

    fn architecture<'a>(&self, package: &'a Package) -> Option<&'a str> {
        rpm::architecture(package)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{moving, shown, wanted};
    use super::*;

    #[test]
    fn pins_name_no_release() {
        for (source, version, expected) in [
            ("apache2", "2.4.51-150400.6.14.1", "=2.4.51"),
            ("php8", "8.0.30-150400.4.37.1", "=8.0.30"),
            ("mariadb", "10.6.15-150400.3.29.1", ">=10.6"),
            ("a", "1:2-3", "=1:2"),
            ("tzdata", "2023c-1", ">=0"),
            ("a", "", ">=0"),
        ] {
            let pin = Zypper.pin(source, version, &moving());
            assert_eq!(pin, expected, "{source} {version}");
        }
    }

    #[test]
    fn nobody_is_asked_and_nothing_is_left_behind() {
        let steps = Zypper.install(&Installation {
            locale: Some("de_DE.UTF-8"),
            timezone: Some("Europe/Berlin"),
            ..wanted(&Zypper)
        });
        assert_eq!(
            shown(&steps),
            [
                "zypper --non-interactive install --no-recommends alpha=1.2.3",
                "printf LANG=%s\\n de_DE.UTF-8 > /etc/locale.conf",
                "ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime",
                "zypper clean --all",
            ]
        );
    }
}
