#![no_main]
//! XFS of versions 4 and 5.

transvase_fuzz::target!("xfs");
