//! Arrays whose superblocks are written here, by the offsets that the kernel's header documents: making real ones needs a
//! kernel with md. Where mdadm is installed it says what it makes of them.

#[cfg(test)]
#[expect(dead_code, reason = "the tests of file systems use the rest")]
mod disk_support;

#[cfg(test)]
mod needs;

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths and numbers made here are small, and a sum's carry was added"
)]
mod tests {
    use super::disk_support::{Bytes, corpus, noise, run};
    use super::needs::{need, tool};
    use proptest::prelude::*;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::Arc;
    use transvase::disk::contents::Contents;
    use transvase::disk::open::{Disk, OpenOptions};
    use transvase::disk::{BlockDevice, md};

    /// Bytes of a member's data before its superblock is put around it.
    const KIB: usize = 1024;

    /// What the superblock of one member says.
    #[derive(Clone)]
    struct Member {
        /// 90, or 0, 1, 2 of version 1.
        minor: u32,
        /// Of the array, its bytes all alike; of version 1.
        uuid: u8,
        level: i32,
        layout: u32,
        /// Bytes.
        chunk: usize,
        members: u32,
        /// Its number, and the roles by number.
        number: usize,
        roles: Vec<u16>,
        /// Bytes used of each.
        used: usize,
        events: u32,
        features: u32,
        data: Vec<u8>,
    }

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn put32(bytes: &mut [u8], at: usize, value: u32) {
        put(bytes, at, &value.to_le_bytes());
    }

    fn put64(bytes: &mut [u8], at: usize, value: usize) {
        put(bytes, at, &(value as u64).to_le_bytes());
    }

    fn word_sum(bytes: &[u8]) -> u32 {
        let words = bytes.chunks(4).map(|word| {
            let mut whole = [0; 4];
            whole[..word.len()].copy_from_slice(word);
            u64::from(u32::from_le_bytes(whole))
        });
        let sum: u64 = words.sum();
        ((sum & 0xffff_ffff) + (sum >> 32)) as u32
    }

    impl Member {
        fn disk(&self) -> Vec<u8> {
            if self.minor == 90 {
                self.of_version_0()
            } else {
                self.of_version_1()
            }
        }

        /// Version 1.0 behind the data, 1.1 and 1.2 before it.
        fn of_version_1(&self) -> Vec<u8> {
            let length = self.data.len();
            let (block_at, data_at, size) = match self.minor {
                0 => (length, 0, length + 8 * KIB),
                1 => (0, 64 * KIB, length + 64 * KIB),
                _ => (4 * KIB, 64 * KIB, length + 64 * KIB),
            };
            let mut block = vec![0; 256 + 2 * self.roles.len()];
            put32(&mut block, 0, 0xa92b_4efc);
            put32(&mut block, 4, 1);
            put32(&mut block, 8, self.features);
            put(&mut block, 16, &[self.uuid; 16]);
            put(&mut block, 32, b"machine:data");
            put32(&mut block, 72, self.level.cast_unsigned());
            put32(&mut block, 76, self.layout);
            put64(&mut block, 80, self.used / 512);
            put32(&mut block, 88, (self.chunk / 512) as u32);
            put32(&mut block, 92, self.members);
            put64(&mut block, 128, data_at / 512);
            put64(&mut block, 136, length / 512);
            put64(&mut block, 144, block_at / 512);
            put32(&mut block, 160, self.number as u32);
            put64(&mut block, 200, self.events as usize);
            put(&mut block, 208, &[0xff; 8]);
            put32(&mut block, 220, self.roles.len() as u32);
            for (at, role) in self.roles.iter().enumerate() {
                put(&mut block, 256 + 2 * at, &role.to_le_bytes());
            }
            let sum = word_sum(&block);
            put32(&mut block, 216, sum);
            let mut disk = vec![0; size];
            put(&mut disk, data_at, &self.data);
            put(&mut disk, block_at, &block);
            disk
        }

