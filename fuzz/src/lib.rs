//! What the fuzz targets share. Reading a disk is what the tests of hostile disks do too (`tests/disk_harness`); here are
//! changes that keep disks what they are ([`mutate`]) and an end to memory ([`memory`]). Time is libFuzzer's to watch.

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
