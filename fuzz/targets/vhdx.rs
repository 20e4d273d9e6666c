#![no_main]
//! VHDX, with a parent beside it.

transvase_fuzz::target!("vhdx");
