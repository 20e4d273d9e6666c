#![no_main]
//! exFAT.

transvase_fuzz::target!("exfat");
