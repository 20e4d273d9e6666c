#![no_main]
//! OVA: tar, OVF and the images inside.

transvase_fuzz::target!("ova");
