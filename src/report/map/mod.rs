//! The map of the machine: what moves in pods, what each listens on and keeps, who reaches whom, and what stays or is left
//! out. A graph is made of the scan (`graph`); its boxes get layers (`layer`), an order in them (`slot`) and places (`spread`,
//! `place`), its lines their ways (`line`); `layout` puts all of it on one drawing, texts cut to their boxes,
//! and a template draws that.

mod graph;
mod layer;
mod layout;
mod line;
mod place;
mod slot;
mod spread;
#[cfg(test)]
mod testing;

pub(super) use graph::{Kind, graph};
pub(super) use layout::{Drawing, Shape, draw};
