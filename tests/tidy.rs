//! The walls of the house: what a room may import, where files are touched, where a distribution may be named, and that
//! lists equal their folders. They are read from the sources as text, with what only tests see left out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside any test function"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The floors, lowest first. A room imports from floors below its own only, so that there is no ring.
const FLOORS: &[&[&str]] = &[
    &["abi", "exit", "path", "text", "words"],
    &["progress", "quote"],
    &["proof"],
    &["disk"],
    &["walk"],
    &["secret"],
    &["fact"],
    &["answer", "code", "program", "rule", "service", "source"],
    &["detect", "distribution", "kernel"],
    &["product"],
    &["workload"],
    &["plan"],
    &["assess", "render"],
    &["scan"],
    &["cli", "error", "report", "study", "verify"],
    &["ui"],
    &["examine"],
    &["commands"],
    &["lib", "main"],
];

/// Files that read sources or write what was asked for, and why each does it itself.
const TOUCHES_FILES: &[(&str, &str)] = &[
    (
        "commands/",
        "reads the user's own files, writes what was asked for",
    ),
    ("render/", "writes artefacts"),
    ("source/", "reads the machine"),
    ("disk/image/", "reads images, and those they name"),
    (
        "verify/engine.rs",
        "starts the programs of the user's engine, and nothing else",
    ),
    (
        "verify/engine_compose.rs",
        "writes what a compose file cannot say beside it, outside OUT",
    ),
    (
        "verify/look.rs",
        "reads what the kernel says of a container's processes",
    ),
    (
        "report/artefact.rs",
        "shows the files that were written beside a saved scan",
    ),
];

/// Words that belong to one family of distributions.
const OF_A_FAMILY: &[&str] = &[
    "apt",
    "apt-get",
    "dpkg",
    "useradd",
    "groupadd",
    "usermod",
    "userdel",
    "policy-rc",
    "libc6",
    "DEBIAN_FRONTEND",
    "dnf",
    "yum",
    "zypper",
    "pacman",
    "addgroup",
    "adduser",
];

/// Rooms where they stand.
const FAMILIES: &[&str] = &["detect/native/package/", "distribution/family/"];

/// Lines of production that a file may have.
const LONGEST_FILE: usize = 400;

/// Lines that a function may have.
const LONGEST_FUNCTION: usize = 80;

struct Source {
    /// Below `src`.
    path: String,
    /// Without what only tests see.
    text: String,
}

impl Source {
    /// The modules above and including this one: `["disk", "ext", "inode"]`.
    fn module(&self) -> Vec<&str> {
        let stem = self.path.trim_end_matches(".rs");
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        stem.split('/').collect()
    }

    fn room(&self) -> &str {
        self.path
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
    }

    /// Lines with their numbers, comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        lines.map(|(number, line)| (number, uncommented(line)))
    }
}

/// A line up to its comment. A `//` within a string counts as one: nothing here looks for what stands behind it.
fn uncommented(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn below(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(directory).sort_by_file_name();
    let files = entries.into_iter().map(|entry| entry.unwrap().into_path());
    files
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect()
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    for path in below(&src, "rs") {
        if path
            .file_name()
            .is_some_and(|name| name == "tests.rs" || name == "testing.rs")
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        found.push(Source {
            path: path.strip_prefix(&src).unwrap().display().to_string(),
            text: production(&text),
        });
    }
    assert!(found.len() > 300, "the sources were not found");
    found
}

/// A file without its test modules: from `#[cfg(test)]` to the end of the item behind it.
fn production(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        for line in lines.by_ref() {
            let ends = line.trim_end().ends_with(';') || line.trim_end().ends_with('}');
            if ends && line.len() - line.trim_start().len() == indent {
                break;
            }
        }
    }
    kept
}

/// The rooms that a source names by `crate::` or by enough `super::`.
fn imports(source: &Source) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let depth = source.module().len();
    let text = source.text.lines().map(uncommented);
    let text: Vec<&str> = text.collect();
    for (number, line) in (1..).zip(&text) {
        for (at, _) in line.match_indices("crate::") {
            let starts_word =
                line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if starts_word {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            if let Some(group) = rest.strip_prefix('{') {
                found.extend(group_heads(group, &text[number..]).map(|head| (number, head)));
            } else {
                found.insert((number, word(rest)));
            }
        }
        let up = "super::".repeat(depth);
        if let Some(at) = line.find(&up) {
            found.insert((number, word(&line[at + up.len()..])));
        }
    }
    found.retain(|(_, room)| !room.is_empty());
    found
}

