//! What the fuzz targets share. Reading is what the tests do too: of disks in `tests/disk_harness`, of texts and programs
//! in `tests/text_harness`. Here are changes that keep disks what they are ([`mutate`]) and an end to memory ([`memory`]).
//! Time is libFuzzer's to watch.
//!
//! Of the program there are the rooms that read, and what they name: it would take much longer to build it all.

// So that the program's own paths, and those of its tests, lead here.
extern crate self as transvase;

#[path = "../../src/abi/mod.rs"]
pub mod abi;
#[path = "../../src/code/mod.rs"]
pub mod code;
#[path = "../../src/detect/mod.rs"]
pub mod detect;
#[path = "../../src/disk/mod.rs"]
pub mod disk;
#[path = "../../src/fact/mod.rs"]
pub mod fact;
#[path = "../../src/path.rs"]
pub mod path;
#[path = "../../src/product/mod.rs"]
pub mod product;
#[path = "../../src/program/mod.rs"]
pub mod program;
#[path = "../../src/progress.rs"]
pub mod progress;
#[path = "../../src/quote/mod.rs"]
pub mod quote;
#[path = "../../src/rule/mod.rs"]
pub mod rule;
#[path = "../../src/secret/mod.rs"]
pub mod secret;
#[path = "../../src/service/mod.rs"]
pub mod service;
#[path = "../../src/source/mod.rs"]
pub mod source;
#[path = "../../src/text.rs"]
pub mod text;
#[path = "../../src/walk/mod.rs"]
pub mod walk;
#[path = "../../src/words/mod.rs"]
pub mod words;

#[path = "../../tests/disk_harness/mod.rs"]
pub mod harness;
pub mod memory;
pub mod mutate;
#[path = "../../tests/text_harness/mod.rs"]
pub mod texts;

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

/// A fuzz target of texts or programs, which LLVM's own changes suit.
#[macro_export]
macro_rules! text_target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            assert!($crate::texts::read($name, data));
        });
    };
}
