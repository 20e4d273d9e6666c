//! Physical volumes made by hand: no tool makes them without a kernel's device-mapper.

use super::label::{Physical, read};
use super::{Assembled, assemble};
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError, crc32};
use proptest::prelude::*;
use std::sync::Arc;

struct Bytes(Vec<u8>);

impl BlockDevice for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size())?;
        let at = usize::try_from(offset).unwrap();
        buf.copy_from_slice(&self.0[at..at + buf.len()]);
        Ok(())
    }
}

const AREA: usize = 4096;
const AREA_SIZE: usize = 8192;
/// Extents have 4 KiB and begin here.
const DATA: usize = 16384;

fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
    disk[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A physical volume of 16 extents, each filled with its number and the volume's; its text begins at an offset in the
/// metadata area and goes round its end.
fn physical(number: u8, text: &str, offset: usize) -> Vec<u8> {
    let mut disk = vec![0; DATA];
    put(&mut disk, 512, b"LABELONE");
    put(&mut disk, 512 + 20, &32_u32.to_le_bytes());
    put(&mut disk, 512 + 24, b"LVM2 001");
    put(&mut disk, 512 + 32, &[b'0' + number; 32]);
    for (at, value) in [(72, DATA), (104, AREA), (112, AREA_SIZE)] {
        put(&mut disk, 512 + at, &(value as u64).to_le_bytes());
    }
    put(&mut disk, AREA + 4, b" LVM2 x[5A%r0N*>");
    for (at, value) in [(40, offset), (48, text.len())] {
        put(&mut disk, AREA + at, &(value as u64).to_le_bytes());
    }
    let checksum = crc32::extend(0xf597_a6cf, text.as_bytes());
    put(&mut disk, AREA + 56, &checksum.to_le_bytes());
    let behind = text.len().min(AREA_SIZE - offset);
    put(&mut disk, AREA + offset, &text.as_bytes()[..behind]);
    put(&mut disk, AREA + 512, &text.as_bytes()[behind..]);
    for extent in 0..16 {
        disk.extend([number * 16 + extent; 4096]);
    }
    disk
}

fn text(seqno: u32, volumes: &str) -> String {
    let pv = |number: u8| {
        let id = format!("{number}-").repeat(32);
        format!("pv{number} {{ id = \"{id}\" pe_start = 32 }}\n")
    };
    let (first, second) = (pv(1), pv(2));
    format!(
        "my-group {{ id = \"abc\" seqno = {seqno} extent_size = 8\n\
        physical_volumes {{ {first} {second} }} logical_volumes {{ {volumes} }} }}\n\0"
    )
}

fn volume(name: &str, segments: &[&str]) -> String {
    let segments: Vec<_> = segments
        .iter()
        .zip(1..)
        .map(|(segment, number)| format!("segment{number} {{ {segment} }}\n"))
        .collect();
    let segments = segments.concat();
    format!("{name} {{ status = [\"READ\", \"VISIBLE\"] segment_count = 9 {segments} }}\n")
}

fn together(disks: &[Vec<u8>]) -> Assembled {
    let devices = disks.iter().map(|disk| Arc::new(Bytes(disk.clone())) as _);
    assemble(&devices.collect::<Vec<_>>())
}

/// Which extent each extent, or each 2 KiB, of a volume is.
fn extents(assembled: &Assembled, at: usize, step: usize) -> Vec<u8> {
    let volume = &assembled.volumes[at];
    let device = volume.device.as_ref().unwrap();
    assert_eq!(device.size(), volume.size);
    let mut bytes = vec![0; usize::try_from(volume.size).unwrap()];
    device.read_at(0, &mut bytes).unwrap();
    let mut pieces = Vec::new();
    for piece in bytes.chunks(step) {
        assert!(piece.iter().all(|byte| *byte == piece[0]));
        pieces.push(piece[0]);
    }
    // The same from the middle on, over the edges.
    let half = bytes.len() / 2 - 1;
    let mut again = vec![0; bytes.len() - half];
    device.read_at(half as u64, &mut again).unwrap();
    assert_eq!(again, bytes[half..]);
    pieces
}

#[test]
fn linear_and_striped_volumes_over_two_disks_read_in_order() {
    let volumes = [
        volume(
            "root",
            &[
                "start_extent = 2 extent_count = 1 type = \"striped\" stripes = [\"pv2\", 7]",
                "start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv1\", 3]",
            ],
        ),
        volume(
            "fast-data",
            &[
                "start_extent = 0 extent_count = 4 type = \"striped\" stripe_size = 4 \
               stripes = [\"pv1\", 0, \"pv2\", 1]",
            ],
        ),
    ];
    let text = text(3, &volumes.concat());
    // The text goes round; the second disk has an older one.
    let old = super::tests::text(2, "");
    let assembled = together(&[physical(1, &text, AREA_SIZE - 100), physical(2, &old, 512)]);
    let names: Vec<_> = assembled
        .volumes
        .iter()
        .map(super::LogicalVolume::mapper_name)
        .collect();
    assert_eq!(
        names,
        ["mapper/my--group-root", "mapper/my--group-fast--data"]
    );
    assert_eq!(extents(&assembled, 0, 4096), [0x13, 0x14, 0x27]);
    let striped = [0x10, 0x21, 0x10, 0x21, 0x11, 0x22, 0x11, 0x22];
    assert_eq!(extents(&assembled, 1, 2048), striped);
    assert_eq!(
        assembled.groups,
        [Ok("my-group".to_owned()), Ok("my-group".to_owned())]
    );
    assert!(assembled.notes.is_empty());
}

#[test]
fn mirrors_read_by_the_leg_that_is_there() {
    let segment = |name: &str| format!("start_extent = 0 extent_count = 2 {name}");
    let hidden = |name: &str, pv: &str| {
        let segment = segment(&format!("type = \"striped\" stripes = [\"{pv}\", 5]"));
        volume(name, &[&segment]).replace("\"VISIBLE\"", "\"HIDDEN\"")
    };
    let raid = segment("type = \"raid1\" raids = [\"m0\", \"i0\", \"m1\", \"i1\"]");
    let mirror = segment("type = \"mirror\" mirrors = [\"i0\", 0, \"i1\", 0]");
    let volumes = [
        hidden("i0", "pv1"),
        hidden("i1", "pv2"),
        volume("r", &[&raid]),
        volume("m", &[&mirror]),
    ];
    let text = text(1, &volumes.concat());
    let assembled = together(&[physical(2, &text, 512)]);
    assert_eq!(assembled.volumes.len(), 2);
    assert_eq!(extents(&assembled, 0, 4096), [0x25, 0x26]);
    assert_eq!(extents(&assembled, 1, 4096), [0x25, 0x26]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let on = |name: &str, areas: &str| {
        let segment = format!("start_extent = 0 extent_count = 1 {areas}");
        volume(name, &[&segment])
    };
    let volumes = [
        on("far", "type = \"striped\" stripes = [\"pv2\", 0]"),
        on("thin", "type = \"vdo\" vdo_pool = \"pool\""),
        on("round", "type = \"mirror\" mirrors = [\"round\", 0]"),
        on("nowhere", "type = \"striped\" stripes = [\"pv7\", 0]"),
        on(
            "beyond",
            "type = \"striped\" stripes = [\"pv1\", 18446744073709551615]",
        ),
    ];
    let text = text(1, &volumes.concat());
    let assembled = together(&[physical(1, &text, 512), vec![0; 4096]]);
    let expected = [
        "a disk that was not given (pv2, UUID 22222222222222222222222222222222)",
        "the kind \"vdo\" is not read",
        "without an end",
        "no volume named \"pv7\"",
        "beyond any disk",
    ];
    assert_eq!(assembled.volumes.len(), expected.len());
    for (volume, expected) in assembled.volumes.iter().zip(expected) {
        let error = volume.device.as_ref().err().unwrap().to_string();
        assert!(error.contains(expected), "{}: {error}", volume.name);
    }
    assert_eq!(assembled.groups[1], Err("its label is missing".to_owned()));
    let empty = together(&[physical(1, &super::tests::text(1, ""), 512)]);
    assert_eq!(
        empty.notes,
        ["the volume group \"my-group\" holds no logical volumes"]
    );
}

#[test]
fn damaged_metadata_is_not_believed() {
    let volumes = volume(
        "v",
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv1\", 0]"],
    );
    let mut disk = physical(1, &text(1, &volumes), 512);
    disk[AREA + 600] ^= 1;
    let assembled = together(&[disk]);
    assert!(assembled.volumes.is_empty());
    assert_eq!(
        assembled.groups,
        [Err("no metadata of its volume group was found".to_owned())]
    );
    for segments in [
        &["start_extent = 1 extent_count = 1 type = \"striped\" stripes = [\"pv1\", 0]"][..],
        &["start_extent = 0 extent_count = 1 type = \"striped\" stripes = []"],
        &[
            "start_extent = 0 extent_count = 1 type = \"striped\" stripes = [\"pv1\", 0, \"pv2\", 0] stripe_size = 0",
        ],
        &["extent_count = 1"],
    ] {
        let assembled = together(&[physical(1, &text(1, &volume("v", segments)), 512)]);
        assert!(assembled.volumes.is_empty());
        assert!(
            assembled.notes[0].starts_with("damaged lvm"),
            "{:?}",
            assembled.notes
        );
    }
}

#[test]
fn volumes_inside_volumes_do_not_multiply_for_ever() {
    let inside = |name: &str| {
        let segments: Vec<_> = (0..60)
            .map(|at| format!("start_extent = {at} extent_count = 1 type = \"striped\" stripes = [\"{name}\", 0]"))
            .collect();
        segments
    };
    let mut volumes = String::new();
    for (name, below) in [("a", "b"), ("b", "c"), ("c", "d"), ("d", "pv1")] {
        let segments = inside(below);
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        volumes += &volume(name, &segments);
    }
    let text = text(1, &volumes);
    let mut disk = physical(1, "", 512);
    // The text is longer than the usual area here.
    disk.splice(AREA..AREA + AREA_SIZE, vec![0; 1 << 20]);
    let large = {
        let mut area = vec![0; 1 << 20];
        put(&mut area, 4, b" LVM2 x[5A%r0N*>");
        for (at, value) in [(40, 512), (48, text.len())] {
            put(&mut area, at, &(value as u64).to_le_bytes());
        }
        put(
            &mut area,
            56,
            &crc32::extend(0xf597_a6cf, text.as_bytes()).to_le_bytes(),
        );
        put(&mut area, 512, text.as_bytes());
        area
    };
    put(&mut disk, AREA, &large);
    put(&mut disk, 512 + 112, &(1_u64 << 20).to_le_bytes());
    let assembled = together(&[disk]);
    let error = assembled.volumes[0]
        .device
        .as_ref()
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("more than 200000 segments"), "{error}");
}

proptest! {
    #[test]
    fn damaged_labels_neither_panic_nor_hang(
        changes in proptest::collection::vec((0_usize..6000, any::<u8>()), 0..20),
    ) {
        let mut disk = physical(1, &text(1, ""), 512);
        for (at, value) in changes {
            disk[at] = value;
        }
        let device: Arc<dyn BlockDevice> = Arc::new(Bytes(disk));
        if let Ok(Some(Physical { id, .. })) = read(&device) {
            prop_assert!(id.len() < 100);
        }
    }
}
