#![no_main]
//! Units of systemd and their drop-ins.

transvase_fuzz::text_target!("units");
