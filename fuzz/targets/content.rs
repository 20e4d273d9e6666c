#![no_main]
//! Files that would be copied into an image, as the detector of secrets reads them.

transvase_fuzz::text_target!("content");
