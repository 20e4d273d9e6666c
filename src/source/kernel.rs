//! File systems that are mounted below a directory source and are not the machine's disk.
//!
//! Asked only where the device changes on the way down, of statfs(2) and not of names: `/proc` of a chroot is as little a
//! disk as the running system's own, and a `/run` that lies on the disk is a directory like any other.

use rustix::fs::statfs;
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What lies below a mount point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mounted {
    /// A disk's file system.
    Disk,
    /// Made by the kernel or kept in memory: nothing of it is on a disk.
    Memory,
    /// Somebody else's files, which may answer slowly or never.
    Remote(&'static str),
}

/// Magic numbers of linux/magic.h and the file systems' own headers.
const MEMORY: [u32; 22] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x1cd1,      // devpts
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xf97c_ff8c, // selinuxfs
    0x6165_676c, // pstore
    0xcafe_4a11, // bpf
    0x9584_58f6, // hugetlbfs
    0x1980_0202, // mqueue
    0x6265_6570, // configfs
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0xde5e_81e4, // efivarfs
    0x6e73_6673, // nsfs
    0x6759_6969, // rpc_pipefs
    0x0187,      // autofs: looking into it would mount something
];

const REMOTE: [(u32, &str); 7] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
];

/// What is mounted at a directory of this system.
pub(super) fn mounted(path: &Path) -> Mounted {
    let Ok(found) = statfs(path) else {
        return Mounted::Disk;
    };
    // The kernel's type is a signed word of the machine; the magic is its low 32 bits.
    let bytes = found.f_type.to_le_bytes();
    let magic = bytes
        .first_chunk::<4>()
        .map(|low| u32::from_le_bytes(*low))
        .unwrap_or_default();
    if MEMORY.contains(&magic) {
        return Mounted::Memory;
    }
    match REMOTE.iter().find(|(known, _)| *known == magic) {
        Some((_, name)) => Mounted::Remote(name),
        None => Mounted::Disk,
    }
}

/// Where something is mounted below a directory of this system, by its real name (proc_pid_mountinfo(5)).
pub(super) fn mount_points(below: &Path) -> HashSet<PathBuf> {
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    let points = points.map(|point| PathBuf::from(OsString::from_vec(unescape(point))));
    points.filter(|point| point.starts_with(below)).collect()
}

/// `\040` is a space.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(code) = code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            out.push(code);
            rest = after.get(3..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_is_known_by_its_name() {
        assert!(mount_points(Path::new("/")).contains(Path::new("/proc")));
        assert!(mount_points(Path::new("/proc/self")).is_empty());
        assert_eq!(unescape(b"/a\\040b\\134\\"), b"/a b\\\\");
    }

    #[test]
    fn proc_is_memory_and_a_folder_is_disk() {
        assert_eq!(mounted(Path::new("/proc")), Mounted::Memory);
        assert_eq!(
            mounted(Path::new(env!("CARGO_MANIFEST_DIR"))),
            Mounted::Disk
        );
    }
}
