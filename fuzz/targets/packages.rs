#![no_main]
//! The package database: status, lists of files, digests, states.

transvase_fuzz::text_target!("packages");
