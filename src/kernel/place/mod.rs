//! Places where a container runs, as data: one file each under `detectors/targets/`. What a place gives (the system calls its
//! default profile lets through, capabilities, devices), what of a need it refuses, and which rules count there.

mod delta;
mod profile;
mod table;

pub use delta::{Addition, Delta, Refused, delta};
pub use profile::Profile;
pub use table::{Place, Weighs, places};
