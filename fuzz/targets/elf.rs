#![no_main]
//! Programs: ELF and its machine code, scripts, the loader's cache.

transvase_fuzz::text_target!("elf");
