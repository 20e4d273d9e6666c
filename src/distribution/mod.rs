//! What a distribution is to a container: the images that stand for its releases, and what they bring.

pub(crate) mod base;
pub(crate) mod candidate;
pub mod closure;
pub mod lifetime;
