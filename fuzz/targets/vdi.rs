#![no_main]
//! VDI.

transvase_fuzz::target!("vdi");
