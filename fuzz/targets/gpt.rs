#![no_main]
//! Partition tables: GPT, its backup, sectors of 512 and 4,096 bytes.

transvase_fuzz::target!("gpt");
