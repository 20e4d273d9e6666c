//! What the tests of file systems share: devices, an odd tree, and a listing that a directory and an image can both give.

use crate::needs;
use rustix::fs::{FileType, Mode};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use transvase::disk::{BlockDevice, DiskError, FileKind, FileSystem, NodeId};

/// An image in a file.
pub struct RawFile(File, u64);

impl RawFile {
    pub fn open(path: &Path) -> Arc<dyn BlockDevice> {
        let file = File::open(path).unwrap();
        let size = file.metadata().unwrap().len();
        Arc::new(Self(file, size))
    }
}

impl BlockDevice for RawFile {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        Ok(self.0.read_exact_at(buf, offset)?)
    }
}

/// An image in memory.
pub struct Bytes(pub Vec<u8>);

impl BlockDevice for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let len = buf.len() as u64;
        let size = self.size();
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = from
            .checked_add(buf.len())
            .and_then(|end| self.0.get(from..end))
            .ok_or(DiskError::OutOfBounds { offset, len, size })?;
        buf.copy_from_slice(bytes);
        Ok(())
    }
}

/// Runs a tool and expects it to succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// A disk of the public test material, decompressed; `None` where there is none.
pub fn corpus(name: &str) -> Option<Arc<dyn BlockDevice>> {
    let path = needs::corpus(&format!("disk/{name}"))?;
    let packed = fs::read(&path).unwrap();
    let mut bytes = Vec::new();
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => {
            let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
            reader.read_to_end(&mut bytes).unwrap();
        }
        Some("zst") => {
            let mut reader = zrip_decode::streaming::FrameDecoder::new(packed.as_slice());
            reader.read_to_end(&mut bytes).unwrap();
        }
        _ => bytes = packed,
    }
    Some(Arc::new(Bytes(bytes)))
}

