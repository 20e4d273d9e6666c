//! Image formats that are told and not read, so that a user hears what the file is instead of "no file system".

use super::RawFile;
use crate::disk::BlockDevice;

/// Name, where the mark stands, and the mark.
const MARKS: &[(&str, usize, &[u8])] = &[
    ("QED", 0, b"QED\0"),
    ("Parallels", 0, b"WithoutFreeSpace"),
    ("Parallels", 0, b"WithouFreSpacExt"),
    ("Bochs", 0, b"Bochs Virtual HD Image"),
    ("cloop", 0, b"#!/bin/sh\n#V2.0 Format"),
    ("EWF (EnCase)", 0, b"EVF\x09\x0d\x0a\xff\0"),
    ("EWF (EnCase)", 0, b"EVF2\x0d\x0a\x81\0"),
    ("VMDK (SEsparse)", 0, b"\xbe\xba\xfe\xca\0\0\0\0"),
    ("AFF", 0, b"AFF10\x0d\x0a\0"),
    ("WIM", 0, b"MSWIM\0\0\0"),
];

/// What to do about most of them.
const CONVERT: &str = "convert it first: qemu-img convert -O qcow2 IMAGE NEW";

/// Bytes of a trailer.
const TRAILER: usize = 512;

/// Which format it is, if it is one of these, and what to do.
pub(super) fn recognise(head: &[u8], file: &RawFile) -> Option<(&'static str, &'static str)> {
    let name = head.split(|byte| *byte == 0).next().unwrap_or_default();
    if name.ends_with(b".ovf") && head.get(257..262) == Some(b"ustar") {
        return Some(("OVA", "an appliance is no disk, and none can stand for one"));
    }
    let marked = MARKS.iter().find(|(_, at, mark)| {
        let tail = head.get(*at..).unwrap_or_default();
        tail.starts_with(mark)
    });
    if let Some((name, ..)) = marked {
        return Some((name, CONVERT));
    }
    let at = file.size().checked_sub(512)?;
    let trailer = file.up_to(at, TRAILER).ok()?;
    if trailer.starts_with(b"koly\0\0\0\x04") {
        return Some(("DMG", CONVERT));
    }
    None
}
