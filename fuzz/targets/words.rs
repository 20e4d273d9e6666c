#![no_main]
//! Words, variables, scripts, addresses.

transvase_fuzz::text_target!("words");
