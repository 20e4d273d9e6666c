//! Hostile disks of every format: small real ones, the seeds of the fuzz targets, with bits turned over and numbers made
//! huge wherever something stands, and whatever fuzzing has found. Each is read whole, or refused, without a panic, within
//! ten seconds and 200 MB. Behind checksums only the fuzz targets look: they are built to take every checksum.

#[cfg(test)]
mod disk_harness;

#[cfg(test)]
mod needs;

#[cfg(test)]
mod tests {
    use super::disk_harness::{folder, input, read};
    use super::needs::{self, need};
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::collections::BTreeSet;
    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};
    use transvase::disk::BlockDevice;

    /// Bytes in use at once, and for how long one disk may be read.
    const MEMORY: usize = 200 << 20;
    const TIME: Duration = Duration::from_secs(10);

    /// Memory is counted of the whole process: one test at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    /// Bytes in use, and the most there were.
    struct Counting(AtomicUsize, AtomicUsize);

    #[global_allocator]
    static COUNTED: Counting = Counting(AtomicUsize::new(0), AtomicUsize::new(0));

    #[expect(
        unsafe_code,
        reason = "what a disk costs is counted where memory is handed out, and nowhere else can be"
    )]
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let now = self.0.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
            self.1.fetch_max(now, Ordering::Relaxed);
            unsafe { System.alloc(layout) }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            let now = self.0.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
            self.1.fetch_max(now, Ordering::Relaxed);
            unsafe { System.alloc_zeroed(layout) }
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            self.0.fetch_sub(layout.size(), Ordering::Relaxed);
            unsafe { System.dealloc(at, layout) }
        }
    }

    /// Marsaglia's xorshift: the same changes in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from((self.0 >> 16) % end.max(1) as u64).unwrap()
        }
    }

    /// Reads a disk and holds it to its bounds.
    fn check(target: &str, data: &[u8], what: &str) {
        let before = COUNTED.0.load(Ordering::Relaxed);
        COUNTED.1.store(before, Ordering::Relaxed);
        let start = Instant::now();
        assert!(read(target, data), "{target} is unknown");
        let taken = start.elapsed();
        let most = COUNTED.1.load(Ordering::Relaxed) - before;
        assert!(taken < TIME, "{target}, {what}: {taken:?}");
        assert!(most < MEMORY, "{target}, {what}: {most} bytes");
    }

    /// Where an input holds a disk's own bytes.
    fn places(data: &[u8]) -> Vec<usize> {
        let mut places = Vec::new();
        let mut at = 8;
        while let Some(head) = data.get(at..at + 6) {
            let gap = u32::from_le_bytes(head[..4].try_into().unwrap());
            if gap == input::END {
                at += 4 + 8;
                continue;
            }
            let length = usize::from(u16::from_le_bytes(head[4..].try_into().unwrap()));
            places.extend((at + 6..at + 6 + length).take_while(|place| *place < data.len()));
            at += 6 + length;
        }
        if places.is_empty() {
            // A packed block, and no disk.
            places.extend(2..data.len());
        }
        places
    }

    /// Changes one place: a bit, or a number of two to eight bytes to what sums and products overflow with.
    fn change(data: &mut [u8], place: usize, random: &mut Random) {
        const HUGE: [u64; 6] = [
            1 << 63,
            u64::MAX,
            i64::MAX as u64,
            1 << 31,
            u32::MAX as u64,
            0,
        ];
        let width = [0, 0, 2, 4, 4, 8][random.below(6)].min(data.len() - place);
        if width == 0 {
            data[place] ^= 1 << random.below(8);
        } else {
            let value = HUGE[random.below(HUGE.len())];
            let bytes = if random.below(2) == 0 {
                value.to_le_bytes()
            } else {
                (value << (64 - 8 * width)).to_be_bytes()
            };
            data[place..place + width].copy_from_slice(&bytes[..width]);
        }
    }

    /// The files of every target's folder in a folder of `fuzz/`; `None` where that was not handed on.
    fn inputs(folder: &str) -> Option<Vec<(String, PathBuf)>> {
        let top = needs::repository("fuzz")?.join(folder);
        let list = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths
        };
        let of = |target: PathBuf| {
            let name = target.file_name().unwrap().to_str().unwrap().to_owned();
            let files = list(&target);
            files.into_iter().map(move |file| (name.clone(), file))
        };
        // Those of texts are `tests/mutated.rs`'s.
        let is_disk = |(target, _): &(String, PathBuf)| read(target, &[]);
        let found: Vec<_> = list(&top)
            .into_iter()
            .flat_map(of)
            .filter(is_disk)
            .collect();
        assert!(!found.is_empty(), "{} is empty", top.display());
        Some(found)
    }

    /// How many changed disks are read of each seed: more by TRANSVASE_HOSTILE.
    fn share() -> usize {
        let asked = std::env::var("TRANSVASE_HOSTILE").ok();
        asked.map_or(100, |share| share.parse().unwrap())
    }

    #[test]
    fn changed_disks_and_what_fuzzing_found_end_in_an_answer() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        for (target, path) in need!(inputs("findings")) {
            let data = fs::read(&path).unwrap();
            check(&target, &data, &path.display().to_string());
        }
        let share = share();
        let mut changed = vec![0; 0];
        let seeds = need!(inputs("seeds"));
        let targets: BTreeSet<&str> = seeds.iter().map(|(target, _)| target.as_str()).collect();
        assert!(targets.len() >= 24, "{targets:?}");
        for (target, path) in &seeds {
            let seed = fs::read(path).unwrap();
            let what = path.display().to_string();
            check(target, &seed, &what);
            let places = places(&seed);
            let mut random = Random(seed.len() as u64 | 1);
            for round in 0..share {
                changed.clone_from(&seed);
                for _ in 0..=random.below(3) {
                    // All over, and more often at the beginning, where the structures of structures are.
                    let end = places.len() >> (round % 3);
                    change(&mut changed, places[random.below(end)], &mut random);
                }
                check(target, &changed, &format!("{what}, round {round}"));
            }
            changed.truncate(seed.len() / 2);
            check(target, &changed, &format!("{what}, half of it"));
        }
        folder::remove();
    }

    /// An input of one disk in one piece of at most 64 KiB at a time.
    fn seed(disk: &[u8]) -> Vec<u8> {
        let mut seed = (disk.len() as u64).to_le_bytes().to_vec();
        for piece in disk.chunks(0xffff) {
            seed.extend([0; 4]);
            seed.extend(u16::try_from(piece.len()).unwrap().to_le_bytes());
            seed.extend(piece);
        }
        seed
    }

    fn put(disk: &mut Vec<u8>, at: usize, bytes: &[u8]) {
        disk.resize(disk.len().max(at + bytes.len()), 0);
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// A sparse VMDK of one grain of 64 KiB, packed by zlib.
    fn vmdk(packed: &[u8]) -> Vec<u8> {
        let mut disk = b"KDMV\x03\0\0\0".to_vec();
        put(&mut disk, 8, &0x3_0001_u32.to_le_bytes());
        for (at, sectors) in [(12, 128_u64), (20, 128), (56, 1), (64, 128)] {
            put(&mut disk, at, &sectors.to_le_bytes());
        }
        put(&mut disk, 44, &512_u32.to_le_bytes());
        put(&mut disk, 73, b"\n \r\n\x01\0");
        put(&mut disk, 512, &2_u32.to_le_bytes());
        put(&mut disk, 1024, &6_u32.to_le_bytes());
        put(
            &mut disk,
            3072 + 8,
            &u32::try_from(packed.len()).unwrap().to_le_bytes(),
        );
        put(&mut disk, 3072 + 12, packed);
        disk.resize(disk.len().next_multiple_of(512), 0);
        disk
    }

    /// A qcow2 of one cluster of 64 KiB, packed.
    fn qcow2(packed: &[u8], zstd: bool) -> Vec<u8> {
        let mut disk = b"QFI\xfb\0\0\0\x03".to_vec();
        put(&mut disk, 20, &16_u32.to_be_bytes());
        put(&mut disk, 24, &65536_u64.to_be_bytes());
        put(&mut disk, 36, &1_u32.to_be_bytes());
        put(&mut disk, 40, &65536_u64.to_be_bytes());
        put(&mut disk, 72, &if zstd { 8_u64 } else { 0 }.to_be_bytes());
        put(&mut disk, 100, &112_u32.to_be_bytes());
        put(&mut disk, 104, &[u8::from(zstd)]);
        put(&mut disk, 65536, &(2_u64 << 16).to_be_bytes());
        // Compressed, at 192 KiB, over as many sectors as an entry can say.
        let entry = 1_u64 << 62 | 255 << 54 | 3 << 16;
        put(&mut disk, 2 << 16, &entry.to_be_bytes());
        put(&mut disk, 3 << 16, packed);
        disk.resize(disk.len().next_multiple_of(512), 0);
        disk
    }

    #[test]
    fn bombs_are_unpacked_no_further_than_their_block() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let zeros = vec![0; 1 << 20];
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..100 {
            deflate.write_all(&zeros).unwrap();
            zlib.write_all(&zeros).unwrap();
        }
        let (deflate, zlib) = (deflate.finish().unwrap(), zlib.finish().unwrap());
        // A frame without its size, of blocks that say 128 KiB of the same byte in four bytes each.
        let block = [&(128_u32 << 13 | 1 << 1).to_le_bytes()[..3], b"z"].concat();
        let zstd = [b"\x28\xb5\x2f\xfd\0\x70".as_slice(), &block.repeat(30_000)].concat();
        // A frame that says that it holds 2^62 bytes.
        let large = [
            b"\x28\xb5\x2f\xfd\xe0".as_slice(),
            &(1_u64 << 62).to_le_bytes(),
            &block,
        ]
        .concat();
        for (target, disk, what) in [
            ("vmdk", vmdk(&zlib), "a grain of 100 MiB"),
            ("qcow2", qcow2(&deflate, false), "a cluster of 100 MiB"),
            ("qcow2", qcow2(&zstd, true), "a cluster of 4 GB"),
            ("qcow2", qcow2(&large, true), "a cluster of 2^62 bytes"),
        ] {
            check(target, &seed(&disk), what);
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join("image");
            fs::write(&path, disk).unwrap();
            let image = transvase::disk::image::open(&path, false).unwrap();
            assert_eq!(
                (image.format, image.device.size()),
                (target, 65536),
                "{what}"
            );
            let mut bytes = vec![1; 65536];
            let read = image.device.read_at(0, &mut bytes);
            // What the format's own unpacker would give, or a refusal.
            assert!(
                read.is_err() || bytes.iter().all(|byte| *byte == 0),
                "{what}"
            );
            assert_eq!(
                read.is_err(),
                what.contains("GB") || what.contains("2^62"),
                "{what}"
            );
        }
        folder::remove();
    }
}
