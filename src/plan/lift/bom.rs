//! A bill of materials in the image, where its packages' database cannot be cut down to them: scanners of images look for files of
//! this ending (CycloneDX 1.6).

use super::{Written, WrittenFile};
use crate::distribution::family;
use crate::fact::Facts;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PATH: &str = "/usr/share/sbom/packages.cdx.json";

/// `None` where nothing is in it.
pub(super) fn file(chosen: &BTreeSet<usize>, facts: &Facts) -> Option<WrittenFile> {
    let own = family::of(facts);
    let packages = chosen.iter().filter_map(|at| facts.packages.get(*at));
    let mut components: Vec<Value> = packages
        .map(|package| {
            let purl = family::purl(own, facts, package);
            json!({
                "type": "library",
                "bom-ref": purl,
                "name": package.name,
                "version": package.version,
                "purl": purl,
            })
        })
        .collect();
    if components.is_empty() {
        return None;
    }
    if let Some(os) = &facts.os {
        components.insert(
            0,
            json!({
                "type": "operating-system",
                "bom-ref": "os",
                "name": os.id,
                "version": os.version_id,
            }),
        );
    }
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": components,
    });
    Some(WrittenFile {
        path: PATH.into(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        what: Written::Text(format!("{bom:#}\n")),
    })
}
