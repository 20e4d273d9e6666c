//! transvase opens the disk of a virtual machine, finds its applications, and writes the containers that carry them.

pub mod assess;
pub mod cli;
pub mod commands;
pub mod detect;
pub mod disk;
pub mod error;
pub mod exit;
pub mod fact;
pub mod path;
pub mod plan;
pub mod render;
pub mod scan;
pub mod source;
pub mod study;
pub mod ui;
pub mod walk;
pub mod workload;
