#![no_main]
//! FAT12, FAT16 and FAT32.

transvase_fuzz::target!("fat");
