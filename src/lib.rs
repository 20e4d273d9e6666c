//! transvase opens the disk of a virtual machine, finds its applications, and writes the containers that carry them.

pub mod disk;
pub mod path;
pub mod walk;
