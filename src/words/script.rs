//! What a line of a script names: no shell is evaluated.

/// Words that stand before a command without being one.
const BEFORE: &[&str] = &[
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "(", "exec", "sudo", "nice",
    "time", "nohup", "env", "eval", "command", "&&", "||", "|", ";",
];

/// Paths and commands that a shell command line names.
pub fn script_words(line: &str) -> Vec<String> {
    words(line, true)
}

/// Absolute paths anywhere on the line; in a shell script also the words that start a command.
pub fn words(text: &str, shell: bool) -> Vec<String> {
    let mut found = Vec::new();
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,%".contains(c);
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let before = rest.get(..at).and_then(|head| head.chars().next_back());
        let tail = rest.get(at..).unwrap_or_default();
        let end = tail.find(|c| !is_path(c)).unwrap_or(tail.len());
        let word = tail
            .get(..end)
            .unwrap_or_default()
            .trim_end_matches([':', ',', '.']);
        let starts = before.is_none_or(|c| !is_path(c) && c != '}' && c != '$');
        if starts && word.len() > 1 && !word.starts_with("//") {
            found.push(word.to_owned());
        }
        rest = tail.get(end.max(1)..).unwrap_or_default();
    }
    if shell {
        found.extend(commands(text));
    }
    found
}

/// Files that a shell command line writes: behind `>` and `>>`, and those of `tee`; relative ones start where the line
/// went with `cd`.
pub fn written(line: &str) -> Vec<String> {
    let spaced = line.replace(">>", ">").replace('>', " > ");
    let mut found = Vec::new();
    let mut base: Option<&str> = None;
    let words = spaced.split(|c: char| c.is_whitespace() || ";()".contains(c));
    let mut before = "";
    let mut is_tee = false;
    for word in words {
        if word.is_empty() {
            continue;
        }
        let plain = word.trim_matches(['"', '\'']);
        match before {
            "cd" if plain.starts_with('/') => base = Some(plain),
            ">" => found.extend(target(plain, base)),
            _ if is_tee && !plain.starts_with('-') => found.extend(target(plain, base)),
            _ => {}
        }
        is_tee = match plain {
            "tee" => true,
            "|" | "&&" | "||" | "&" | ">" => false,
            _ => is_tee && before != ">",
        };
        before = word;
    }
    found
}

/// A file that is written, as far as its name is no computation: `/srv/b-$(date).gz` is `/srv/b-`.
fn target(word: &str, base: Option<&str>) -> Option<String> {
    let literal = word.split(['$', '`']).next().unwrap_or_default();
    if literal.is_empty() || word.starts_with('&') || literal.starts_with("/dev/") {
        return None;
    }
    if literal.starts_with('/') {
        return Some(literal.to_owned());
    }
    base.map(|base| format!("{}/{literal}", base.trim_end_matches('/')))
}

fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let separated = text
        .replace("$(", " ; ")
        .replace('`', " ; ")
        .replace("&&", ";")
        .replace("||", ";")
        .replace('|', ";");
    for part in separated.split(';') {
        let mut words = super::parts(part).skip_while(|word| {
            BEFORE.contains(word) || word.split_once('=').is_some_and(|(name, _)| is_name(name))
        });
        if let Some(word) = words.next()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.+".contains(c))
            && word.chars().any(char::is_alphabetic)
        {
            found.push(word.to_owned());
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_commands() {
        assert_eq!(
            words("A=1 pg_dump -h /run/x db | gzip > /srv/b.gz", true),
            ["/run/x", "/srv/b.gz", "pg_dump", "gzip"]
        );
        assert_eq!(
            words("if [ -x /usr/bin/a ]; then exec /usr/bin/a; fi", true)[..2],
            ["/usr/bin/a", "/usr/bin/a"]
        );
        assert_eq!(words("open('/etc/x.ini')", false), ["/etc/x.ini"]);
        assert_eq!(words("http://x/y a/b ${D}/c", false), Vec::<String>::new());
    }

    #[test]
    fn what_is_written() {
        let lines = [
            ("a > /srv/out/a.log 2>&1", vec!["/srv/out/a.log"]),
            (
                "cd /srv/etl && ./x >>out/log 2>/dev/null",
                vec!["/srv/etl/out/log"],
            ),
            ("dump | gzip | tee -a /b/x.gz | wc", vec!["/b/x.gz"]),
            ("dump > /b/x-$(date +\\%F).gz; y > rel", vec!["/b/x-"]),
            ("test 1 -gt 0 && a < /in", vec![]),
        ];
        for (line, expected) in lines {
            assert_eq!(written(line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_survives(line in ".{0,200}") {
            let _ = (words(&line, true), written(&line));
        }
    }
}
