//! From the images of one machine to its volumes: the one entry to this room.

use super::BlockDevice;
use super::contents::{Contents, contents};
use super::image::{self, Hardware, Image, OpenError};
use super::lvm;
use super::md;
use super::note::Note;
use super::pool;
use super::range::Range as Part;
use super::table::{self, Partition};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// How to open images.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    /// Whether an image may name files outside its own folder: only for images that are trusted.
    pub allow_outside: bool,
}

/// Arrays inside arrays at most: a stripe of mirrors has two levels.
const ARRAYS: usize = 4;

/// What a volume is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeKind {
    /// A whole disk without a partition table.
    Disk,
    Partition,
    /// Of several disks or partitions: md.
    Array,
    LogicalVolume,
}

impl VolumeKind {
    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Partition => "partition",
            Self::Array => "array",
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

/// A disk or an array: what may have a partition table.
#[derive(Debug, Clone)]
pub struct Whole {
    /// As the kernel would name it: `sda`, `md0`.
    pub device: String,
    /// The place, in the list that was given, of the file it came from; none for an array.
    pub image: Option<usize>,
    /// `raw`, `qcow2`, … or `md`.
    pub format: &'static str,
    /// Bytes.
    pub size: u64,
    /// `gpt` or `dos`; nothing where it is a volume as a whole.
    pub table: Option<&'static str>,
    /// Where its partitions, or the one volume that it is, are among all volumes.
    pub volumes: Range<usize>,
}

/// The disks of one machine.
#[derive(Debug)]
pub struct Disk {
    /// Of the first image: `raw`, `qcow2`, …
    pub format: &'static str,
    /// Only an appliance says.
    pub hardware: Option<Hardware>,
    /// What the volumes are on; logical volumes are on none of them.
    pub wholes: Vec<Whole>,
    /// Files of this system that the images led to, beside those that were given.
    pub files: Vec<PathBuf>,
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
        let (mut number, mut files) = (0, Vec::new());
        for (place, path) in paths.iter().enumerate() {
            let machine = image::machine(path, options.allow_outside)?;
            format = format.or(Some(machine.format));
            hardware = hardware.or(machine.hardware);
            opening.note(machine.format, &machine.notes);
            files.extend(machine.files);
            for image in &machine.disks {
                opening.disk(&letters(number), place, image);
                number += 1;
            }
        }
        let path = paths.first().ok_or(OpenError::Nothing)?;
        if opening.is_nothing() {
            let path = path.clone();
            return Err(OpenError::Unrecognised { path });
        }
        opening.arrays();
        opening.logical_volumes();
        pool::join(opening.volumes.iter_mut().zip(&opening.devices));
        Ok(Self {
            format: format.unwrap_or_default(),
            hardware,
            wholes: opening.wholes,
            files,
            volumes: opening.volumes,
            notes: opening.notes,
            remarks: opening.remarks,
        })
    }
}

/// What was found so far.
#[derive(Default)]
struct Opening {
    wholes: Vec<Whole>,
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

    fn disk(&mut self, name: &str, place: usize, image: &Image) {
        self.note(name, &image.notes);
        let first = self.volumes.len();
        let table = self.look(name, VolumeKind::Disk, &image.device);
        self.whole(name, Some(place), image.format, &image.device, table, first);
    }

    /// Writes down what was looked into; its volumes begin with the one numbered `first`.
    fn whole(
        &mut self,
        name: &str,
        image: Option<usize>,
        format: &'static str,
        device: &Arc<dyn BlockDevice>,
        table: Option<&'static str>,
        first: usize,
    ) {
        self.wholes.push(Whole {
            device: name.to_owned(),
            image,
            format,
            size: device.size(),
            table,
            volumes: first..self.volumes.len(),
        });
    }

