#![no_main]
//! VMDK: a sparse extent, or a descriptor with extents beside it.

transvase_fuzz::target!("vmdk");
