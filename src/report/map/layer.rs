//! The layer of each box of a pod: what is reachable from outside stands first, then each workload one layer after the
//! deepest that needs it, and what it keeps or calls right after it.

use super::graph::{Kind, Pod};

/// Layers by node, and which lines lead from a later layer to an earlier one (where workloads need each other in a circle).
pub(super) struct Layers {
    pub of: Vec<usize>,
    pub count: usize,
    /// By edge.
    pub backward: Vec<bool>,
}

pub(super) fn layers(pod: &Pod) -> Layers {
    let is = |at: usize, kind: Kind| pod.nodes.get(at).is_some_and(|node| node.kind == kind);
    let between: Vec<(usize, usize)> = pod
        .edges
        .iter()
        .map(|edge| (edge.from, edge.to))
        .filter(|(from, to)| is(*from, Kind::Workload) && is(*to, Kind::Workload))
        .collect();
    let workloads: Vec<usize> = (0..pod.nodes.len())
        .filter(|at| is(*at, Kind::Workload))
        .collect();
    let rank = ranks(&workloads, &between, pod.nodes.len());
    let rank_of = |at: usize| rank.get(at).copied().unwrap_or_default();
    // Every line between workloads, in the direction in which layers grow.
    let forward: Vec<(usize, usize)> = between
        .iter()
        .map(|(a, b)| {
            if rank_of(*a) < rank_of(*b) {
                (*a, *b)
            } else {
                (*b, *a)
            }
        })
        .collect();
    let mut of = vec![0; pod.nodes.len()];
    let mut in_order = workloads;
    in_order.sort_by_key(|at| rank_of(*at));
    for at in &in_order {
        let before = forward.iter().filter(|(_, to)| to == at);
        let deepest = before.map(|(from, _)| layer(&of, *from)).max();
        set(&mut of, *at, deepest.unwrap_or_default() + 1);
    }
    // What nobody reaches stands next to what it needs, not at the far end of a long line.
    for at in in_order.iter().rev() {
        let entered = pod.edges.iter().any(|edge| edge.to == *at);
        let next = forward.iter().filter(|(from, _)| from == at);
        let next = next.map(|(_, to)| layer(&of, *to)).min();
        if let (false, Some(next)) = (entered, next) {
            set(&mut of, *at, next.saturating_sub(1).max(1));
        }
    }
    for (at, node) in pod.nodes.iter().enumerate() {
        if !matches!(node.kind, Kind::Workload | Kind::Port) {
            let owners = pod.edges.iter().filter(|edge| edge.to == at);
            let deepest = owners.map(|edge| layer(&of, edge.from)).max();
            set(&mut of, at, deepest.unwrap_or_default() + 1);
        }
    }
    let backward = pod
        .edges
        .iter()
        .map(|edge| layer(&of, edge.from) > layer(&of, edge.to))
        .collect();
    Layers {
        count: of.iter().max().map_or(0, |last| last + 1),
        of,
        backward,
    }
}

/// An order in which few lines lead backwards: whatever nobody needs that is left comes next; in a circle the one that needs
/// the most and is needed least (Eades, Lin and Smyth, 1993), of equals the first.
fn ranks(workloads: &[usize], edges: &[(usize, usize)], count: usize) -> Vec<usize> {
    let mut rank = vec![0; count];
    let mut left = workloads.to_vec();
    for place in 0..workloads.len() {
        let needed = |at: usize| {
            let by = edges
                .iter()
                .filter(|(from, to)| *to == at && left.contains(from));
            by.count()
        };
        let needs = |at: usize| {
            let of = edges
                .iter()
                .filter(|(from, to)| *from == at && left.contains(to));
            of.count()
        };
        let best = left.iter().copied().min_by_key(|at| {
            let needed = needed(*at);
            (needed > 0, (needed + count).saturating_sub(needs(*at)), *at)
        });
        let Some(best) = best else { break };
        left.retain(|at| *at != best);
        set(&mut rank, best, place);
    }
    rank
}

fn layer(of: &[usize], at: usize) -> usize {
    of.get(at).copied().unwrap_or_default()
}

fn set(of: &mut [usize], at: usize, value: usize) {
    if let Some(place) = of.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{edges, pod};
    use super::*;

    #[test]
    fn a_chain_has_a_layer_for_each_link() {
        // A port, a proxy, an application, another, a database with its data; and a job that only asks the database.
        let kinds = "Pwwwwwv";
        let pod = pod(kinds, &edges("01 12 23 34 54 46"));
        let found = layers(&pod);
        assert_eq!(found.of, [0, 1, 2, 3, 4, 3, 5]);
        assert_eq!(found.count, 6);
        assert!(found.backward.iter().all(|backward| !backward));
    }

    #[test]
    fn a_circle_is_cut_once_and_every_line_spans_a_layer() {
        let pod = pod("www", &edges("01 12 20"));
        let found = layers(&pod);
        assert_eq!(found.of, [1, 2, 3]);
        assert_eq!(found.backward, [false, false, true]);
    }

    #[test]
    fn two_that_need_each_other_stand_side_by_side() {
        let found = layers(&pod("ww", &edges("01 10")));
        assert_eq!((found.of, found.backward), (vec![1, 2], vec![false, true]));
    }
}
