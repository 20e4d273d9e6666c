//! Fedora, Red Hat Enterprise Linux and what is made from them: dnf, and yum before it, which takes the same words.
//!
//! A pin is what stands behind the name and a hyphen, with a `*` at its end: `httpd-2.4.57-*`, `mariadb-server-3:10.5.*`.

use super::locale::{self, LANGUAGE, Locale};
use super::{
    ArchiveFile, Family, Installation, PlannedArchive, PlannedPackage, PlannedPin, Preparation,
    Step, rpm, shadow,
};
use crate::distribution::account::Accounts;
use crate::distribution::base::Moving;
use crate::distribution::machine::Libc;
use crate::fact::{Facts, Package};
use std::cmp::Ordering;

#[derive(Debug)]
pub(super) struct Dnf;

/// Where archives are told.
const ARCHIVES: &str = "/etc/yum.repos.d";

/// Groups of the base with the machine's name are the machine's: a name that is there is no failure (groupadd(8)).
const IF_MISSING: &[&str] = &["--force"];

/// Any version. A bare `*` behind a hyphen would stand for the rest of a longer name.
const ANY: &str = "[0-9]*";

impl Family for Dnf {
    fn id(&self) -> &'static str {
        "dnf"
    }

    fn database(&self) -> &'static str {
        rpm::DATABASE
    }

    fn is_version(&self, version: &str) -> bool {
        rpm::is_version(version)
    }

    fn pin(&self, source: &str, version: &str, moving: &[Moving]) -> String {
        let parts = rpm::Version::new(version);
        let Some(first) = parts.upstream.chars().next() else {
            return ANY.to_owned();
        };
        let (epoch, upstream) = (parts.epoch, parts.upstream);
        match rpm::kept(source, moving) {
            Some(0) if first.is_ascii_digit() => format!("{first}*"),
            Some(0) => ANY.to_owned(),
            keep => match keep.and_then(|keep| parts.first(keep)) {
                Some(kept) => format!("{epoch}{kept}.*"),
                None => format!("{epoch}{upstream}-*"),
            },
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
        let mut steps = Vec::new();
        let moved = format!("{ARCHIVES}/moved.repo");
        if let Some(told) = rpm::told(wanted.moved, &moved, false) {
            let gone = Step::new(["find", ARCHIVES, "-mindepth", "1", "-delete"]);
            steps.push(gone.why("The release's archive has moved."));
            steps.push(told);
        }
        let past = format!("{ARCHIVES}/past.repo");
        let told = rpm::told(wanted.past, &past, true);
        steps.extend(told.map(|told| {
            told.why(
                "The archive has the newest of each package; the machine's own versions are here.",
            )
        }));
        steps
    }

    fn install(&self, wanted: &Installation<'_>) -> Vec<Step> {
        if wanted.packages.is_empty() {
            return Vec::new();
        }
        let program = match wanted.program {
            "" => "dnf",
            program => program,
        };
        let mut steps = Vec::new();
        if !wanted.modules.is_empty() {
            let words = [program, "-y", "module", "enable"].into_iter();
            let words = words.chain(wanted.modules.iter().map(String::as_str));
            let step = Step::new(words);
            steps.push(step.why("The streams that the machine's packages are of."));
        }
        steps.push(install(program, wanted));
        let all = wanted.locale.iter().copied();
        let compiled = !wanted.locales.contains(LANGUAGE);
        let compiled: Vec<Locale<'_>> = all.filter(|_| compiled).filter_map(Locale::new).collect();
        steps.extend(compiled.iter().map(Locale::made));
        if !wanted.locales.contains(LANGUAGE) {
            let more = wanted.more_locales.iter().filter_map(Locale::beside);
            steps.extend(more.map(|locale| locale.made()));
        }
        steps.extend(wanted.locale.map(locale::configured));
        steps.extend(wanted.timezone.map(locale::zone));
        steps.push(Step::new([program, "clean", "all"]));
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

fn install(program: &str, wanted: &Installation<'_>) -> Step {
    let mut words = vec![program.to_owned(), "-y".into(), "install".into()];
    // yum knows no weak dependencies and replaces nothing by itself. The base's small variants (curl-minimal) make way for
    // the machine's.
    if program != "yum" {
        words.push("--allowerasing".into());
        words.push("--setopt=install_weak_deps=False".into());
    }
    words.push("--setopt=tsflags=nodocs".into());
    let more = wanted.components.iter();
    words.extend(more.map(|name| format!("--enablerepo={name}")));
    let named = |package: &PlannedPackage| format!("{}-{}", package.name, package.pin);
    let packages = wanted.packages.iter();
    let rule = if program == "yum" { "DL3033" } else { "DL3041" };
    packages.fold(Step::new(words).unlinted(rule), |step, package| {
        step.remarked(package.remark(), named(package))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{moving, shown, wanted};
    use super::*;

    #[test]
    fn pins_survive_an_update_of_the_archive() {
        for (source, version, expected) in [
            ("httpd", "2.4.57-5.el9", "2.4.57-*"),
            ("mariadb", "3:10.5.22-1.el9_2", "3:10.5.*"),
            ("php", "8.1.27-1.module+el9.3.0+20865+98b2f2a5", "8.1.*"),
            ("tzdata", "2023c-1.el9", "2*"),
            ("a", "7-1", "7-*"),
            ("a", "", "[0-9]*"),
        ] {
            let pin = Dnf.pin(source, version, &moving());
            assert_eq!(pin, expected, "{source} {version}");
        }
    }

    #[test]
    fn streams_are_enabled_before_and_nothing_is_left_behind() {
        let modules = ["php:8.1".to_owned()];
        let steps = Dnf.install(&Installation {
            modules: &modules,
            components: &["crb".to_owned()],
            locale: Some("de_DE.UTF-8"),
            locales: "glibc-langpack-{language}",
            timezone: Some("Europe/Berlin"),
            ..wanted(&Dnf)
        });
        assert_eq!(
            shown(&steps),
            [
                "dnf -y module enable php:8.1",
                "dnf -y install --allowerasing --setopt=install_weak_deps=False --setopt=tsflags=nodocs --enablerepo=crb alpha-1.2.3-*",
                "printf LANG=%s\\n de_DE.UTF-8 > /etc/locale.conf",
                "ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime",
                "dnf clean all",
            ]
        );
    }

    #[test]
    fn of_old_it_was_another_program_and_locales_were_compiled() {
        let steps = Dnf.install(&Installation {
            program: "yum",
            locale: Some("de_DE.UTF-8"),
            locales: "glibc-common",
            ..wanted(&Dnf)
        });
        let shown = shown(&steps);
        assert_eq!(
            shown[0],
            "yum -y install --setopt=tsflags=nodocs alpha-1.2.3-*"
        );
        assert!(shown[1].starts_with("localedef -i de_DE"), "{shown:?}");
        assert_eq!(shown.last().unwrap(), "yum clean all");
    }

    #[test]
    fn an_archive_that_moved_stands_in_the_place_of_the_others() {
        let moved = ["base https://v.example.net/$basearch /etc/k".to_owned()];
        let none = Preparation {
            archives: &[],
            components: &[],
            moved: &[],
            past: &[],
        };
        let steps = Dnf.prepare(&Preparation {
            moved: &moved,
            ..none
        });
        assert_eq!(
            shown(&steps),
            [
                "find /etc/yum.repos.d -mindepth 1 -delete",
                "printf %s\\n [base] name=base baseurl=https://v.example.net/$basearch gpgcheck=1 gpgkey=file:///etc/k > /etc/yum.repos.d/moved.repo",
            ]
        );
        let steps = Dnf.prepare(&Preparation {
            past: &moved,
            ..none
        });
        assert!(shown(&steps)[0].ends_with("skip_if_unavailable=1 > /etc/yum.repos.d/past.repo"));
        assert!(Dnf.prepare(&none).is_empty());
    }
}
