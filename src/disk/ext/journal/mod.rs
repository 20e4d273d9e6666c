//! The journal of a file system that was not unmounted, replayed in memory: which committed blocks are newer than their
//! places on the disk. Nothing is written. Kernel documentation, "Journal (jbd2)"; all its numbers have the big end first.

mod header;
mod log;
mod tag;

use super::inode::Inode;
use super::superblock::{Superblock, compat, incompat};
use super::volume::{Redirect, Volume};
use crate::disk::DiskError;
use log::{Log, Transaction};
use std::collections::BTreeMap;

/// What the journal adds to the disk.
#[derive(Debug, Default)]
pub struct Replay {
    pub overlay: BTreeMap<u64, Redirect>,
    /// What a reader should know of it.
    pub notes: Vec<String>,
}

/// Replays the journal where it is dirty. A journal that cannot be read is a note: the disk is then shown as it is.
pub fn replay(volume: &Volume, disk: &Superblock) -> Replay {
    let dirty = disk.incompat & incompat::RECOVER != 0;
    if !dirty || disk.compat & compat::HAS_JOURNAL == 0 {
        return Replay::default();
    }
    if disk.journal_inode == 0 {
        return Replay::unread("it lies on another device");
    }
    read(volume, disk).unwrap_or_else(|error| Replay::unread(&error.to_string()))
}

impl Replay {
    fn unread(why: &str) -> Self {
        Self {
            overlay: BTreeMap::new(),
            notes: vec![format!(
                "the file system was not unmounted, and its journal cannot be replayed: {why}"
            )],
        }
    }
}

fn read(volume: &Volume, disk: &Superblock) -> Result<Replay, DiskError> {
    let inode = Inode::load(volume, disk, u64::from(disk.journal_inode))?;
    let log = Log::open(volume, &inode)?;
    let transactions = log.transactions()?;
    let (overlay, torn) = newest(&log, &transactions)?;
    let mut notes = Vec::new();
    if !transactions.is_empty() {
        notes.push(format!(
            "the file system was not unmounted: {} committed transactions of its journal were replayed in memory, {} blocks",
            transactions.len(),
            overlay.len()
        ));
    }
    if torn > 0 {
        notes.push(format!(
            "{torn} blocks of the journal fail their checksum and were passed over"
        ));
    }
    if log.has_fast_commits(transactions.len())? {
        notes.push("fast commits after the last full one were passed over: the newest changes may be missing".to_owned());
    }
    Ok(Replay { overlay, notes })
}

/// The newest content of each block, unless the same or a later transaction revoked it; and how many were torn.
fn newest(
    log: &Log<'_>,
    transactions: &[Transaction],
) -> Result<(BTreeMap<u64, Redirect>, usize), DiskError> {
    let mut revoked = BTreeMap::new();
    for (age, transaction) in transactions.iter().enumerate() {
        revoked.extend(transaction.revoked.iter().map(|block| (*block, age)));
    }
    let mut writes = BTreeMap::new();
    for (age, transaction) in transactions.iter().enumerate() {
        for write in &transaction.writes {
            if revoked.get(&write.block).is_none_or(|by| *by < age) {
                writes.insert(write.block, write);
            }
        }
    }
    let (mut overlay, mut torn) = (BTreeMap::new(), 0);
    for (block, write) in writes {
        if log.is_intact(write)? {
            overlay.insert(block, write.redirect);
        } else {
            torn += 1;
        }
    }
    Ok((overlay, torn))
}
