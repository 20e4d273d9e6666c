//! HAProxy: section keywords at the start, keywords inside ("Configuration file format" in its manual).

use super::{Reader, words};

/// Section keywords; everything else belongs to the section above it.
const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "resolvers",
    "userlist",
    "mailers",
    "program",
    "cache",
    "ring",
    "http-errors",
    "fcgi-app",
    "log-forward",
    "crt-store",
    "traces",
];

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    let mut section: Vec<String> = Vec::new();
    let mut count = 0;
    for (number, line) in (1u32..).zip(text.lines()) {
        let parts = words(line);
        let Some((name, args)) = parts.split_first() else {
            continue;
        };
        if SECTIONS.contains(&name.as_str()) {
            count += 1;
            section = vec![name.clone()];
            out.setting(&[], name, args, count, number);
        } else {
            out.setting(&section, name, args, count, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Haproxy;

    #[test]
    fn sections() {
        let text = "frontend web\n  bind *:9000 ssl crt /x # c\nbackend a\n  server s1 127.0.0.1:80 check\n";
        assert_eq!(
            shown(Haproxy, text),
            [
                "frontend=web@1",
                "frontend/bind=*:9000,ssl,crt,/x@2",
                "backend=a@3",
                "backend/server=s1,127.0.0.1:80,check@4"
            ]
        );
    }
}
