//! Logical addresses: content and tree nodes by the address that everything but chunks uses, from whichever copy is whole.

use super::FORMAT;
use super::checksum::Checksum;
use super::chunk::{Chunk, Chunks, Place};
use super::node::{self, Node};
use super::superblock::Superblock;
use super::tree::Pointer;
use super::verify;
use crate::disk::cache::BlockCache;
use crate::disk::{BlockDevice, DiskError};
use std::sync::Arc;

/// The devices of a file system, as one range of logical addresses.
pub struct Volume {
    /// Those at hand, by number.
    devices: Vec<(u64, Arc<dyn BlockDevice>)>,
    chunks: Chunks,
    sector_size: u32,
    node_size: u32,
    checksum: Checksum,
    uuid: [u8; 16],
    nodes: BlockCache,
    /// The tree of checksums of content, where they can be verified.
    sums: Option<Pointer>,
}

impl Volume {
    /// A volume that knows only the chunks of the superblock yet.
    pub fn new(
        devices: Vec<(u64, Arc<dyn BlockDevice>)>,
        disk: &Superblock,
    ) -> Result<Self, DiskError> {
        Ok(Self {
            devices,
            chunks: Chunks::new(Chunks::of_superblock(&disk.system_chunks)?),
            sector_size: disk.sector_size,
            node_size: disk.node_size,
            checksum: disk.checksum,
            uuid: disk.node_uuid,
            nodes: BlockCache::new(disk.node_size),
            sums: None,
        })
    }

    /// The same with all chunks.
    pub fn with_chunks(self, chunks: Vec<Chunk>) -> Self {
        let chunks = Chunks::new(chunks);
        Self { chunks, ..self }
    }

    /// The same with the tree that says which copy of some content is the good one.
    pub fn with_sums(self, sums: Option<Pointer>) -> Self {
        let sums = sums.filter(|_| self.checksum == Checksum::Crc32c);
        Self { sums, ..self }
    }

    /// Bytes.
    pub fn sector_size(&self) -> u32 {
        self.sector_size
    }

    /// The node that a pointer leads to.
    pub fn node(&self, pointer: &Pointer) -> Result<Node, DiskError> {
        let number = pointer.logical / u64::from(self.node_size);
        let bytes = self.nodes.get(number, || self.load(pointer))?;
        Node::new(bytes, pointer, &self.uuid).or_else(|_| {
            // The cache is by number, and a pointer of a damaged tree may lead between two nodes.
            Node::new(self.load(pointer)?.into(), pointer, &self.uuid)
        })
    }

    /// A node from the first copy that is whole.
    fn load(&self, pointer: &Pointer) -> Result<Vec<u8>, DiskError> {
        let chunk = self.chunk(pointer.logical)?;
        let mut failed = None;
        for copy in 0..chunk.copies() {
            let mut bytes = vec![0; self.node_size as usize];
            match self.whole_copy(chunk, pointer, copy, &mut bytes) {
                Ok(()) => return Ok(bytes),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| DiskError::damaged(FORMAT, "a chunk without copies")))
    }

    fn whole_copy(
        &self,
        chunk: &Chunk,
        pointer: &Pointer,
        copy: u64,
        bytes: &mut [u8],
    ) -> Result<(), DiskError> {
        self.read_copy(chunk, pointer.logical, copy, bytes)?;
        if !self.checksum.agrees(bytes) {
            let what = format!(
                "tree node: the checksum of the one at {} is wrong",
                pointer.logical
            );
            return Err(DiskError::damaged(FORMAT, what));
        }
        node::check(bytes, pointer, &self.uuid).map(drop)
    }

    fn chunk(&self, logical: u64) -> Result<&Chunk, DiskError> {
        self.chunks.at(logical).ok_or_else(|| {
            let what = format!("the address {logical} lies in no chunk");
            DiskError::damaged(FORMAT, what)
        })
    }

    /// Fills `buf` from a logical address, each part from the first copy that can be read.
    pub fn read(&self, logical: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let (mut at, mut rest) = (logical, buf);
        while !rest.is_empty() {
            let chunk = self.chunk(at)?;
            let left = chunk.length.saturating_sub(at - chunk.logical);
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let (part, behind) = rest.split_at_mut_checked(length).unwrap_or_default();
            match self.sums.filter(|_| chunk.copies() > 1) {
                Some(sums) => verify::read(self, sums, chunk, at, part)?,
                None => self.read_any(chunk, at, part)?,
            }
            at = at.saturating_add(left);
            rest = behind;
        }
        Ok(())
    }

    fn read_any(&self, chunk: &Chunk, logical: u64, part: &mut [u8]) -> Result<(), DiskError> {
        let mut failed = None;
        for copy in 0..chunk.copies() {
            match self.read_copy(chunk, logical, copy, part) {
                Ok(()) => return Ok(()),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Fills `buf`, which must lie in the chunk, from one copy.
    pub fn read_copy(
        &self,
        chunk: &Chunk,
        logical: u64,
        copy: u64,
        buf: &mut [u8],
    ) -> Result<(), DiskError> {
        let (mut offset, mut rest) = (logical.saturating_sub(chunk.logical), buf);
        while !rest.is_empty() {
            let place = chunk.place(offset, copy).ok_or_else(|| {
                let what = format!("what begins at {logical} leaves its chunk");
                DiskError::damaged(FORMAT, what)
            })?;
            let length = usize::try_from(place.run)
                .unwrap_or(usize::MAX)
                .min(rest.len());
            let (part, behind) = rest.split_at_mut_checked(length).unwrap_or_default();
            self.device(&place)?.read_at(place.offset, part)?;
            offset = offset.saturating_add(place.run);
            rest = behind;
        }
        Ok(())
    }

    fn device(&self, place: &Place) -> Result<&dyn BlockDevice, DiskError> {
        let mut devices = self.devices.iter();
        let found = devices.find(|(number, _)| *number == place.device);
        found.map(|(_, device)| device.as_ref()).ok_or_else(|| {
            let what = format!(
                "this part lies on device {} of the file system, which was not handed over",
                place.device
            );
            DiskError::unsupported(FORMAT, what)
        })
    }
}
