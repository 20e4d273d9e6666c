//! The ways of lines between boxes, with their heads.

use super::graph::{Edge, Pod};
use super::layer::Layers;
use super::layout::{HEIGHT, Sizes};
use std::fmt::Write as _;

type Place = (u32, u32);

/// A line inside its pod; `path` makes it one of the drawing.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    points: Vec<Place>,
    /// From top to bottom, in steps, rather than from left to right in curves.
    steps: bool,
    /// The head is at the beginning: the line leads backwards.
    backward: bool,
}

/// How far a head's sides go.
const HEAD: u32 = 5;

/// Ways from the right side of a box to the left side of another, through passages as wide as boxes. Lines that share a side
/// part there, in the order in which they arrive.
pub(super) fn wide(pod: &Pod, layers: &Layers, threads: &[Vec<Place>], node: u32) -> Vec<Way> {
    let mut ways = Vec::with_capacity(pod.edges.len());
    for (at, thread) in threads.iter().enumerate() {
        let backward = layers.backward.get(at).copied().unwrap_or_default();
        let mut points = Vec::with_capacity(2 * thread.len());
        for (step, (x, y)) in thread.iter().enumerate() {
            let y = match step {
                0 => y.saturating_add_signed(offset(pod, threads, at, false)),
                step if step + 1 == thread.len() => {
                    y.saturating_add_signed(offset(pod, threads, at, true))
                }
                _ => *y,
            };
            if step > 0 {
                points.push((*x, y));
            }
            if step + 1 < thread.len() {
                points.push((x + node, y));
            }
        }
        ways.push(Way {
            points,
            steps: false,
            backward,
        });
    }
    ways
}

/// How far from the middle of its box's side a line begins, or ends.
fn offset(pod: &Pod, threads: &[Vec<Place>], edge: usize, last: bool) -> i32 {
    let ends = |at: usize| {
        let thread = threads.get(at)?;
        let (own, next) = if last {
            (thread.last()?, thread.get(thread.len().checked_sub(2)?)?)
        } else {
            (thread.first()?, thread.get(1)?)
        };
        Some((*own, next.1))
    };
    let Some((own, _)) = ends(edge) else { return 0 };
    let mut same: Vec<(u32, usize)> = (0..pod.edges.len())
        .filter_map(|at| {
            ends(at)
                .filter(|(place, _)| *place == own)
                .map(|(_, y)| (y, at))
        })
        .collect();
    same.sort_unstable();
    let count = i32::try_from(same.len()).unwrap_or(i32::MAX);
    let place = same.iter().position(|(_, at)| *at == edge);
    let place = i32::try_from(place.unwrap_or_default()).unwrap_or_default();
    let step = (28 / count.max(1)).min(9);
    (2 * place - count + 1) * step / 2
}

/// Lanes beside the boxes for lines that pass more than one row.
pub(super) struct Lanes {
    /// By edge; `None` for a line to the next row.
    of: Vec<Option<u32>>,
    count: u32,
}

/// Lanes there are at most; lines share them beyond that.
const MOST: u32 = 6;
const LANE: u32 = 6;

impl Lanes {
    pub fn width(&self) -> u32 {
        self.count * LANE + if self.count > 0 { LANE } else { 0 }
    }
}

/// Gives each long line the first lane that is free from its first row to its last.
pub(super) fn lanes(pod: &Pod, rows: &[Vec<usize>]) -> Lanes {
    let row = |at: usize| {
        rows.iter()
            .position(|row| row.contains(&at))
            .unwrap_or_default()
    };
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut of = Vec::with_capacity(pod.edges.len());
    for edge in &pod.edges {
        let (from, to) = (row(edge.from), row(edge.to));
        let span = (from.min(to), from.max(to));
        if from + 1 == to {
            of.push(None);
            continue;
        }
        let free = |lane: &Vec<(usize, usize)>| {
            let apart = |known: &(usize, usize)| known.1 <= span.0 || span.1 <= known.0;
            lane.iter().all(apart)
        };
        let lane = taken.iter().position(free).unwrap_or(taken.len());
        let lane = lane % MOST as usize;
        match taken.get_mut(lane) {
            Some(known) => known.push(span),
            None => taken.push(vec![span]),
        }
        of.push(Some(u32::try_from(lane).unwrap_or_default()));
    }
    Lanes {
        of,
        count: u32::try_from(taken.len()).unwrap_or_default(),
    }
}

