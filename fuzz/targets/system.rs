#![no_main]
//! Accounts, hosts, and what the system says of itself.

transvase_fuzz::text_target!("system");
