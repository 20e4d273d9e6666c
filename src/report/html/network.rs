//! The map for both kinds of screen, and who reaches whom as rows.

use crate::report::map::{self, Drawing, Shape};
use crate::scan::Scan;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct MapView {
    class: &'static str,
    drawing: Drawing,
}

pub(super) fn maps(scan: &Scan) -> Vec<MapView> {
    let graph = map::graph(scan);
    [("wide", Shape::Wide), ("tall", Shape::Tall)]
        .into_iter()
        .map(|(class, shape)| MapView {
            class,
            drawing: map::draw(&graph, shape),
        })
        .collect()
}

/// Who reaches whom, as rows: from, to, how, where it says so.
pub(super) fn links(scan: &Scan) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for workload in &scan.workloads {
        for connect in &workload.connects {
            let row = [
                workload.id.clone(),
                connect.to.clone(),
                connect.via.clone(),
                connect.evidence.place(),
            ];
            rows.push(row);
        }
    }
    rows
}
