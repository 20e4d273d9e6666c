//! Places for the boxes of the map. Boxes never overlap: each pod is laid out by itself in columns, pods stand side by side
//! as far as the width goes and then in the next row.

use super::graph::{Graph, Kind, Node, Pod};
use super::line::line;
use super::place::{Laid, places};

/// How a pod is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Columns from left to right; for wide screens and paper.
    Wide,
    /// The same columns as bands from top to bottom, two boxes abreast; for a phone.
    Tall,
}

/// A box with its place, ready to be drawn.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Box {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub kind: Kind,
    pub verdict: &'static str,
    pub label: String,
    pub sub: String,
    pub title: String,
    pub workload: String,
    pub score: Option<u32>,
    /// A score of 0 is a score: templates ask this.
    pub scored: bool,
    /// Baselines and left edge of the texts.
    pub text: u32,
    pub first: u32,
    pub second: u32,
    pub right: u32,
}

#[derive(Debug, Clone, serde::Serialize)]
pub struct Line {
    pub path: String,
    pub title: String,
    pub from: String,
    pub to: String,
    pub kind: Kind,
}

/// A frame with a title around boxes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Frame {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub title: String,
    pub text: u32,
    pub baseline: u32,
}

/// The drawing.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Drawing {
    pub width: u32,
    pub height: u32,
    pub frames: Vec<Frame>,
    pub lines: Vec<Line>,
    pub boxes: Vec<Box>,
}

/// Sizes in the drawing's own units, which are CSS pixels at full size.
pub(super) struct Sizes {
    pub width: u32,
    pub node: u32,
    pub column_gap: u32,
    /// Boxes abreast in a band.
    pub abreast: u32,
}

pub(super) const HEIGHT: u32 = 46;
pub(super) const ROW_GAP: u32 = 12;
pub(super) const PADDING: u32 = 14;
pub(super) const TITLE: u32 = 26;
pub(super) const GAP: u32 = 16;
/// Average width of a letter of the label, and of the smaller second line, in tenths.
const LETTER: u32 = 76;
const SMALL: u32 = 66;

impl Shape {
    fn sizes(self) -> Sizes {
        match self {
            Self::Wide => Sizes {
                width: 1192,
                node: 196,
                column_gap: 46,
                abreast: 5,
            },
            Self::Tall => Sizes {
                width: 344,
                node: 150,
                column_gap: 30,
                abreast: 2,
            },
        }
    }
}

/// Draws the graph.
pub fn draw(graph: &Graph, shape: Shape) -> Drawing {
    let sizes = shape.sizes();
    let mut drawing = Drawing {
        width: sizes.width,
        ..Drawing::default()
    };
    let (mut x, mut y, mut shelf) = (0, 0, 0);
    for pod in &graph.pods {
        let laid = places(pod, shape, &sizes);
        let (width, height) = (laid.width, laid.height);
        if x > 0 && x + width > sizes.width {
            (x, y) = (0, y + shelf + GAP);
            shelf = 0;
        }
        add(&mut drawing, pod, &laid, (x, y), shape, sizes.node);
        drawing.frames.push(frame(x, y, width, height, &pod.title));
        drawing.width = drawing.width.max(x + width);
        x += width + GAP;
        shelf = shelf.max(height);
    }
    y += shelf;
    for (_, title, nodes) in &graph.rest {
        if y > 0 {
            y += GAP;
        }
        y += rest(&mut drawing, title, nodes, y, &sizes);
    }
    drawing.height = y;
    drawing
}

/// What does not move: a frame with a grid of boxes. Returns its height.
fn rest(drawing: &mut Drawing, title: &str, nodes: &[Node], y: u32, sizes: &Sizes) -> u32 {
    let across = sizes.abreast;
    let gap = ROW_GAP;
    let width = (sizes.width - 2 * PADDING - gap * (across - 1)) / across;
    for (node, at) in nodes.iter().zip(0u32..) {
        let place = (
            PADDING + at % across * (width + gap),
            y + PADDING + TITLE + at / across * (HEIGHT + gap),
        );
        drawing.boxes.push(put(node, place, width));
    }
    let rows = u32::try_from(nodes.len()).unwrap_or(0).div_ceil(across);
    let height = 2 * PADDING + TITLE + rows * (HEIGHT + gap) - gap;
    drawing.frames.push(frame(0, y, sizes.width, height, title));
    height
}

fn frame(x: u32, y: u32, width: u32, height: u32, title: &str) -> Frame {
    Frame {
        x,
        y,
        width,
        height,
        title: cut(title, width - 2 * PADDING, SMALL),
        text: x + PADDING,
        baseline: y + PADDING + 10,
    }
}

