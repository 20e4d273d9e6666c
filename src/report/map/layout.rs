//! Places for the boxes of the map. Boxes never overlap: each pod is laid out by itself in layers, pods stand side by side
//! as far as the width goes and then in the next row.

use super::graph::{Graph, Kind, Node, Pod};
use super::place::{self, Laid};
use crate::report::letters::cut;

/// How a pod is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Layers from left to right; for wide screens and paper.
    Wide,
    /// The same layers from top to bottom, two boxes abreast; for a phone.
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
    /// The widest and the narrowest box there is, and the gaps between columns that go with them.
    node: (u32, u32),
    gap: (u32, u32),
    /// Between rows of a tall drawing, and between boxes of one row.
    pub column_gap: u32,
    pub row_gap: u32,
    /// Boxes abreast in a row.
    pub abreast: u32,
}

pub(super) const HEIGHT: u32 = 46;
pub(super) const ROW_GAP: u32 = 12;
pub(super) const PADDING: u32 = 14;
pub(super) const TITLE: u32 = 26;
const GAP: u32 = 16;
/// Sizes of the label and of the smaller second line, as the style has them, in tenths.
const LABEL: u32 = 130;
const SMALL: u32 = 115;

impl Shape {
    fn sizes(self) -> Sizes {
        match self {
            Self::Wide => Sizes {
                width: 1192,
                node: (196, 136),
                gap: (46, 26),
                column_gap: 0,
                row_gap: 0,
                abreast: 5,
            },
            Self::Tall => Sizes {
                width: 344,
                node: (150, 150),
                gap: (0, 0),
                column_gap: 34,
                row_gap: ROW_GAP,
                abreast: 2,
            },
        }
    }
}

impl Sizes {
    /// How wide the boxes of so many columns are, and the gaps between them: narrower where that makes them fit. A drawing
    /// with more columns than fit is wider, and its frame scrolls.
    pub fn columns(&self, count: u32) -> (u32, u32) {
        let ((widest, narrowest), (wide, narrow)) = (self.node, self.gap);
        let fits = |gap: u32| {
            let gaps = count.saturating_sub(1).saturating_mul(gap);
            let free = (self.width - 2 * PADDING).saturating_sub(gaps);
            free / count.max(1)
        };
        match fits(wide) {
            node if node >= widest => (widest, wide),
            _ => (fits(narrow).clamp(narrowest, widest), narrow),
        }
    }

    /// How wide two boxes of a row are beside so much that is not for boxes.
    pub fn beside(&self, taken: u32) -> u32 {
        let gaps = self.row_gap * (self.abreast - 1);
        (self.width - 2 * PADDING - taken - gaps) / self.abreast
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
        let laid = match shape {
            Shape::Wide => place::wide(pod, &sizes),
            Shape::Tall => place::tall(pod, &sizes),
        };
        let (width, height) = (laid.width, laid.height);
        if x > 0 && x + width > sizes.width {
            (x, y) = (0, y + shelf + GAP);
            shelf = 0;
        }
        add(&mut drawing, pod, &laid, (x, y));
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

fn add(drawing: &mut Drawing, pod: &Pod, laid: &Laid, at: (u32, u32)) {
    for (edge, way) in pod.edges.iter().zip(&laid.ways) {
        let (Some(from), Some(to)) = (pod.nodes.get(edge.from), pod.nodes.get(edge.to)) else {
            continue;
        };
        let is_workload = from.kind == Kind::Workload;
        drawing.lines.push(Line {
            path: way.path(at),
            title: edge.title.clone(),
            from: from.workload.clone(),
            to: to.workload.clone(),
            kind: if is_workload { to.kind } else { from.kind },
        });
    }
    for (node, (x, y)) in pod.nodes.iter().zip(&laid.nodes) {
        drawing
            .boxes
            .push(put(node, (x + at.0, y + at.1), laid.node));
    }
}

fn put(node: &Node, (x, y): (u32, u32), width: u32) -> Box {
    let score = node
        .score
        .map_or(0, |score| if score < 100 { 25 } else { 34 });
    let inside = width - 24 - score;
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
        label: cut(&node.label, inside, LABEL),
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

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, pod as of};
    use super::*;

    fn node(kind: Kind, label: &str) -> Node {
        Node {
            kind,
            label: label.into(),
            sub: "127.0.0.1:8000/tcp".into(),
            workload: label.into(),
            verdict: "container",
            score: Some(90),
        }
    }

    /// A pod with `count` workloads, each with a port and a volume, each needing the next and the third after it.
    fn pod(count: usize) -> Pod {
        let kinds = ["w", "P", "v"].map(|kind| kind.repeat(count)).concat();
        let mut links = Vec::new();
        for at in 0..count {
            links.extend([(count + at, at), (at, 2 * count + at)]);
            links.extend([at + 1, at + 3].map(|next| (at, next)));
        }
        let links: Vec<(usize, usize)> = links
            .into_iter()
            .filter(|(from, to)| *from >= count || *to < count || *to >= 2 * count)
            .collect();
        of(&kinds, &links)
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
                &[8, 1, 1, 1, 5, 2, 24],
                &[1; 40],
            ] {
                let graph = Graph {
                    pods: sizes.iter().map(|count| pod(*count)).collect(),
                    rest: vec![(
                        Kind::Keep,
                        "stays".into(),
                        (0..7)
                            .map(|at| node(Kind::Keep, &format!("k{at}")))
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

    /// Boxes that a line runs through, apart from those at its ends.
    #[test]
    fn a_chain_is_straight_and_no_line_lies_under_a_box() {
        let pod = of("Pwwwwwv", &edges("01 12 23 34 54 46 14"));
        let graph = Graph {
            pods: vec![pod],
            rest: Vec::new(),
        };
        let drawing = draw(&graph, Shape::Wide);
        assert_eq!(drawing.width, 1192, "six columns fit");
        for line in &drawing.lines {
            for (x, y) in passages(&line.path) {
                let under = drawing
                    .boxes
                    .iter()
                    .find(|b| b.x < x.1 && x.0 < b.x + b.width && b.y < y && y < b.y + b.height);
                assert!(under.is_none(), "{} under {:?}", line.path, under);
            }
        }
    }

    /// The level parts of a path: from and to, and the height.
    fn passages(path: &str) -> Vec<((u32, u32), u32)> {
        let numbers = |text: &str| -> Vec<u32> {
            text.split(' ')
                .filter_map(|word| word.parse().ok())
                .collect()
        };
        let mut at = (0, 0);
        let mut found = Vec::new();
        let mut command = 'M';
        let mut text = String::new();
        let mut run = |command: char, text: &str| {
            let values = numbers(text);
            match (command, values.as_slice()) {
                ('H', [x]) => {
                    found.push(((at.0, *x), at.1));
                    at.0 = *x;
                }
                ('M' | 'L', [x, y]) | ('C', [_, _, _, _, x, y]) => at = (*x, *y),
                _ => {}
            }
        };
        for c in path.chars() {
            if c.is_ascii_alphabetic() {
                run(command, &text);
                command = c;
                text.clear();
            } else {
                text.push(c);
            }
        }
        run(command, &text);
        found
    }
}
