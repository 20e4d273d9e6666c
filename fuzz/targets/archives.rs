#![no_main]
//! Where packages come from: source lists, lists and descriptions of archives, keys, pins, logins, the installer's log.

transvase_fuzz::text_target!("archives");
