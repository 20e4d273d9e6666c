//! Boxes and passing lines in their layers, in an order that crosses few lines.

use super::graph::Pod;
use super::layer::Layers;

/// What takes a place in a layer: a box, or the passage of a line that goes on to a later layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Node(usize),
    Passage(usize),
}

/// Slots by number; layers and threads name them so.
pub(super) struct Slots {
    pub all: Vec<Slot>,
    /// The layer of each slot.
    pub of: Vec<usize>,
    /// Each layer's slots, in order.
    pub layers: Vec<Vec<usize>>,
    /// The slots a line goes through, by edge, from the earlier layer to the later one.
    pub threads: Vec<Vec<usize>>,
}

/// Times the layers are put in order anew, from front to back and from back to front in turns.
const SWEEPS: usize = 12;

impl Slots {
    pub fn new(pod: &Pod, layers: &Layers) -> Self {
        let of = |at: usize| layers.of.get(at).copied().unwrap_or_default();
        let mut slots = Self {
            all: (0..pod.nodes.len()).map(Slot::Node).collect(),
            of: layers.of.clone(),
            layers: vec![Vec::new(); layers.count],
            threads: Vec::with_capacity(pod.edges.len()),
        };
        for at in 0..pod.nodes.len() {
            slots.enter(of(at), at);
        }
        for (edge, ends) in pod.edges.iter().enumerate() {
            let (first, last) = if of(ends.from) < of(ends.to) {
                (ends.from, ends.to)
            } else {
                (ends.to, ends.from)
            };
            let mut thread = vec![first];
            for layer in of(first) + 1..of(last) {
                let slot = slots.all.len();
                slots.all.push(Slot::Passage(edge));
                slots.of.push(layer);
                slots.enter(layer, slot);
                thread.push(slot);
            }
            thread.push(last);
            slots.threads.push(thread);
        }
        slots.order();
        slots
    }

    fn enter(&mut self, layer: usize, slot: usize) {
        if let Some(slots) = self.layers.get_mut(layer) {
            slots.push(slot);
        }
    }

    /// For each slot, what it is joined to in the layer before it and in the one after it.
    pub fn neighbours(&self) -> Neighbours {
        let mut found = Neighbours {
            before: vec![Vec::new(); self.all.len()],
            after: vec![Vec::new(); self.all.len()],
        };
        for pair in self.threads.iter().flat_map(|thread| thread.windows(2)) {
            if let [a, b] = *pair {
                found.after.get_mut(a).into_iter().for_each(|of| of.push(b));
                found
                    .before
                    .get_mut(b)
                    .into_iter()
                    .for_each(|of| of.push(a));
            }
        }
        found
    }

    /// Orders each layer by the mean place of what it is joined to in the layer before, then in the one after, in turns (the
    /// barycentre method of Sugiyama, Tagawa and Toda, 1981); the order with the fewest crossings stands.
    fn order(&mut self) {
        let neighbours = self.neighbours();
        let mut places = self.places();
        let mut best = (self.crossings(&neighbours, &places), self.layers.clone());
        let count = self.layers.len();
        for sweep in 0..SWEEPS {
            for step in 0..count {
                let (at, joined) = if sweep % 2 == 0 {
                    (step, &neighbours.before)
                } else {
                    (count - 1 - step, &neighbours.after)
                };
                let Some(layer) = self.layers.get_mut(at) else {
                    continue;
                };
                layer.sort_by_key(|slot| {
                    let own = place(&places, *slot);
                    (mean(&places, joined.get(*slot)).unwrap_or(own * SCALE), own)
                });
                for (own, slot) in layer.iter().enumerate() {
                    places
                        .get_mut(*slot)
                        .into_iter()
                        .for_each(|known| *known = own);
                }
            }
            let found = self.crossings(&neighbours, &places);
            if found < best.0 {
                best = (found, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    /// The place of each slot in its layer.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.all.len()];
        for (own, slot) in self
            .layers
            .iter()
            .flat_map(|layer| layer.iter().enumerate())
        {
            places
                .get_mut(*slot)
                .into_iter()
                .for_each(|known| *known = own);
        }
        places
    }

    /// Pairs of lines that cross between two layers, over all layers.
    fn crossings(&self, neighbours: &Neighbours, places: &[usize]) -> usize {
        let mut found = 0;
        for layer in &self.layers {
            // Ends in the next layer in the order of the beginnings: each pair that is not in order crosses.
            let mut ends: Vec<usize> = Vec::new();
            for slot in layer {
                let after = neighbours.after.get(*slot).into_iter().flatten();
                let mut of: Vec<usize> = after.map(|other| place(places, *other)).collect();
                of.sort_unstable();
                for end in of {
                    let at = ends.partition_point(|known| *known <= end);
                    found += ends.len() - at;
                    ends.insert(at, end);
                }
            }
        }
        found
    }
}

/// By slot.
pub(super) struct Neighbours {
    pub before: Vec<Vec<usize>>,
    pub after: Vec<Vec<usize>>,
}

/// What a mean is a multiple of, so that it needs no fractions.
const SCALE: usize = 1000;

fn place(places: &[usize], slot: usize) -> usize {
    places.get(slot).copied().unwrap_or_default()
}

fn mean(places: &[usize], slots: Option<&Vec<usize>>) -> Option<usize> {
    let slots = slots.filter(|slots| !slots.is_empty())?;
    let sum: usize = slots.iter().map(|slot| place(places, *slot)).sum();
    Some(sum * SCALE / slots.len())
}

#[cfg(test)]
mod tests {
    use super::super::layer::layers;
    use super::super::testing::{edges, pod};
    use super::*;

    #[test]
    fn lines_are_uncrossed_where_they_can_be() {
        // Two ports whose workloads stand in the other order.
        let pod = pod("PPwwvv", &edges("03 12 24 35"));
        let slots = Slots::new(&pod, &layers(&pod));
        let neighbours = slots.neighbours();
        assert_eq!(slots.crossings(&neighbours, &slots.places()), 0);
    }

    #[test]
    fn a_long_line_has_a_passage_in_every_layer_between() {
        let pod = pod("Pwwwv", &edges("01 12 23 14 34"));
        let slots = Slots::new(&pod, &layers(&pod));
        let thread = slots.threads.get(3).unwrap();
        assert_eq!(thread.len(), 4, "from layer 1 over 2 and 3 to 4");
        assert_eq!(
            slots.all.get(*thread.get(1).unwrap()),
            Some(&Slot::Passage(3))
        );
    }
}