/// The first words of the members of a group, which may go on over the lines that follow.
fn group_heads<'a>(first: &'a str, rest: &'a [&str]) -> impl Iterator<Item = String> + use<> {
    let mut depth = 1;
    let mut flat = String::new();
    'group: for line in std::iter::once(first).chain(rest.iter().copied()) {
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                c if depth == 1 => flat.push(c),
                _ => {}
            }
            if depth == 0 {
                break 'group;
            }
        }
    }
    let heads: Vec<String> = flat.split(',').map(|member| word(member.trim())).collect();
    heads.into_iter()
}

fn word(text: &str) -> String {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    text[..text.find(ends).unwrap_or(text.len())].to_owned()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn assert_none(wall: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{wall}:\n  {}", broken.join("\n  "));
}

#[test]
fn every_room_stands_on_a_floor() {
    let rooms: BTreeSet<String> = sources().iter().map(|s| s.room().to_owned()).collect();
    let listed = FLOORS
        .iter()
        .flat_map(|rooms| rooms.iter().map(ToString::to_string));
    assert_eq!(rooms, listed.collect(), "rooms of src, and of FLOORS");
}

#[test]
fn rooms_import_from_below_only() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let own = floor(source.room()).unwrap();
        for (line, room) in imports(&source) {
            let Some(other) = floor(&room).filter(|_| room != source.room()) else {
                continue;
            };
            seen += 1;
            if other >= own {
                broken.push(format!("src/{}:{line} imports {room}", source.path));
            }
        }
    }
    assert!(seen > 500, "imports were not found: {seen}");
    assert_none("a room imports from its own floor or above", &broken);
}

#[test]
fn files_are_touched_where_it_is_said() {
    let touching = [
        "std::fs",
        "walkdir::",
        "std::process::Command",
        "File::open",
    ];
    let mut broken = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources() {
        for (number, line) in source.code() {
            if !touching.iter().any(|name| line.contains(name)) {
                continue;
            }
            match TOUCHES_FILES
                .iter()
                .find(|(path, _)| source.path.starts_with(path))
            {
                Some((path, _)) => _ = used.insert(*path),
                None => broken.push(format!("src/{}:{number} {}", source.path, line.trim())),
            }
        }
    }
    assert_none("files are touched outside the rooms that may", &broken);
    let listed: BTreeSet<&str> = TOUCHES_FILES.iter().map(|(path, _)| *path).collect();
    assert_eq!(listed, used, "what is listed, and what does touch files");
}

#[test]
fn families_of_distributions_have_their_own_rooms() {
    let mut broken = Vec::new();
    for source in sources() {
        if FAMILIES.iter().any(|room| source.path.starts_with(room)) {
            continue;
        }
        for (number, line) in source.code() {
            let named = OF_A_FAMILY.iter().filter(|name| has_word(line, name));
            broken.extend(named.map(|name| format!("src/{}:{number} {name}", source.path)));
        }
    }
    assert_none("a package manager is named outside its family", &broken);
}

fn has_word(line: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(name).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part)
    })
}

/// Each file or folder of the room is a manager in the list, but for the list's own.
#[test]
fn managers_are_those_that_have_a_place() {
    let own = [
        "mod.rs",
        "manager.rs",
        "managed.rs",
        "answered.rs",
        "bind.rs",
        "limit.rs",
        "script",
    ];
    let room = std::fs::read_dir(root().join("src/service")).unwrap();
    let names = room.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let places: BTreeSet<String> = names
        .filter(|name| !own.contains(&name.as_str()))
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    let listed = transvase::service::manager::MANAGERS.iter();
    let listed: BTreeSet<String> = listed.map(|manager| manager.id().to_owned()).collect();
    assert_eq!(places, listed, "files of src/service, and MANAGERS");
}

