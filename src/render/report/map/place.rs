//! Where the boxes of one pod stand inside it: columns of slots, in an order that crosses few lines.

use super::graph::Pod;
use super::layout::{GAP, HEIGHT, PADDING, ROW_GAP, Shape, Sizes, TITLE};

/// What a passing line takes of a column.
const PASSAGE: u32 = 10;

/// A place in a column: a node, or the passage of a line that goes on to a later column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Node(usize),
    Passage { edge: usize },
}

impl Slot {
    fn height(self) -> u32 {
        match self {
            Self::Node(_) => HEIGHT,
            Self::Passage { .. } => PASSAGE,
        }
    }
}

/// A pod with places, before it has one of its own in the drawing.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub nodes: Vec<(u32, u32)>,
    /// Where each line passes the columns between its ends, in order.
    pub passages: Vec<Vec<(u32, u32)>>,
    pub width: u32,
    pub height: u32,
}

/// Places every node of a pod.
pub(super) fn places(pod: &Pod, shape: Shape, sizes: &Sizes) -> Laid {
    let mut laid = Laid {
        nodes: vec![(0, 0); pod.nodes.len()],
        passages: vec![Vec::new(); pod.edges.len()],
        ..Laid::default()
    };
    let top = PADDING + if pod.title.is_empty() { 0 } else { TITLE };
    let columns = columns(pod, shape == Shape::Wide);
    let columns: Vec<&[Slot]> = columns
        .iter()
        .map(Vec::as_slice)
        .filter(|column| !column.is_empty())
        .collect();
    match shape {
        Shape::Wide => wide(&mut laid, &columns, top, sizes),
        Shape::Tall => tall(&mut laid, &columns, top, sizes),
    }
    laid
}

/// Columns side by side, each in the middle of the tallest.
fn wide(laid: &mut Laid, columns: &[&[Slot]], top: u32, sizes: &Sizes) {
    let length = |column: &[Slot]| -> u32 {
        let heights: u32 = column.iter().map(|slot| slot.height() + ROW_GAP).sum();
        heights.saturating_sub(ROW_GAP)
    };
    let tallest = columns.iter().map(|column| length(column)).max();
    let tallest = tallest.unwrap_or_default();
    let mut x = PADDING;
    for column in columns {
        let mut y = top + (tallest - length(column)) / 2;
        for slot in *column {
            match slot {
                Slot::Node(at) => set(&mut laid.nodes, *at, (x, y)),
                Slot::Passage { edge } => {
                    let passages = laid.passages.get_mut(*edge).into_iter();
                    passages.for_each(|passages| passages.push((x, y + PASSAGE / 2)));
                }
            }
            y += slot.height() + ROW_GAP;
        }
        laid.width = x + sizes.node + PADDING;
        x += sizes.node + sizes.column_gap;
    }
    laid.height = top + tallest + PADDING;
}

/// Columns as bands one below the other; lines pass behind.
fn tall(laid: &mut Laid, columns: &[&[Slot]], top: u32, sizes: &Sizes) {
    let step = HEIGHT + ROW_GAP;
    let mut y = top;
    for column in columns {
        let nodes = column.iter().filter_map(|slot| match slot {
            Slot::Node(at) => Some(*at),
            Slot::Passage { .. } => None,
        });
        let mut count = 0;
        for at in nodes {
            let x = PADDING + count % sizes.abreast * (sizes.node + GAP);
            set(&mut laid.nodes, at, (x, y + count / sizes.abreast * step));
            count += 1;
        }
        y += count.div_ceil(sizes.abreast) * step - ROW_GAP + sizes.column_gap;
    }
    laid.height = y - sizes.column_gap + PADDING;
    laid.width = sizes.width;
}

fn set(places: &mut [(u32, u32)], at: usize, place: (u32, u32)) {
    if let Some(known) = places.get_mut(at) {
        *known = place;
    }
}

/// Slots by column, in order.
fn columns(pod: &Pod, passages: bool) -> Vec<Vec<Slot>> {
    let column_of = |at: usize| pod.nodes.get(at).map_or(0, |node| node.column);
    let last = pod.nodes.iter().map(|node| node.column).max();
    let mut columns: Vec<Vec<Slot>> = vec![Vec::new(); last.unwrap_or_default() + 1];
    for at in 0..pod.nodes.len() {
        if let Some(column) = columns.get_mut(column_of(at)) {
            column.push(Slot::Node(at));
        }
    }
    for (edge, ends) in pod.edges.iter().enumerate().filter(|_| passages) {
        let between = columns.get_mut(column_of(ends.from) + 1..column_of(ends.to));
        let between = between.into_iter().flatten();
        for column in between.filter(|column| !column.is_empty()) {
            column.push(Slot::Passage { edge });
        }
    }
    order(pod, &mut columns);
    columns
}

/// Orders each column by the mean place of what it is joined to in the column before, then in the one after, then before
/// again (the barycentre method of Sugiyama, Tagawa and Toda, 1981).
fn order(pod: &Pod, columns: &mut [Vec<Slot>]) {
    let count = columns.len();
    for forward in [true, false, true] {
        for at in 1..count {
            let (sorted, by) = if forward {
                (at, at - 1)
            } else {
                (count - 1 - at, count - at)
            };
            let Some(neighbours) = columns.get(by).cloned() else {
                continue;
            };
            let Some(column) = columns.get_mut(sorted) else {
                continue;
            };
            let before = column.clone();
            column.sort_by_key(|slot| {
                let own = before.iter().position(|other| other == slot);
                let own = own.unwrap_or_default();
                (mean(pod, *slot, &neighbours).unwrap_or(own * 1000), own)
            });
        }
    }
}

/// A thousand times the mean place, in the neighbouring column, of what a slot is joined to.
fn mean(pod: &Pod, slot: Slot, neighbours: &[Slot]) -> Option<usize> {
    let joined = |other: Slot| {
        pod.edges.iter().enumerate().any(|(at, edge)| {
            let on = |slot: Slot| match slot {
                Slot::Node(node) => edge.from == node || edge.to == node,
                Slot::Passage { edge } => edge == at,
            };
            on(slot) && on(other)
        })
    };
    let places: Vec<usize> = neighbours
        .iter()
        .enumerate()
        .filter(|(_, other)| joined(**other))
        .map(|(at, _)| at * 1000)
        .collect();
    (!places.is_empty()).then(|| places.iter().sum::<usize>() / places.len())
}
