//! Locales: the machine's own, and the others that were generated on it.

use crate::distribution::family::PlannedLocale;
use crate::fact::{Facts, Syntax};
use crate::path::MachinePath;
use crate::workload::Workload;

/// What the machine was told to generate (locale-gen(8)).
const GENERATED: &str = "/etc/locale.gen";

/// A list of more is everything there is.
const MOST: usize = 64;

/// The locales beside the machine's own that a workload may ask for: all that the machine generated, as soon as it asks
/// for any. Databases name theirs inside their files, so that fewer would not be safe.
pub(super) fn more(workload: &Workload, main: Option<&str>, facts: &Facts) -> Vec<PlannedLocale> {
    let asked = asked(workload);
    let needs_any = main.into_iter().chain(asked.iter().map(String::as_str));
    if !needs_any.into_iter().any(is_made) {
        return Vec::new();
    }
    let key = (MachinePath::new(GENERATED), Syntax::Columns);
    let document = facts.documents.get(&key);
    let lines = document.iter().flat_map(|document| &document.settings);
    let generated = lines.map(|line| PlannedLocale {
        name: line.key.clone(),
        charset: line
            .args
            .first()
            .cloned()
            .filter(|charset| is_locale(charset)),
    });
    let named = asked.into_iter().map(|name| PlannedLocale {
        name,
        charset: None,
    });
    let mut found: Vec<PlannedLocale> = Vec::new();
    for locale in generated.chain(named) {
        let is_known = main == Some(&*locale.name) || found.iter().any(|l| l.name == locale.name);
        if is_locale(&locale.name) && is_made(&locale.name) && !is_known && found.len() < MOST {
            found.push(locale);
        }
    }
    found
}

/// Those of its variables and of its product's configuration.
fn asked(workload: &Workload) -> Vec<String> {
    let variables = workload.environment.iter();
    let of_variables = variables.filter(|(name, _)| name == "LANG" || name.starts_with("LC_"));
    let product = workload.product.iter();
    let of_product = product.flat_map(|product| &product.locales);
    let all = of_variables.map(|(_, value)| value).chain(of_product);
    all.filter(|name| is_locale(name)).cloned().collect()
}

/// Whether an image has to make it: `C` and its kin are everywhere.
pub(super) fn is_made(name: &str) -> bool {
    let language = name.split(['.', '@']).next().unwrap_or(name);
    !matches!(language, "C" | "POSIX" | "")
}

/// `en_US.UTF-8`, `de_DE@euro`, `C.UTF-8`.
pub(super) fn is_locale(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-');
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits) && !name.starts_with(['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(is_locale("en_US.UTF-8") && is_locale("de_DE@euro") && !is_locale("a b"));
        assert!(is_made("de_DE@euro") && !is_made("C.UTF-8") && !is_made("POSIX"));
    }
}