        /// Version 0.90: in the last whole 64 KiB.
        fn of_version_0(&self) -> Vec<u8> {
            let length = self.data.len();
            assert_eq!(length % (64 * KIB), 0);
            let mut block = vec![0; 4 * KIB];
            put32(&mut block, 0, 0xa92b_4efc);
            put32(&mut block, 8, 90);
            put(&mut block, 20, &[0x22; 4]);
            put32(&mut block, 28, self.level.cast_unsigned());
            put32(&mut block, 32, (self.used / KIB) as u32);
            put32(&mut block, 36, self.roles.len() as u32);
            put32(&mut block, 40, self.members);
            put32(&mut block, 44, 3);
            put(&mut block, 52, &[0x22; 12]);
            put32(&mut block, 156, self.events);
            put32(&mut block, 260, self.chunk as u32);
            for (number, role) in self.roles.iter().enumerate() {
                let mut descriptor = [0; 20];
                put32(&mut descriptor, 0, number as u32);
                put32(&mut descriptor, 12, u32::from(*role));
                // Active and in sync, or neither.
                put32(&mut descriptor, 16, if *role < 0xfffd { 6 } else { 0 });
                put(&mut block, 512 + 128 * number, &descriptor);
                if number == self.number {
                    put(&mut block, 3968, &descriptor);
                }
            }
            let sum = word_sum(&block);
            put32(&mut block, 152, sum);
            let mut disk = self.data.clone();
            disk.extend(block);
            // Disks need not end where such a space does.
            disk.resize(length + 64 * KIB + 3 * KIB, 0);
            disk
        }
    }

    /// All members of an array, each with its data.
    fn members(minor: u32, level: i32, chunk: usize, data: Vec<Vec<u8>>) -> Vec<Member> {
        let count = u16::try_from(data.len()).unwrap();
        let used = data.iter().map(Vec::len).min().unwrap();
        let with = |(number, data)| Member {
            minor,
            uuid: 0x11,
            level,
            layout: 0,
            chunk,
            members: u32::from(count),
            number,
            roles: (0..count).collect(),
            used,
            events: 20,
            features: 0,
            data,
        };
        data.into_iter().enumerate().map(with).collect()
    }

    fn assemble(members: &[Member]) -> md::Assembled {
        let device = |member: &Member| Arc::new(Bytes(member.disk())) as Arc<dyn BlockDevice>;
        let devices: Vec<_> = members.iter().map(device).collect();
        md::assemble(&devices, &[])
    }

    fn read(device: &dyn BlockDevice) -> Vec<u8> {
        let mut whole = vec![0xaa; usize::try_from(device.size()).unwrap()];
        // In odd pieces, over every boundary.
        for (number, piece) in whole.chunks_mut(7001).enumerate() {
            device.read_at(number as u64 * 7001, piece).unwrap();
        }
        whole
    }

    fn assert_array(members: &[Member], name: &str, expected: &[u8]) {
        let assembled = assemble(members);
        assert!(
            assembled
                .members
                .iter()
                .all(|found| found.as_deref() == Ok(name)),
            "{:?}",
            assembled.members
        );
        assert_eq!(assembled.arrays.len(), 1);
        assert_eq!(assembled.arrays[0].name, name);
        assert!(read(&assembled.arrays[0].device) == expected);
    }

    /// Why every member is a part of nothing.
    fn refused(members: &[Member]) -> String {
        let assembled = assemble(members);
        assert!(assembled.arrays.is_empty());
        assembled.members.into_iter().next().unwrap().unwrap_err()
    }

    const MINORS: [(u32, &str); 4] = [(0, "md/data"), (1, "md/data"), (2, "md/data"), (90, "md3")];

    #[test]
    fn any_mirror_that_is_up_to_date_will_do() {
        for (minor, name) in MINORS {
            let content = noise(1, 256 * KIB);
            let stale = vec![0; 256 * KIB];
            let mut both = members(minor, 1, 0, vec![content.clone(), content.clone()]);
            assert_array(&both, name, &content);
            assert_array(&both[1..], name, &content);
            // The first was away while the second was written to.
            both[0].data = stale;
            both[0].events = 10;
            assert_array(&both, name, &content);
            // A spare is a member too, and holds nothing.
            both[0].roles[0] = 0xffff;
            assert_array(&both, name, &content);
            let why = refused(&both[..1]);
            assert!(why.contains("up to date") && why.contains(name), "{why}");
        }
        // Half filled after it was added: an in-sync one is elsewhere.
        let mut both = members(2, 1, 0, vec![noise(2, 128 * KIB), noise(1, 128 * KIB)]);
        both[0].features = 2;
        assert_array(&both, "md/data", &noise(1, 128 * KIB));
    }

