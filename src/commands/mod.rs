//! Subcommands, one file each: they open, call, and write; nothing is worked out here.

pub mod files;
