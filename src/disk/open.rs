//! From the images of one machine to its volumes: the one entry to this room.

use super::BlockDevice;
use super::contents::{Contents, contents};
use super::image::{self, Image, OpenError};
use super::range::Range;
use super::table::{self, Partition};
use std::path::PathBuf;
use std::sync::Arc;

/// How to open images.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    /// Whether an image may name files outside its own folder: only for images that are trusted.
    pub allow_outside: bool,
}

/// What a volume is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeKind {
    /// A whole disk without a partition table.
    Disk,
    Partition,
    LogicalVolume,
}

impl VolumeKind {
    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Partition => "partition",
            Self::LogicalVolume => "logical-volume",
        }
    }
}

/// A volume of the machine.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Below `/dev`, as a kernel would name it; the disk's letter is the image's place in the order given: `sda1`.
    pub device: String,
    pub kind: VolumeKind,
    /// Bytes.
    pub size: u64,
    /// As `PARTUUID=` and `PARTLABEL=` of fstab; empty where there is none.
    pub partuuid: String,
    /// As stored: sanitise before showing.
    pub partlabel: String,
    pub contents: Contents,
}

/// The disks of one machine.
#[derive(Debug)]
pub struct Disk {
    /// Of the first image: `raw`, `qcow2`, …
    pub format: &'static str,
    /// In the order of images and partitions.
    pub volumes: Vec<Volume>,
    /// What a reader should know of images and tables; each names the disk.
    pub notes: Vec<String>,
}

impl Disk {
    /// Opens the images of one machine, in order.
    ///
    /// # Errors
    /// An image that cannot be opened, and images that hold nothing known at all. Volumes that cannot be read are no
    /// error: they are listed with the reason.
    pub fn open(paths: &[PathBuf], options: &OpenOptions) -> Result<Self, OpenError> {
        let mut disk = Self {
            format: "",
            volumes: Vec::new(),
            notes: Vec::new(),
        };
        let mut tables = false;
        for (number, path) in paths.iter().enumerate() {
            let image = image::open(path, options.allow_outside)?;
            if number == 0 {
                disk.format = image.format;
            }
            tables |= disk.add(&letters(number), &image);
        }
        let path = paths.first().ok_or(OpenError::Nothing)?;
        let unknown = |volume: &Volume| {
            volume.kind == VolumeKind::Disk && matches!(volume.contents, Contents::Empty)
        };
        if !tables && disk.volumes.iter().all(unknown) {
            let path = path.clone();
            return Err(OpenError::Unrecognised { path });
        }
        Ok(disk)
    }

    /// Adds the volumes of one disk; says whether it has a partition table.
    fn add(&mut self, name: &str, image: &Image) -> bool {
        let notes = image.notes.iter().map(|note| format!("{name}: {note}"));
        self.notes.extend(notes);
        let table = match table::read(&image.device) {
            Ok(Some(table)) => table,
            Ok(None) => {
                self.volumes.push(whole(name, image, contents));
                return false;
            }
            Err(error) => {
                let why = error.to_string();
                let damaged = |_: &_| Contents::Recognised {
                    kind: "partition-table",
                    uuid: String::new(),
                    label: String::new(),
                    why,
                };
                self.volumes.push(whole(name, image, damaged));
                return true;
            }
        };
        let notes = table.notes.iter().map(|note| format!("{name}: {note}"));
        self.notes.extend(notes);
        for partition in table.partitions {
            let volume = self.partition(name, image, partition);
            self.volumes.push(volume);
        }
        true
    }

    fn partition(&mut self, disk: &str, image: &Image, partition: Partition) -> Volume {
        let device = format!("{disk}{}", partition.number);
        let end = partition.start.checked_add(partition.size);
        if end.is_none_or(|end| end > image.device.size()) {
            let note = format!("{device}: the image ends before this partition does");
            self.notes.push(note);
        }
        let Partition { start, size, .. } = partition;
        let range: Arc<dyn BlockDevice> =
            Arc::new(Range::new(Arc::clone(&image.device), start, size));
        let contents = if start < image.device.size() {
            contents(&range)
        } else {
            Contents::Recognised {
                kind: "unknown",
                uuid: String::new(),
                label: String::new(),
                why: "the image ends before this partition begins: it is truncated".to_owned(),
            }
        };
        Volume {
            device,
            kind: VolumeKind::Partition,
            size,
            partuuid: partition.uuid,
            partlabel: partition.label,
            contents,
        }
    }
}

fn whole(
    name: &str,
    image: &Image,
    contents: impl FnOnce(&Arc<dyn BlockDevice>) -> Contents,
) -> Volume {
    Volume {
        device: name.to_owned(),
        kind: VolumeKind::Disk,
        size: image.device.size(),
        partuuid: String::new(),
        partlabel: String::new(),
        contents: contents(&image.device),
    }
}

/// The kernel's name of the disk with this number from 0: `sda` to `sdz`, then `sdaa`.
fn letters(number: usize) -> String {
    let mut letters = Vec::new();
    let mut left = number + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(
            b'a' + u8::try_from(left % 26).unwrap_or_default(),
        ));
        left /= 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("sd{letters}")
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn disks_are_named_as_the_kernel_names_them() {
        let names = [0, 1, 25, 26, 27, 701, 702].map(letters);
        let expected = ["sda", "sdb", "sdz", "sdaa", "sdab", "sdzz", "sdaaa"];
        assert_eq!(names, expected);
    }
}
