//! Why an image could not be opened: the path, what was expected, what to do.

use crate::disk::DiskError;
use std::path::{Path, PathBuf};

/// What a user may name, as every message says it.
pub const EXPECTED: &str =
    "a disk image (raw, qcow, qcow2, VMDK, VHD, VHDX or VDI) or an appliance (OVA or OVF)";

/// An image that cannot be opened. Each message names the file at fault, which may be one that the image names.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("no disk image was named; give {EXPECTED}")]
    Nothing,
    #[error("cannot open {path:?}: {error}; give {EXPECTED} that can be read")]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{path:?} is {what}; give {EXPECTED}")]
    WrongKind { path: PathBuf, what: &'static str },
    #[error("{path:?}: {error}")]
    Disk { path: PathBuf, error: DiskError },
    #[error("{path:?} is an image of the kind {format}, which is not read; {advice}")]
    Foreign {
        path: PathBuf,
        format: &'static str,
        advice: &'static str,
    },
    #[error(
        "{path:?} holds neither a partition table nor a file system that is known; give {EXPECTED}"
    )]
    Unrecognised { path: PathBuf },
    #[error(
        "{path:?} names {named:?} as its {role}, which is {place}: an image may name plain files beside it only; if you trust \
         the image, put that file beside it or allow files outside its folder"
    )]
    Outside {
        path: PathBuf,
        named: String,
        role: &'static str,
        place: &'static str,
    },
    #[error(
        "{path:?} is named as a piece of a disk by the image that was given, and it is {what}; if you trust the image, allow \
         files outside its folder, and it is read all the same"
    )]
    NoDisk { path: PathBuf, what: &'static str },
    #[error(
        "{path:?} names {named:?} as its {role}, which cannot be opened: {error}; put that file beside the image"
    )]
    Missing {
        path: PathBuf,
        named: String,
        role: &'static str,
        error: std::io::Error,
    },
    #[error(
        "{path:?} names {named:?} as its {role}, and so, in the end, itself: the chain of images is a circle"
    )]
    Cycle {
        path: PathBuf,
        named: String,
        role: &'static str,
    },
    #[error(
        "{path:?} stands at the end of a chain of {depth} images, more than are followed; flatten it: \
             qemu-img convert -O qcow2 IMAGE NEW"
    )]
    TooDeep { path: PathBuf, depth: usize },
}

impl OpenError {
    /// An error of reading the image at `path`.
    pub fn disk(path: &Path) -> impl Fn(DiskError) -> Self {
        move |error| Self::Disk {
            path: path.to_path_buf(),
            error,
        }
    }
}
