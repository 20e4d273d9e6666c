//! Image formats: a file, or several, that hold one disk.
//!
//! What belongs here: one file or folder for each format, named in [`FORMATS`]. Each turns an open file into a block
//! device; [`place`] opens what an image names beside itself, and nothing else may.

mod appliance;
mod error;
mod foreign;
mod likeness;
mod pages;
mod place;
mod qcow1;
mod qcow2;
mod raw;
mod sparse;
mod split;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;
mod windows;

use crate::disk::BlockDevice;
use crate::disk::note::Note;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use appliance::is_archive;
pub use error::{EXPECTED, OpenError};
pub use place::{Beside, Place};
pub use raw::RawFile;

/// Bytes from the beginning by which every format is told.
const HEAD: usize = 4096;

/// An opened image.
pub struct Image {
    /// `raw`, `qcow2`, …
    pub format: &'static str,
    pub device: Arc<dyn BlockDevice>,
    /// What a reader should know of the image: snapshots it holds, marks of damage, …
    pub notes: Vec<Note>,
}

/// What one file holds: mostly a disk, and all of a machine's where it is an appliance.
pub struct Machine {
    /// `raw`, `qcow2`, `ova`, …
    pub format: &'static str,
    /// In the machine's order.
    pub disks: Vec<Image>,
    pub hardware: Option<Hardware>,
    /// Files of this system that the images led to, each once.
    pub files: Vec<PathBuf>,
    /// Of the machine; those of a disk are with it.
    pub notes: Vec<Note>,
}

/// What a machine was given to run with, as far as its appliance says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hardware {
    pub processors: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// A format: how it is told, and how it is opened.
struct Format {
    name: &'static str,
    /// Asked with the first [`HEAD`] bytes, or fewer where the file is shorter, and the file.
    probe: fn(&[u8], &RawFile) -> bool,
    open: fn(&Arc<RawFile>, &Place) -> Result<Image, OpenError>,
}

/// Every format but raw, which is what is left.
const FORMATS: &[Format] = &[
    Format {
        name: "qcow2",
        probe: qcow2::probe,
        open: qcow2::open,
    },
    Format {
        name: "qcow",
        probe: qcow1::probe,
        open: qcow1::open,
    },
    Format {
        name: "vdi",
        probe: vdi::probe,
        open: vdi::open,
    },
    Format {
        name: "vhd",
        probe: vhd::probe,
        open: vhd::open,
    },
    Format {
        name: "vhdx",
        probe: vhdx::probe,
        open: vhdx::open,
    },
    Format {
        name: "vmdk",
        probe: vmdk::probe,
        open: vmdk::open,
    },
];

/// What a file is said to be by whoever names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// Nothing: its content tells.
    Nothing,
    /// This format; a file of any other is damage. A raw one may look like anything and stays raw.
    Format(&'a str),
}

/// Opens the file that the user named, following links: an image, or an appliance with the disks of a machine.
pub fn machine(path: &Path, allow_outside: bool) -> Result<Machine, OpenError> {
    let (file, place) = Place::named_by_user(path, allow_outside)?;
    machine_in(file, &place)
}

/// The same of a file that is in no folder of this system, nor what it names.
pub fn machine_among(named: &[u8], beside: Arc<dyn Beside>) -> Result<Machine, OpenError> {
    let (file, place) = Place::among(named, beside)?;
    machine_in(file, &place)
}

fn machine_in(file: RawFile, place: &Place) -> Result<Machine, OpenError> {
    let head = file.head(HEAD).map_err(OpenError::disk(place.path()))?;
    let mut machine = if let Some(machine) = appliance::open(&file, &head, place)? {
        machine
    } else {
        let image = open_file(file, place, Said::Nothing)?;
        Machine {
            format: image.format,
            disks: vec![image],
            hardware: None,
            files: Vec::new(),
            notes: Vec::new(),
        }
    };
    machine.files = place.led_to();
    Ok(machine)
}

/// Opens the one image that the user named, following links.
pub fn open(path: &Path, allow_outside: bool) -> Result<Image, OpenError> {
    let (file, place) = Place::named_by_user(path, allow_outside)?;
    open_file(file, &place, Said::Nothing)
}

/// Opens an image in an open file.
fn open_file(file: RawFile, place: &Place, said: Said<'_>) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let head = file.head(HEAD).map_err(&disk)?;
    let file = Arc::new(file);
    // qemu's name for it.
    let said = match said {
        Said::Format("vpc") => Said::Format("vhd"),
        said => said,
    };
    if said == Said::Format("raw") {
        place.must_be_disk(&file, true)?;
        return Ok(raw(file));
    }
    let found = FORMATS.iter().find(|format| (format.probe)(&head, &file));
    if let Said::Format(said) = said
        && found.is_none_or(|format| format.name != said)
    {
        let what = format!("the image above says that this is a {said} image, and it is not");
        return Err(disk(crate::disk::DiskError::damaged("image", what)));
    }
    match found {
        Some(format) => (format.open)(&file, place),
        None => unknown(&head, file, place, said),
    }
}

/// What no format knows is raw, perhaps in parts, unless it is known not to be read.
fn unknown(
    head: &[u8],
    file: Arc<RawFile>,
    place: &Place,
    said: Said<'_>,
) -> Result<Image, OpenError> {
    if let Some((format, advice)) = foreign::recognise(head, &file) {
        return Err(OpenError::Foreign {
            path: place.path().to_path_buf(),
            format,
            advice,
        });
    }
    place.must_be_disk(&file, true)?;
    let split = match said {
        Said::Nothing => split::open(&file, place)?,
        Said::Format(_) => None,
    };
    Ok(split.unwrap_or_else(|| raw(file)))
}

fn raw(file: Arc<RawFile>) -> Image {
    Image {
        format: "raw",
        device: file,
        notes: Vec::new(),
    }
}
