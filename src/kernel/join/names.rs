//! Who defines a name: all exported symbols of all files, by the hash of their names. A program of two hundred files asks
//! for some ten thousand names, and asking each file for each was half of the time of joining.

use crate::fact::{Code, Target, name_hash};
use rayon::prelude::*;

/// One exported symbol: the hash of its name, the file's place in the order of files, its place among the symbols there.
pub(super) type Export = (u32, u32, u32);

/// Bits of a hash that choose a bucket.
const BITS: u32 = 16;

pub(super) struct Names {
    /// Sorted.
    all: Vec<Export>,
    /// Where each bucket begins, and behind the last.
    buckets: Vec<usize>,
}

impl Names {
    pub fn new(codes: &[&Code]) -> Self {
        let of_file = |(file, code): (usize, &&Code)| {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            let exported = (0u32..).zip(&code.symbols);
            let exported = exported.filter(|(_, symbol)| symbol.target != Target::Elsewhere);
            let found = exported.map(|(at, symbol)| (name_hash(symbol.name.as_bytes()), file, at));
            found.collect::<Vec<Export>>()
        };
        let mut all: Vec<Export> = codes
            .par_iter()
            .enumerate()
            .flat_map_iter(of_file)
            .collect();
        all.par_sort_unstable();
        let mut buckets = Vec::with_capacity((1 << BITS) + 1);
        let mut at = 0;
        for bucket in 0..=1u32 << BITS {
            let is_before = |export: &Export| export.0 >> (32 - BITS) < bucket;
            while all.get(at).is_some_and(is_before) {
                at += 1;
            }
            buckets.push(at);
        }
        Self { all, buckets }
    }

    /// Every definition of a name, by file.
    pub fn get(&self, hash: u32) -> &[Export] {
        let bucket = (hash >> (32 - BITS)) as usize;
        let bounds = self.buckets.get(bucket).zip(self.buckets.get(bucket + 1));
        let (first, last) = bounds.map_or((0, 0), |(first, last)| (*first, *last));
        let bucket = self.all.get(first..last).unwrap_or_default();
        let first = bucket.partition_point(|export| export.0 < hash);
        let last = bucket.partition_point(|export| export.0 <= hash);
        bucket.get(first..last).unwrap_or_default()
    }
}
