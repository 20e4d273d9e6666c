//! Reports: one scan for different readers, a file for each format.
//!
//! A report is a view of the scan; nothing of the machine is worked out here, only chosen, ordered and laid out. What every
//! format says alike (the words of verdicts, the order of workloads, what to do first) is in `words` and `steps`.

mod artefact;
mod csv;
mod cyclonedx;
mod digest;
mod html;
mod kinds;
mod letters;
mod map;
mod markdown;
mod proof;
mod questions;
mod sarif;
mod steps;
mod treemap;
mod words;

pub use artefact::{Artefact, Artefacts};
pub use csv::{concerns as csv_concerns, workloads as csv_workloads};
pub use cyclonedx::cyclonedx;
pub use html::html;
pub use kinds::{Kind, kinds};
pub use markdown::markdown;
pub use questions::{Question, questions, questions_file};
pub use sarif::sarif;
pub use steps::{Step, steps};
pub use words::{by_score, certainty, certainty_said, severity, verdict, verdict_said};
