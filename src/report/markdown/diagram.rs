//! The pods as a diagram.

use crate::report::map;
use crate::scan::Scan;
use serde::Serialize;

/// A box of the diagram, in Mermaid's own brackets.
#[derive(Serialize)]
pub(super) struct BoxView {
    node: String,
    open: &'static str,
    label: String,
    close: &'static str,
}

#[derive(Serialize)]
pub(super) struct LineView {
    from: String,
    to: String,
}

/// The pods with more than one box, for Mermaid, which GitHub and GitLab draw.
pub(super) fn diagram(scan: &Scan) -> (Vec<BoxView>, Vec<LineView>) {
    let (mut boxes, mut lines) = (Vec::new(), Vec::new());
    for (pod, number) in map::graph(scan).pods.iter().zip(0..) {
        if pod.edges.is_empty() {
            continue;
        }
        for (node, at) in pod.nodes.iter().zip(0..) {
            let (open, close) = match node.kind {
                map::Kind::Volume => ("[(", ")]"),
                map::Kind::Port => ("([", "])"),
                map::Kind::Outside => ("{{", "}}"),
                _ => ("[", "]"),
            };
            let score = node.score.map(|score| format!(" {score}"));
            let label = format!("{}{}", node.label, score.unwrap_or_default());
            boxes.push(BoxView {
                node: format!("n{number}_{at}"),
                open,
                label: plain(&label),
                close,
            });
        }
        lines.extend(pod.edges.iter().map(|edge| LineView {
            from: format!("n{number}_{}", edge.from),
            to: format!("n{number}_{}", edge.to),
        }));
    }
    (boxes, lines)
}

/// A label in which nothing means anything to Mermaid or to the fence around it.
fn plain(label: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || " .:/-_@+*[]".contains(c);
    label
        .chars()
        .map(|c| if harmless(c) { c } else { '_' })
        .collect()
}