/// The node at a path below the root.
pub fn find(fs: &dyn FileSystem, path: &str) -> NodeId {
    path.split('/').fold(fs.root(), |node, name| {
        let mut found = None;
        fs.read_dir(node, &mut |entry| {
            if entry.name == name.as_bytes() {
                found = Some(entry.node);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        found.unwrap()
    })
}

/// The whole content of a file.
pub fn whole(fs: &dyn FileSystem, path: &str) -> Vec<u8> {
    let node = find(fs, path);
    let size = usize::try_from(fs.stat(node).unwrap().size).unwrap();
    let mut bytes = vec![0xaa; size + 10];
    assert_eq!(fs.read_at(node, 0, &mut bytes).unwrap(), size);
    bytes.truncate(size);
    bytes
}

/// What one node is, as far as an image maker carries it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub kind: FileKind,
    pub mode: u32,
    pub owner: (u32, u32),
    /// Whole seconds: the makers drop the rest.
    pub mtime: i64,
    /// Bytes and links; not of directories, which each file system counts its own way.
    pub size_and_links: Option<(u64, u64)>,
    /// A digest of the content, or a link's target.
    pub content: String,
    /// Of the user's name space, which any user may write.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

pub type Listing = BTreeMap<Vec<u8>, Node>;

/// Large files are compared by windows: a 5 GiB hole is not read twice.
fn windows(size: u64) -> Vec<(u64, u64)> {
    const WHOLE: u64 = 32 << 20;
    const WINDOW: u64 = 1 << 20;
    if size <= WHOLE {
        return vec![(0, size)];
    }
    let last = size - WINDOW - 17;
    let mut windows = vec![
        (0, WINDOW),
        (1 << 30, WINDOW),
        (4 << 30, WINDOW),
        (last, WINDOW + 17),
    ];
    windows.retain(|(from, length)| from + length <= size);
    windows
}

pub fn digest(size: u64, mut read: impl FnMut(u64, &mut [u8])) -> String {
    let mut digest = Sha256::new();
    for (from, length) in windows(size) {
        let mut at = from;
        let mut buf = vec![0; 96 * 1024 + 13];
        while at < from + length {
            let most = usize::try_from(from + length - at).unwrap().min(buf.len());
            read(at, &mut buf[..most]);
            digest.update(&buf[..most]);
            at += most as u64;
        }
    }
    let hex = digest
        .finalize()
        .into_iter()
        .map(|byte| format!("{byte:02x}"));
    hex.collect::<String>()
}

/// Everything below the root of a file system, `lost+found` left out.
pub fn of_file_system(fs: &dyn FileSystem) -> Listing {
    let mut listing = Listing::new();
    let mut open = vec![(Vec::new(), fs.root())];
    while let Some((path, node)) = open.pop() {
        if fs.stat(node).unwrap().kind == FileKind::Directory {
            fs.read_dir(node, &mut |entry| {
                let name = [path.as_slice(), b"/", &entry.name].concat();
                if name != b"/lost+found" {
                    open.push((name, entry.node));
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        }
        if !path.is_empty() {
            listing.insert(path, in_file_system(fs, node));
        }
    }
    listing
}

fn in_file_system(fs: &dyn FileSystem, node: NodeId) -> Node {
    let stat = fs.stat(node).unwrap();
    let content = match stat.kind {
        FileKind::File => digest(stat.size, |at, buf| {
            assert_eq!(fs.read_at(node, at, buf).unwrap(), buf.len());
        }),
        FileKind::Symlink => String::from_utf8(fs.read_link(node).unwrap()).unwrap(),
        _ => String::new(),
    };
    let xattrs = fs.xattrs(node).unwrap().into_iter();
    Node {
        kind: stat.kind,
        mode: stat.mode,
        owner: (stat.uid, stat.gid),
        mtime: stat.mtime.0,
        size_and_links: (stat.kind != FileKind::Directory)
            .then_some((stat.size, u64::from(stat.links))),
        content,
        xattrs: xattrs
            .filter(|(name, _)| name.starts_with(b"user."))
            .collect(),
    }
}

/// Everything below a directory.
pub fn of_directory(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
            listing.insert([b"/", name].concat(), in_directory(&path));
            if path.symlink_metadata().unwrap().is_dir() {
                open.push(path);
            }
        }
    }
    listing
}

fn in_directory(path: &Path) -> Node {
    let meta = path.symlink_metadata().unwrap();
    let (kind, content) = if meta.is_dir() {
        (FileKind::Directory, String::new())
    } else if meta.is_symlink() {
        let target = fs::read_link(path).unwrap();
        (
            FileKind::Symlink,
            target.into_os_string().into_string().unwrap(),
        )
    } else if meta.file_type().is_fifo() {
        (FileKind::Fifo, String::new())
    } else {
        let mut file = File::open(path).unwrap();
        let content = digest(meta.len(), |at, buf| {
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(buf).unwrap();
        });
        (FileKind::File, content)
    };
    Node {
        kind,
        mode: meta.mode() & 0o7777,
        owner: (meta.uid(), meta.gid()),
        mtime: meta.mtime(),
        size_and_links: (!meta.is_dir()).then_some((meta.size(), meta.nlink())),
        content,
        xattrs: xattrs(path),
    }
}

fn xattrs(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = [0; 4096];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else {
        return Vec::new();
    };
    let mut found: Vec<_> = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| name.starts_with(b"user."))
        .map(|name| {
            let mut value = [0; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap();
            (name.to_vec(), value[..length].to_vec())
        })
        .collect();
    found.sort();
    found
}

/// Fails with the names that differ.
pub fn assert_same(expected: &Listing, found: &Listing, what: &str) {
    let names: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let different: Vec<_> = names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            let name_text = String::from_utf8_lossy(name).into_owned();
            (name_text, expected.get(name), found.get(name))
        })
        .take(5)
        .collect();
    assert!(different.is_empty(), "{what}: {different:#?}");
    assert!(
        expected.len() > 500,
        "{what}: the tree is too small to say anything"
    );
}

/// Bytes that no compression or coincidence would bring about.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

/// A tree of what readers get wrong: lengths at the edges of blocks and inline space, holes, long names, many entries.
pub fn odd_tree(root: &Path) {
    let folder = |name: &str| {
        let path = root.join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let sizes = folder("sizes");
    for size in [
        0,
        1,
        59,
        60,
        61,
        100,
        155,
        156,
        157,
        1023,
        1024,
        1025,
        4095,
        4096,
        4097,
        12 * 1024,
        12 * 1024 + 1,
        12 * 4096 + 1,
        65536,
        268 * 1024 + 5,
        1 << 20,
    ] {
        fs::write(sizes.join(size.to_string()), noise(size as u64, size)).unwrap();
    }
    let many = folder("many");
    for at in 0..900 {
        fs::write(
            many.join(format!("a-file-with-a-rather-long-name-{at:04}")),
            at.to_string(),
        )
        .unwrap();
    }
    let mut deep = folder("deep");
    for level in 0..40 {
        deep.push(level.to_string());
        fs::create_dir(&deep).unwrap();
    }
    let names = folder("names");
    fs::write(names.join("x".repeat(255)), "long").unwrap();
    fs::write(
        names.join(std::ffi::OsStr::from_bytes(b"\xff\xfe\nodd ")),
        "odd",
    )
    .unwrap();
    fs::hard_link(sizes.join("4096"), names.join("hard")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        names.join("fifo"),
        FileType::Fifo,
        Mode::from(0o640),
        0,
    )
    .unwrap();
    for length in [1, 20, 59, 60, 100, 155, 255, 1000] {
        symlink("t".repeat(length), names.join(format!("link-{length}"))).unwrap();
    }
    fs::set_permissions(sizes.join("1"), fs::Permissions::from_mode(0o6751)).unwrap();
    fs::set_permissions(folder("sticky"), fs::Permissions::from_mode(0o1777)).unwrap();
    holes(&folder("holes"));
    attributes(&sizes);
}

/// Files with holes at every level of a block map, one beyond 4 GiB, and one of many fragments.
fn holes(folder: &Path) {
    let write = |name: &str, size: u64, at: &[u64]| {
        let file = File::create(folder.join(name)).unwrap();
        for offset in at {
            file.write_all_at(&noise(*offset, 3000), *offset).unwrap();
        }
        file.set_len(size).unwrap();
    };
    write("nothing", 10 << 20, &[]);
    write("single", 1 << 20, &[5 * 1024, 700 * 1024]);
    write("double", 31 << 20, &[100, (12 + 256 + 256 * 3) * 1024 + 17]);
    write(
        "beyond-4-gib",
        (5 << 30) + 123,
        &[0, 1 << 30, (4 << 30) + 7, (5 << 30) - 3000],
    );
    let fragments: Vec<u64> = (0..600).map(|at| at * 13 * 1024).collect();
    write("fragments", 9 << 20, &fragments);
}

/// Small, empty and large attributes, where the tree's own file system takes them: all else is compared without.
fn attributes(folder: &Path) {
    let all: &[(&str, &str, Vec<u8>)] = &[
        ("100", "user.small", b"v".to_vec()),
        ("100", "user.empty", Vec::new()),
        ("156", "user.medium", noise(1, 300)),
        ("1024", "user.large", noise(2, 700)),
        ("1024", "user.second", noise(3, 40)),
    ];
    let taken = needs::user_attributes(folder).map_or(&all[..0], |()| all);
    let flags = rustix::fs::XattrFlags::empty();
    for (file, name, value) in taken {
        let set = rustix::fs::lsetxattr(folder.join(file), *name, value, flags);
        // A file system of small blocks has no room for all of them.
        assert!(matches!(set, Ok(()) | Err(Errno::NOSPC)), "{name}: {set:?}");
    }
}

/// Changes bytes here and there in an image, the same ones for the same seed, and reads all that can be read.
pub fn read_damaged(
    image: &[u8],
    seeds: std::ops::Range<u64>,
    keep: std::ops::Range<usize>,
    open: impl Fn(Arc<dyn BlockDevice>) -> Result<Box<dyn FileSystem>, DiskError>,
) -> usize {
    let mut opened = 0;
    let block = |at: usize| &image[at * 512..(at + 1) * 512];
    // Where some bytes are zero and some are not, there is likely a structure.
    let structures: Vec<usize> = (0..image.len() / 512)
        .filter(|at| {
            let zeros = block(*at).iter().map(|byte| usize::from(*byte == 0));
            (32..500).contains(&zeros.sum::<usize>())
        })
        .collect();
    for seed in seeds {
        let mut bytes = image.to_vec();
        let noise = noise(seed + 1, 4 * 60);
        for change in noise.chunks(4).take(if seed % 2 == 0 { 60 } else { 3 }) {
            let wide = usize::from(change[0]) << 8 | usize::from(change[1]);
            let within = structures[wide.wrapping_mul(31) % structures.len()] * 512;
            bytes[within + usize::from(change[2]) * 2 % 512] = change[3];
        }
        if seed % 3 != 0 {
            bytes[keep.clone()].copy_from_slice(&image[keep.clone()]);
        }
        if let Ok(fs) = open(Arc::new(Bytes(bytes))) {
            opened += 1;
            read_everything(&*fs);
        }
    }
    opened
}

/// Reads what can be read, errors passed over; every node once.
fn read_everything(fs: &dyn FileSystem) {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![fs.root()];
    let mut buf = vec![0; 1 << 16];
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        let _ = fs.read_dir(node, &mut |entry| {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
            open.push(entry.node);
            ControlFlow::Continue(())
        });
        let _ = (fs.stat(node), fs.read_link(node), fs.xattrs(node));
        for at in [0, 1 << 16, 1 << 40, u64::MAX - 5] {
            let _ = fs.read_at(node, at, &mut buf);
        }
    }
}
