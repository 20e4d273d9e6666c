//! Makes the seed of a file system smaller: whatever can be zero, and every answer about the tree stays the same, becomes
//! zero. What makers write is mostly for writers: free inodes, bitmaps, logs.
//!
//! usage: trim SEED...

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;
use transvase_fuzz::disk::contents::{Contents, contents};
use transvase_fuzz::disk::BlockDevice;
use transvase_fuzz::harness::input::{self, END};

/// Bytes that go or stay together, and zeros between two pieces that cost no more than a piece's head.
const GRAIN: usize = 32;
const HEAD: u64 = 6;

type Pieces = Vec<(u64, Vec<u8>)>;

fn encode(size: u64, pieces: &Pieces) -> Vec<u8> {
    let mut seed = size.to_le_bytes().to_vec();
    let mut last = 0;
    for (at, bytes) in pieces {
        seed.extend(u32::try_from(at - last).expect("a gap").to_le_bytes());
        seed.extend(u16::try_from(bytes.len()).expect("a piece").to_le_bytes());
        seed.extend(bytes);
        last = at + bytes.len() as u64;
    }
    seed.extend(END.to_le_bytes());
    seed
}

/// Everything that the tree answers; nothing where it is not read.
fn answers(seed: &[u8]) -> Option<u64> {
    let part = input::parts(seed).into_iter().next()?;
    let device: Arc<dyn BlockDevice> = Arc::new(part);
    let Contents::FileSystem(fs) = contents(&device) else {
        return None;
    };
    let mut hasher = DefaultHasher::new();
    format!("{:?}", fs.info()).hash(&mut hasher);
    let volumes = fs.subvolumes();
    format!("{volumes:?}").hash(&mut hasher);
    let mut open: Vec<_> = volumes.into_iter().map(|volume| volume.root).collect();
    open.push(fs.root());
    let mut seen = HashSet::new();
    let mut content = vec![0; 1 << 20];
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            let listed = fs.read_dir(node, &mut |entry| {
                (&entry.name, entry.node).hash(&mut hasher);
                open.push(entry.node);
                ControlFlow::Continue(())
            });
            listed.is_ok().hash(&mut hasher);
            let read = fs.read_at(node, 0, &mut content).ok();
            (read, &content[..read.unwrap_or_default()]).hash(&mut hasher);
            (fs.xattrs(node).ok(), fs.read_link(node).ok()).hash(&mut hasher);
            format!("{:?}", fs.stat(node).ok()).hash(&mut hasher);
        }
    }
    Some(hasher.finish())
}

fn trim(seed: &[u8]) -> Option<Vec<u8>> {
    let part = input::parts(seed).into_iter().next()?;
    let expected = answers(seed)?;
    let mut pieces = Pieces::new();
    for (at, bytes) in part.pieces() {
        for (number, grain) in (0..).zip(bytes.chunks(GRAIN)) {
            pieces.push((at + number * GRAIN as u64, grain.to_vec()));
        }
    }
    // Many at once first.
    for share in [256, 64, 16, 4, 1] {
        let mut at = pieces.len();
        while at > 0 {
            let from = at.saturating_sub(share);
            let left = [&pieces[..from], &pieces[at..]].concat();
            if answers(&encode(part.size, &left)) == Some(expected) {
                pieces = left;
            }
            at = from;
        }
    }
    let mut joined = Pieces::new();
    for (at, bytes) in pieces {
        match joined.last_mut() {
            Some((start, last)) if at - (*start + last.len() as u64) <= HEAD && last.len() < 0x8000 => {
                last.resize(usize::try_from(at - *start).expect("a piece"), 0);
                last.extend(bytes);
            }
            _ => joined.push((at, bytes)),
        }
    }
    Some(encode(part.size, &joined))
}

fn main() {
    for path in std::env::args_os().skip(1) {
        let seed = std::fs::read(&path).expect("a seed");
        if let Some(trimmed) = trim(&seed).filter(|trimmed| trimmed.len() < seed.len()) {
            std::fs::write(&path, trimmed).expect("the seed");
        }
    }
}
