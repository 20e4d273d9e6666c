//! Tables made by hand, so that each can be damaged where it matters.

use super::{Partition, Table, read};
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError, crc32};
use proptest::prelude::*;

/// A disk in memory.
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

fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
    disk[at..at + bytes.len()].copy_from_slice(bytes);
}

/// One entry of a boot record.
fn mbr_entry(disk: &mut [u8], record: usize, slot: usize, kind: u8, start: u32, count: u32) {
    let at = record + 446 + slot * 16;
    put(disk, at + 4, &[kind]);
    put(disk, at + 8, &start.to_le_bytes());
    put(disk, at + 12, &count.to_le_bytes());
    put(disk, record + 510, &[0x55, 0xaa]);
}

/// A header and its entries: where the header, its other copy and the entries are, in sectors.
fn gpt_copy(disk: &mut [u8], sector: usize, at: usize, other: usize, entries: usize) {
    let mut array = vec![0; 128 * 128];
    for (slot, first, last, name) in [(0, 6_u64, 7_u64, "boot"), (4, 10, 19, "Wurzel ü")] {
        let entry = &mut array[slot * 128..(slot + 1) * 128];
        put(entry, 0, &[0xaf; 16]);
        put(
            entry,
            16,
            &std::array::from_fn::<u8, 16, _>(|at| at.try_into().unwrap()),
        );
        put(entry, 32, &first.to_le_bytes());
        put(entry, 40, &last.to_le_bytes());
        for (unit, at) in name.encode_utf16().zip((56..).step_by(2)) {
            put(entry, at, &unit.to_le_bytes());
        }
    }
    put(disk, entries * sector, &array);
    let mut header = [0; 92];
    put(&mut header, 0, b"EFI PART\0\0\x01\0");
    put(&mut header, 12, &92_u32.to_le_bytes());
    for (field, value) in [(24, at), (32, other), (72, entries)] {
        put(&mut header, field, &(value as u64).to_le_bytes());
    }
    for (field, value) in [(80, 128), (84, 128), (88, crc32::checksum(&[&array]))] {
        put(&mut header, field, &value.to_le_bytes());
    }
    let checksum = crc32::checksum(&[&header]);
    put(&mut header, 16, &checksum.to_le_bytes());
    put(disk, at * sector, &header);
}

/// A disk of 100 sectors with a GPT.
fn gpt(sector: usize) -> Vec<u8> {
    let mut disk = vec![0; 100 * sector];
    mbr_entry(&mut disk, 0, 0, 0xee, 1, 99);
    gpt_copy(&mut disk, sector, 1, 99, 2);
    gpt_copy(&mut disk, sector, 99, 1, 99 - 128 * 128 / sector);
    disk
}

fn table(disk: &[u8]) -> Result<Option<Table>, DiskError> {
    read(&Bytes(disk.to_vec()))
}

fn expected(sector: u64) -> Vec<Partition> {
    let partition = |number, start, size, label: &str| Partition {
        number,
        start: start * sector,
        size: size * sector,
        uuid: "03020100-0504-0706-0809-0a0b0c0d0e0f".to_owned(),
        label: label.to_owned(),
    };
    vec![partition(1, 6, 2, "boot"), partition(5, 10, 10, "Wurzel ü")]
}

/// The numbers, first sectors and lengths in sectors of 512 bytes.
fn ranges(table: &Table) -> Vec<(u32, u64, u64)> {
    let range = |partition: &Partition| {
        let Partition {
            number,
            start,
            size,
            ..
        } = *partition;
        (number, start / 512, size / 512)
    };
    table.partitions.iter().map(range).collect()
}

#[test]
fn gpt_reads_in_both_sizes_of_a_sector() {
    for sector in [512, 4096] {
        let table = table(&gpt(sector)).unwrap().unwrap();
        assert_eq!((table.kind, table.notes.len()), ("gpt", 0));
        assert_eq!(table.partitions, expected(sector as u64));
    }
}

#[test]
fn gpt_is_read_from_its_backup_where_the_first_copy_is_damaged() {
    for sector in [512, 4096] {
        // The header, its entries, and both gone.
        for damage in [sector + 40, 2 * sector + 130, sector + 73] {
            let mut disk = gpt(sector);
            disk[damage] ^= 1;
            let found = table(&disk).unwrap().unwrap();
            assert_eq!(found.partitions, expected(sector as u64));
            assert!(
                found.notes[0].text().contains("backup"),
                "{:?}",
                found.notes
            );
        }
        // The disk was enlarged: its backup is no longer at the end, and the first header still says where it is.
        let mut disk = gpt(sector);
        disk[2 * sector + 130] ^= 1;
        disk.extend(vec![0; 50 * sector]);
        assert_eq!(
            table(&disk).unwrap().unwrap().partitions,
            expected(sector as u64)
        );
        disk[99 * sector + 20] ^= 1;
        let error = table(&disk).unwrap_err().to_string();
        assert!(error.starts_with("damaged gpt"), "{error}");
    }
}

#[test]
fn gpt_of_absurd_dimensions_is_refused() {
    for (field, value) in [(80, u32::MAX), (84, u32::MAX), (84, 0), (84, 64)] {
        let mut disk = gpt(512);
        put(&mut disk, 512 + field, &value.to_le_bytes());
        put(&mut disk, 512 + 16, &[0; 4]);
        let checksum = crc32::checksum(&[&disk[512..604]]);
        put(&mut disk, 512 + 16, &checksum.to_le_bytes());
        assert!(table(&disk).is_err(), "{field} {value}");
    }
}

