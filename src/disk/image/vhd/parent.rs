//! The parent of a differencing disk: its name is a Windows path, so only the file of that name in the image's own folder,
//! or a path relative to it, is meant; its UUID says whether it is the right one.

use super::FORMAT;
use super::footer::Footer;
use crate::disk::bytes::{Structure, uuid_text};
use crate::disk::image::{Image, OpenError, Place, RawFile, Said, windows};
use crate::disk::{BlockDevice, DiskError};

const ROLE: &str = "parent";
/// The UUID of the parent, its name, and the eight locators of 24 bytes.
const ID: usize = 40;
const NAME: (usize, usize) = (64, 512);
const LOCATORS: (usize, usize, usize) = (576, 8, 24);
/// A path relative to the image, in UTF-16.
const RELATIVE: &[u8] = b"W2ru";
/// The longest path read, in bytes.
const PATH: u32 = 4096;

pub(super) fn open(
    file: &RawFile,
    view: &Structure<'_>,
    place: &Place,
) -> Result<Image, OpenError> {
    let disk = OpenError::disk(place.path());
    let name = relative(file, view)
        .transpose()
        .unwrap_or_else(|| name(view))
        .map_err(&disk)?;
    let expected: [u8; 16] = view.array(ID).map_err(&disk)?;
    let (parent, parent_place) = place.file(name.as_bytes(), ROLE)?;
    let wrong = OpenError::disk(parent_place.path());
    let (footer, _) = Footer::read(&parent).map_err(&wrong)?;
    if footer.id != expected {
        let what = format!(
            "it is not the parent that the image was made from: its UUID is {}, and {} is expected",
            uuid_text(footer.id),
            uuid_text(expected)
        );
        return Err(wrong(DiskError::damaged(FORMAT, what)));
    }
    place.image(name.as_bytes(), ROLE, Said::Format(FORMAT))
}

/// The relative path among the locators.
fn relative(file: &RawFile, view: &Structure<'_>) -> Result<Option<String>, DiskError> {
    let (start, count, length) = LOCATORS;
    for at in (start..).step_by(length).take(count) {
        let (size, offset) = (view.be32(at + 8)?, view.be64(at + 16)?);
        if view.slice(at, 4)? != RELATIVE || size > PATH || offset >= file.size() {
            continue;
        }
        let bytes = file.up_to(offset, usize::try_from(size).unwrap_or_default())?;
        return Ok(Some(windows::path(&bytes, u16::from_le_bytes)));
    }
    Ok(None)
}

/// The last part of the name in the header.
fn name(view: &Structure<'_>) -> Result<String, DiskError> {
    let (at, length) = NAME;
    let path = windows::path(view.slice(at, length)?, u16::from_be_bytes);
    Ok(windows::file_name(&path).to_owned())
}
