use super::word::{Value, World, fields};
use super::*;
use std::collections::BTreeMap;

#[derive(Default)]
struct Known(BTreeMap<String, String>);

impl World for Known {
    fn value(&self, name: &str) -> Value {
        match (name, self.0.get(name)) {
            ("RUN", _) => Value::Unknown,
            (_, Some(text)) => Value::Text(text.clone()),
            (_, None) => Value::Unset,
        }
    }

    fn arguments(&self) -> Vec<String> {
        vec!["one".into(), "two words".into()]
    }

    fn assign(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    fn output(&mut self, command: &str) -> Option<String> {
        command.strip_prefix("echo ").map(str::to_owned)
    }

    /// Of patterns only a star at either end.
    fn matches(&self, pattern: &str, text: &str) -> bool {
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => text.ends_with(end),
            (_, Some(start)) => text.starts_with(start),
            _ => pattern == text,
        }
    }

    fn affords(&self, _: usize) -> bool {
        true
    }
}

#[test]
fn words_are_what_a_shell_makes_of_them() {
    let mut known = Known::default();
    for (name, value) in [
        ("A", "a b"),
        ("E", ""),
        ("P", "/x/y.z.conf"),
        ("N", "worker.mail"),
    ] {
        known.assign(name, value.to_owned());
    }
    for (raw, wanted) in [
        ("$A", &["a", "b"][..]),
        ("\"$A\"", &["a b"]),
        ("'$A'", &["$A"]),
        ("x${A}y", &["xa", "by"]),
        ("$E", &[]),
        ("\"$E\"", &[""]),
        ("$NONE", &[]),
        ("${NONE:-d e}", &["d", "e"]),
        ("${E-d}", &[]),
        ("${E:-d}", &["d"]),
        ("${A:+yes}", &["yes"]),
        ("${NONE:+yes}", &[]),
        ("${P##*/}", &["y.z.conf"]),
        ("${P%/*}", &["/x"]),
        ("${P%%.*}", &["/x/y"]),
        ("${N#worker.}", &["mail"]),
        ("${N:0:4}", &["work"]),
        ("${A/b/c}", &["a", "c"]),
        ("${#E}", &["0"]),
        ("\"$@\"", &["one", "two words"]),
        ("$(echo x $(y))", &["x", "$(y)"]),
        ("`date +%s`", &["`date +%s`"]),
        ("a$RUN", &["a$RUN"]),
        ("${RUN:-x}", &["${RUN:-x}"]),
        ("${S:=set}$S", &["setset"]),
        ("a\\ b", &["a b"]),
        ("${", &[]),
    ] {
        assert_eq!(fields(raw, &mut known), wanted, "{raw}");
    }
}

fn names(nodes: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    for node in nodes {
        match &node.kind {
            Kind::Simple(simple) => found.push(format!("{}:{}", node.line, simple.words.join(" "))),
            Kind::Chain(parts) => {
                for (_, node) in parts {
                    found.extend(names(std::slice::from_ref(node)));
                }
            }
            Kind::Not(inner) => found.extend(names(std::slice::from_ref(inner))),
            Kind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    found.extend(names(condition));
                    found.extend(names(body));
                }
                found.extend(names(otherwise));
            }
            Kind::Pipe(body)
            | Kind::Group(body)
            | Kind::For { body, .. }
            | Kind::Function { body, .. } => found.extend(names(body)),
            Kind::Loop { condition, body } => {
                found.extend(names(condition));
                found.extend(names(body));
            }
            Kind::Case { arms, .. } => {
                for (patterns, body) in arms {
                    found.push(format!("{})", patterns.join("|")));
                    found.extend(names(body));
                }
            }
        }
    }
    found
}

#[test]
fn commands_stand_where_they_are_written() {
    let text = "#!/bin/sh\n# c\na 1 && b || c; d | e &\nif [ -x /f ]; then g; elif h\nthen i; else\n j; fi\n\
        f() {\n  k \\\n    l # m\n}\nfor x in 1 2; do n \"$x\"; done\ncase \"$1\" in\n start|run) o ;;\n (*) p; q\nesac\ncat <<END\nr\nEND\n( s ) 2>&1\nu > /v 2>>/w\n";
    assert_eq!(
        names(&parse(text)),
        [
            "3:a 1",
            "3:b",
            "3:c",
            "3:d",
            "3:e",
            "4:[ -x /f ]",
            "4:g",
            "4:h",
            "5:i",
            "6:j",
            "8:k l",
            "11:n \"$x\"",
            "start|run)",
            "13:o",
            "*)",
            "14:p",
            "14:q",
            "16:cat",
            "19:s",
            "20:u",
        ]
    );
}

#[test]
fn what_is_open_ends_with_the_text() {
    for text in [
        "if a",
        "case x in",
        "f() {",
        "a \"b",
        "$(a",
        "((((",
        "<<",
        "}",
        "esac fi done ;;",
        "a=(b c",
    ] {
        let _ = parse(text);
    }
    let _ = parse(&"( ".repeat(5_000));
    let _ = parse(&"a && ".repeat(5_000));
}

proptest::proptest! {
    #[test]
    fn any_text_survives(text in "(?s).{0,300}") {
        let _ = parse(&text);
        let _ = fields(&text, &mut Known::default());
    }
}
