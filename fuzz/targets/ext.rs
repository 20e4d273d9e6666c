#![no_main]
//! ext2, ext3 and ext4, with the journal.

transvase_fuzz::target!("ext");
