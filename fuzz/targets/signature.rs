#![no_main]
//! Marks of what is named and not read, and of every file system.

transvase_fuzz::target!("signature");
