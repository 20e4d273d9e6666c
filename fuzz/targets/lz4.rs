#![no_main]
//! LZ4 blocks.

transvase_fuzz::target!("lz4");
