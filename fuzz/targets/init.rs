#![no_main]
//! Init scripts.

transvase_fuzz::text_target!("init");
