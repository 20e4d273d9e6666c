#![no_main]
//! A raw disk in parts.

transvase_fuzz::target!("split");
