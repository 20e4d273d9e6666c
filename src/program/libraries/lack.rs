//! What an application's own programs and libraries lack on this machine: what nothing starts without, and what only shows
//! when something opens a plug-in. Pure.

use super::load::{Loaded, Process, names_of};
use super::{Loader, is_library};
use crate::fact::{Elf, Facts};
use crate::path::MachinePath;
use std::collections::BTreeSet;

/// Who needs which name that is nowhere.
pub type Missing = BTreeSet<(MachinePath, String)>;

/// What was found out about one workload's files.
#[derive(Debug, Default)]
pub struct Lacks {
    /// A program that is started does not come up without it.
    pub at_start: Missing,
    /// Needed by a helper, or by a library that nothing loads at start.
    pub later: Missing,
    /// Files that are loaded at start.
    pub started: BTreeSet<MachinePath>,
    /// Made for another processor or C library than the process has: nothing here can load them, so they lack nothing.
    pub foreign: BTreeSet<MachinePath>,
}

impl Lacks {
    /// Whether a file is one that nothing loads at start: a plug-in of a program that does start, or a helper.
    pub fn later_only(&self, elf: &Elf) -> bool {
        !self.started.is_empty() && !self.started.contains(&elf.path)
    }
}

/// One workload's files.
#[derive(Debug, Clone, Default)]
pub struct Asked<'s, 'a> {
    /// The programs that its container starts.
    pub started: &'s [&'a Elf],
    /// What no package brought.
    pub own: &'s [&'a Elf],
    /// LD_LIBRARY_PATH of its environment.
    pub library_path: &'s str,
    /// A script starts it, which may say where libraries are.
    pub by_script: bool,
}

/// Loads every file as a process would.
pub fn lacks<'a>(facts: &'a Facts, asked: &Asked<'_, 'a>) -> Lacks {
    let loader = Loader::new(facts);
    let mut lacks = Lacks::default();
    let usable =
        |elf: &Elf| asked.started.is_empty() || asked.started.iter().any(|s| suits(elf, s));
    let (own, foreign): (Vec<&Elf>, Vec<&Elf>) = asked.own.iter().partition(|elf| usable(elf));
    let own: Vec<&'a Elf> = own
        .into_iter()
        .filter_map(|elf| facts.elfs.get(&elf.path))
        .collect();
    lacks
        .foreign
        .extend(foreign.iter().map(|elf| elf.path.clone()));
    // An application can load its own libraries by path before it needs them by name, and often does.
    let brought: BTreeSet<String> = own.iter().flat_map(|elf| names_of(elf)).collect();
    let is_own: BTreeSet<&MachinePath> = own.iter().map(|elf| &elf.path).collect();
    let keep = |loaded: Loaded, lenient: bool| -> Missing {
        let of_own = loaded.missing.into_iter();
        let of_own = of_own.filter(|(path, _)| is_own.contains(path));
        of_own
            .filter(|(_, name)| !lenient || !brought.contains(name))
            .collect()
    };
    let mut process = process(asked.library_path);
    for program in asked.started {
        process.libc = program.libc();
        let loaded = loader.load(program, &mut process);
        lacks.started.extend(loaded.files.iter().cloned());
        lacks.at_start.extend(keep(loaded, asked.by_script));
        lacks
            .at_start
            .extend(interpreter(program, facts).filter(|(path, _)| is_own.contains(path)));
    }
    let rest = own
        .iter()
        .copied()
        .filter(|elf| !lacks.started.contains(&elf.path));
    let (programs, libraries): (Vec<&Elf>, Vec<&Elf>) = rest.partition(|elf| is_program(elf));
    for program in programs {
        let mut process = self::process(asked.library_path);
        process.libc = program.libc();
        lacks
            .later
            .extend(keep(loader.load(program, &mut process), true));
        lacks.later.extend(interpreter(program, facts));
    }
    let mut found = BTreeSet::new();
    let mut missing = Missing::new();
    let mut seen = BTreeSet::new();
    for library in roots_first(&libraries) {
        if !seen.contains(&library.path) {
            let mut process = process.clone();
            process.opener = asked
                .started
                .iter()
                .copied()
                .find(|program| suits(library, program));
            process.libc = library.libc().or(process.opener.and_then(Elf::libc));
            let loaded = loader.load(library, &mut process);
            seen.extend(loaded.files.iter().cloned());
            found.extend(loaded.found.iter().cloned());
            missing.extend(keep(loaded, true));
        }
    }
    // What one way of loading finds is there, though by itself a library might not find it.
    lacks
        .later
        .extend(missing.into_iter().filter(|lack| !found.contains(lack)));
    lacks
}

