//! One program's answer: what it can reach, what it needs, what places refuse. What `transvase kernel` shows.

use super::need::{self, Ask};
use super::place::{Delta, delta, places};
use super::way::Way;
use super::{Reach, Site};
use crate::fact::ElfKind;
use crate::path::MachinePath;
use crate::program::closure::Closure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct At {
    pub path: MachinePath,
    /// Bytes from the start of the file.
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    pub name: String,
    /// Some of the places that make it.
    pub places: Vec<At>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    pub reason: String,
    pub place: At,
}

/// A library that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    pub by: MachinePath,
    pub name: String,
}

/// What one program asks of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// As it was asked for.
    pub path: MachinePath,
    /// The file whose code runs: links followed, for a script its interpreter.
    pub program: MachinePath,
    /// `dynamic`, `static`, `library`.
    pub linkage: String,
    pub instruction_set: String,
    /// The oldest kernel that it says to run on.
    pub kernel: Option<String>,
    pub syscalls: Vec<Call>,
    /// Capabilities that it asks for.
    pub capabilities: Vec<String>,
    /// Everything it asks for or could use, with places.
    pub asks: Vec<Ask>,
    pub devices: Vec<String>,
    pub modules: Vec<String>,
    pub sysctls: Vec<String>,
    pub missing: Vec<Missing>,
    pub unresolved: Vec<Open>,
    pub targets: Vec<Delta>,
    /// How it comes to the calls that were asked about; a call without a way is not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<Vec<Way>>,
}

fn at(site: &Site) -> At {
    At {
        path: site.path.clone(),
        offset: site.offset,
    }
}

impl Program {
    /// The answer for a path whose code is that of `native`.
    pub fn new(
        path: &MachinePath,
        native: &MachinePath,
        reach: &Reach,
        closure: &Closure<'_>,
    ) -> Self {
        let facts = closure.facts();
        let need = need::need(&need::Program::new(native, reach, facts));
        let elf = facts.elfs.get(native);
        let of = |kind: need::Kind| {
            let asks = need.asks.iter().filter(move |ask| ask.kind == kind);
            asks.map(|ask| ask.what.clone()).collect()
        };
        let level = elf.map_or(0, |elf| elf.level.unwrap_or_default());
        let machine = elf.map_or("", |elf| elf.machine.as_str());
        Self {
            path: path.clone(),
            program: native.clone(),
            linkage: match elf.map(|elf| elf.kind) {
                Some(ElfKind::Static) => "static",
                Some(ElfKind::Library) => "library",
                Some(ElfKind::Relocatable) => "relocatable",
                Some(ElfKind::Dynamic) | None => "dynamic",
            }
            .to_owned(),
            instruction_set: need::level_name(machine, level),
            kernel: elf
                .and_then(|elf| elf.kernel)
                .map(|[major, minor, patch]| format!("{major}.{minor}.{patch}")),
            syscalls: reach
                .calls
                .iter()
                .map(|(name, sites)| Call {
                    name: name.clone(),
                    places: sites.iter().map(at).collect(),
                })
                .collect(),
            capabilities: need.capabilities().into_iter().map(str::to_owned).collect(),
            devices: of(need::Kind::Device),
            modules: of(need::Kind::Module),
            sysctls: of(need::Kind::Sysctl),
            missing: closure
                .missing(native)
                .into_iter()
                .map(|(by, name)| Missing { by, name })
                .collect(),
            unresolved: reach
                .unresolved
                .iter()
                .map(|open| Open {
                    reason: open.reason.clone(),
                    place: at(&open.site),
                })
                .collect(),
            targets: places()
                .iter()
                .map(|place| delta([reach], &need, place))
                .collect(),
            asks: need.asks,
            ways: None,
        }
    }
}

/// All answers as one JSON document, ending in a newline.
pub fn json(programs: &[Program]) -> String {
    let document = serde_json::json!({ "schema_version": 1, "programs": programs });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let mut text = crate::quote::json_document(text);
    text.push('\n');
    text
}
