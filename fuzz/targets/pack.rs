#![no_main]
//! Packs, which are TOML, and their questions.

transvase_fuzz::text_target!("pack");