fn process<'a>(library_path: &str) -> Process<'a> {
    let directories = library_path.split([':', ';']);
    let directories = directories.filter(|dir| dir.starts_with('/'));
    Process {
        library_path: directories.map(MachinePath::new).collect(),
        ..Process::default()
    }
}

/// Whether a process of this program can load a library, or run beside it.
fn suits(elf: &Elf, program: &Elf) -> bool {
    if is_program(elf) {
        // A process of its own, with a loader of its own.
        return elf.machine == program.machine
            || (elf.machine.as_str(), program.machine.as_str()) == ("i386", "x86_64");
    }
    let same = (elf.bits, &elf.machine) == (program.bits, &program.machine);
    let libc = elf.libc().zip(program.libc());
    same && libc.is_none_or(|(own, of_process)| own == of_process)
}

/// Some libraries can be run as well, to say their version.
fn is_program(elf: &Elf) -> bool {
    elf.interpreter.is_some() && !is_library(&elf.path.name())
}

/// The loader itself, where it is not there.
fn interpreter<'e>(
    elf: &'e Elf,
    facts: &Facts,
) -> impl Iterator<Item = (MachinePath, String)> + 'e {
    let lacking = elf.interpreter.as_ref();
    let lacking = lacking.filter(|path| facts.tree.resolve(&MachinePath::new(path)).is_none());
    lacking
        .map(|name| (elf.path.clone(), name.clone()))
        .into_iter()
}

