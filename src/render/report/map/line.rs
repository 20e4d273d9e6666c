//! The lines between boxes.

use super::graph::{Edge, Kind, Pod};
use super::layout::{HEIGHT, Line, Shape};
use std::fmt::Write as _;

type Place = (u32, u32);

/// A curve from the end of one box to the beginning of another, through its passages.
pub(super) fn line(
    pod: &Pod,
    edge: &Edge,
    places: &[Place],
    passages: &[Place],
    shape: Shape,
    width: u32,
) -> Option<Line> {
    let (from, to) = (pod.nodes.get(edge.from)?, pod.nodes.get(edge.to)?);
    let (a, b) = (*places.get(edge.from)?, *places.get(edge.to)?);
    let path = match shape {
        Shape::Wide if from.column >= to.column => around(a, b, width),
        Shape::Wide => across(a, b, passages, width),
        Shape::Tall => down(a, b, width),
    };
    let kind = if from.kind == Kind::Workload {
        to.kind
    } else {
        from.kind
    };
    Some(Line {
        path,
        title: edge.title.clone(),
        from: from.workload.clone(),
        to: to.workload.clone(),
        kind,
    })
}

/// From left to right.
fn across(a: Place, b: Place, passages: &[Place], width: u32) -> String {
    let mut at = (a.0 + width, a.1 + HEIGHT / 2);
    let mut path = format!("M{} {}", at.0, at.1);
    for passage in passages {
        path.push_str(&curve(at, *passage));
        at = (passage.0 + width, passage.1);
        let _ = write!(path, "H{}", at.0);
    }
    path.push_str(&curve(at, (b.0 - 4, b.1 + HEIGHT / 2)));
    path
}

/// To a place on the right, level at both ends.
fn curve(from: Place, to: Place) -> String {
    let bend = (to.0.saturating_sub(from.0) / 2).clamp(14, 60);
    let (first, second) = (from.0 + bend, to.0.saturating_sub(bend));
    format!("C{first} {} {second} {} {} {}", from.1, to.1, to.0, to.1)
}

/// Backwards or within a column: around the right side.
fn around(a: Place, b: Place, width: u32) -> String {
    let (x, y) = (a.0 + width, a.1 + HEIGHT / 2);
    let (end, end_y) = (b.0 + width + 4, b.1 + HEIGHT / 2);
    let bend = x.max(end) + 34;
    format!("M{x} {y}C{bend} {y} {bend} {end_y} {end} {end_y}")
}

/// From one band to a later one.
fn down(a: Place, b: Place, width: u32) -> String {
    const BEND: u32 = 18;
    let (x, y) = (a.0 + width / 2, a.1 + HEIGHT);
    let (end, end_y) = (b.0 + width / 2, b.1.saturating_sub(4));
    let before = end_y.saturating_sub(BEND);
    format!("M{x} {y}C{x} {} {end} {before} {end} {end_y}", y + BEND)
}
