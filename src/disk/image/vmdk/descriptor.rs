//! The descriptor: a text that says what the disk is made of ("Virtual Disk Format 5.0", "The Descriptor File").

use super::FORMAT;
use crate::disk::DiskError;

/// Extents of one disk at most; a disk of 62 TB in pieces of 2 GB has 31,000.
const EXTENTS: usize = 40_000;
/// What `parentCID` says where there is no parent.
const NO_PARENT: &str = "ffffffff";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) extents: Vec<Extent>,
    /// The content's number, and its parent's where there is one.
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    pub(super) parent: String,
}

/// One line of `RW 4192256 SPARSE "name" 0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// In bytes.
    pub(super) size: u64,
    pub(super) kind: Kind,
    pub(super) file: String,
    /// Where a flat extent begins in its file, in bytes.
    pub(super) offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flat,
    Sparse,
    Zero,
}

/// Reads a descriptor; what follows a NUL is not part of it.
pub(super) fn parse(bytes: &[u8]) -> Result<Descriptor, DiskError> {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let mut descriptor = Descriptor::default();
    for line in text.lines().map(str::trim) {
        let access = ["RW ", "RDONLY ", "NOACCESS "];
        if access.iter().any(|access| line.starts_with(access)) {
            descriptor.extents.push(extent(line)?);
            if descriptor.extents.len() > EXTENTS {
                return Err(damaged(format!("more than {EXTENTS} extents")));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "CID" => value.clone_into(&mut descriptor.id),
                "parentCID" if value != NO_PARENT => {
                    descriptor.parent_id = Some(value.to_owned());
                }
                "parentFileNameHint" => value.clone_into(&mut descriptor.parent),
                _ => {}
            }
        }
    }
    Ok(descriptor)
}

fn extent(line: &str) -> Result<Extent, DiskError> {
    let wrong = || damaged(format!("a line that says nothing clear: {line:?}"));
    let mut words = line.splitn(4, ' ').skip(1);
    let sectors: u64 = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(wrong)?;
    let kind = match words.next().ok_or_else(wrong)? {
        "FLAT" | "VMFS" => Kind::Flat,
        "SPARSE" | "VMFSSPARSE" => Kind::Sparse,
        "ZERO" => Kind::Zero,
        other => {
            let what =
                format!("an extent of the kind {other:?}; flat, sparse and zero ones are read");
            return Err(DiskError::unsupported(FORMAT, what));
        }
    };
    // The name may hold blanks, so it ends at the last quote.
    let rest = words.next().unwrap_or_default();
    let quoted = rest
        .strip_prefix('"')
        .and_then(|rest| rest.rsplit_once('"'));
    let (file, behind) = match (quoted, kind) {
        (Some(quoted), _) => quoted,
        (None, Kind::Zero) => ("", ""),
        (None, _) => return Err(wrong()),
    };
    let offset: u64 = match (kind, behind.trim()) {
        (Kind::Flat, "") | (Kind::Sparse | Kind::Zero, _) => 0,
        (Kind::Flat, offset) => offset.parse().map_err(|_| wrong())?,
    };
    Ok(Extent {
        size: sectors.checked_mul(512).ok_or_else(wrong)?,
        kind,
        file: file.to_owned(),
        offset: offset.checked_mul(512).ok_or_else(wrong)?,
    })
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, format!("its descriptor: {}", what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_extents_and_the_parent() {
        let text = "# Disk DescriptorFile\r\nversion=1\r\nCID=0a1b2c3d\nparentCID = 11223344\n\
            parentFileNameHint=\"base disk.vmdk\"\n\nRW 100 SPARSE \"a b-s001.vmdk\"\n\
            RW 8 FLAT \"x.vmdk\" 12\nRW 7 ZERO\nddb.adapterType = \"ide\"\n\0RW 1 FLAT \"no\" 0";
        let descriptor = parse(text.as_bytes()).unwrap();
        let extent = |size: u64, kind, file: &str, offset: u64| Extent {
            size: size * 512,
            kind,
            file: file.to_owned(),
            offset: offset * 512,
        };
        let expected = [
            extent(100, Kind::Sparse, "a b-s001.vmdk", 0),
            extent(8, Kind::Flat, "x.vmdk", 12),
            extent(7, Kind::Zero, "", 0),
        ];
        assert_eq!(descriptor.extents, expected);
        assert_eq!(descriptor.parent_id.as_deref(), Some("11223344"));
        assert_eq!(
            (&*descriptor.parent, &*descriptor.id),
            ("base disk.vmdk", "0a1b2c3d")
        );
        assert_eq!(parse(b"parentCID=ffffffff").unwrap().parent_id, None);
    }

    #[test]
    fn refuses_lines_that_say_nothing_clear() {
        for line in [
            "RW x FLAT \"a\" 0",
            "RW 1",
            "RW 1 FLAT",
            "RW 1 FLAT a 0",
            "RW 1 FLAT \"a\" b",
            "RW 99999999999999999 FLAT \"a\" 0",
            "RW 1 VMFSRDM \"a\" 0",
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn anything_ends(text in "(RW [0-9]{1,20} (FLAT|SPARSE|ZERO) [\"a ]{0,5}|[a-z=\" ]{0,9}|\n){0,9}", bytes: Vec<u8>) {
            let _ = parse(text.as_bytes());
            let _ = parse(&bytes);
        }
    }
}
