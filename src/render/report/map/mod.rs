//! The map of the machine: what moves in pods, what each listens on and keeps, who reaches whom, and what stays or is left
//! out. A graph is made of the scan (`graph`), its boxes get places (`layout`, `place`, `line`); a template draws them.

mod graph;
mod layout;
mod line;
mod place;

pub(super) use graph::{Kind, graph};
pub(super) use layout::{Drawing, Shape, draw};
