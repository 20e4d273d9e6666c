#![no_main]
//! Opkg's status and lists.

transvase_fuzz::text_target!("opkg");
