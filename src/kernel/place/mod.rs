//! What a place gives: the system calls its default profile lets through, the capabilities it grants, and what of a need
//! it refuses. The places are data, one file each under `detectors/targets/`.

mod delta;
mod profile;
mod table;

pub use delta::{Addition, Delta, Refused, delta};
pub use profile::Profile;
pub use table::{Place, places};
