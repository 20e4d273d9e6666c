#![no_main]
//! NTFS.

transvase_fuzz::target!("ntfs");
