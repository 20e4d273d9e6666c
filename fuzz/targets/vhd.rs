#![no_main]
//! VHD, with a parent beside it.

transvase_fuzz::target!("vhd");
