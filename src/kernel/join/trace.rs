//! Who led to what while a program was followed, and the most certain way through that to a place: a way of calls alone
//! before one over an address that was taken, and among equals the shortest.

use super::super::way::How;
use super::walk::Walk;
use foldhash::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What leads somewhere, or is led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    /// The kernel starts the program.
    Start,
    File(usize),
    Function(usize, u32),
    Region(usize, u32),
    /// A symbol as one file means it.
    Symbol(usize, u32),
    /// A name, by its hash.
    Name(u32),
    String(usize, u32),
    /// Files by names that are made at run time.
    Any,
}

/// How much of each kind of uncertainty, the worst first; then the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost([u16; 6]);

impl Cost {
    /// One more step.
    pub fn and(mut self, how: How) -> Self {
        let last = self.0.len() - 1;
        let worst = last.saturating_sub(how.certainty() as usize);
        let mut count = |at: usize| {
            if let Some(count) = self.0.get_mut(at) {
                *count = count.saturating_add(1);
            }
        };
        count(last);
        if worst < last {
            count(worst);
        }
        self
    }
}

/// Everything that led somewhere, in the order in which it was followed.
#[derive(Debug, Default)]
pub(super) struct Trace(Vec<(Node, How, Node)>);

/// The best way to everything: how it was led to, and by what.
pub(super) struct Ways(HashMap<Node, (Cost, How, Node)>);

impl Trace {
    /// What symbols lead to is what who means them leads to: how certain that is says the reference, and of data no more
    /// than that it is there.
    fn without_symbols(self) -> Vec<(Node, How, Node)> {
        let is_symbol = |node: &Node| matches!(node, Node::Symbol(..));
        let (mut bound, others): (Vec<_>, Vec<_>) =
            self.0.into_iter().partition(|(from, ..)| is_symbol(from));
        bound.sort_unstable();
        bound.dedup();
        let mut edges = Vec::with_capacity(others.len());
        for (from, how, to) in others {
            if !is_symbol(&to) {
                edges.push((from, how, to));
                continue;
            }
            let first = bound.partition_point(|(symbol, ..)| *symbol < to);
            let own = bound.get(first..).unwrap_or_default().iter();
            for (_, _, to) in own.take_while(|(symbol, ..)| *symbol == to) {
                let is_data = matches!(to, Node::Region(..)) && how != How::Shows;
                edges.push((from, if is_data { How::Refers } else { how }, *to));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// The shortest ways from the start (Dijkstra).
    pub fn ways(self) -> Ways {
        let edges = self.without_symbols();
        let mut best: HashMap<Node, (Cost, How, Node)> = HashMap::default();
        let mut work = BinaryHeap::from([Reverse((Cost::default(), Node::Start))]);
        while let Some(Reverse((cost, node))) = work.pop() {
            if best.get(&node).is_some_and(|(known, ..)| *known < cost) {
                continue;
            }
            let first = edges.partition_point(|(from, ..)| *from < node);
            let own = edges.get(first..).unwrap_or_default().iter();
            for (_, how, to) in own.take_while(|(from, ..)| *from == node) {
                let cost = cost.and(*how);
                if best.get(to).is_none_or(|(known, ..)| cost < *known) {
                    best.insert(*to, (cost, *how, node));
                    work.push(Reverse((cost, *to)));
                }
            }
        }
        Ways(best)
    }
}

impl Ways {
    /// What the way to a node costs.
    pub fn cost(&self, node: Node) -> Option<Cost> {
        self.0.get(&node).map(|(cost, ..)| *cost)
    }

    /// The way to a node with how each was led to, outermost first.
    pub fn to(&self, node: Node) -> Vec<(How, Node)> {
        let mut way = Vec::new();
        let mut at = node;
        while let Some((_, how, from)) = self.0.get(&at) {
            way.push((*how, at));
            at = *from;
        }
        way.reverse();
        way
    }
}

impl Walk<'_> {
    /// What is being followed leads to something.
    pub(super) fn led(&mut self, how: How, to: Node) {
        if let Some(trace) = &mut self.trace {
            trace.0.push((self.current, how, to));
        }
    }

    /// Does something as what follows from a node.
    pub(super) fn under<T>(&mut self, node: Node, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.current, node);
        let answer = act(self);
        self.current = before;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(edges: &[(Node, How, Node)]) -> Ways {
        Trace(edges.to_vec()).ways()
    }

    #[test]
    fn calls_come_before_pointers_and_short_ways_before_long_ones() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|at| Node::Function(0, at));
        let found = ways(&[
            (Node::Start, How::Starts, a),
            (a, How::Takes, d),
            (a, How::Calls, b),
            (b, How::Calls, c),
            (c, How::Calls, d),
            (d, How::Calls, a),
        ]);
        let way = found.to(d);
        assert_eq!(way.len(), 4, "{way:?}");
        assert!(way.iter().all(|(how, _)| *how != How::Takes));
        let found = ways(&[
            (Node::Start, How::Starts, a),
            (a, How::Calls, b),
            (b, How::Calls, d),
            (a, How::Calls, d),
        ]);
        assert_eq!(found.to(d), [(How::Starts, a), (How::Calls, d)]);
        assert!(found.to(c).is_empty() && found.cost(c).is_none());
    }

    #[test]
    fn a_symbol_is_what_it_is_bound_to() {
        let (main, symbol) = (Node::Function(0, 1), Node::Symbol(0, 7));
        let (called, data) = (Node::Function(1, 2), Node::Region(1, 3));
        let found = ways(&[
            (Node::Start, How::Starts, main),
            (main, How::Takes, symbol),
            (symbol, How::Calls, called),
            (symbol, How::Refers, data),
        ]);
        assert_eq!(
            found.to(called),
            [(How::Starts, main), (How::Takes, called)]
        );
        assert_eq!(found.to(data), [(How::Starts, main), (How::Refers, data)]);
    }
}