fn add(drawing: &mut Drawing, pod: &Pod, laid: &Laid, at: (u32, u32), shape: Shape, width: u32) {
    let moved = |places: &[(u32, u32)]| -> Vec<(u32, u32)> {
        places.iter().map(|(x, y)| (x + at.0, y + at.1)).collect()
    };
    let nodes = moved(&laid.nodes);
    for (edge, passages) in pod.edges.iter().zip(&laid.passages) {
        let passages = moved(passages);
        drawing
            .lines
            .extend(line(pod, edge, &nodes, &passages, shape, width));
    }
    for (node, place) in pod.nodes.iter().zip(&nodes) {
        drawing.boxes.push(put(node, *place, width));
    }
}

fn put(node: &Node, (x, y): (u32, u32), width: u32) -> Box {
    let inside = width - 24 - if node.score.is_some() { 26 } else { 0 };
    let title = match node.sub.as_str() {
        "" => node.label.clone(),
        sub => format!("{}: {sub}", node.label),
    };
    Box {
        x,
        y,
        width,
        height: HEIGHT,
        kind: node.kind,
        verdict: node.verdict,
        label: cut(&node.label, inside, LETTER),
        sub: cut(&node.sub, width - 24, SMALL),
        title,
        workload: node.workload.clone(),
        score: node.score,
        scored: node.score.is_some(),
        text: x + 12,
        first: y + if node.sub.is_empty() { 28 } else { 20 },
        second: y + 36,
        right: x + width - 12,
    }
}

/// As many letters as fit; a path or an address keeps its end, which tells more.
fn cut(text: &str, width: u32, letter: u32) -> String {
    let fits = (width * 10 / letter) as usize;
    let count = text.chars().count();
    if count <= fits {
        text.to_owned()
    } else if text.starts_with('/') {
        let tail: String = text.chars().skip(count + 1 - fits).collect();
        format!("…{tail}")
    } else {
        let head: String = text.chars().take(fits.saturating_sub(1)).collect();
        format!("{}…", head.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::Edge;
    use super::*;

    fn node(kind: Kind, label: &str, column: usize) -> Node {
        Node {
            kind,
            label: label.into(),
            sub: "127.0.0.1:8000/tcp".into(),
            workload: label.into(),
            verdict: "container",
            score: Some(90),
            column,
        }
    }

    /// A pod with `count` workloads, each with a port and a volume, each needing the next.
    fn pod(count: usize) -> Pod {
        let mut pod = Pod {
            title: "pod".into(),
            ..Pod::default()
        };
        for at in 0..count {
            pod.nodes
                .push(node(Kind::Workload, &format!("w{at}"), 1 + at.min(2)));
        }
        for at in 0..count {
            pod.nodes.push(node(Kind::Port, &format!("p{at}"), 0));
            pod.nodes.push(node(Kind::Volume, &format!("v{at}"), 4));
            pod.edges.push(Edge {
                from: count + 2 * at,
                to: at,
                title: String::new(),
            });
            pod.edges.push(Edge {
                from: at,
                to: count + 2 * at + 1,
                title: String::new(),
            });
            if at + 1 < count {
                pod.edges.push(Edge {
                    from: at,
                    to: at + 1,
                    title: String::new(),
                });
            }
        }
        pod
    }

    fn overlap(a: &Box, b: &Box) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    #[test]
    fn no_box_lies_on_another_whatever_the_machine() {
        for shape in [Shape::Wide, Shape::Tall] {
            for sizes in [
                &[1usize, 1, 1][..],
                &[3, 1, 2],
                &[8, 1, 1, 1, 5, 2],
                &[1; 40],
                &[40],
            ] {
                let graph = Graph {
                    pods: sizes.iter().map(|count| pod(*count)).collect(),
                    rest: vec![(
                        Kind::Keep,
                        "stays".into(),
                        (0..7)
                            .map(|at| node(Kind::Keep, &format!("k{at}"), 0))
                            .collect(),
                    )],
                };
                let drawing = draw(&graph, shape);
                for (at, a) in drawing.boxes.iter().enumerate() {
                    for b in drawing.boxes.iter().skip(at + 1) {
                        assert!(
                            !overlap(a, b),
                            "{shape:?} {sizes:?}: {} on {}",
                            a.label,
                            b.label
                        );
                    }
                    assert!(
                        a.x + a.width <= drawing.width && a.y + a.height <= drawing.height,
                        "{shape:?}: inside"
                    );
                }
            }
        }
    }

    #[test]
    fn long_names_are_cut_where_they_tell_least() {
        assert_eq!(cut("/var/lib/postgresql/15/main", 100, 76), "…esql/15/main");
        assert_eq!(
            cut("a-rather-long-service-name.service", 100, 76),
            "a-rather-lon…"
        );
        assert_eq!(cut("short", 100, 76), "short");
    }
}
