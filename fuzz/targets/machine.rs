#![no_main]
//! Whole machines: units, tables, scripts and databases together, and the services that come of them.

transvase_fuzz::text_target!("machine");
