#![no_main]
//! erofs, plain and compressed.

transvase_fuzz::target!("erofs");
