//! What the fuzz targets share. Reading a disk is what the tests of hostile disks do too (`tests/disk_harness`); here are
//! changes that keep disks what they are ([`mutate`]) and an end to memory ([`memory`]). Time is libFuzzer's to watch.
//!
//! Of the program there are the rooms that read, and what they name: it would take ten times as long to build it all.

// So that the program's own paths, and those of its tests, lead here.
extern crate self as transvase;

#[path = "../../src/disk/mod.rs"]
pub mod disk;
#[path = "../../src/fact/mod.rs"]
pub mod fact;
pub mod abi;
#[path = "../../src/path.rs"]
pub mod path;
#[path = "../../src/source/mod.rs"]
pub mod source;
#[path = "../../src/walk/mod.rs"]
pub mod walk;

#[path = "../../tests/disk_harness/mod.rs"]
pub mod harness;
pub mod memory;
pub mod mutate;

pub use libfuzzer_sys;

/// A fuzz target: what it reads, with the mutator of this package.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            assert!($crate::harness::read($name, data));
        });
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8],
                                              size: usize,
                                              max_size: usize,
                                              seed: u32| {
            $crate::mutate::mutate(data, size, max_size, seed)
        });
    };
}
