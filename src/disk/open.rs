//! From the images of one machine to its volumes: the one entry to this room.

use super::BlockDevice;
use super::contents::{Contents, contents};
use super::image::{self, Hardware, Image, OpenError};
use super::lvm;
use super::note::Note;
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
    /// A logical volume is `mapper/GROUP-VOLUME`, the hyphens of each name doubled.
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
    /// Only an appliance says.
    pub hardware: Option<Hardware>,
    /// In the order of images and partitions.
    pub volumes: Vec<Volume>,
    /// What may not have been read, or not rightly; each names the disk.
    pub notes: Vec<String>,
    /// What else is to be said: snapshots besides, a log that was replayed, … Nothing was lost.
    pub remarks: Vec<String>,
}

impl Disk {
    /// Opens the images of one machine, in order.
    ///
    /// # Errors
    /// An image that cannot be opened, and images that hold nothing known at all. Volumes that cannot be read are no
    /// error: they are listed with the reason.
    pub fn open(paths: &[PathBuf], options: &OpenOptions) -> Result<Self, OpenError> {
        let mut opening = Opening::default();
        let (mut format, mut hardware) = (None, None);
        let mut number = 0;
        for path in paths {
            let machine = image::machine(path, options.allow_outside)?;
            format = format.or(Some(machine.format));
            hardware = hardware.or(machine.hardware);
            opening.note(machine.format, &machine.notes);
            for image in &machine.disks {
                opening.disk(&letters(number), image);
                number += 1;
            }
        }
        let path = paths.first().ok_or(OpenError::Nothing)?;
        if opening.is_nothing() {
            let path = path.clone();
            return Err(OpenError::Unrecognised { path });
        }
        opening.logical_volumes();
        Ok(Self {
            format: format.unwrap_or_default(),
            hardware,
            volumes: opening.volumes,
            notes: opening.notes,
            remarks: opening.remarks,
        })
    }
}

/// What was found so far.
#[derive(Default)]
struct Opening {
    volumes: Vec<Volume>,
    /// The device of each volume.
    devices: Vec<Arc<dyn BlockDevice>>,
    notes: Vec<String>,
    remarks: Vec<String>,
    /// Whether any disk has a partition table.
    tables: bool,
}

impl Opening {
    fn is_nothing(&self) -> bool {
        let mut volumes = self.volumes.iter();
        !self.tables && volumes.all(|volume| matches!(volume.contents, Contents::Empty))
    }

    fn disk(&mut self, name: &str, image: &Image) {
        self.note(name, &image.notes);
        let table = match table::read(&image.device) {
            Ok(None) => return self.whole(name, image, contents(&image.device)),
            Ok(Some(table)) => table,
            Err(error) => {
                self.tables = true;
                let damaged = Contents::unread("partition-table", error.to_string());
                return self.whole(name, image, damaged);
            }
        };
        self.tables = true;
        self.note(name, &table.notes);
        for partition in table.partitions {
            self.partition(name, image, partition);
        }
    }

    fn note(&mut self, name: &str, notes: &[Note]) {
        for note in notes {
            let text = format!("{name}: {}", note.text());
            match note {
                Note::Remark(_) => self.remarks.push(text),
                Note::Gap(_) => self.notes.push(text),
            }
        }
    }

    fn whole(&mut self, name: &str, image: &Image, contents: Contents) {
        self.devices.push(Arc::clone(&image.device));
        self.volumes.push(Volume {
            device: name.to_owned(),
            kind: VolumeKind::Disk,
            size: image.device.size(),
            partuuid: String::new(),
            partlabel: String::new(),
            contents,
        });
    }

    fn partition(&mut self, disk: &str, image: &Image, partition: Partition) {
        let device = format!("{disk}{}", partition.number);
        let Partition { start, size, .. } = partition;
        let end = start.checked_add(size);
        if end.is_none_or(|end| end > image.device.size()) {
            let note = Note::gap("the image ends before this partition does");
            self.note(&device, &[note]);
        }
        let range: Arc<dyn BlockDevice> =
            Arc::new(Range::new(Arc::clone(&image.device), start, size));
        let contents = if start < image.device.size() {
            contents(&range)
        } else {
            let why = "the image ends before this partition begins: it is truncated";
            Contents::unread("unknown", why)
        };
        self.devices.push(range);
        self.volumes.push(Volume {
            device,
            kind: VolumeKind::Partition,
            size,
            partuuid: partition.uuid,
            partlabel: partition.label,
            contents,
        });
    }

    /// Puts the volume groups together, and says of each of their parts where it went.
    fn logical_volumes(&mut self) {
        let is_member = |volume: &Volume| matches!(volume.contents, Contents::Recognised { kind, .. } if kind == lvm::MEMBER);
        let (mut parts, mut devices) = (Vec::new(), Vec::new());
        for (volume, device) in self.volumes.iter_mut().zip(&self.devices) {
            if is_member(volume) {
                parts.push(volume);
                devices.push(Arc::clone(device));
            }
        }
        let assembled = lvm::assemble(&devices);
        for (part, group) in parts.into_iter().zip(assembled.groups) {
            part.contents = match (
                group,
                std::mem::replace(&mut part.contents, Contents::Empty),
            ) {
                (Ok(of), Contents::Recognised { kind, uuid, .. }) => {
                    Contents::Part { kind, uuid, of }
                }
                (
                    Err(why),
                    Contents::Recognised {
                        kind, uuid, label, ..
                    },
                ) => Contents::Recognised {
                    kind,
                    uuid,
                    label,
                    why,
                },
                (_, other) => other,
            };
        }
        self.notes.extend(assembled.notes);
        for volume in assembled.volumes {
            self.volumes.push(Volume {
                device: volume.mapper_name(),
                kind: VolumeKind::LogicalVolume,
                size: volume.size,
                partuuid: String::new(),
                partlabel: String::new(),
                contents: match &volume.device {
                    Ok(device) => contents(device),
                    Err(error) => Contents::unread("unknown", error.to_string()),
                },
            });
        }
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
