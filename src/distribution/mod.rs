//! What a distribution is to a machine and to a container: how it names, pins and installs packages, the images that stand
//! for its releases and what they bring, and how long it is supported.

pub(crate) mod account;
pub(crate) mod archive;
pub(crate) mod base;
pub(crate) mod candidate;
pub mod closure;
pub mod family;
pub(crate) mod kin;
pub mod lifetime;
pub(crate) mod machine;
pub(crate) mod origin;
pub(crate) mod scheduler;
mod table;
