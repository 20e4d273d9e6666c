//! Modules that code brings in by name, whatever the language: `detectors/languages.toml`.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::{Fact, Imports};
use crate::program::modules;

pub struct Code;

impl Code {
    pub const ID: &str = "exec/imports";
    /// Larger files are data, or made by a tool that brings everything along.
    pub const LIMIT: u64 = 1 << 20;
}

impl Detector for Code {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Modules that code names",
            recognises: "import statements of interpreted languages, in the files that workloads carry",
            why: "a script needs the packages of its modules, and no package database knows of the script",
            cannot_see: "modules whose names are made while the code runs",
            references: &["https://docs.python.org/3/reference/import.html"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: Self::LIMIT,
            total: 1 << 30,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let first = file.lines().next().map_or("", |(_, line)| line);
        let Some(language) = modules::language(&file.path.name(), first) else {
            return;
        };
        let modules = language.imports(file.lines().map(|(_, line)| line));
        if !modules.is_empty() {
            sink.fact(Fact::Imports(Imports {
                path: file.entry.path.clone(),
                language: language.name().to_owned(),
                modules,
            }));
        }
    }
}
