#![no_main]
//! qcow of version 1, with a backing file beside it.

transvase_fuzz::target!("qcow1");
