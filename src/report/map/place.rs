//! Where the boxes of one pod stand inside it, and the ways of its lines.

use super::graph::Pod;
use super::layer::{Layers, layers};
use super::layout::{HEIGHT, PADDING, ROW_GAP, Sizes, TITLE};
use super::line::{self, Way};
use super::slot::{Slot, Slots};
use super::spread::{Wish, spread};

/// What a passing line takes of a layer.
const PASSAGE: i64 = 8;

/// Times the boxes are moved towards what they are joined to.
const ROUNDS: usize = 10;

/// A pod with places, before it has one of its own in the drawing.
#[derive(Debug, Default)]
pub(super) struct Laid {
    pub nodes: Vec<(u32, u32)>,
    /// The width of each box.
    pub node: u32,
    /// By edge.
    pub ways: Vec<Way>,
    pub width: u32,
    pub height: u32,
}

/// Layers side by side from left to right; a chain is as straight as it can be.
pub(super) fn wide(pod: &Pod, sizes: &Sizes) -> Laid {
    let layers = layers(pod);
    let slots = Slots::new(pod, &layers);
    let heights = heights(pod, &slots);
    let used: Vec<bool> = slots.layers.iter().map(|layer| !layer.is_empty()).collect();
    let columns = used.iter().filter(|used| **used).count();
    let (node, gap) = sizes.columns(u32::try_from(columns).unwrap_or(u32::MAX));
    let top = i64::from(top(pod));
    let least = edge_of(&slots, &heights, -1).min().unwrap_or_default();
    let most = edge_of(&slots, &heights, 1).max().unwrap_or_default();
    let down = |y: i64| u32::try_from(y - least + top).unwrap_or_default();
    let mut x = vec![PADDING; slots.layers.len()];
    let mut next = PADDING;
    for (x, used) in x.iter_mut().zip(used) {
        *x = next;
        next += if used { node + gap } else { 0 };
    }
    let middle = |slot: usize| {
        let x = slots.of.get(slot).and_then(|layer| x.get(*layer)).copied();
        let y = heights.get(slot).copied().unwrap_or_default();
        (x.unwrap_or_default(), down(y))
    };
    let nodes: Vec<(u32, u32)> = (0..pod.nodes.len())
        .map(middle)
        .map(|(x, y)| (x, y.saturating_sub(HEIGHT / 2)))
        .collect();
    let threads = slots.threads.iter();
    let threads: Vec<Vec<(u32, u32)>> = threads
        .map(|thread| thread.iter().map(|slot| middle(*slot)).collect())
        .collect();
    Laid {
        ways: line::wide(pod, &layers, &threads, node),
        nodes,
        node,
        width: next - gap + PADDING,
        height: down(most) + PADDING,
    }
}

/// Layers below each other, each in rows of two; lines that go further than to the next row run beside the boxes.
pub(super) fn tall(pod: &Pod, sizes: &Sizes) -> Laid {
    let layers = layers(pod);
    let rows = rows(pod, &layers, sizes.abreast);
    let lanes = line::lanes(pod, &rows);
    let node = sizes.beside(lanes.width());
    let mut nodes = vec![(0, 0); pod.nodes.len()];
    let mut y = top(pod);
    for row in &rows {
        for (at, across) in row.iter().zip(0u32..) {
            let x = PADDING + across * (node + sizes.row_gap);
            nodes
                .get_mut(*at)
                .into_iter()
                .for_each(|place| *place = (x, y));
        }
        y += HEIGHT + sizes.column_gap;
    }
    Laid {
        ways: line::tall(pod, &nodes, &lanes, node, sizes),
        nodes,
        node,
        width: sizes.width,
        height: y.saturating_sub(sizes.column_gap) + PADDING,
    }
}

fn top(pod: &Pod) -> u32 {
    PADDING + if pod.title.is_empty() { 0 } else { TITLE }
}

/// Nodes by row.
fn rows(pod: &Pod, layers: &Layers, abreast: u32) -> Vec<Vec<usize>> {
    let slots = Slots::new(pod, layers);
    let mut rows = Vec::new();
    for layer in &slots.layers {
        let nodes = layer.iter().filter_map(|slot| match slots.all.get(*slot) {
            Some(Slot::Node(at)) => Some(*at),
            _ => None,
        });
        let nodes: Vec<usize> = nodes.collect();
        rows.extend(nodes.chunks(abreast.max(1) as usize).map(<[usize]>::to_vec));
    }
    rows
}

/// The middle of each slot: it moves towards the mean of what it is joined to, before and after it in turns.
fn heights(pod: &Pod, slots: &Slots) -> Vec<i64> {
    let neighbours = slots.neighbours();
    let mut heights = vec![0i64; slots.all.len()];
    let gap = i64::from(ROW_GAP);
    for round in 0..=ROUNDS {
        for step in 0..slots.layers.len() {
            let (at, joined) = match round % 2 {
                0 => (step, &neighbours.before),
                _ => (slots.layers.len() - 1 - step, &neighbours.after),
            };
            let layer = slots.layers.get(at).map_or(&[][..], Vec::as_slice);
            let mut before = 0;
            let wishes = layer.iter().map(|slot| {
                let height = |slot: &usize| heights.get(*slot).copied().unwrap_or_default();
                let joined = joined.get(*slot).map_or(&[][..], Vec::as_slice);
                let sum: i64 = joined.iter().map(height).sum();
                let count = i64::try_from(joined.len()).unwrap_or(i64::MAX);
                let own = size(slots, *slot);
                let apart = i64::midpoint(before, own) + gap;
                before = own;
                Wish {
                    at: if count == 0 {
                        height(slot)
                    } else {
                        sum / count
                    },
                    apart,
                    // A bend in the middle of a line is worse than a box that stands aside.
                    weight: match slots.all.get(*slot) {
                        Some(Slot::Passage(_)) => 4,
                        _ if is_workload(pod, *slot) => 2,
                        _ => 1,
                    },
                }
            });
            let wishes: Vec<Wish> = wishes.collect();
            for (slot, place) in layer.iter().zip(spread(&wishes)) {
                heights
                    .get_mut(*slot)
                    .into_iter()
                    .for_each(|known| *known = place);
            }
        }
    }
    heights
}

fn is_workload(pod: &Pod, slot: usize) -> bool {
    let node = pod.nodes.get(slot);
    node.is_some_and(|node| node.kind == super::graph::Kind::Workload)
}

fn size(slots: &Slots, slot: usize) -> i64 {
    match slots.all.get(slot) {
        Some(Slot::Passage(_)) => PASSAGE,
        _ => i64::from(HEIGHT),
    }
}

/// The upper edges of all slots (`side` −1), or the lower ones (1).
fn edge_of<'a>(slots: &'a Slots, heights: &'a [i64], side: i64) -> impl Iterator<Item = i64> + 'a {
    let all = heights.iter().enumerate();
    all.map(move |(slot, y)| y + side * size(slots, slot) / 2)
}
