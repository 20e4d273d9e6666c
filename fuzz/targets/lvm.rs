#![no_main]
//! LVM2: labels, metadata, volumes over several disks, thin pools.

transvase_fuzz::target!("lvm");
