#![no_main]
//! Pacman's descriptions, lists and digests.

transvase_fuzz::text_target!("pacman");
