//! `NAME=value` lines: systemd's EnvironmentFile=, /etc/default, and a shell's plain assignments.

use super::Reader;
use crate::words;

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    let mut lines = (1u32..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut logical = line.trim().to_owned();
        if logical.starts_with(['#', ';']) {
            continue;
        }
        while logical.ends_with('\\') {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim());
        }
        let assignment = logical.strip_prefix("export ").unwrap_or(&logical);
        let Some((name, value)) = assignment.split_once('=') else {
            continue;
        };
        let name = name.trim();
        let is_name = name
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name {
            out.setting(&[], name, &[words::assigned(value)], 0, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Environment;

    #[test]
    fn assignments() {
        assert_eq!(
            shown(
                Environment,
                "A=1\nexport B=\"x y\" # c\nC='a#b'\nD=a#b c\nif [ x = y ]; then\nDB_PASSWORD=x1\nE=1\\\n2\n"
            ),
            [
                "A=1@1",
                "B=x y@2",
                "C=a#b@3",
                "D=a#b c@4",
                "DB_PASSWORD=[redacted]@6",
                "E=12@7"
            ]
        );
    }
}