    #[test]
    fn linear_arrays_are_one_member_after_the_other() {
        for (minor, name) in MINORS {
            let data = [noise(1, 128 * KIB), noise(2, 320 * KIB), noise(3, 64 * KIB)];
            let mut all = members(minor, -1, 64 * KIB, data.to_vec());
            all.swap(0, 2);
            assert_array(&all, name, &data.concat());
            let why = refused(&all[1..]);
            assert!(why.contains("2 of its 3 members"), "{why}");
        }
    }

    /// Writes row by row: each member that has a chunk left takes the next; or, as old kernels did, the chunk with a number
    /// goes to the member of that number.
    fn striped(lengths: &[usize], chunk: usize, original: bool) -> (Vec<Vec<u8>>, Vec<u8>) {
        let total: usize = lengths.iter().map(|length| length / chunk * chunk).sum();
        let content = noise(9, total);
        let mut data: Vec<Vec<u8>> = vec![Vec::new(); lengths.len()];
        let mut number = 0;
        while number * chunk < total {
            let row = data[0]
                .len()
                .max(data[lengths.len() - 1].len())
                .max(data[1].len());
            let able: Vec<usize> = (0..lengths.len())
                .filter(|at| lengths[*at] / chunk * chunk > row)
                .collect();
            let first = number;
            for turn in 0..able.len() {
                let taker = if original {
                    able[(first + turn) % able.len()]
                } else {
                    able[turn]
                };
                data[taker].extend(&content[number * chunk..][..chunk]);
                number += 1;
            }
        }
        for (data, length) in data.iter_mut().zip(lengths) {
            data.resize(*length, 0xee);
        }
        (data, content)
    }

    #[test]
    fn stripes_go_in_turn() {
        for (minor, name) in MINORS {
            for chunk in [4 * KIB, 12 * KIB, 64 * KIB] {
                let (data, content) = striped(&[192 * KIB; 3], chunk, false);
                let mut all = members(minor, 0, chunk, data);
                assert_array(&all, name, &content);
                all.pop();
                assert!(refused(&all).contains("2 of its 3 members"));
            }
        }
    }

    #[test]
    fn members_of_different_lengths_are_striped_in_zones() {
        let lengths = [192 * KIB, 72 * KIB, 324 * KIB];
        for (original, layout) in [(true, 1), (false, 2)] {
            let (data, content) = striped(&lengths, 8 * KIB, original);
            let mut all = members(2, 0, 8 * KIB, data);
            let why = refused(&all);
            assert!(why.contains("which of two layouts"), "{why}");
            for member in &mut all {
                member.layout = layout;
                member.features = 4096;
            }
            assert_array(&all, "md/data", &content);
        }
        let (data, content) = striped(&lengths, 8 * KIB, true);
        let (other, same) = striped(&lengths, 8 * KIB, false);
        assert!(content == same && data != other, "the layouts differ");
    }

    #[test]
    fn what_is_not_put_together_is_named() {
        let data = || vec![noise(1, 64 * KIB), noise(2, 64 * KIB), noise(3, 64 * KIB)];
        for (level, said) in [
            (5, "RAID 5"),
            (6, "RAID 6"),
            (10, "RAID 10"),
            (-4, "multipath"),
            (77, "kind 77"),
        ] {
            let why = refused(&members(2, level, 4096, data()));
            assert!(why.contains(said) && why.contains("md/data"), "{why}");
        }
        let broken = |change: fn(&mut Member)| {
            let mut all = members(2, 0, 4096, data());
            all.iter_mut().for_each(change);
            refused(&all)
        };
        assert!(broken(|member| member.features = 4).contains("another shape"));
        assert!(broken(|member| member.features = 1 << 20).contains("newer version"));
        assert!(broken(|member| member.chunk = 0).contains("stripes of 0 bytes"));
        assert!(broken(|member| member.members = u32::MAX).contains("members"));
        let mut one = members(2, 1, 0, vec![noise(1, 64 * KIB)]);
        one[0].used = 1 << 40;
        assert!(refused(&one).contains("smaller than"));
        one[0].used = usize::MAX & !511;
        assert!(
            refused(&one).contains("smaller than") || refused(&one).contains("beyond any disk")
        );
        let mut disk = members(2, 1, 0, vec![noise(1, 64 * KIB)])[0].disk();
        disk[4096 + 80] ^= 1;
        let found = md::assemble(&[Arc::new(Bytes(disk)) as _], &[]);
        assert!(found.members[0].as_ref().unwrap_err().contains("checksum"));
    }

