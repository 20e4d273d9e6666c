#![no_main]
//! md: superblocks of every version, arrays over several members.

transvase_fuzz::target!("md");