/// Each file or folder of the room is a family in the list, but for what every family is said in.
#[test]
fn every_family_is_listed() {
    let own = ["mod.rs", "shared", "step.rs"];
    let room = std::fs::read_dir(root().join("src/distribution/family")).unwrap();
    let names = room.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = names
        .filter(|name| !own.contains(&name.as_str()))
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    let listed = transvase::distribution::family::FAMILIES.iter();
    let listed = listed.map(|family| family.id().to_owned());
    assert_eq!(there, listed.collect(), "the folder, and FAMILIES");
}

/// A format has a file or folder of its own in the room.
#[test]
fn writers_have_a_place() {
    let room = root().join("src/render");
    for writer in transvase::render::artefact::WRITERS {
        let (file, folder) = (format!("{}.rs", writer.id()), writer.id());
        let is_there = room.join(file).exists() || room.join(folder).is_dir();
        assert!(is_there, "{folder} is nowhere below src/render");
    }
}

/// Ids of products and words of their commands: what a pack says, Rust does not.
#[test]
fn no_product_is_named_in_rust() {
    let mut names = BTreeSet::new();
    for path in below(&root().join("detectors"), "toml") {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("\n[recognise]") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            names.insert(name);
        }
    }
    assert!(names.len() > 40, "the packs were not found");
    // Words of the language or of standards before they are products.
    for plain in [
        "java", "python", "nodejs", "ssh", "cron", "network", "time", "storage", "logging",
        "systemd", "updates", "agents", "routing", "identity", "desktop", "cluster", "firewall",
        "dhcp", "vpn", "tor", "bind",
    ] {
        names.remove(plain);
    }
    let mut broken = Vec::new();
    for source in sources() {
        if source.path.starts_with("detect/native/syntax/") {
            continue;
        }
        for (number, line) in source.code() {
            for text in strings(line) {
                let named = names.iter().filter(|name| has_word(text, name));
                broken.extend(named.map(|name| format!("src/{}:{number} \"{name}\"", source.path)));
            }
        }
    }
    assert_none("a product is named in Rust", &broken);
}

/// What stands between the quotes of a line.
fn strings(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

#[test]
fn files_and_functions_are_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            broken.push(format!(
                "src/{} has {lines} lines of production",
                source.path
            ));
        }
        broken.extend(long_functions(&source));
    }
    assert_none("longer than what one reads at once", &broken);
}

/// Functions by their first and last lines, which rustfmt indents alike.
fn long_functions(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for (number, line) in source.code() {
        let indent = line.len() - line.trim_start().len();
        let starts = line.trim_start();
        let head = starts.split("fn ").next().unwrap_or_default();
        let is_head = starts.contains("fn ")
            && head.split_whitespace().all(|word| {
                word.starts_with("pub")
                    || ["const", "async", "in", "unsafe"].contains(&word)
                    || word.ends_with(')')
            });
        if is_head && !starts.ends_with(';') {
            open.insert(indent, (number, starts));
        } else if line.trim_end().ends_with('}')
            && line.trim() == "}"
            && let Some((first, head)) = open.remove(&indent)
            && number - first >= LONGEST_FUNCTION
        {
            found.push(format!(
                "src/{}:{first} {} lines: {head}",
                source.path,
                number - first + 1
            ));
        }
    }
    found
}

#[test]
fn the_checks_themselves_see() {
    let source = Source {
        path: "fact/mod.rs".to_owned(),
        text: "use crate::{plan::{A, b::C}, walk::D};\nuse super::ui::E;\nlet x = crate::kernel::F; // crate::commands\n".to_owned(),
    };
    let rooms: Vec<String> = imports(&source).into_iter().map(|(_, room)| room).collect();
    assert_eq!(rooms, ["plan", "walk", "ui", "kernel"]);
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(production(text), "fn a() {}\nfn c() {}\n");
    assert!(has_word("RUN apt-get install", "apt-get") && !has_word("my-apt-get", "apt-get"));
    let long = format!("fn a() {{\n{}}}\n", "    x();\n".repeat(LONGEST_FUNCTION));
    let source = Source {
        path: "x.rs".to_owned(),
        text: long,
    };
    assert_eq!(long_functions(&source).len(), 1);
}
