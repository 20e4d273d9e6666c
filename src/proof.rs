//! verify.json: what came of building, starting and asking the containers. Types only; `verify` makes them, reports read them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of these types.
pub const SCHEMA_VERSION: u32 = 1;

/// What wrote a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// One run of all containers on an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    pub schema_version: u32,
    pub tool: Tool,
    pub engine: Engine,
    /// Answers were compared with what the machine said (recorded.json), not only with what packs know.
    pub recorded: bool,
    /// Everything that was checked held.
    pub held: bool,
    pub workloads: Vec<Proven>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// `podman` or `docker`.
    pub name: String,
    /// What reads the compose file: `podman-compose`, `docker compose`, …
    pub compose: String,
}

/// What came of one workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    pub id: String,
    /// Every check held.
    pub held: bool,
    /// It held, and what it answers was compared with the machine wherever it can be asked: its certainty is `proven`.
    pub proven: bool,
    pub checks: Vec<Check>,
    /// What was seen and weighs nothing: listeners beyond the expected, what could not be looked at, jobs that were not run.
    pub notes: Vec<String>,
    /// Bytes of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_bytes: Option<u64>,
    /// Bytes of memory in use once it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Milliseconds from its start until it listened at every port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<u64>,
    /// Milliseconds from the stop signal to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_ms: Option<u64>,
}

/// What is checked of a container.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Its image is built.
    Build,
    /// It is started, and stays up without a restart.
    Start,
    /// It listens where the machine did.
    Listen,
    /// It answers as the machine did.
    Answer,
    /// Its main process is the user that it was.
    User,
    /// It has no capability that its plan does not give.
    Capability,
    /// Its health check passes.
    Health,
    /// It ends by its stop signal.
    Stop,
}

/// One check; where it did not hold, the two sides of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub kind: Kind,
    /// `8080/tcp GET shop.example.net/`, `main process`.
    pub what: String,
    pub held: bool,
    /// What the machine said, or its plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub machine: String,
    /// What the container says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub container: String,
}

impl Check {
    /// Held where both sides are the same.
    pub fn new(kind: Kind, what: impl Into<String>, machine: String, container: String) -> Self {
        Self {
            kind,
            what: what.into(),
            held: machine == container,
            machine,
            container,
        }
    }
}

impl Proven {
    /// The checks that did not hold.
    pub fn differences(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.held)
    }
}

/// Any document as text, ending in a newline.
pub fn document<T: Serialize>(document: &T) -> String {
    // These types hold no map with keys other than strings and no failing Serialize.
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    let mut text = crate::quote::json_document(text);
    text.push('\n');
    text
}

/// The JSON Schema of a document, generated from its type.
pub fn schema<T: JsonSchema>() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(T)).unwrap_or_default();
    text.push('\n');
    text
}

impl Proof {
    pub fn to_json(&self) -> String {
        document(self)
    }

    pub fn schema() -> String {
        schema::<Self>()
    }

    /// Reads a saved one; the reason where it is none that this version reads.
    pub fn read(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.schema_version == SCHEMA_VERSION {
            Ok(read)
        } else {
            let found = read.schema_version;
            Err(format!(
                "it has schema_version {found}, and {SCHEMA_VERSION} was expected"
            ))
        }
    }
}
