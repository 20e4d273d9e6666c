//! Places along a line: as near as they can be to where they would like to stand, in their order and apart.

/// One that wants a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub at: i64,
    /// How far its middle is from the middle of the one before it, at least.
    pub apart: i64,
    /// How much its wish counts.
    pub weight: i64,
}

/// The places with the least sum of weighted squares of the distances from the wishes (isotonic regression by pooling
/// neighbours that are in each other's way).
pub(super) fn spread(wishes: &[Wish]) -> Vec<i64> {
    let mut offset = 0;
    let mut pools: Vec<Pool> = Vec::new();
    let mut offsets = Vec::with_capacity(wishes.len());
    for (number, wish) in wishes.iter().enumerate() {
        offset += if number == 0 { 0 } else { wish.apart };
        offsets.push(offset);
        let mut pool = Pool {
            sum: (wish.at - offset) * wish.weight,
            weight: wish.weight.max(1),
            count: 1,
        };
        while let Some(last) = pools.pop_if(|last| last.mean() >= pool.mean()) {
            pool.sum += last.sum;
            pool.weight += last.weight;
            pool.count += last.count;
        }
        pools.push(pool);
    }
    let means = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool.mean(), pool.count));
    means
        .zip(offsets)
        .map(|(mean, offset)| mean + offset)
        .collect()
}

/// Neighbours that stand as close as they may.
struct Pool {
    sum: i64,
    weight: i64,
    count: usize,
}

impl Pool {
    fn mean(&self) -> i64 {
        self.sum.div_euclid(self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wishes: &[i64]) -> Vec<i64> {
        let wishes: Vec<Wish> = wishes
            .iter()
            .map(|at| Wish {
                at: *at,
                apart: 10,
                weight: 1,
            })
            .collect();
        spread(&wishes)
    }

    #[test]
    fn those_in_no_ones_way_stand_where_they_wish() {
        assert_eq!(at(&[0, 30, 70]), [0, 30, 70]);
        assert_eq!(at(&[20, 20]), [15, 25], "both give way alike");
        assert_eq!(at(&[100, 0]), [45, 55], "the order stays");
        assert!(at(&[]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn they_are_apart(wishes in proptest::collection::vec(-5000i64..5000, 0..60)) {
            for pair in at(&wishes).windows(2) {
                proptest::prop_assert!(matches!(pair, [a, b] if b - a >= 10));
            }
        }
    }
}
