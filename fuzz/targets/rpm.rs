#![no_main]
//! Rpm's databases in each form, with SQLite's log, and what installers note beside them.

transvase_fuzz::text_target!("rpm");
