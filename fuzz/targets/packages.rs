#![no_main]
//! dpkg's database: status, lists of files, digests, states.

transvase_fuzz::text_target!("packages");
