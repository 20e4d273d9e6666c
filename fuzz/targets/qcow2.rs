#![no_main]
//! qcow2, with a backing file beside it.

transvase_fuzz::target!("qcow2");
