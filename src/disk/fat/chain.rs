//! The content of a file: clusters in the order of their chain.
//!
//! A chain is a linked list, so the middle of a file is found by walking from its beginning. Of a long one every 4,096th
//! cluster is kept for the files read last: enough that reading forward does not walk it again and again, and little enough
//! (1 MiB for the longest chain that FAT32 can have) whatever an image claims.

use super::table::Table;
use crate::disk::{BlockDevice, DiskError};
use std::sync::{Arc, Mutex, PoisonError};

/// Clusters between two that are kept.
const STRIDE: u64 = 4096;
/// Files whose clusters are kept.
const FILES: u32 = 16;

/// Every [`STRIDE`]th cluster of a chain, from the first on.
type Strides = Arc<[u32]>;

/// Clusters and their chains.
pub struct Chains {
    device: Arc<dyn BlockDevice>,
    table: Table,
    /// Where cluster 2 begins, in bytes.
    heap: u64,
    cluster_size: u32,
    known: [Mutex<Option<(u32, Strides)>>; FILES as usize],
}

impl Chains {
    pub fn new(device: Arc<dyn BlockDevice>, table: Table, heap: u64, cluster_size: u32) -> Self {
        Self {
            device,
            table,
            heap,
            cluster_size,
            known: std::array::from_fn(|_| Mutex::new(None)),
        }
    }

    pub fn device(&self) -> &dyn BlockDevice {
        &*self.device
    }

    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Bytes.
    pub fn cluster_size(&self) -> u32 {
        self.cluster_size
    }

    /// The byte at which a cluster begins.
    pub fn place(&self, cluster: u32) -> Result<u64, DiskError> {
        if !self.table.holds(cluster) {
            return Err(self.damaged(format!("cluster {cluster} is beyond the last")));
        }
        let within = u64::from(cluster - 2) * u64::from(self.cluster_size);
        Ok(self.heap.saturating_add(within))
    }

    /// Fills `buf` from `offset` of the chain that begins at `first`.
    pub fn read(&self, first: u32, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let size = u64::from(self.cluster_size);
        let mut cluster = Some(self.at(first, offset / size)?);
        let mut within = offset % size;
        let mut rest = buf;
        while !rest.is_empty() {
            let begin = cluster.ok_or_else(|| self.short(first))?;
            let start = self.place(begin)?.saturating_add(within);
            let wanted = u64::try_from(rest.len()).unwrap_or(u64::MAX);
            let (run, next) = self.run(begin, size - within, wanted)?;
            let length = usize::try_from(run.min(wanted)).unwrap_or(rest.len());
            let (now, later) = rest.split_at_mut_checked(length).unwrap_or_default();
            self.device.read_at(start, now)?;
            (rest, cluster, within) = (later, next, 0);
        }
        Ok(())
    }

    /// Bytes without a gap from inside cluster `begin`, of which `have` are in that cluster, until there are `wanted`;
    /// and the cluster behind them.
    fn run(&self, begin: u32, have: u64, wanted: u64) -> Result<(u64, Option<u32>), DiskError> {
        let (mut last, mut have) = (begin, have);
        // The one behind the last byte is not asked for: a damaged end costs nobody the rest.
        while have < wanted {
            match self.table.next(last)? {
                Some(next) if next == last + 1 => {
                    last = next;
                    have += u64::from(self.cluster_size);
                }
                other => return Ok((have, other)),
            }
        }
        Ok((have, None))
    }

    /// The cluster with this number in its chain, from 0.
    fn at(&self, first: u32, number: u64) -> Result<u32, DiskError> {
        let from = if number < STRIDE {
            Some(first)
        } else {
            let strides = self.strides(first)?;
            let index = usize::try_from(number / STRIDE).unwrap_or(usize::MAX);
            strides.get(index).copied()
        };
        let mut cluster = from.ok_or_else(|| self.short(first))?;
        for _ in 0..number % STRIDE {
            cluster = self.table.next(cluster)?.ok_or_else(|| self.short(first))?;
        }
        Ok(cluster)
    }

    fn strides(&self, first: u32) -> Result<Strides, DiskError> {
        let slot = usize::try_from(first % FILES).unwrap_or_default();
        let Some(slot) = self.known.get(slot) else {
            return self.walk(first);
        };
        let held = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, strides)) = held
            && of == first
        {
            return Ok(strides);
        }
        let strides = self.walk(first)?;
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((first, Arc::clone(&strides)));
        Ok(strides)
    }

    /// Follows a chain to its end or to its damage.
    fn walk(&self, first: u32) -> Result<Strides, DiskError> {
        let mut strides = vec![first];
        let (mut cluster, mut number) = (first, 0_u64);
        // A chain that leads back into itself meets what was remembered at the last power of two (Brent).
        let (mut remembered, mut renew) = (first, 1_u64);
        // Damage ends what can be read, and is reported by the read that runs into it.
        while let Ok(Some(next)) = self.table.next(cluster) {
            cluster = next;
            number += 1;
            if cluster == remembered {
                let what = format!("the chain from cluster {first} leads back into itself");
                return Err(self.damaged(what));
            }
            if number == renew {
                (remembered, renew) = (cluster, renew * 2);
            }
            if number.is_multiple_of(STRIDE) {
                strides.push(cluster);
            }
        }
        Ok(strides.into())
    }

    fn short(&self, first: u32) -> DiskError {
        self.damaged(format!(
            "the chain from cluster {first} is shorter than its file"
        ))
    }

    fn damaged(&self, what: String) -> DiskError {
        DiskError::damaged(self.table.format(), what)
    }
}
