#![no_main]
//! Configuration in every syntax.

transvase_fuzz::text_target!("syntax");
