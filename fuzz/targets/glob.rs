#![no_main]
//! Shell patterns.

transvase_fuzz::text_target!("glob");
