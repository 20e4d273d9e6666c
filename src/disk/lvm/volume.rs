//! A logical volume as a device: its segments, each on one or several others.

use super::damaged;
use super::group::{Area, Group, Kind, Logical, SEGMENTS, Segment};
use super::thin::Thin;
use crate::disk::range::inside;
use crate::disk::{BlockDevice, DiskError};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Volumes inside volumes: a mirror of a stripe has two levels.
const DEPTH: usize = 4;

/// A part of a logical volume.
struct Piece {
    /// In bytes.
    start: u64,
    size: u64,
    stripe: u64,
    /// Device, and where this part begins on it.
    areas: Vec<(Arc<dyn BlockDevice>, u64)>,
}

/// An opened logical volume.
pub(super) struct Mapped {
    /// By their beginning, without a gap.
    pieces: Vec<Piece>,
    size: u64,
}

/// Builds logical volumes out of the devices that are there.
pub(super) struct Builder<'a> {
    pub(super) group: &'a Group,
    /// By UUID.
    pub(super) devices: &'a BTreeMap<String, Arc<dyn BlockDevice>>,
    /// Pieces that may still be made: volumes inside volumes multiply.
    pub(super) budget: Cell<usize>,
}

impl Builder<'_> {
    pub(super) fn build(&self, logical: &Logical) -> Result<Mapped, DiskError> {
        self.volume(logical, 0)
    }

    fn volume(&self, logical: &Logical, depth: usize) -> Result<Mapped, DiskError> {
        if depth == DEPTH {
            return Err(damaged("volumes inside volumes, without an end"));
        }
        let mut pieces = Vec::new();
        for segment in &logical.segments {
            let left = self.budget.get().checked_sub(1);
            self.budget
                .set(left.ok_or_else(|| damaged(format!("more than {SEGMENTS} segments")))?);
            pieces.push(self.piece(segment, depth)?);
        }
        let size = self.bytes(logical.extents)?;
        Ok(Mapped { pieces, size })
    }

    fn piece(&self, segment: &Segment, depth: usize) -> Result<Piece, DiskError> {
        let (stripe, areas) = match &segment.kind {
            Kind::Striped { stripe, areas } => {
                let areas = areas.iter().map(|area| self.area(area, depth));
                (*stripe, areas.collect::<Result<_, _>>()?)
            }
            Kind::Mirrored(legs) => {
                // Any leg will do; an error is the last leg's.
                let mut found = Err(damaged("a mirror without legs"));
                for leg in legs {
                    found = self.area(leg, depth);
                    if found.is_ok() {
                        break;
                    }
                }
                (0, vec![found?])
            }
            Kind::Thin {
                pool,
                number,
                origin,
            } => {
                let size = self.bytes(segment.start.saturating_add(segment.count))?;
                let thin = self.thin(pool, *number, origin.as_deref(), size, depth)?;
                (0, vec![(Arc::new(thin) as _, self.bytes(segment.start)?)])
            }
            Kind::ThinPool { .. } | Kind::Snapshot { .. } => {
                let what = "a pool or a snapshot where a volume should be";
                return Err(DiskError::unsupported(super::FORMAT, what));
            }
            Kind::Other(kind) => {
                return Err(DiskError::unsupported(super::FORMAT, why_not(kind)));
            }
        };
        Ok(Piece {
            start: self.bytes(segment.start)?,
            size: self.bytes(segment.count)?,
            stripe,
            areas,
        })
    }

    fn thin(
        &self,
        pool: &str,
        number: u64,
        origin: Option<&str>,
        size: u64,
        depth: usize,
    ) -> Result<Thin, DiskError> {
        let mut segments = self.logical(pool)?.segments.iter();
        let found = segments.find_map(|segment| match &segment.kind {
            Kind::ThinPool { metadata, data } => Some((metadata, data)),
            _ => None,
        });
        let (metadata, data) = found.ok_or_else(|| damaged(format!("{pool:?} is no pool")))?;
        let open = |name: &str| {
            let volume = self.volume(self.logical(name)?, depth + 1)?;
            Ok::<Arc<dyn BlockDevice>, DiskError>(Arc::new(volume))
        };
        let origin = origin.map(open).transpose()?;
        Thin::open(open(metadata)?, open(data)?, number, origin, size)
    }

    fn logical(&self, name: &str) -> Result<&Logical, DiskError> {
        let mut logical = self.group.logical.iter();
        let found = logical.find(|logical| logical.name == name);
        found.ok_or_else(|| damaged(format!("no volume named {name:?}")))
    }

    fn area(&self, area: &Area, depth: usize) -> Result<(Arc<dyn BlockDevice>, u64), DiskError> {
        let at = self.bytes(area.extent)?;
        if let Some(physical) = self
            .group
            .physical
            .iter()
            .find(|entry| entry.name == area.name)
        {
            let device = self.devices.get(&physical.id).ok_or_else(|| {
                let what = format!(
                    "a part of it is on a disk that was not given ({}, UUID {}); give all disks of the machine",
                    physical.name, physical.id
                );
                DiskError::unsupported(super::FORMAT, what)
            })?;
            let at = at.checked_add(physical.start);
            let at = at.ok_or_else(|| damaged("an extent beyond any disk"))?;
            return Ok((Arc::clone(device), at));
        }
        let logical = self.logical(&area.name)?;
        Ok((Arc::new(self.volume(logical, depth + 1)?), at))
    }

    fn bytes(&self, extents: u64) -> Result<u64, DiskError> {
        let bytes = extents.checked_mul(self.group.extent);
        bytes.ok_or_else(|| damaged("an extent beyond any disk"))
    }
}

