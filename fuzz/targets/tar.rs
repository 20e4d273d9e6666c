#![no_main]
//! A machine's root in a tar archive: ustar, pax, GNU's long names and sparse files.

transvase_fuzz::target!("tar");
