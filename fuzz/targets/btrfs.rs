#![no_main]
//! btrfs on one device.

transvase_fuzz::target!("btrfs");