/// Why a kind of segment is not read, and what would help.
fn why_not(kind: &str) -> String {
    let kind = kind.split('+').next().unwrap_or_default();
    let (why, help) = match kind {
        "cache" | "writecache" => (
            "it is cached, and what was written last may be in the cache alone",
            "; take the cache off inside the machine: lvconvert --uncache",
        ),
        "vdo" | "vdo-pool" => ("its blocks are deduplicated and compressed (VDO)", ""),
        kind if kind.starts_with("raid") => ("it is of a RAID level that is not put together", ""),
        _ => ("this kind is not known", ""),
    };
    format!("a volume of the kind {kind:?} is not read: {why}{help}")
}

impl BlockDevice for Mapped {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, mut offset: u64, mut buf: &mut [u8]) -> Result<(), DiskError> {
        inside(offset, buf.len(), self.size)?;
        while !buf.is_empty() {
            let next = self.pieces.partition_point(|piece| piece.start <= offset);
            let piece = next.checked_sub(1).and_then(|at| self.pieces.get(at));
            let (device, at, most) = piece
                .and_then(|piece| piece.locate(offset - piece.start))
                .ok_or_else(|| damaged("a volume with a gap"))?;
            let here = usize::try_from(most).unwrap_or(usize::MAX).min(buf.len());
            let (part, rest) = buf.split_at_mut(here);
            device.read_at(at, part)?;
            offset += u64::try_from(here).unwrap_or_default();
            buf = rest;
        }
        Ok(())
    }
}

impl Piece {
    /// The device of the byte at `within`, where it is there, and how many bytes follow it there.
    fn locate(&self, within: u64) -> Option<(&Arc<dyn BlockDevice>, u64, u64)> {
        let left = self.size.checked_sub(within).filter(|left| *left > 0)?;
        if let [(device, start)] = self.areas.as_slice() {
            return Some((device, start.checked_add(within)?, left));
        }
        let count = u64::try_from(self.areas.len()).ok()?;
        let turn = within.checked_div(self.stripe)?;
        let inside = within % self.stripe;
        let area = usize::try_from(turn.checked_rem(count)?).ok()?;
        let (device, start) = self.areas.get(area)?;
        let at = start
            .checked_add(turn / count * self.stripe)?
            .checked_add(inside)?;
        Some((device, at, left.min(self.stripe - inside)))
    }
}
