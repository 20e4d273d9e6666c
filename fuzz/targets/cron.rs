#![no_main]
//! Job tables and scripts of cron and anacron.

transvase_fuzz::text_target!("cron");
