//! Sorted places of one file that are asked for millions of times: whether one is there, and which is the last before.

/// Bits of a place within its block.
const BLOCK: u32 = 8;

/// Blocks for each place at most.
const SPARSE: usize = 64;

/// Distances from the image's base, sorted.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: Vec<u32>,
    /// How many lie before each block: searching all of them took a tenth of the time. Empty where they are few and far
    /// apart; what addresses a file claims is no measure for memory.
    blocks: Vec<u32>,
}

impl Places {
    pub fn new(all: Vec<u32>) -> Self {
        let all = sorted(all);
        let last = all.last().map_or(0, |place| place >> BLOCK);
        let mut blocks = Vec::new();
        if last as usize / SPARSE <= all.len() {
            let mut before = 0u32;
            let mut places = all.iter().peekable();
            blocks.extend((0..=last).map(|block| {
                while places.next_if(|place| **place >> BLOCK < block).is_some() {
                    before += 1;
                }
                before
            }));
        }
        Self { all, blocks }
    }

    /// Which is the last at or before a place.
    pub fn before(&self, place: u32) -> Option<usize> {
        let block = (place >> BLOCK) as usize;
        let count = |block: usize| self.blocks.get(block).map(|count| *count as usize);
        // Behind the last block all of them are before; without blocks, any may be.
        let first = count(block).unwrap_or(0);
        let last = count(block + 1).unwrap_or(self.all.len());
        let within = self.all.get(first..last).unwrap_or_default();
        (first + within.partition_point(|known| *known <= place)).checked_sub(1)
    }

    pub fn contains(&self, place: u32) -> bool {
        let at = self.before(place).and_then(|at| self.all.get(at));
        at == Some(&place)
    }

    pub fn get(&self, at: usize) -> Option<u32> {
        self.all.get(at).copied()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.all.iter().copied()
    }
}

/// The places in order, each once. Where they lie close together, marking them is quicker than sorting, and takes less than
/// twice their own room.
fn sorted(mut all: Vec<u32>) -> Vec<u32> {
    let last = all.iter().max().map_or(0, |last| *last as usize);
    if last / 64 > all.len() {
        all.sort_unstable();
        all.dedup();
        return all;
    }
    let mut marks = vec![0u64; last / 64 + 1];
    for place in &all {
        if let Some(mark) = marks.get_mut(*place as usize / 64) {
            *mark |= 1 << (place % 64);
        }
    }
    all.clear();
    for (word, mut mark) in (0u32..).zip(marks) {
        while mark != 0 {
            all.push(word * 64 + mark.trailing_zeros());
            mark &= mark - 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_there() {
        for all in [
            vec![],
            vec![7],
            vec![9, 3, 3, 300, 1_000, 0x1_0000],
            (0..2_000).map(|at| at * 37 + 5).collect(),
        ] {
            let places = Places::new(all.clone());
            for place in (0..80_000)
                .step_by(13)
                .chain(all.iter().copied())
                .chain([u32::MAX])
            {
                let before = all.iter().copied().filter(|known| *known <= place).max();
                assert_eq!(places.before(place).and_then(|at| places.get(at)), before);
                assert_eq!(places.contains(place), all.contains(&place));
            }
        }
    }
}
