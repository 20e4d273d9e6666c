//! Proof: what the running machine answers, whether its containers answer the same, and the documents of both.
//!
//! [`record`] asks a host the user names; [`prove`] builds and starts the containers on an engine and asks those. What
//! answers is a stranger: everything it says is capped, masked and made safe before it is kept. Programs are started in
//! `engine*.rs` alone, and only those that the user's engine consists of.

pub mod ask;
mod certificate;
pub mod compare;
pub mod compose;
pub mod engine;
pub mod engine_compose;
mod engine_inspect;
mod engine_reader;
pub mod http;
pub mod inside;
pub mod listener;
mod look;
pub mod mask;
pub mod recorded;
pub mod run;
mod tls;
pub mod wire;

pub use engine::abandon;
pub use listener::{Listener, listeners};
pub use recorded::{Recorded, record};
pub use run::{Options, prove};

/// What ends a proof or a record: a sentence with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
