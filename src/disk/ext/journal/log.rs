//! The log: transactions from the first that may matter to the last whose commit block is whole.

use super::super::FORMAT;
use super::super::content;
use super::super::inode::Inode;
use super::super::volume::{JOURNAL_MAGIC, Redirect, Volume};
use super::header::{Checks, Header};
use super::tag;
use crate::disk::bytes::{Structure, agree};
use crate::disk::{DiskError, crc32c};

const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const REVOKE: u32 = 5;
/// Where a commit block keeps its checksum: its kind, its length, itself.
const COMMIT_SUM: usize = 16;
/// Blocks a log may name: 8 GiB of 4 KiB blocks, eight times what mke2fs makes at most.
const MAX_WRITES: usize = 2 << 20;
/// The tag of fast commits' first record.
const FAST_HEAD: u16 = 0x9;

/// A block's new content.
#[derive(Debug)]
pub struct Write {
    pub block: u64,
    pub redirect: Redirect,
    /// The transaction's number, which its checksum covers.
    sequence: u32,
    checksum: u32,
}

/// What one committed transaction did.
#[derive(Debug, Default)]
pub struct Transaction {
    pub writes: Vec<Write>,
    pub revoked: Vec<u64>,
}

/// A journal, found and checked.
pub struct Log<'a> {
    volume: &'a Volume,
    inode: &'a Inode,
    header: Header,
}

impl<'a> Log<'a> {
    pub fn open(volume: &'a Volume, inode: &'a Inode) -> Result<Self, DiskError> {
        let size = volume.block_size();
        let blocks = (inode.size / u64::from(size)).min(volume.blocks());
        let place = place(volume, inode, 0)?;
        let header = Header::parse(&volume.block(place)?, size, blocks)?;
        Ok(Self {
            volume,
            inode,
            header,
        })
    }

    /// Every committed transaction, oldest first.
    pub fn transactions(&self) -> Result<Vec<Transaction>, DiskError> {
        let mut done = Vec::new();
        if self.header.start == 0 {
            return Ok(done);
        }
        let mut walk = Walk {
            log: self,
            at: self.header.start,
            // Each block of the log is read once at most, so a log that loops ends.
            left: self.header.last,
            sequence: self.header.sequence,
            sum: u32::MAX,
            writes: 0,
        };
        while let Some(transaction) = walk.transaction()? {
            done.push(transaction);
        }
        Ok(done)
    }

    /// Whether the content that the log holds for a block is what was written there.
    pub fn is_intact(&self, write: &Write) -> Result<bool, DiskError> {
        if !matches!(self.header.checks, Checks::V2 | Checks::V3) {
            return Ok(true);
        }
        let mut bytes = vec![0; self.volume.block_size() as usize];
        self.volume.read(write.redirect.block, 0, &mut bytes)?;
        let kept = match self.header.checks {
            Checks::V2 => 0xffff,
            _ => u32::MAX,
        };
        let sum = || {
            let seed = crc32c::extend(self.header.seed, &write.sequence.to_be_bytes());
            crc32c::extend(seed, &bytes) & kept
        };
        Ok(agree(sum, write.checksum))
    }

    /// Whether fast commits follow the last of `count` transactions.
    pub fn has_fast_commits(&self, count: usize) -> Result<bool, DiskError> {
        if !self.header.has_fast_commits {
            return Ok(false);
        }
        let Ok(place) = place(self.volume, self.inode, self.header.last.saturating_add(1)) else {
            return Ok(false);
        };
        let block = self.volume.block(place)?;
        let view = Structure::new(FORMAT, "fast commit", &block);
        let next = u32::try_from(count).map(|count| self.header.sequence.wrapping_add(count));
        // Unlike the rest of the journal, fast commits have the little end first.
        Ok(view.le16(0)? == FAST_HEAD
            && next.is_ok_and(|next| view.le32(8).is_ok_and(|id| id == next)))
    }

    /// Whether a descriptor or revoke block's own checksum is right.
    fn tail_is_right(&self, bytes: &[u8]) -> bool {
        let tail = bytes.len().saturating_sub(4);
        self.sum_is_right(bytes, tail)
    }

    /// Whether the four bytes at `at` are the checksum of the block with zeros in their place.
    fn sum_is_right(&self, bytes: &[u8], at: usize) -> bool {
        if !matches!(self.header.checks, Checks::V2 | Checks::V3) {
            return true;
        }
        let (before, rest) = bytes.split_at(at.min(bytes.len()));
        let (stored, after) = rest.split_at(4.min(rest.len()));
        let parts = [before, &[0; 4], after];
        let extend = |sum, part: &&[u8]| crc32c::extend(sum, part);
        let sum = || parts.iter().fold(self.header.seed, extend).to_be_bytes();
        agree(|| Some(sum()), stored.first_chunk().copied())
    }
}

