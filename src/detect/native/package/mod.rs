//! Package databases, one file each: installed packages, whose files are whose, and what they recorded of them.

mod dpkg;

pub use dpkg::{Digests, FileLists, States, Status};
