//! The machine's record of packages, cut down to those of an image: paragraphs that an empty line ends, each naming its package.

use super::Content;
use crate::path::MachinePath;
use crate::plan::{Lift, Record, Written, WrittenFile};
use crate::walk::{Entry, Tree};
use std::collections::BTreeSet;

/// Such a record of 60,000 packages has 60 MB.
const MOST: u64 = 256 << 20;

/// The record as a file of the image; the reason where there is none to be had.
pub(super) fn file(
    record: &Record,
    lift: &Lift,
    tree: &Tree,
    content: &dyn Content,
) -> Result<WrittenFile, (MachinePath, String)> {
    let failed = |why: &str| (record.path.clone(), why.to_owned());
    let entry = tree.get(&record.path).filter(|entry| entry.is_file());
    let entry = entry.ok_or_else(|| failed("the record of packages is not there"))?;
    let text = text(entry, content).map_err(|why| (record.path.clone(), why))?;
    let names: BTreeSet<&str> = lift.packages.iter().map(|p| p.name.as_str()).collect();
    Ok(WrittenFile {
        path: entry.path.clone(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        what: Written::Text(cut(&text, &record.name, &names)),
    })
}

fn text(entry: &Entry, content: &dyn Content) -> Result<String, String> {
    if entry.size > MOST {
        return Err("the record of packages is larger than 256 MiB".to_owned());
    }
    let mut bytes = vec![0; usize::try_from(entry.size).unwrap_or_default()];
    let mut at = 0;
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match content.read_at(entry, at as u64, rest)? {
            0 => break,
            got => at += got,
        }
    }
    bytes.truncate(at);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The paragraphs of these packages.
fn cut(text: &str, name: &str, names: &BTreeSet<&str>) -> String {
    let paragraphs = text.split("\n\n").filter(|paragraph| {
        let mut lines = paragraph.lines();
        let of = lines.find_map(|line| line.strip_prefix(name));
        of.is_some_and(|of| names.contains(of.trim()))
    });
    let kept: Vec<&str> = paragraphs
        .map(|paragraph| paragraph.trim_matches('\n'))
        .collect();
    if kept.is_empty() {
        return String::new();
    }
    format!("{}\n\n", kept.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_of_other_packages_stay_behind() {
        let text = "Package: a\nDepends: b\n\nPackage: b\nDescription: Package: a\n\nPackage: c\n";
        let names = BTreeSet::from(["a", "c"]);
        assert_eq!(
            cut(text, "Package: ", &names),
            "Package: a\nDepends: b\n\nPackage: c\n\n"
        );
        assert_eq!(cut(text, "P:", &names), "");
    }
}