fn place(volume: &Volume, inode: &Inode, block: u32) -> Result<u64, DiskError> {
    let run = content::map(volume, inode, u64::from(block), 1)?;
    run.block.ok_or_else(|| {
        let what = format!("journal: block {block} is a hole");
        DiskError::damaged(FORMAT, what)
    })
}

/// A walk along the log.
struct Walk<'a> {
    log: &'a Log<'a>,
    at: u32,
    left: u32,
    sequence: u32,
    /// The checksum of the older kind, over the transaction so far.
    sum: u32,
    writes: usize,
}

impl Walk<'_> {
    /// The next transaction, or `None` where the log ends: at a block that is not the log's, of another transaction, torn,
    /// or at a commit block that is.
    fn transaction(&mut self) -> Result<Option<Transaction>, DiskError> {
        let mut transaction = Transaction::default();
        self.sum = u32::MAX;
        while let Some(place) = self.step()? {
            let bytes = self.log.volume.block(place)?;
            let view = Structure::new(FORMAT, "journal", &bytes);
            if view.be32(0)? != JOURNAL_MAGIC || view.be32(8)? != self.sequence {
                return Ok(None);
            }
            match view.be32(4)? {
                DESCRIPTOR if self.log.tail_is_right(&bytes) => {
                    if !self.descriptor(&bytes, &mut transaction)? {
                        return Ok(None);
                    }
                }
                REVOKE if self.log.tail_is_right(&bytes) => {
                    let blocks = tag::revoked(&self.log.header, &bytes)?;
                    self.count(blocks.len())?;
                    transaction.revoked.extend(blocks);
                }
                COMMIT if self.commit_is_right(view)? => {
                    self.sequence = self.sequence.wrapping_add(1);
                    return Ok(Some(transaction));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The device's block at the current place, and one step on; `None` once the whole log has been read.
    fn step(&mut self) -> Result<Option<u64>, DiskError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let place = place(self.log.volume, self.log.inode, self.at)?;
        self.at = self.at.saturating_add(1);
        if self.at >= self.log.header.last {
            self.at = self.log.header.first;
        }
        Ok(Some(place))
    }

    /// A descriptor block and the data blocks behind it; whether all of them are there.
    fn descriptor(&mut self, bytes: &[u8], into: &mut Transaction) -> Result<bool, DiskError> {
        let tags = tag::tags(&self.log.header, bytes)?;
        self.count(tags.len())?;
        self.add_to_sum(bytes);
        for tag in tags {
            let Some(place) = self.step()? else {
                return Ok(false);
            };
            if self.log.header.checks == Checks::Transaction {
                let data = self.log.volume.block(place)?;
                self.add_to_sum(&data);
            }
            into.writes.push(Write {
                block: tag.block,
                redirect: Redirect {
                    block: place,
                    escaped: tag.escaped,
                },
                sequence: self.sequence,
                checksum: tag.checksum,
            });
        }
        Ok(true)
    }

    fn add_to_sum(&mut self, bytes: &[u8]) {
        if self.log.header.checks == Checks::Transaction {
            self.sum = crc32_big_endian(self.sum, bytes);
        }
    }

    fn commit_is_right(&self, view: Structure<'_>) -> Result<bool, DiskError> {
        if self.log.header.checks != Checks::Transaction {
            return Ok(self.log.sum_is_right(view.bytes(), COMMIT_SUM));
        }
        let stored = view.be32(COMMIT_SUM)?;
        Ok(match (view.u8(12)?, view.u8(13)?) {
            // The feature may be set and a transaction not summed.
            (0, 0) => stored == 0,
            (1, 4) => agree(|| self.sum, stored),
            _ => false,
        })
    }

    fn count(&mut self, more: usize) -> Result<(), DiskError> {
        self.writes = self.writes.saturating_add(more);
        if self.writes > MAX_WRITES {
            let what = format!("journal: more than {MAX_WRITES} blocks");
            return Err(DiskError::unsupported(FORMAT, what));
        }
        Ok(())
    }
}

/// The kernel's `crc32_be`: the Ethernet polynomial, highest bit first, no inversion.
fn crc32_big_endian(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
            if sum >> 31 == 1 {
                (sum << 1) ^ 0x04c1_1db7
            } else {
                sum << 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_checksum_is_bzip2s_without_its_inversion() {
        // CRC-32/MPEG-2 of the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32_big_endian(u32::MAX, b"123456789"), 0x0376_e6e7);
    }
}
