//! Reads every file of a tree with some threads: of a mounted directory through the kernel, or of disk images through
//! this program's own readers, the work shared out in the same way. `benches/disks.py` compares the two.
//!
//! usage: read (tree DIRECTORY | image IMAGE...) with THREADS in the environment (one for each core where it is not there or 0)

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for measuring, not a part of the other one"
)]

use rayon::Scope;
use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use transvase::disk::contents::Contents;
use transvase::disk::open::{Disk, OpenOptions};
use transvase::disk::{FileKind, FileSystem, NodeId};

/// Bytes asked for at once.
const PIECE: usize = 4 << 20;

thread_local! {
    static PIECES: RefCell<Vec<u8>> = RefCell::new(vec![0; PIECE]);
}

/// What can be walked and read.
trait Tree: Sync {
    type Directory: Send;
    /// Hands out the directories of a directory, reads its files, and says how many files and bytes those were.
    fn visit(
        &self,
        directory: Self::Directory,
        found: &mut dyn FnMut(Self::Directory),
        piece: &mut [u8],
    ) -> (u64, u64);
}

struct Mounted;

impl Tree for Mounted {
    type Directory = PathBuf;

    fn visit(
        &self,
        directory: PathBuf,
        found: &mut dyn FnMut(PathBuf),
        piece: &mut [u8],
    ) -> (u64, u64) {
        let (mut files, mut bytes) = (0, 0);
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                found(entry.path());
            } else if kind.is_file() {
                files += 1;
                let mut file = File::open(entry.path()).expect("a file");
                loop {
                    let read = file.read(piece).expect("content");
                    bytes += read as u64;
                    if read == 0 {
                        break;
                    }
                }
            }
        }
        (files, bytes)
    }
}

struct Image(Arc<dyn FileSystem>);

impl Tree for Image {
    type Directory = NodeId;

    fn visit(
        &self,
        directory: NodeId,
        found: &mut dyn FnMut(NodeId),
        piece: &mut [u8],
    ) -> (u64, u64) {
        let Self(fs) = self;
        let mut nodes = Vec::new();
        fs.read_dir(directory, &mut |entry| {
            nodes.push(entry.node);
            ControlFlow::Continue(())
        })
        .expect("a directory");
        let (mut files, mut bytes) = (0, 0);
        for node in nodes {
            let stat = fs.stat(node).expect("an inode");
            match stat.kind {
                FileKind::Directory => found(node),
                FileKind::File => {
                    files += 1;
                    let mut at = 0;
                    while at < stat.size {
                        at += fs.read_at(node, at, piece).expect("content") as u64;
                    }
                    bytes += at;
                }
                _ => {}
            }
        }
        (files, bytes)
    }
}

/// Files and bytes so far.
#[derive(Default)]
struct Sum(AtomicU64, AtomicU64);

fn walk<'scope, T: Tree>(
    scope: &Scope<'scope>,
    tree: &'scope T,
    sum: &'scope Sum,
    directory: T::Directory,
) where
    T::Directory: 'scope,
{
    let mut open = Vec::new();
    let (files, bytes) = PIECES.with_borrow_mut(|piece| {
        tree.visit(directory, &mut |directory| open.push(directory), piece)
    });
    sum.0.fetch_add(files, Ordering::Relaxed);
    sum.1.fetch_add(bytes, Ordering::Relaxed);
    for directory in open {
        scope.spawn(move |scope| walk(scope, tree, sum, directory));
    }
}

fn whole<T: Tree>(tree: &T, top: T::Directory) -> Sum {
    let sum = Sum::default();
    rayon::scope(|scope| walk(scope, tree, &sum, top));
    sum
}

fn image(paths: Vec<OsString>) -> Sum {
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let disk = Disk::open(&paths, &OpenOptions::default()).expect("an image");
    let mut volumes = disk.volumes.into_iter();
    let found = volumes.find_map(|volume| match volume.contents {
        Contents::FileSystem(fs) => Some(fs),
        _ => None,
    });
    let tree = Image(found.expect("a file system"));
    let top = tree.0.root();
    whole(&tree, top)
}

fn main() {
    // Cargo adds a flag of its own.
    let mut arguments = std::env::args_os().skip(1).filter(|word| word != "--bench");
    let threads = std::env::var("THREADS").map_or(0, |count| count.parse().expect("a number"));
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .expect("threads");
    let kind = arguments.next().unwrap_or_default();
    let paths: Vec<OsString> = arguments.collect();
    let start = Instant::now();
    let sum = match (kind.to_str(), paths.first()) {
        (Some("tree"), Some(top)) => whole(&Mounted, PathBuf::from(top)),
        (Some("image"), Some(_)) => image(paths),
        // So does a run of all benches without arguments.
        (Some(""), None) => return,
        _ => panic!("usage: read (tree DIRECTORY | image IMAGE...)"),
    };
    let seconds = start.elapsed().as_secs_f64();
    let (files, bytes) = (sum.0.into_inner(), sum.1.into_inner());
    println!("{{\"files\": {files}, \"bytes\": {bytes}, \"seconds\": {seconds:.4}}}");
}
