//! Variables with what stands in for them, as the languages of configuration that is code write them: each becomes
//! `${NAME:-value}`, which whoever knows the environment puts in.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Without one of these there is none.
const MARKERS: &[&str] = &["ENV", "environ", "getenv", "process.env", "env("];

/// `ENV.fetch("X") { v }`, `ENV["X"] || v`, `os.environ.get("X", v)`, `os.getenv("X", v)`, `process.env.X || v`,
/// `env("X", v)`, `getenv("X") ?: v`; around it what puts a value into a string: `#{…}`.
static FALLBACK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?:\#?\{\s*)?
        (?P<call>(?:Integer|int|Number|parseInt|str)\(\s*)?
        (?:
            ENV\.fetch\(\s*['"](?P<a>[A-Za-z_][A-Za-z0-9_]*)['"]\s*(?:,\s*(?P<av>"[^"]*"|'[^']*'|[\w.]+)\s*\)|\)\s*(?:\{|do)\s*(?P<aw>"[^"]*"|'[^']*'|[\w.]+)\s*(?:\}|end))
          | ENV\[\s*['"](?P<b>[A-Za-z_][A-Za-z0-9_]*)['"]\s*\]\s*\|\|\s*(?P<bv>"[^"]*"|'[^']*'|[\w.]+)
          | (?:os\.)?(?:environ\.get|getenv)\(\s*['"](?P<c>[A-Za-z_][A-Za-z0-9_]*)['"]\s*,\s*(?P<cv>"[^"]*"|'[^']*'|[\w.]+)\s*\)
          | process\.env(?:\.(?P<d>[A-Za-z_][A-Za-z0-9_]*)|\[\s*['"](?P<e>[A-Za-z_][A-Za-z0-9_]*)['"]\s*\])\s*(?:\|\||\?\?)\s*(?P<dv>"[^"]*"|'[^']*'|[\w.]+)
          | env\(\s*['"](?P<f>[A-Za-z_][A-Za-z0-9_]*)['"]\s*,\s*(?P<fv>"[^"]*"|'[^']*'|[\w.]+)\s*\)
          | getenv\(\s*['"](?P<g>[A-Za-z_][A-Za-z0-9_]*)['"]\s*\)\s*\?:\s*(?P<gv>"[^"]*"|'[^']*'|[\w.]+)
        )"#,
    )
    .ok()
});

/// A line with every variable that has a fallback spelled as a shell does; the line itself where there is none.
pub fn spelled(line: &str) -> Cow<'_, str> {
    if !MARKERS.iter().any(|marker| line.contains(marker)) {
        return Cow::Borrowed(line);
    }
    let Some(fallback) = FALLBACK.as_ref() else {
        return Cow::Borrowed(line);
    };
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    for captures in fallback.captures_iter(line) {
        let first = |names: &[&str]| {
            let mut all = names.iter().filter_map(|name| captures.name(name));
            all.next().map(|found| found.as_str())
        };
        let name = first(&["a", "b", "c", "d", "e", "f", "g"]);
        let value = first(&["av", "aw", "bv", "cv", "dv", "fv", "gv"]);
        let (Some(whole), Some(name), Some(value)) = (captures.get(0), name, value) else {
            continue;
        };
        let (before, after) = (line.get(at..whole.start()), line.get(whole.end()..));
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        out.push_str(before);
        // The call around it ends behind it.
        let end = match captures.name("call") {
            Some(_) => whole.end() + after.find(')').map_or(0, |close| close + 1),
            None => whole.end(),
        };
        let after = line.get(end..).unwrap_or_default();
        let spelled = format!("${{{name}:-{}}}", value.trim_matches(['"', '\'']));
        // Inside a string it is a part of it; by itself it is one.
        let is_open = |text: &str, quote: char| text.matches(quote).count() % 2 == 1;
        if is_open(&out, '"') || is_open(&out, '\'') {
            out.push_str(&spelled);
            at = end + usize::from(whole.as_str().contains('{') && after.starts_with('}'));
        } else {
            out.push('"');
            out.push_str(&spelled);
            out.push('"');
            at = end;
        }
    }
    out.push_str(line.get(at..).unwrap_or_default());
    Cow::Owned(joined(&out))
}

/// Strings that are added to one another are one.
fn joined(line: &str) -> String {
    static PLUS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?:"\s*[+.]\s*"|'\s*[+.]\s*')"#).ok());
    match PLUS.as_ref() {
        Some(plus) => plus.replace_all(line, "").into_owned(),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_with_fallbacks() {
        for (line, expected) in [
            (
                r#"port ENV.fetch("PORT") { 3000 }"#,
                r#"port "${PORT:-3000}""#,
            ),
            (r#"port ENV.fetch("PORT", 3000)"#, r#"port "${PORT:-3000}""#),
            (
                r"port        ENV['PORT'] || 3000",
                r#"port        "${PORT:-3000}""#,
            ),
            (
                r#"bind "tcp://0.0.0.0:#{ENV.fetch('PORT', 3000)}""#,
                r#"bind "tcp://0.0.0.0:${PORT:-3000}""#,
            ),
            (
                r#"bind = "0.0.0.0:" + os.environ.get("PORT", "8000")"#,
                r#"bind = "0.0.0.0:${PORT:-8000}""#,
            ),
            (
                r#"bind = f"0.0.0.0:{os.getenv('PORT', '8000')}""#,
                r#"bind = f"0.0.0.0:${PORT:-8000}""#,
            ),
            (
                r"const port = process.env.PORT || 3000;",
                r#"const port = "${PORT:-3000}";"#,
            ),
            (
                r"'host' => env('DB_HOST', '127.0.0.1'),",
                r#"'host' => "${DB_HOST:-127.0.0.1}","#,
            ),
            (
                r"port = int(os.environ.get('PORT', 5000))",
                r#"port = "${PORT:-5000}""#,
            ),
            ("environment of others", "environment of others"),
        ] {
            assert_eq!(spelled(line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in "[ -~]{0,120}") {
            let _ = spelled(&line);
            let _ = spelled(&format!("ENV.fetch(\"A\") {{ {line} }}"));
        }
    }
}