    #[test]
    fn mdadm_reads_these_superblocks_alike() {
        let mdadm = need!(tool("mdadm"));
        let folder = tempfile::tempdir().unwrap();
        for (minor, version) in [(0, "1.0"), (1, "1.1"), (2, "1.2"), (90, "0.90.00")] {
            let path = folder.path().join(format!("disk{minor}"));
            let content = noise(1, 256 * KIB);
            let all = members(minor, 1, 0, vec![content.clone(), content]);
            fs::write(&path, all[1].disk()).unwrap();
            let output = Command::new(&mdadm)
                .arg("--examine")
                .arg(&path)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let has = |key: &str, value: &str| {
                let mut lines = text.lines().filter_map(|line| line.split_once(" : "));
                lines.any(|(name, held)| name.trim() == key && held.starts_with(value))
            };
            let checksum = text
                .lines()
                .any(|line| line.contains("Checksum") && line.contains("correct"));
            let named = minor == 90 || has("Name", "machine:data");
            assert!(
                checksum && named && has("Version", version) && has("Raid Level", "raid1"),
                "{text}"
            );
        }
    }

    fn save(folder: &Path, members: &[Member]) -> Vec<PathBuf> {
        let save = |(number, member): (usize, &Member)| {
            let path = folder.join(format!("disk{number}"));
            fs::write(&path, member.disk()).unwrap();
            path
        };
        members.iter().enumerate().map(save).collect()
    }

    fn ext4(folder: &Path, size: u64) -> Option<Vec<u8>> {
        let mkfs = tool("mkfs.ext4")?;
        let path = folder.join("ext4");
        fs::File::create(&path).unwrap().set_len(size).unwrap();
        run(Command::new(mkfs).args(["-q", "-L", "inside"]).arg(&path));
        Some(fs::read(path).unwrap())
    }

    fn summary(paths: &[PathBuf]) -> Vec<String> {
        let closed = OpenOptions {
            allow_outside: false,
        };
        let disk = Disk::open(paths, &closed).unwrap();
        let line = |volume: &transvase::disk::open::Volume| {
            let contents = match &volume.contents {
                Contents::FileSystem(fs) => format!("{} {}", fs.info().kind, fs.info().label),
                Contents::Part { of, .. } => format!("of {of}"),
                Contents::Recognised { kind, why, .. } => format!("({kind}) {why}"),
                other => format!("{other:?}"),
            };
            format!("{} {} {contents}", volume.device, volume.kind.name())
        };
        disk.volumes.iter().map(line).collect()
    }

    /// A disk with one partition of the old kind, from 64 KiB on.
    fn partitioned(content: &[u8], behind: usize) -> Vec<u8> {
        let mut disk = vec![0; 64 * KIB];
        put(&mut disk, 446, &[0, 0, 0, 0, 0x83, 0, 0, 0]);
        put32(&mut disk, 454, 128);
        put32(&mut disk, 458, (content.len() / 512) as u32);
        put(&mut disk, 510, &[0x55, 0xaa]);
        disk.extend(content);
        disk.resize(disk.len() + behind, 0);
        disk
    }