    /// Looks into what may have a partition table, a disk or an array, and says which it has.
    fn look(
        &mut self,
        name: &str,
        kind: VolumeKind,
        device: &Arc<dyn BlockDevice>,
    ) -> Option<&'static str> {
        let whole = |contents| Volume {
            device: name.to_owned(),
            kind,
            size: device.size(),
            partuuid: String::new(),
            partlabel: String::new(),
            contents,
        };
        let table = match table::read(device) {
            Ok(Some(table)) if !md::is_whole(device, &table.partitions) => table,
            Ok(_) => {
                self.push(whole(contents(device)), Arc::clone(device));
                return None;
            }
            Err(error) => {
                if md::is_whole(device, &[]) {
                    self.push(whole(contents(device)), Arc::clone(device));
                    return None;
                }
                self.tables = true;
                let damaged = Contents::unread("partition-table", error.to_string());
                self.push(whole(damaged), Arc::clone(device));
                return None;
            }
        };
        self.tables = true;
        self.note(name, &table.notes);
        // Behind a digit, a number needs a letter before it.
        let between = if name.ends_with(|last: char| last.is_ascii_digit()) {
            "p"
        } else {
            ""
        };
        for partition in table.partitions {
            let name = format!("{name}{between}{}", partition.number);
            self.partition(name, device, partition);
        }
        Some(table.kind)
    }

    fn push(&mut self, volume: Volume, device: Arc<dyn BlockDevice>) {
        self.note(&volume.device, cut_short(&volume).as_slice());
        self.volumes.push(volume);
        self.devices.push(device);
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

    fn partition(&mut self, name: String, disk: &Arc<dyn BlockDevice>, partition: Partition) {
        let Partition { start, size, .. } = partition;
        let end = start.checked_add(size);
        if end.is_none_or(|end| end > disk.size()) {
            let note = Note::gap("the image ends before this partition does");
            self.note(&name, &[note]);
        }
        let range: Arc<dyn BlockDevice> = Arc::new(Part::new(Arc::clone(disk), start, size));
        let contents = if start < disk.size() {
            contents(&range)
        } else {
            let why = "the image ends before this partition begins: it is truncated";
            Contents::unread("unknown", why)
        };
        let volume = Volume {
            device: name,
            kind: VolumeKind::Partition,
            size,
            partuuid: partition.uuid,
            partlabel: partition.label,
            contents,
        };
        self.push(volume, range);
    }

    /// The devices of the volumes that are parts of this kind, and where they are in the list.
    fn parts(&self, member: &str) -> (Vec<usize>, Vec<Arc<dyn BlockDevice>>) {
        let is_part = |volume: &Volume| matches!(&volume.contents, Contents::Recognised { kind, .. } if *kind == member);
        let volumes = self.volumes.iter().zip(&self.devices).enumerate();
        let parts = volumes.filter(|(_, (volume, _))| is_part(volume));
        parts
            .map(|(at, (_, device))| (at, Arc::clone(device)))
            .unzip()
    }

    /// Says of a part where it went, or why it went nowhere.
    fn settle(&mut self, at: usize, result: Result<String, String>) {
        let Some(part) = self.volumes.get_mut(at) else {
            return;
        };
        if let Contents::Recognised {
            kind, uuid, why, ..
        } = &mut part.contents
        {
            match result {
                Err(reason) => *why = reason,
                Ok(of) => {
                    let (kind, uuid) = (*kind, std::mem::take(uuid));
                    part.contents = Contents::Part { kind, uuid, of };
                }
            }
        }
    }

    /// Puts arrays together; their members may be arrays again.
    fn arrays(&mut self) {
        let mut names = Vec::new();
        for _ in 0..ARRAYS {
            let (parts, devices) = self.parts(md::MEMBER);
            if parts.is_empty() {
                return;
            }
            let assembled = md::assemble(&devices, &names);
            for (at, result) in parts.into_iter().zip(assembled.members) {
                self.settle(at, result);
            }
            if assembled.arrays.is_empty() {
                return;
            }
            for array in assembled.arrays {
                let first = self.volumes.len();
                let table = self.look(&array.name, VolumeKind::Array, &array.device);
                self.whole(&array.name, None, "md", &array.device, table, first);
                names.push(array.name);
            }
        }
    }

    /// Puts the volume groups together.
    fn logical_volumes(&mut self) {
        let (parts, devices) = self.parts(lvm::MEMBER);
        let assembled = lvm::assemble(&devices);
        for (at, result) in parts.into_iter().zip(assembled.groups) {
            self.settle(at, result);
        }
        self.notes.extend(assembled.notes);
        for volume in assembled.volumes {
            let volume = Volume {
                device: volume.mapper_name(),
                kind: VolumeKind::LogicalVolume,
                size: volume.size,
                partuuid: String::new(),
                partlabel: String::new(),
                contents: match &volume.device {
                    Ok(device) => contents(device),
                    Err(error) => Contents::unread("unknown", error.to_string()),
                },
            };
            self.note(&volume.device, cut_short(&volume).as_slice());
            self.volumes.push(volume);
        }
    }
}

/// File systems that lie on one volume and know its size to the byte or less.
const SIZED: [&str; 8] = [
    "ext2", "ext3", "ext4", "xfs", "ntfs", "vfat", "exfat", "squashfs",
];

/// What is to be said of a file system that is larger than what it lies on.
fn cut_short(volume: &Volume) -> Option<Note> {
    let Contents::FileSystem(fs) = &volume.contents else {
        return None;
    };
    let info = fs.info();
    (SIZED.contains(&info.kind) && info.size > volume.size).then(|| {
        Note::gap(format!(
            "the {} file system has {} bytes, and the image holds {} of them: it was cut short",
            info.kind, info.size, volume.size
        ))
    })
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