/// Libraries that no other needs come first: what they load is then met in its place.
fn roots_first<'e>(libraries: &[&'e Elf]) -> impl Iterator<Item = &'e Elf> {
    let needed = libraries.iter().flat_map(|elf| &elf.needed);
    let needed: BTreeSet<&String> = needed.collect();
    let is_needed = |elf: &&Elf| names_of(elf).any(|name| needed.contains(&name));
    let (inner, roots): (Vec<&Elf>, Vec<&Elf>) = libraries.iter().copied().partition(is_needed);
    roots.into_iter().chain(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Root;
    use std::collections::BTreeMap;

    const PROGRAM: &str = "/srv/app/bin/x";

    /// `PATH field=a,b …`, one file a line; a path alone is a file that nobody looked into.
    fn machine(lines: &[&str]) -> Facts {
        let mut texts = BTreeMap::new();
        let mut facts = Facts::default();
        for line in lines {
            let (line, link) = line.split_once(" -> ").unwrap_or((line, ""));
            let mut words = line.split_whitespace();
            let path = words.next().unwrap_or_default();
            let target = if link.is_empty() {
                String::new()
            } else {
                format!("-> {link}")
            };
            texts.insert(path.to_owned(), target);
            let mut elf = Elf {
                path: path.into(),
                bits: 64,
                machine: "x86_64".into(),
                ..Elf::default()
            };
            let mut is_elf = false;
            for (field, value) in words.filter_map(|word| word.split_once('=')) {
                is_elf = true;
                let list = value.split(',').map(str::to_owned).collect();
                match field {
                    "needs" => elf.needed = list,
                    "rpath" => elf.rpath = list,
                    "runpath" => elf.runpath = list,
                    "soname" => elf.soname = Some(value.into()),
                    "loader" => elf.interpreter = Some(value.into()),
                    "machine" => elf.machine = value.into(),
                    "nodeflib" => elf.no_default = true,
                    other => panic!("{other}"),
                }
            }
            if is_elf {
                facts.elfs.insert(elf.path.clone(), elf);
            }
        }
        for loader in ["/lib64/ld-linux.so.2", "/lib/ld-musl-x86_64.so.1"] {
            texts.insert(loader.into(), String::new());
        }
        facts.tree = Root::memory(&texts).walk().0;
        facts
    }

    /// What is missing at start, and later; the program is the one that is started.
    fn lacking(lines: &[&str], library_path: &str) -> (Vec<String>, Vec<String>) {
        let facts = machine(lines);
        let srv = MachinePath::new("/srv");
        let own = facts.elfs.values().filter(|elf| elf.path.is_within(&srv));
        let own: Vec<&Elf> = own.collect();
        let started = facts.elfs.get(&MachinePath::new(PROGRAM));
        let started: Vec<&Elf> = started.into_iter().collect();
        let lacks = lacks(
            &facts,
            &Asked {
                started: &started,
                own: &own,
                library_path,
                by_script: false,
            },
        );
        let said = |missing: &Missing| {
            let said = missing.iter();
            said.map(|(path, name)| format!("{} {name}", path.name()))
                .collect()
        };
        (said(&lacks.at_start), said(&lacks.later))
    }

    fn at_start(lines: &[&str]) -> Vec<String> {
        lacking(lines, "").0
    }

    fn later(lines: &[&str]) -> Vec<String> {
        lacking(lines, "").1
    }

    #[test]
    fn rpath_is_handed_on_and_runpath_is_not() {
        let rest = ["/opt/a/liba.so needs=libb.so", "/opt/a/libb.so"];
        let machine = |program: &'static str| [&[program], &rest[..]].concat();
        let own = "/srv/app/bin/x needs=liba.so";
        assert_eq!(at_start(&machine(own)), ["x liba.so"]);
        // Of liba.so, which no package has either, and which lies outside what is asked about.
        let rpath = machine("/srv/app/bin/x needs=libown.so rpath=/opt/a:/srv/app/lib");
        assert_eq!(at_start(&rpath), ["x libown.so"]);
        let chain = |tag: &str, own: &str| {
            let program = format!("/srv/app/bin/x needs=libown.so {tag}=/srv/app/lib,/opt/a");
            let library = format!("/srv/app/lib/libown.so needs=libb.so {own}");
            at_start(&[&program, &library, "/opt/a/libb.so"])
        };
        assert_eq!(chain("rpath", ""), [""; 0]);
        assert_eq!(chain("runpath", ""), ["libown.so libb.so"]);
        // A DT_RUNPATH of its own ends what it would have inherited.
        assert_eq!(chain("rpath", "runpath=/nowhere"), ["libown.so libb.so"]);
    }

    #[test]
    fn the_environments_directories_count() {
        let lines = ["/srv/app/bin/x needs=liba.so", "/srv/app/lib/liba.so"];
        assert_eq!(lacking(&lines, "").0, ["x liba.so"]);
        assert_eq!(lacking(&lines, "relative:/srv/app/lib").0, [""; 0]);
    }

    #[test]
    fn what_is_loaded_answers_to_its_soname() {
        let lines = [
            "/srv/app/bin/x needs=libfirst.so,liba.so runpath=$ORIGIN/../lib",
            "/srv/app/lib/libfirst.so needs=libb-1.so.3",
            "/srv/app/lib/liba.so needs=libb-1.so.3,libb.so runpath=/srv/app/deep",
            "/srv/app/deep/libb.so soname=libb-1.so.3",
        ];
        // It is asked for before anybody has loaded it.
        assert_eq!(
            at_start(&lines),
            ["liba.so libb-1.so.3", "libfirst.so libb-1.so.3"]
        );
        let first = "/srv/app/lib/libfirst.so needs=libc.so.6";
        assert_eq!(
            at_start(&[lines[0], first, "/lib/libc.so.6", lines[2], lines[3]]),
            ["liba.so libb-1.so.3"]
        );
        let other = "/srv/app/lib/liba.so needs=libb.so,libb-1.so.3 runpath=/srv/app/deep";
        assert_eq!(
            at_start(&[lines[0], first, "/lib/libc.so.6", other, lines[3]]),
            [""; 0]
        );
    }

    #[test]
    fn the_default_directories_can_be_forbidden() {
        let system = "/usr/lib/x86_64-linux-gnu/liba.so";
        assert_eq!(at_start(&["/srv/app/bin/x needs=liba.so", system]), [""; 0]);
        let forbidden = "/srv/app/bin/x needs=liba.so nodeflib=1";
        assert_eq!(at_start(&[forbidden, system]), ["x liba.so"]);
    }

    #[test]
    fn tokens_are_filled_in() {
        for (dir, file) in [
            ("$ORIGIN/../lib", "/srv/app/lib/liba.so"),
            ("${ORIGIN}", "/srv/app/bin/liba.so"),
            ("/opt/$LIB", "/opt/lib64/liba.so"),
            ("/opt/${LIB}", "/opt/lib/x86_64-linux-gnu/liba.so"),
            ("/opt/$PLATFORM", "/opt/x86_64/liba.so"),
        ] {
            let program = format!("/srv/app/bin/x needs=liba.so runpath={dir}");
            assert_eq!(at_start(&[&program, file]), [""; 0], "{dir}");
        }
        let path = "/srv/app/bin/x needs=$ORIGIN/../lib/liba.so";
        assert_eq!(at_start(&[path, "/srv/app/lib/liba.so"]), [""; 0]);
    }

    #[test]
    fn the_origin_is_where_it_was_opened() {
        let lines = [
            "/srv/app/bin/x needs=liba.so runpath=/srv/app/lib",
            "/srv/app/lib/liba.so -> ../store/liba.so.1",
            "/srv/app/store/liba.so.1 needs=libb.so runpath=$ORIGIN",
        ];
        let beside = |path: &'static str| at_start(&[&lines[..], &[path]].concat());
        assert_eq!(beside("/srv/app/lib/libb.so"), [""; 0]);
        assert_eq!(beside("/srv/app/store/libb.so"), ["liba.so.1 libb.so"]);
    }

    /// As a wheel does: the extension finds its libraries, and they find one another only because it did.
    #[test]
    fn a_wheels_libraries_are_there() {
        let lines = [
            "/srv/app/bin/x needs=libc.so.6",
            "/lib/libc.so.6",
            "/srv/site/p/_p.so needs=libpq-1.so.5,libssl-1.so rpath=$ORIGIN/../p.libs",
            "/srv/site/p.libs/libpq-1.so.5 needs=libssl-1.so,libgone.so",
            "/srv/site/p.libs/libssl-1.so needs=libc.so.6",
        ];
        assert_eq!(
            lacking(&lines, ""),
            (vec![], vec!["libpq-1.so.5 libgone.so".to_owned()])
        );
    }

    /// `libjava.so` needs `libjvm.so`, which the launcher opened by its path.
    #[test]
    fn a_plug_in_finds_what_its_application_has() {
        let lines = [
            "/srv/jre/lib/libjava.so needs=libjvm.so runpath=$ORIGIN",
            "/srv/jre/lib/server/libjvm.so soname=libjvm.so",
        ];
        assert_eq!(later(&lines), [""; 0]);
        // A program that is started finds only what its loader finds.
        let program = "/srv/app/bin/x needs=libjvm.so";
        assert_eq!(at_start(&[program, lines[1]]), ["x libjvm.so"]);
    }

    #[test]
    fn what_is_made_for_others_lacks_nothing() {
        let lines = [
            "/srv/app/bin/x needs=libc.so.6 loader=/lib64/ld-linux.so.2",
            "/lib/libc.so.6",
            "/srv/node/arm.node needs=libnone.so machine=aarch64",
            "/srv/node/musl.node needs=libnone.so,libc.musl-x86_64.so.1",
            "/srv/node/bsd.node needs=libnone.so,libc.so.7",
            "/srv/bin/arm needs=libnone.so loader=/lib/ld-linux-aarch64.so.1 machine=aarch64",
        ];
        assert_eq!(lacking(&lines, ""), (vec![], vec![]));
    }

    #[test]
    fn musl_is_its_own_loader() {
        let program = |more: &str| {
            format!(
                "/srv/app/bin/x needs=liba.so,libc.so,libc.musl-x86_64.so.1 loader=/lib/ld-musl-x86_64.so.1 {more}"
            )
        };
        let here = "/usr/local/lib/liba.so";
        assert_eq!(at_start(&[&program(""), here]), [""; 0]);
        let there = "/usr/lib/x86_64-linux-gnu/liba.so";
        assert_eq!(at_start(&[&program(""), there]), ["x liba.so"]);
        // It hands a DT_RUNPATH on.
        let program = program("runpath=/srv/app/lib,/opt/a");
        let library = "/srv/app/lib/liba.so needs=libb.so";
        assert_eq!(at_start(&[&program, library, "/opt/a/libb.so"]), [""; 0]);
    }

    #[test]
    fn a_loader_that_is_not_there_is_said() {
        let gone = "/srv/app/bin/x loader=/lib/ld-musl-armhf.so.1 needs=libc.so";
        let said = at_start(&[gone]);
        assert!(
            said.contains(&"x /lib/ld-musl-armhf.so.1".to_owned()),
            "{said:?}"
        );
        let helper = "/srv/app/bin/helper loader=/lib/gone.so needs=libnone.so";
        let started = "/srv/app/bin/x loader=/lib64/ld-linux.so.2";
        assert_eq!(
            lacking(&[started, helper], ""),
            (
                vec![],
                vec![
                    "helper /lib/gone.so".to_owned(),
                    "helper libnone.so".to_owned()
                ]
            )
        );
    }
}