/// Ways from the lower side of a box to the upper side of another.
pub(super) fn tall(
    pod: &Pod,
    nodes: &[Place],
    lanes: &Lanes,
    node: u32,
    sizes: &Sizes,
) -> Vec<Way> {
    let beside = sizes.width - super::layout::PADDING - lanes.width() + LANE;
    let way = |(edge, lane): (&Edge, &Option<u32>)| {
        let (a, b) = (nodes.get(edge.from)?, nodes.get(edge.to)?);
        let shift = lane.map_or(0, |lane| 5 + 4 * lane);
        let (start, end) = (
            (a.0 + node / 2 + shift, a.1 + HEIGHT),
            (b.0 + node / 2, b.1),
        );
        let half = sizes.column_gap / 2;
        let (below, above) = (start.1 + half - 3, end.1.saturating_sub(half + 1));
        let mut points = vec![start, (start.0, below)];
        if let Some(lane) = lane {
            let x = beside + lane * LANE;
            points.extend([(x, below), (x, above)]);
            points.push((end.0 + shift, above));
            points.push((end.0 + shift, end.1));
        } else {
            points.extend([(end.0, below), end]);
        }
        Some(Way {
            points,
            steps: true,
            backward: false,
        })
    };
    let all = pod.edges.iter().zip(&lanes.of);
    all.map(|ends| way(ends).unwrap_or_default()).collect()
}

impl Way {
    /// The path of an SVG, moved to where the pod stands.
    pub fn path(&self, by: Place) -> String {
        let points = self.points.iter().map(|(x, y)| (x + by.0, y + by.1));
        let points: Vec<Place> = points.collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return String::new();
        };
        let mut path = format!("M{} {}", first.0, first.1);
        for (step, pair) in points.windows(2).enumerate() {
            if let [from, to] = *pair {
                // Between two boxes a curve; through a passage straight on.
                if self.steps || step % 2 == 1 {
                    straight(&mut path, from, to);
                } else {
                    curve(&mut path, from, to);
                }
            }
        }
        head(&mut path, if self.backward { *first } else { *last }, self);
        path
    }
}

fn straight(path: &mut String, from: Place, to: Place) {
    // Writing to a String cannot fail.
    let _ = match (from.0 == to.0, from.1 == to.1) {
        (true, true) => Ok(()),
        (true, false) => write!(path, "V{}", to.1),
        (false, true) => write!(path, "H{}", to.0),
        (false, false) => write!(path, "L{} {}", to.0, to.1),
    };
}

/// To a place on the right, level at both ends.
fn curve(path: &mut String, from: Place, to: Place) {
    if from.1 == to.1 {
        straight(path, from, to);
        return;
    }
    let middle = u32::midpoint(from.0, to.0);
    let _ = write!(
        path,
        "C{middle} {} {middle} {} {} {}",
        from.1, to.1, to.0, to.1
    );
}

/// An open arrow head, in the direction of the line.
fn head(path: &mut String, at: Place, way: &Way) {
    let (x, y) = at;
    let _ = if way.steps {
        let up = y.saturating_sub(HEAD);
        write!(
            path,
            "M{} {up}L{x} {y}L{} {up}",
            x.saturating_sub(HEAD - 1),
            x + HEAD - 1
        )
    } else {
        let back = if way.backward {
            x + HEAD
        } else {
            x.saturating_sub(HEAD)
        };
        write!(
            path,
            "M{back} {}L{x} {y}L{back} {}",
            y.saturating_sub(HEAD - 1),
            y + HEAD - 1
        )
    };
}
