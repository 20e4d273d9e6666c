#![no_main]
//! Partition tables: MBR and the chain of logical partitions.

transvase_fuzz::target!("mbr");
