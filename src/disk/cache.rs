//! A small cache of metadata blocks, shared by threads: what a walk reads again and again (inode tables, tree nodes).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes a cache may hold at most.
const BYTES: u32 = 4 << 20;

/// Slots that are made together, when the first of them is used: a small file system costs little to open.
const SHELF: usize = 64;

type Slot = Mutex<Option<(u64, Arc<[u8]>)>>;

/// One slot per residue of the block number: a lookup takes one short lock, and nothing is ever searched or evicted by age.
pub struct BlockCache {
    slots: u32,
    shelves: Vec<OnceLock<Box<[Slot]>>>,
}

impl BlockCache {
    /// A cache for blocks of `block_size` bytes.
    pub fn new(block_size: u32) -> Self {
        let slots = (BYTES / block_size.max(1)).max(1);
        let shelves = usize::try_from(slots).unwrap_or(1).div_ceil(SHELF);
        Self {
            slots,
            shelves: (0..shelves).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The block, from the cache or read now. An error is not kept.
    pub fn get<E>(
        &self,
        block: u64,
        read: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<[u8]>, E> {
        let Some(slot) = self.slot(block) else {
            return read().map(Arc::from);
        };
        // A thread that panicked while holding the lock left a whole entry or none.
        let held = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((number, bytes)) = held
            && number == block
        {
            return Ok(bytes);
        }
        let bytes: Arc<[u8]> = read()?.into();
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((block, Arc::clone(&bytes)));
        Ok(bytes)
    }

    fn slot(&self, block: u64) -> Option<&Slot> {
        let at = usize::try_from(block % u64::from(self.slots)).ok()?;
        let shelf = self.shelves.get(at / SHELF)?;
        let shelf = shelf.get_or_init(|| (0..SHELF).map(|_| Mutex::new(None)).collect());
        shelf.get(at % SHELF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_once_until_another_takes_its_slot() {
        let cache = BlockCache::new(2 << 20);
        let mut reads = Vec::new();
        for block in [1, 1, 3, 1, 2, 1] {
            let read = || {
                reads.push(block);
                Ok::<_, ()>(vec![u8::try_from(block).unwrap_or_default()])
            };
            let bytes = cache.get(block, read).unwrap();
            assert_eq!(u64::from(bytes[0]), block);
        }
        assert_eq!(reads, [1, 3, 1, 2]);
        assert_eq!(cache.get(9, || Err("unreadable")), Err("unreadable"));
    }
}
