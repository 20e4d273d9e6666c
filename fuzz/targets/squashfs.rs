#![no_main]
//! squashfs of every compression.

transvase_fuzz::target!("squashfs");
