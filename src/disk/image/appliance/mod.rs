//! Appliances (OVF, DMTF DSP0243 2.1.1): a descriptor with the disks of a machine beside it, or both in one tar archive
//! (OVA, section 5.3).
//!
//! What belongs here: which disks there are, and where their bytes lie. What the disks are is told by their content.

mod archive;
mod descriptor;

use super::{Hardware, Machine, OpenError, Place, RawFile, Said};
use crate::disk::note::Note;
use crate::disk::{BlockDevice, DiskError};
use archive::Archive;
use std::path::Path;
use std::sync::Arc;

const FORMAT: &str = "ova";
const ROLE: &str = "disk";
/// The longest descriptor, in bytes: an appliance with twenty disks has less than a fifth of it, and the parser's time
/// grows with the square of the attributes of one element.
const LONGEST: u64 = 256 << 10;

/// Whether a file is a tar archive whose first member is a descriptor, as the standard has it.
pub fn is_archive(file: &RawFile) -> bool {
    let Ok(part) = file.part(0, file.size()) else {
        return false;
    };
    let read = Archive::read(&Arc::new(part), Path::new(""), 1);
    read.is_ok_and(|archive| archive.members.first().is_some_and(is_descriptor))
}

fn is_descriptor(member: &archive::Member) -> bool {
    member.name.to_ascii_lowercase().ends_with(b".ovf")
}

/// Whether a file begins like a descriptor by itself.
fn is_text(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && text.contains("Envelope") && text.contains("/ovf/")
}

/// Opens an appliance; `None` where the file is none.
pub(super) fn open(
    file: &RawFile,
    head: &[u8],
    place: &Place,
) -> Result<Option<Machine>, OpenError> {
    let disk = OpenError::disk(place.path());
    if is_text(head) {
        let text = whole(file).map_err(&disk)?;
        return machine("ovf", &text, place).map(Some);
    }
    if head.get(257..262) != Some(b"ustar") || !is_archive(file) {
        return Ok(None);
    }
    let whole_file = Arc::new(file.part(0, file.size()).map_err(&disk)?);
    let archive = Archive::read(&whole_file, place.path(), usize::MAX).map_err(&disk)?;
    let first = archive.members.first().map(|member| member.name.clone());
    let place = place.in_archive(Arc::new(archive));
    let (file, own) = place.file(&first.unwrap_or_default(), "descriptor")?;
    let text = whole(&file).map_err(OpenError::disk(own.path()))?;
    machine(FORMAT, &text, &place).map(Some)
}

fn whole(file: &RawFile) -> Result<Vec<u8>, DiskError> {
    if file.size() > LONGEST {
        let what = format!("a descriptor of {} bytes", file.size());
        return Err(DiskError::damaged(FORMAT, what));
    }
    file.head(usize::try_from(LONGEST).unwrap_or_default())
}

fn machine(format: &'static str, text: &[u8], place: &Place) -> Result<Machine, OpenError> {
    let disk = OpenError::disk(place.path());
    let read = descriptor::parse(text).map_err(&disk)?;
    if read.disks.is_empty() {
        let what = "its descriptor names no disk with a file";
        return Err(disk(DiskError::damaged(FORMAT, what)));
    }
    let mut disks = Vec::new();
    for name in &read.disks {
        disks.push(open_disk(name, place)?);
    }
    let mut notes = Vec::new();
    if read.machines > 1 {
        let what = format!(
            "the appliance has {} machines, whose disks are read as those of one",
            read.machines
        );
        notes.push(Note::gap(what));
    }
    if read.blank > 0 {
        let what = format!("{} more disks of the machine begin empty", read.blank);
        notes.push(Note::remark(what));
    }
    notes.extend(sentence(&read.hardware).map(Note::Remark));
    Ok(Machine {
        format,
        disks,
        hardware: Some(read.hardware),
        files: Vec::new(),
        notes,
    })
}

/// A name is a URI, and makers differ in whether blanks are escaped.
fn open_disk(name: &str, place: &Place) -> Result<super::Image, OpenError> {
    let opened = place.image(name.as_bytes(), ROLE, Said::Nothing);
    match (opened, unescaped(name)) {
        (Err(OpenError::Missing { .. }), Some(plain)) => place.image(&plain, ROLE, Said::Nothing),
        (opened, _) => opened,
    }
}

/// The bytes that a name with `%20` and its kind means; `None` where it has none.
fn unescaped(name: &str) -> Option<Vec<u8>> {
    let mut parts = name.split('%');
    let mut plain = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        plain.push(u8::from_str_radix(digits, 16).ok()?);
        plain.extend(part.get(2..)?.as_bytes());
    }
    name.contains('%').then_some(plain)
}

fn sentence(hardware: &Hardware) -> Option<String> {
    let processors = hardware
        .processors
        .map(|count| format!("{count} processors"));
    let memory = hardware
        .memory
        .map(|bytes| format!("{bytes} bytes of memory"));
    let parts: Vec<String> = processors.into_iter().chain(memory).collect();
    (!parts.is_empty()).then(|| format!("the machine was given {}", parts.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uris() {
        let plain = unescaped("my%20disk%C3%a9.vmdk").unwrap();
        assert_eq!(String::from_utf8_lossy(&plain), "my disk\u{e9}.vmdk");
        for name in ["plain", "bad%", "bad%2", "bad%zz", "%\u{e9}"] {
            assert_eq!(unescaped(name), None, "{name}");
        }
    }

    #[test]
    fn a_descriptor_is_told_by_its_envelope() {
        let text = "\u{feff}<?xml version='1.0'?>\n<ovf:Envelope xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/2\">";
        assert!(is_text(text.as_bytes()));
        assert!(!is_text(b"<html>/ovf/"));
        assert!(!is_text(b"Envelope /ovf/"));
    }
}
