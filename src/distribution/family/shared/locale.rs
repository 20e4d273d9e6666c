//! Locales and time zones, where they are the C library's: localedef(1), localtime(5).

use super::super::{PlannedLocale, Step};

/// Stands for a language in the name of a package of locales.
pub const LANGUAGE: &str = "{language}";

/// The packages of locales with these names, by the distribution's pattern: one for each language, or one for all.
pub fn packages<'a>(pattern: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    if pattern.is_empty() {
        return Vec::new();
    }
    let language = |name: &str| {
        let end = name.find(['_', '.', '@']).unwrap_or(name.len());
        pattern.replace(LANGUAGE, name.get(..end).unwrap_or(name))
    };
    let mut found: Vec<String> = names.map(language).collect();
    found.sort();
    found.dedup();
    found
}

/// The link that programs read; glibc and musl both.
pub(in super::super) fn zone(zone: &str) -> Step {
    let file = format!("/usr/share/zoneinfo/{zone}");
    Step::new(["ln", "-sf", &file, "/etc/localtime"]).why("The machine's time zone.")
}

/// With the note that some programs read.
pub(in super::super) fn timezone(name: &str) -> [Step; 2] {
    let note = Step::new(["printf", "%s\\n", name]).written("/etc/timezone");
    [zone(name), note]
}

/// What sessions and services start with (locale.conf(5)).
pub(in super::super) fn configured(name: &str) -> Step {
    Step::new(["printf", "LANG=%s\\n", name])
        .written("/etc/locale.conf")
        .why(format!("The machine's locale, {name}."))
}

/// What localedef(1) is told.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Locale<'a> {
    pub name: &'a str,
    definition: String,
    charset: &'a str,
}

impl<'a> Locale<'a> {
    /// `None`: every image has it.
    pub(in super::super) fn new(name: &'a str) -> Option<Self> {
        let (stem, modifier) = name
            .split_once('@')
            .map_or((name, String::new()), |(n, m)| (n, format!("@{m}")));
        let (language, charset) = stem.split_once('.').unwrap_or((stem, "ISO-8859-1"));
        if matches!(language, "C" | "POSIX") {
            return None;
        }
        let is_utf8 = charset.eq_ignore_ascii_case("utf8");
        Some(Self {
            name,
            definition: format!("{language}{modifier}"),
            charset: if is_utf8 { "UTF-8" } else { charset },
        })
    }

    pub(in super::super) fn beside(locale: &'a PlannedLocale) -> Option<Self> {
        let named = Self::new(&locale.name)?;
        let charset = locale.charset.as_deref();
        Some(Self {
            charset: charset.unwrap_or(named.charset),
            ..named
        })
    }

    /// `file` is what sessions read of it.
    pub(in super::super) fn steps(&self, file: &str) -> [Step; 2] {
        let name = self.name;
        [
            self.made().why(format!("The machine's locale, {name}.")),
            Step::new(["printf", "LANG=%s\\n", name]).written(file),
        ]
    }

    pub(in super::super) fn made(&self) -> Step {
        let (input, charset, name) = (&self.definition, self.charset, self.name);
        let aliases = "/usr/share/locale/locale.alias";
        Step::new([
            "localedef",
            "-i",
            input,
            "-c",
            "-f",
            charset,
            "-A",
            aliases,
            name,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_one_package() {
        let names = || ["de_DE.UTF-8", "de_AT@euro", "nds_DE"].into_iter();
        assert_eq!(
            packages("glibc-langpack-{language}", names()),
            ["glibc-langpack-de", "glibc-langpack-nds"]
        );
        assert_eq!(packages("locales", names()), ["locales"]);
        assert!(packages("", names()).is_empty());
    }

    #[test]
    fn locales_have_a_definition() {
        let found = |name| Locale::new(name).map(|locale| (locale.definition, locale.charset));
        assert_eq!(found("en_US.UTF-8"), Some(("en_US".into(), "UTF-8")));
        assert_eq!(
            found("de_DE.utf8@euro"),
            Some(("de_DE@euro".into(), "UTF-8"))
        );
        assert_eq!(found("de_DE"), Some(("de_DE".into(), "ISO-8859-1")));
        assert_eq!(found("C.UTF-8"), None);
    }
}
