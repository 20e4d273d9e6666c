//! Settings written in a script language: plain assignments of literals, and calls with two literal arguments.
//!
//! Nothing is evaluated; what is computed is not seen.

use super::Reader;
use crate::words::fallback::spelled;
use regex::{Captures, Regex};
use std::sync::LazyLock;

static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"^\s*(?:(?:const|let|var|my|export)\s+)?[$@]?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?:\[['"](?P<index>[^'"]+)['"]\])?\s*(?:=|=>|:)\s*(?P<value>'[^']*'|"[^"]*"|-?[0-9.]+|True|False|true|false)\s*[,;]?\s*(?:#.*|//.*)?$"#,
    )
    .ok()
});

static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^\s*[a-z_]+\s*\(\s*['"](?P<name>[^'"]+)['"]\s*,\s*(?P<value>'[^']*'|"[^"]*"|-?[0-9.]+|true|false)\s*\)"#).ok()
});

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    for (number, line) in (1u32..).zip(text.lines()) {
        if line.len() > 4096 {
            continue;
        }
        let line = &*spelled(line);
        if let Some(captures) = ASSIGNMENT.as_ref().and_then(|regex| regex.captures(line)) {
            setting(out, &captures, number);
            continue;
        }
        // Several calls stand on one line where somebody pasted them so.
        let mut rest = line;
        while let Some(captures) = CALL.as_ref().and_then(|regex| regex.captures(rest)) {
            setting(out, &captures, number);
            let end = captures.get(0).map_or(rest.len(), |whole| whole.end());
            rest = rest.get(end..).unwrap_or_default();
            rest = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
        }
    }
}

fn setting(out: &mut Reader<'_>, captures: &Captures<'_>, number: u32) {
    let part = |name: &str| captures.name(name).map(|found| found.as_str());
    let (Some(name), Some(value)) = (part("name"), part("value")) else {
        return;
    };
    // A call has no second name; asking the call's pattern for one gives nothing.
    let blocks: Vec<String> = part("index").map(|_| name.to_owned()).into_iter().collect();
    let key = part("index").unwrap_or(name);
    let value = value.trim_matches(['"', '\'']).to_owned();
    out.setting(&blocks, key, &[value], 0, number);
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Script;

    #[test]
    fn literals_only() {
        let text = "bind = \"0.0.0.0:8000\"\nworkers = 2  # c\ndefine('DB_HOST', 'localhost'); define( 'DB_NAME', 'x' );\n$cfg['host'] = 'db';\nx = f(1)\n";
        assert_eq!(
            shown(Script, text),
            [
                "bind=0.0.0.0:8000@1",
                "workers=2@2",
                "DB_HOST=localhost@3",
                "DB_NAME=x@3",
                "cfg/host=db@4"
            ]
        );
    }
}
