#![no_main]
//! ISO 9660 with Rock Ridge and Joliet.

transvase_fuzz::target!("iso9660");
