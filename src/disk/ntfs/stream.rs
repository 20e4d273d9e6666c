//! The content of an attribute: its parts put together, holes and compressed units included.

use super::record::{Attribute, Body, Mapped};
use super::runs::Run;
use super::{FORMAT, lznt1};
use crate::disk::{BlockDevice, DiskError};

/// Runs of one attribute; a file of more pieces is damaged, or an attack.
const MOST_RUNS: usize = 1 << 20;
/// Bytes that are compressed together: 64 KiB, wherever Windows did it.
const MOST_UNIT: u64 = 1 << 20;

/// A whole attribute.
#[derive(Debug, Clone)]
pub struct Stream {
    pub size: u64,
    /// Bytes on the disk.
    pub allocated: u64,
    pub is_encrypted: bool,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Resident(Vec<u8>),
    Mapped {
        runs: Vec<Run>,
        /// Bytes behind this were never written, and read as zero.
        written: u64,
        /// Clusters that are compressed together.
        unit: Option<u64>,
    },
}

/// Clusters and where they are.
pub struct Clusters<'a> {
    pub device: &'a dyn BlockDevice,
    /// Bytes.
    pub size: u64,
}

impl Stream {
    /// Puts together the parts of the attribute of this kind and name; `None` where there is none.
    pub fn gather(
        attributes: &[Attribute],
        kind: u32,
        name: &str,
    ) -> Result<Option<Self>, DiskError> {
        let mut parts: Vec<(&Attribute, &Mapped)> = Vec::new();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.is(kind, name))
        {
            match &attribute.body {
                Body::Resident(bytes) => return Ok(Some(Self::resident(attribute, bytes))),
                Body::Mapped(mapped) => parts.push((attribute, mapped)),
            }
        }
        parts.sort_by_key(|(_, mapped)| mapped.first);
        let Some((attribute, first)) = parts.first().copied() else {
            return Ok(None);
        };
        let mut runs: Vec<Run> = Vec::new();
        for (_, part) in &parts {
            let end = runs.last().map_or(0, |run| run.first + run.length);
            if part.first != end || runs.len() + part.runs.len() > MOST_RUNS {
                return Err(DiskError::damaged(
                    FORMAT,
                    "a part of an attribute is missing",
                ));
            }
            runs.extend_from_slice(&part.runs);
        }
        let unit = attribute.is_compressed && first.unit > 0;
        Ok(Some(Self {
            size: first.size,
            allocated: first.allocated,
            is_encrypted: attribute.is_encrypted,
            content: Content::Mapped {
                runs,
                written: first.written,
                unit: unit.then(|| 1_u64.checked_shl(u32::from(first.unit)).unwrap_or(u64::MAX)),
            },
        }))
    }

    fn resident(attribute: &Attribute, bytes: &[u8]) -> Self {
        Self {
            size: u64::try_from(bytes.len()).unwrap_or_default(),
            allocated: 0,
            is_encrypted: attribute.is_encrypted,
            content: Content::Resident(bytes.to_vec()),
        }
    }

    /// How many pieces it is in.
    pub fn pieces(&self) -> usize {
        match &self.content {
            Content::Resident(_) => 0,
            Content::Mapped { runs, .. } => runs.len(),
        }
    }

    /// Reads into `buf`; short only at the end.
    pub fn read(
        &self,
        clusters: &Clusters<'_>,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, DiskError> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let buf = buf.get_mut(..length).unwrap_or_default();
        match &self.content {
            Content::Resident(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let bytes = bytes.get(from..).unwrap_or_default();
                for (to, from) in buf.iter_mut().zip(bytes) {
                    *to = *from;
                }
            }
            Content::Mapped {
                runs,
                written,
                unit,
            } => {
                let there = usize::try_from(written.saturating_sub(offset)).unwrap_or(usize::MAX);
                let (stored, zeros) = buf.split_at_mut(there.min(length));
                zeros.fill(0);
                match unit {
                    None => plain(clusters, runs, offset, stored)?,
                    Some(unit) => packed(clusters, runs, *unit, offset, stored)?,
                }
            }
        }
        Ok(length)
    }

    /// All of it, if it is no longer than `most` bytes.
    pub fn whole(&self, clusters: &Clusters<'_>, most: u64) -> Result<Vec<u8>, DiskError> {
        if self.size > most {
            let what = format!("{} bytes where {most} are the most", self.size);
            return Err(DiskError::damaged(FORMAT, what));
        }
        let mut bytes = vec![0; usize::try_from(self.size).unwrap_or_default()];
        self.read(clusters, 0, &mut bytes)?;
        Ok(bytes)
    }
}

/// The run that holds a cluster, and those behind it.
fn from(runs: &[Run], cluster: u64) -> &[Run] {
    let at = runs.partition_point(|run| run.first + run.length <= cluster);
    runs.get(at..).unwrap_or_default()
}

fn plain(
    clusters: &Clusters<'_>,
    runs: &[Run],
    offset: u64,
    buf: &mut [u8],
) -> Result<(), DiskError> {
    let (mut at, mut rest) = (offset, buf);
    for run in from(runs, offset / clusters.size) {
        if rest.is_empty() {
            return Ok(());
        }
        let within = at - run.first * clusters.size;
        let left = run.length * clusters.size - within;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (now, later) = rest.split_at_mut(length);
        match run.place {
            Some(place) => clusters
                .device
                .read_at(place * clusters.size + within, now)?,
            None => now.fill(0),
        }
        at += u64::try_from(length).unwrap_or_default();
        rest = later;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(DiskError::damaged(
        FORMAT,
        "a file is longer than its clusters",
    ))
}

/// A unit is stored as it is, or packed into fewer clusters with a hole behind them, or a hole.
fn packed(
    clusters: &Clusters<'_>,
    runs: &[Run],
    unit: u64,
    offset: u64,
    buf: &mut [u8],
) -> Result<(), DiskError> {
    let unit_bytes = unit.saturating_mul(clusters.size);
    if unit_bytes > MOST_UNIT {
        let what = format!("content compressed {unit_bytes} bytes at a time");
        return Err(DiskError::damaged(FORMAT, what));
    }
    let (mut at, mut rest) = (offset, buf);
    while !rest.is_empty() {
        let number = at / unit_bytes;
        let within = usize::try_from(at % unit_bytes).unwrap_or_default();
        let size = usize::try_from(unit_bytes).unwrap_or_default();
        let length = (size - within).min(rest.len());
        let (now, later) = rest.split_at_mut(length);
        let held = held(runs, number * unit, unit);
        if held == 0 {
            now.fill(0);
        } else if held == unit {
            plain(clusters, runs, at, now)?;
        } else {
            let stored = usize::try_from(held * clusters.size).unwrap_or_default();
            let (mut stored, mut whole) = (vec![0; stored], vec![0; size]);
            plain(clusters, runs, number * unit_bytes, &mut stored)?;
            lznt1::unpack(&stored, &mut whole)?;
            now.copy_from_slice(whole.get(within..within + length).unwrap_or_default());
        }
        at += u64::try_from(length).unwrap_or_default();
        rest = later;
    }
    Ok(())
}

/// Clusters from `first` on that are no hole, of `unit` clusters.
fn held(runs: &[Run], first: u64, unit: u64) -> u64 {
    let end = first + unit;
    let mut next = first;
    for run in from(runs, first) {
        if run.place.is_none() || next >= end {
            break;
        }
        next = run.first + run.length;
    }
    next.min(end) - first
}
