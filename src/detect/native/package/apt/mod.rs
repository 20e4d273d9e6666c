//! apt's own notes: source lists in both forms, lists of archives, their signed descriptions, keys, pins and logins.
//!
//! A source list asks for the keys that it names; the database of packages asks for the archives' lists, since only what is
//! installed is looked up in them.

mod history;
mod key;
mod list;
mod packed;
mod pin;
mod source;
mod stanza;
mod state;

pub use history::History;
pub use key::Keys;
pub use list::{Descriptions, Lists};
pub use pin::{Logins, Pins};
pub use source::Sources;
pub use state::States;

use crate::detect::Doc;

/// Where apt keeps what archives say.
const LISTS: &str = "/var/lib/apt/lists/";

/// What is in the lists, and what was installed without them: asked for where a machine has packages.
pub(super) const WANTED: &[(&str, &str)] = &[
    ("/var/lib/apt/lists/*_Packages", list::Lists::ID),
    ("/var/lib/apt/lists/*_Packages.gz", list::Lists::ID),
    ("/var/lib/apt/lists/*_Packages.xz", list::Lists::ID),
    ("/var/lib/apt/lists/*_Packages.lz4", list::Lists::ID),
    ("/var/log/apt/history.log", history::History::ID),
    ("/var/log/apt/history.log.*.gz", history::History::ID),
];

fn doc(title: &'static str, recognises: &'static str, cannot_see: &'static str) -> Doc {
    Doc {
        title,
        recognises,
        why: "an image that installs a package has to know the archive that the package came from",
        cannot_see,
        references: &["sources.list(5)", "apt_preferences(5)", "apt-secure(8)"],
    }
}
