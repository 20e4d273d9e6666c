//! Areas for sizes: the squarified treemap of Bruls, Huizing and van Wijk (2000), rows as near to squares as they go.

/// A rectangle in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    /// The whole of a drawing.
    pub fn of(width: u32, height: u32) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: f64::from(width),
            height: f64::from(height),
        }
    }
}

/// One area for each size, in order. Sizes are in descending order; an area is proportional to its size.
pub(super) fn areas(sizes: &[u64], within: Area) -> Vec<Area> {
    let total: f64 = sizes.iter().map(|size| *size as f64).sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let scale = within.width * within.height / total;
    let scaled: Vec<f64> = sizes.iter().map(|size| *size as f64 * scale).collect();
    let mut free = within;
    let mut placed = Vec::with_capacity(sizes.len());
    let mut rest = scaled.as_slice();
    while !rest.is_empty() {
        let side = free.width.min(free.height);
        let mut count = 1;
        while count < rest.len() && worst(rest, count + 1, side) <= worst(rest, count, side) {
            count += 1;
        }
        let (row, others) = rest.split_at(count);
        free = lay(row, free, &mut placed);
        rest = others;
    }
    placed
}

/// The worst proportion among the first `count` areas laid along `side`.
fn worst(sizes: &[f64], count: usize, side: f64) -> f64 {
    let row = sizes.get(..count).unwrap_or_default();
    let sum: f64 = row.iter().sum();
    let (most, least) = (
        row.first().copied().unwrap_or(1.0),
        row.last().copied().unwrap_or(1.0),
    );
    (side * side * most / (sum * sum)).max(sum * sum / (side * side * least.max(f64::MIN_POSITIVE)))
}

/// Lays a row along the shorter side; returns what is free after it.
fn lay(row: &[f64], free: Area, placed: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum();
    let along_height = free.width >= free.height;
    let side = if along_height {
        free.height
    } else {
        free.width
    };
    let depth = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for size in row {
        let length = if depth > 0.0 { size / depth } else { 0.0 };
        placed.push(if along_height {
            Area {
                x: free.x,
                y: free.y + at,
                width: depth,
                height: length,
            }
        } else {
            Area {
                x: free.x + at,
                y: free.y,
                width: length,
                height: depth,
            }
        });
        at += length;
    }
    if along_height {
        Area {
            x: free.x + depth,
            width: (free.width - depth).max(0.0),
            ..free
        }
    } else {
        Area {
            y: free.y + depth,
            height: (free.height - depth).max(0.0),
            ..free
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Area = Area {
        x: 0.0,
        y: 0.0,
        width: 600.0,
        height: 400.0,
    };

    #[test]
    fn the_papers_example() {
        let found = areas(&[6, 6, 4, 3, 2, 2, 1], WITHIN);
        let first = found.first().unwrap();
        assert!(
            (first.width - 300.0).abs() < 1e-6 && (first.height - 200.0).abs() < 1e-6,
            "{first:?}"
        );
    }

    proptest::proptest! {
        #[test]
        fn areas_are_proportional_and_inside(mut sizes in proptest::collection::vec(1u64..1_000_000, 1..80)) {
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let total: u64 = sizes.iter().sum();
            let found = areas(&sizes, WITHIN);
            proptest::prop_assert_eq!(found.len(), sizes.len());
            for (area, size) in found.iter().zip(&sizes) {
                let wanted = *size as f64 / total as f64 * 240_000.0;
                proptest::prop_assert!((area.width * area.height - wanted).abs() < 1.0);
                proptest::prop_assert!(area.x >= -1e-6 && area.x + area.width <= 600.001);
                proptest::prop_assert!(area.y >= -1e-6 && area.y + area.height <= 400.001);
            }
        }
    }
}