    #[test]
    fn an_array_is_looked_into_like_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        let content = need!(ext4(folder.path(), 2 << 20));
        // Over whole disks, the file system in the array itself.
        let all = members(2, 1, 0, vec![content.clone(), content.clone()]);
        let paths = save(folder.path(), &all);
        let expected = [
            "sda disk of md/data",
            "sdb disk of md/data",
            "md/data array ext4 inside",
        ];
        assert_eq!(summary(&paths), expected);
        // A partitioned mirror begins like a partitioned disk, in both versions that keep to the end.
        for (minor, name, partition) in [(0, "md/data", "md/data1"), (90, "md3", "md3p1")] {
            let inside = partitioned(&content, 64 * KIB);
            let all = members(minor, 1, 0, vec![inside.clone(), inside]);
            let paths = save(folder.path(), &all);
            let part = |disk: &str| format!("{disk} disk of {name}");
            let expected = [
                part("sda"),
                part("sdb"),
                format!("{partition} partition ext4 inside"),
            ];
            assert_eq!(summary(&paths), expected);
        }
        // A member in the last partition of a disk ends where the disk ends.
        for minor in [0, 2, 90] {
            let member = |number: usize| {
                members(minor, 1, 0, vec![content.clone(), content.clone()])[number].disk()
            };
            let save = |number: usize| {
                let path = folder.path().join(format!("whole{number}"));
                fs::write(&path, partitioned(&member(number), 0)).unwrap();
                path
            };
            let paths = [save(0), save(1)];
            let name = if minor == 90 { "md3" } else { "md/data" };
            let part = |disk: &str| format!("{disk}1 partition of {name}");
            let expected = [
                part("sda"),
                part("sdb"),
                format!("{name} array ext4 inside"),
            ];
            assert_eq!(summary(&paths), expected, "{minor}");
        }
        let all = members(2, 5, 4096, vec![content.clone(), content.clone(), content]);
        let lines = summary(&save(folder.path(), &all));
        assert!(
            lines.len() == 3
                && lines[0].contains("(linux_raid_member)")
                && lines[0].contains("RAID 5"),
            "{lines:?}"
        );
    }

    #[test]
    fn volume_groups_and_arrays_lie_on_arrays() {
        let public = need!(corpus("lvm.raw.gz"));
        let mut group = vec![0; usize::try_from(public.size()).unwrap()];
        public.read_at(0, &mut group).unwrap();
        let volume = "mapper/test_volume_group-test_logical_volume1 logical-volume ext2 ext2_test";
        let folder = tempfile::tempdir().unwrap();
        // A mirror that keeps to the end has the label of the group in the place of the disk's own.
        for (minor, name) in MINORS {
            let all = members(minor, 1, 0, vec![group.clone(), group.clone()]);
            let lines = summary(&save(folder.path(), &all));
            let part = |disk: &str| format!("{disk} disk of {name}");
            let array = format!("{name} array of test_volume_group");
            assert_eq!(
                lines[..4],
                [part("sda"), part("sdb"), array, volume.to_owned()]
            );
        }
        // A stripe of mirrors.
        let chunk = 64 * KIB;
        let half = |first: usize| {
            let chunks = group.chunks(chunk).skip(first).step_by(2);
            chunks.flatten().copied().collect::<Vec<u8>>()
        };
        let stripes = members(1, 0, chunk, vec![half(0), half(1)]);
        let mut paths = Vec::new();
        for (number, stripe) in stripes.iter().enumerate() {
            let mut mirror = members(2, 1, 0, vec![stripe.disk(), stripe.disk()]);
            for (leg, member) in mirror.iter_mut().enumerate() {
                member.uuid = u8::try_from(number).unwrap();
                let path = folder.path().join(format!("leg{number}{leg}"));
                fs::write(&path, member.disk()).unwrap();
                paths.push(path);
            }
        }
        let lines = summary(&paths);
        assert_eq!(lines.len(), 9, "{lines:?}");
        assert!(
            lines[6].ends_with("array of test_volume_group") && lines[7] == volume,
            "{lines:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn damaged_superblocks_end(
            minor in prop::sample::select(vec![0_u32, 1, 2, 90]),
            level in -1_i32..2,
            changes in prop::collection::vec((4_usize..300, any::<u8>()), 1..5),
            old in prop::collection::vec((4_usize..1024, any::<u8>()), 1..5),
        ) {
            let (data, _) = striped(&[64 * KIB; 3], 4 * KIB, false);
            let all = members(minor, level, 4 * KIB, data);
            let device = |member: &Member| {
                let mut disk = member.disk();
                let at = match minor { 1 => 0, 2 => 4096, _ => 64 * KIB };
                let changes = if minor == 90 { &old } else { &changes };
                for (within, byte) in changes {
                    disk[at + within] = *byte;
                }
                // The checksum is no obstacle to somebody who means it.
                let (own, length) = if minor == 90 { (152, 4096) } else { (216, 262) };
                put32(&mut disk, at + own, 0);
                let sum = word_sum(&disk[at..at + length]);
                put32(&mut disk, at + own, sum);
                Arc::new(Bytes(disk)) as Arc<dyn BlockDevice>
            };
            let devices: Vec<_> = all.iter().map(device).collect();
            let assembled = md::assemble(&devices, &[]);
            prop_assert_eq!(assembled.members.len(), 3);
            for array in assembled.arrays {
                let size = array.device.size();
                for offset in [0, size / 2, size.saturating_sub(9000)] {
                    let _ = array.device.read_at(offset, &mut [0; 9000]);
                }
            }
        }
    }
}
