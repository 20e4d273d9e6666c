#![no_main]
//! The search for secrets, and masking of lines and values.

transvase_fuzz::text_target!("secret");
