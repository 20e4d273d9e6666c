//! Pods for the tests of this room, written as short as they can be.

use super::graph::{Edge, Kind, Node, Pod};

/// A letter for each node: `P`ort, `w`orkload, `v`olume, `o`utside.
pub(super) fn pod(kinds: &str, edges: &[(usize, usize)]) -> Pod {
    let nodes = kinds.chars().enumerate().map(|(at, kind)| Node {
        kind: match kind {
            'P' => Kind::Port,
            'v' => Kind::Volume,
            'o' => Kind::Outside,
            _ => Kind::Workload,
        },
        label: format!("{kind}{at}"),
        sub: "127.0.0.1:8000/tcp".into(),
        workload: format!("{kind}{at}"),
        verdict: "container",
        score: Some(90),
    });
    Pod {
        title: "pod".into(),
        nodes: nodes.collect(),
        edges: edges.iter().map(|(from, to)| edge(*from, *to)).collect(),
    }
}

fn edge(from: usize, to: usize) -> Edge {
    Edge {
        from,
        to,
        title: String::new(),
    }
}

/// `01 12` is from 0 to 1 and from 1 to 2.
pub(super) fn edges(text: &str) -> Vec<(usize, usize)> {
    let digit = |c: Option<char>| c.and_then(|c| c.to_digit(10)).unwrap() as usize;
    text.split(' ')
        .map(|pair| {
            let mut digits = pair.chars();
            (digit(digits.next()), digit(digits.next()))
        })
        .collect()
}
