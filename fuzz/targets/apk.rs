#![no_main]
//! Apk's database and its world.

transvase_fuzz::text_target!("apk");
