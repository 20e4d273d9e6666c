//! What a lifted image has of the disk and what not, for the page of its workload.

use crate::plan::Lift;
use crate::text;
use serde::Serialize;

/// Packages named on a page; the record in the image has all.
const PACKAGES: usize = 400;
/// Names that nothing answers to.
const MISSING: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Inventory {
    layers: Vec<Part>,
    left_out: Vec<Part>,
    packages: Vec<Package>,
    /// Packages that are not named.
    more: usize,
    missing: Vec<Missing>,
    /// Links that lead nowhere in the image.
    broken: Vec<Missing>,
}

#[derive(Debug, Serialize)]
struct Part {
    name: String,
    names: u64,
    size: String,
}

#[derive(Debug, Serialize)]
struct Package {
    name: String,
    version: String,
}

#[derive(Debug, Serialize)]
struct Missing {
    path: String,
    name: String,
}

pub(super) fn inventory(lift: &Lift) -> Inventory {
    let part = |name: &str, names, bytes| Part {
        name: name.to_owned(),
        names,
        size: text::bytes(bytes),
    };
    let layers = lift.layers.iter();
    let left = lift.left_out.iter();
    let packages = lift.packages.iter().take(PACKAGES);
    let missing = lift.missing.iter().take(MISSING);
    let broken = lift.broken.iter().take(MISSING);
    Inventory {
        layers: layers
            .map(|layer| part(&layer.name, layer.names, layer.bytes))
            .collect(),
        left_out: left
            .map(|left| part(&left.class, left.names, left.bytes))
            .collect(),
        packages: packages
            .map(|package| Package {
                name: package.name.clone(),
                version: package.version.clone(),
            })
            .collect(),
        more: lift.packages.len().saturating_sub(PACKAGES),
        missing: missing
            .map(|(path, name)| Missing {
                path: path.to_string(),
                name: name.clone(),
            })
            .collect(),
        broken: broken
            .map(|(path, target)| Missing {
                path: path.to_string(),
                name: target.to_string(),
            })
            .collect(),
    }
}