#[test]
fn a_table_of_the_old_kind_that_protects_nothing_is_newer_than_a_gpt() {
    let mut disk = gpt(512);
    mbr_entry(&mut disk, 0, 0, 0x83, 20, 30);
    let table = table(&disk).unwrap().unwrap();
    assert_eq!((table.kind, ranges(&table)), ("dos", vec![(1, 20, 30)]));
}

#[test]
fn logical_partitions_are_numbered_from_five() {
    let mut disk = vec![0; 100 * 512];
    put(&mut disk, 440, &0x1234_abcd_u32.to_le_bytes());
    mbr_entry(&mut disk, 0, 0, 0x83, 2, 3);
    mbr_entry(&mut disk, 0, 2, 0x05, 40, 60);
    mbr_entry(&mut disk, 40 * 512, 0, 0x83, 1, 5);
    mbr_entry(&mut disk, 40 * 512, 1, 0x05, 10, 20);
    // A link that names no partition of its own counts for nothing.
    mbr_entry(&mut disk, 50 * 512, 1, 0x05, 20, 20);
    mbr_entry(&mut disk, 60 * 512, 0, 0x82, 2, 6);
    let table = table(&disk).unwrap().unwrap();
    assert_eq!(ranges(&table), [(1, 2, 3), (5, 41, 5), (6, 62, 6)]);
    assert_eq!(table.partitions[2].uuid, "1234abcd-06");
    assert!(table.notes.is_empty());
}

#[test]
fn chains_of_logical_partitions_end() {
    let mut disk = vec![0; 100 * 512];
    mbr_entry(&mut disk, 0, 0, 0x0f, 40, 60);
    mbr_entry(&mut disk, 40 * 512, 0, 0x83, 1, 5);
    mbr_entry(&mut disk, 40 * 512, 1, 0x0f, 10, 20);
    mbr_entry(&mut disk, 50 * 512, 1, 0x0f, 0, 20);
    let circle = table(&disk).unwrap().unwrap();
    assert_eq!(ranges(&circle), [(5, 41, 5)]);
    assert!(circle.notes[0].text().contains("circle"));
    put(&mut disk, 50 * 512 + 510, &[0, 0]);
    let broken = table(&disk).unwrap().unwrap();
    assert!(broken.notes[0].text().contains("breaks off after number 5"));
}

#[test]
fn the_size_of_a_sector_is_found_by_what_is_there() {
    // With 4096 bytes a swap mark is at the beginning of the partition, with 512 bytes nothing is.
    let mut disk = vec![0; 100 * 4096];
    mbr_entry(&mut disk, 0, 0, 0x82, 8, 20);
    put(&mut disk, 9 * 4096 - 10, b"SWAPSPACE2");
    let large = table(&disk).unwrap().unwrap();
    assert_eq!(
        (large.partitions[0].start, large.partitions[0].size),
        (8 * 4096, 20 * 4096)
    );
    put(&mut disk, 2 * 4096 - 10, b"SWAPSPACE2");
    let small = table(&disk).unwrap().unwrap();
    assert_eq!(
        (small.partitions[0].start, small.partitions[0].size),
        (4096, 20 * 512)
    );
}

#[test]
fn boot_sectors_of_file_systems_are_no_tables() {
    for (at, mark) in [
        (3, b"NTFS    "),
        (3, b"EXFAT   "),
        (82, b"FAT32   "),
        (54, b"FAT16   "),
    ] {
        let mut disk = vec![0; 100 * 512];
        mbr_entry(&mut disk, 0, 0, 0x83, 2, 3);
        assert!(table(&disk).unwrap().is_some());
        put(&mut disk, at, mark);
        assert_eq!(table(&disk).unwrap(), None);
    }
    let mut disk = vec![0; 100 * 512];
    mbr_entry(&mut disk, 0, 0, 0x83, 2, 3);
    disk[446] = 0x31;
    assert_eq!(table(&disk).unwrap(), None);
    assert_eq!(table(&[]).unwrap(), None);
    assert_eq!(table(&[0; 100]).unwrap(), None);
}

proptest! {
    #[test]
    fn damaged_tables_neither_panic_nor_hang(
        changes in proptest::collection::vec((0_usize..4096, any::<u8>()), 0..30),
        which in 0..3,
        cut in 0_usize..60_000,
    ) {
        let mut disk = match which {
            0 => gpt(512),
            1 => gpt(4096),
            _ => {
                let mut disk = vec![0; 100 * 512];
                mbr_entry(&mut disk, 0, 0, 0x0f, 1, 99);
                mbr_entry(&mut disk, 512, 0, 0x83, 1, 5);
                mbr_entry(&mut disk, 512, 1, 0x0f, 3, 20);
                mbr_entry(&mut disk, 4 * 512, 0, 0x83, 1, 5);
                disk
            }
        };
        for (at, value) in changes {
            disk[at] = value;
        }
        // The header's checksum hides what is behind it.
        let checksum = |bytes: &[u8]| crc32::checksum(&[&bytes[..16], &[0; 4], &bytes[20..92]]);
        let sum = checksum(&disk[512..]);
        put(&mut disk, 512 + 16, &sum.to_le_bytes());
        if cut > 512 {
            disk.truncate(cut);
        }
        let _ = table(&disk);
    }
}
