#![no_main]
//! Quoting in every language that is written, read back.

transvase_fuzz::text_target!("quoting");
