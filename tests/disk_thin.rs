//! Thin pools whose tables thin_restore wrote, on a physical volume that is made here.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_support::{noise, run};
    use super::needs::{need, tool};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::fs::{self, File};
    use std::process::Command;
    use std::sync::{Arc, OnceLock};
    use transvase::disk::lvm::{self, Assembled};
    use transvase::disk::{BlockDevice, DiskError, crc32};

    const KIB: u64 = 1 << 10;
    /// Extents of the group, and blocks of the pool.
    const EXTENT: u64 = 64 * KIB;
    const START: u64 = 1 << 20;
    /// Extents of the pool's tables, which come first, and of its data.
    const TABLES: u64 = 64;
    const DATA: u64 = 20_000;

    /// A physical volume: what it begins with, and behind it blocks that each tell their own place.
    struct Physical {
        head: Vec<u8>,
    }

    impl BlockDevice for Physical {
        fn size(&self) -> u64 {
            START + (TABLES + DATA) * EXTENT
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
            let (len, size) = (buf.len() as u64, self.size());
            if offset + len > size {
                return Err(DiskError::OutOfBounds { offset, len, size });
            }
            for (at, byte) in (offset..).zip(buf) {
                let held = usize::try_from(at).ok().and_then(|at| self.head.get(at));
                *byte = held
                    .copied()
                    .unwrap_or_else(|| filler(at - START - TABLES * EXTENT));
            }
            Ok(())
        }
    }

    /// What the pool's data holds at a place: the number of the block, over and over.
    fn filler(at: u64) -> u8 {
        (at / EXTENT).to_le_bytes()[usize::try_from(at % 3).unwrap()] ^ 0x5a
    }

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn physical(tables: &[u8], volumes: &str) -> Arc<dyn BlockDevice> {
        let text = format!(
            "group {{ id = \"abc\" seqno = 1 extent_size = {}\nphysical_volumes {{ pv0 {{ id = \"{}\" pe_start = {} }} }}\n\
             logical_volumes {{ {volumes} }} }}\n\0",
            EXTENT / 512,
            "1".repeat(32),
            START / 512
        );
        let mut head = vec![0; usize::try_from(START + TABLES * EXTENT).unwrap()];
        put(&mut head, 512, b"LABELONE");
        put(&mut head, 512 + 20, &32_u32.to_le_bytes());
        put(&mut head, 512 + 24, b"LVM2 001");
        put(&mut head, 512 + 32, &[b'1'; 32]);
        for (at, value) in [(512 + 72, START), (512 + 104, 4096), (512 + 112, 512 * KIB)] {
            put(&mut head, at, &value.to_le_bytes());
        }
        put(&mut head, 4096 + 4, b" LVM2 x[5A%r0N*>");
        for (at, value) in [(4096 + 40, 4096_u64), (4096 + 48, text.len() as u64)] {
            put(&mut head, at, &value.to_le_bytes());
        }
        let checksum = crc32::extend(0xf597_a6cf, text.as_bytes());
        put(&mut head, 4096 + 56, &checksum.to_le_bytes());
        put(&mut head, 8192, text.as_bytes());
        put(&mut head, usize::try_from(START).unwrap(), tables);
        Arc::new(Physical { head })
    }

    const VISIBLE: &str = "status = [\"READ\", \"WRITE\", \"VISIBLE\"]";

    fn linear(name: &str, status: &str, count: u64, from: u64) -> String {
        format!(
            "{name} {{ {status} segment_count = 1 segment1 {{ start_extent = 0 extent_count = {count} type = \"striped\" \
             stripe_count = 1 stripes = [ \"pv0\", {from} ] }} }}\n"
        )
    }

    fn special(name: &str, status: &str, count: u64, segment: &str) -> String {
        format!(
            "{name} {{ {status} segment_count = 1 segment1 {{ start_extent = 0 extent_count = {count} {segment} }} }}\n"
        )
    }

    fn pool() -> String {
        let hidden = "status = [\"READ\", \"WRITE\"]";
        let segment = "type = \"thin-pool\" metadata = \"pool_tmeta\" pool = \"pool_tdata\" transaction_id = 1 chunk_size = 128";
        special("pool", VISIBLE, DATA, segment)
            + &linear("pool_tmeta", hidden, TABLES, 0)
            + &linear("pool_tdata", hidden, DATA, TABLES)
    }

    fn thin(name: &str, number: u32, count: u64, more: &str) -> String {
        let segment = format!(
            "type = \"thin\" thin_pool = \"pool\" transaction_id = 0 device_id = {number} {more}"
        );
        special(name, VISIBLE, count, &segment)
    }

    /// Which block of the pool each block of a volume is.
    type Map = BTreeMap<u64, u64>;

    /// Blocks here and there, in no order, some runs among them.
    fn map(seed: u64, count: usize, most: u64) -> Map {
        let numbers = noise(seed, count * 8);
        let mut map = Map::new();
        for pair in numbers.chunks(8) {
            let number = |bytes: &[u8]| u64::from(u32::from_le_bytes(bytes.try_into().unwrap()));
            let (block, held) = (number(&pair[..4]) % most, number(&pair[4..]) % (DATA - 8));
            for next in 0..=block % 3 {
                map.insert(block + next, held + next);
            }
        }
        map
    }

    /// The tables of a pool with these volumes, by their numbers; `None` where the tool is absent.
    fn tables(volumes: &[(u32, &Map)]) -> Option<Vec<u8>> {
        let restore = tool("thin_restore")?;
        let mut text = format!(
            "<superblock uuid=\"\" time=\"1\" transaction=\"1\" flags=\"0\" version=\"2\" data_block_size=\"128\" nr_data_blocks=\"{DATA}\">\n"
        );
        for (number, map) in volumes {
            let count = map.len();
            writeln!(
                text,
                "<device dev_id=\"{number}\" mapped_blocks=\"{count}\" transaction=\"0\" creation_time=\"0\" snap_time=\"1\">"
            )
            .unwrap();
            for (block, held) in *map {
                writeln!(
                    text,
                    "<single_mapping origin_block=\"{block}\" data_block=\"{held}\" time=\"1\"/>"
                )
                .unwrap();
            }
            text.push_str("</device>\n");
        }
        text.push_str("</superblock>\n");
        let folder = tempfile::tempdir().unwrap();
        let (xml, out) = (folder.path().join("xml"), folder.path().join("tables"));
        fs::write(&xml, text).unwrap();
        File::create(&out)
            .unwrap()
            .set_len(TABLES * EXTENT)
            .unwrap();
        run(Command::new(restore)
            .arg("-i")
            .arg(&xml)
            .arg("-o")
            .arg(&out));
        Some(fs::read(&out).unwrap())
    }

    fn assemble(tables: &[u8], volumes: &str) -> Assembled {
        lvm::assemble(&[physical(tables, volumes)])
    }

    fn device<'a>(
        assembled: &'a Assembled,
        name: &str,
    ) -> Result<&'a Arc<dyn BlockDevice>, String> {
        let mut volumes = assembled.volumes.iter();
        let found = volumes.find(|volume| volume.name == name).unwrap();
        found.device.as_ref().map_err(ToString::to_string)
    }

    /// Reads around the boundaries of every block, and compares with what the map leads to.
    fn assert_mapped(device: &dyn BlockDevice, map: &Map, below: impl Fn(u64) -> u8) {
        for block in 0..device.size() / EXTENT {
            let start = (block * EXTENT).saturating_sub(5);
            let mut bytes = vec![0xaa; 40];
            device.read_at(start, &mut bytes).unwrap();
            for (at, byte) in (start..).zip(bytes) {
                let held = map.get(&(at / EXTENT));
                let expected =
                    held.map_or_else(|| below(at), |held| filler(held * EXTENT + at % EXTENT));
                assert_eq!(byte, expected, "at {at}");
            }
        }
    }

    #[test]
    fn volumes_of_a_pool_are_read() {
        // More than a node holds, and than a node above leaves.
        let (large, small, none) = (map(1, 3000, 9000), map(2, 40, 200), Map::new());
        let tables = need!(tables(&[
            (1, &large),
            (7, &small),
            (300, &none),
            (16_777_215, &small)
        ]));
        assert!(large.len() > 2500);
        let volumes = pool()
            + &thin("large", 1, 9010, "")
            + &thin("small", 7, 203, "origin = \"large\"")
            + &thin("none", 300, 10, "")
            + &thin("last", 16_777_215, 203, "")
            + &thin("missing", 8, 10, "")
            + &linear("base", VISIBLE, 100, TABLES)
            + &thin("over", 7, 203, "external_origin = \"base\"");
        let assembled = assemble(&tables, &volumes);
        assert!(assembled.notes.is_empty(), "{:?}", assembled.notes);
        let names: Vec<_> = assembled
            .volumes
            .iter()
            .map(|volume| &*volume.name)
            .collect();
        // The pool is in its volumes.
        assert_eq!(
            names,
            ["large", "small", "none", "last", "missing", "base", "over"]
        );
        assert_mapped(device(&assembled, "large").unwrap(), &large, |_| 0);
        assert_mapped(device(&assembled, "small").unwrap(), &small, |_| 0);
        assert_mapped(device(&assembled, "last").unwrap(), &small, |_| 0);
        assert_mapped(device(&assembled, "none").unwrap(), &none, |_| 0);
        let below = |at: u64| if at < 100 * EXTENT { filler(at) } else { 0 };
        assert_mapped(device(&assembled, "over").unwrap(), &small, below);
        let error = device(&assembled, "missing").err().unwrap();
        assert!(error.contains("no volume with the number 8"), "{error}");
    }

    #[test]
    fn what_is_no_plain_volume_is_named_with_the_reason() {
        let pair = linear("root", VISIBLE, 10, 0) + &linear("before", "status = [\"READ\"]", 4, 20);
        let snapshot = |store: &str| {
            let segment = format!(
                "type = \"snapshot\" chunk_size = 8 origin = \"root\" {store} = \"before\""
            );
            pair.clone() + &special("snapshot0", VISIBLE, 10, &segment)
        };
        let assembled = assemble(&[], &snapshot("cow_store"));
        assert_eq!(assembled.volumes.len(), 2);
        assert!(device(&assembled, "root").is_ok());
        let error = device(&assembled, "before").err().unwrap();
        assert!(
            error.contains("a snapshot of root, which is read instead"),
            "{error}"
        );
        let assembled = assemble(&[], &snapshot("merging_store"));
        let error = device(&assembled, "root").err().unwrap();
        assert!(error.contains("before is being merged into it"), "{error}");
        for (kind, said) in [
            ("cache", "lvconvert --uncache"),
            ("cache+CACHE_USES_CACHEVOL", "lvconvert --uncache"),
            ("writecache", "lvconvert --uncache"),
            ("vdo", "deduplicated"),
            ("raid5", "RAID level"),
            ("raid5_ls", "RAID level"),
            ("raid10", "RAID level"),
            ("new-kind", "not known"),
        ] {
            let assembled = assemble(
                &[],
                &special("odd", VISIBLE, 4, &format!("type = \"{kind}\"")),
            );
            let error = device(&assembled, "odd").err().unwrap();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn hostile_pools_are_refused() {
        let small = map(2, 40, 200);
        let tables = need!(tables(&[(7, &small)]));
        let error = |tables: &[u8], volumes: &str| {
            let assembled = assemble(tables, volumes);
            let device = device(&assembled, "v")?;
            device
                .read_at(0, &mut vec![0; 1 << 20])
                .map_err(|error| error.to_string())
        };
        let plain = pool() + &thin("v", 7, 203, "");
        assert_eq!(error(&tables, &plain), Ok(()));
        // Origins in a circle, pools that are none, and pools inside themselves.
        for (volumes, said) in [
            (
                pool() + &thin("v", 7, 203, "external_origin = \"v\""),
                "without an end",
            ),
            (
                pool() + &thin("v", 7, 203, "external_origin = \"gone\""),
                "no volume named",
            ),
            (
                linear("pool", VISIBLE, 1, 0) + &thin("v", 7, 203, ""),
                "is no pool",
            ),
            (thin("v", 7, 203, ""), "no volume named"),
            (
                special(
                    "pool",
                    VISIBLE,
                    9,
                    "type = \"thin-pool\" metadata = \"v\" pool = \"v\"",
                ) + &thin("v", 7, 203, ""),
                "without an end",
            ),
        ] {
            let found = error(&tables, &volumes).unwrap_err();
            assert!(found.contains(said), "{said}: {found}");
        }
        assert!(
            error(&[0; 4096], &plain)
                .unwrap_err()
                .contains("wrong checksum")
        );
        let sealed = |at: usize, value: &[u8]| {
            let mut tables = tables.clone();
            put(&mut tables, at, value);
            seal(&mut tables, at / 4096);
            error(&tables, &plain).unwrap_err()
        };
        let root =
            usize::try_from(u64::from_le_bytes(tables[320..328].try_into().unwrap())).unwrap();
        assert!(sealed(336, &[0; 4]).contains("no length"));
        assert!(sealed(340, &[0xff; 4]).contains("thin pool of version"));
        assert!(sealed(360, &[1]).contains("features 0x1"));
        assert!(sealed(320, &[0xff; 8]).contains("beyond their end"));
        // A node that is above itself, and one with more entries than it can hold.
        let top = root * 4096;
        let mut circle = tables.clone();
        put(&mut circle, top + 4, &1_u32.to_le_bytes());
        let most = u32::from_le_bytes(tables[top + 20..top + 24].try_into().unwrap());
        let values = top + 32 + usize::try_from(most).unwrap() * 8;
        put(&mut circle, values, &(root as u64).to_le_bytes());
        seal(&mut circle, root);
        assert!(error(&circle, &plain).unwrap_err().contains("has no end"));
        assert!(sealed(top + 16, &[0xff; 8]).contains("entries of"));
        assert!(sealed(top + 24, &[1]).contains("entries of"));
        assert!(sealed(values, &[0xff; 8]).contains("beyond their end"));
    }

    /// Makes a block of the tables whole again. The checksum is CRC-32C without the last inversion, xored by its kind.
    fn seal(tables: &mut [u8], number: usize) {
        let xor = if number == 0 { 160_774 } else { 121_107 };
        let block = &mut tables[number * 4096..][..4096];
        let sum = !transvase::disk::crc32c::checksum(&block[4..]) ^ xor;
        put(block, 0, &sum.to_le_bytes());
    }

    fn small_pool() -> Option<&'static [u8]> {
        static TABLES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
        TABLES
            .get_or_init(|| tables(&[(7, &map(2, 40, 200))]))
            .as_deref()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn damaged_pools_end(changes in prop::collection::vec((0_usize..16, 4_usize..400, any::<u8>()), 1..8)) {
            let mut tables = need!(small_pool(), Ok(())).to_vec();
            for (number, at, byte) in changes {
                tables[number * 4096 + at] = byte;
                seal(&mut tables, number);
            }
            let assembled = assemble(&tables, &(pool() + &thin("v", 7, 203, "")));
            if let Ok(device) = device(&assembled, "v") {
                let _ = device.read_at(0, &mut vec![0; 200_000]);
            }
        }
    }
}
