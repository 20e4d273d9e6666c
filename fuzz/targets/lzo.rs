#![no_main]
//! LZO blocks.

transvase_fuzz::target!("lzo");
