//! A volume group, out of its metadata: numbers and names checked, and nothing of devices yet (lvmsystemid(7), lvm2's
//! lib/format_text/import_vsn1.c).

use super::damaged;
use super::text::Value;
use crate::disk::DiskError;

/// Segments in one group at most.
pub(super) const SEGMENTS: usize = 200_000;

/// A volume group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: String,
    /// Bytes.
    pub(super) extent: u64,
    pub(super) physical: Vec<PhysicalEntry>,
    /// In the order of the text.
    pub(super) logical: Vec<Logical>,
}

/// What a group says of one of its physical volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PhysicalEntry {
    pub(super) name: String,
    /// 32 letters.
    pub(super) id: String,
    /// Where its first extent begins, in bytes.
    pub(super) start: u64,
}

/// A logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logical {
    pub(super) name: String,
    /// Whether a kernel shows it; the others are parts of these.
    pub(super) visible: bool,
    /// By their beginning, without a gap.
    pub(super) segments: Vec<Segment>,
    /// In extents.
    pub(super) extents: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// In extents.
    pub(super) start: u64,
    pub(super) count: u64,
    pub(super) kind: Kind,
}

/// Where a segment's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Taken in turn from each area, so many bytes at once. One area is a linear segment.
    Striped { stripe: u64, areas: Vec<Area> },
    /// The same in each.
    Mirrored(Vec<Area>),
    /// A pool: the volumes with its tables and its blocks.
    ThinPool { metadata: String, data: String },
    /// Blocks of a pool.
    Thin {
        pool: String,
        /// The volume's number in the pool.
        number: u64,
        /// The volume with what it has no block for.
        origin: Option<String>,
    },
    /// Not a volume: it says that one is what another was.
    Snapshot {
        origin: String,
        store: String,
        /// Whether it is on its way back into its origin.
        merging: bool,
    },
    /// Of a kind that is not read: its name.
    Other(String),
}

impl Logical {
    /// Whether it is a volume at all: a pool holds volumes, and a snapshot's entry says what another volume is.
    pub(super) fn is_volume(&self) -> bool {
        let is_other = |segment: &Segment| {
            matches!(segment.kind, Kind::ThinPool { .. } | Kind::Snapshot { .. })
        };
        !self.segments.iter().any(is_other)
    }
}

/// A place in a physical or a hidden logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) name: String,
    /// In extents.
    pub(super) extent: u64,
}

impl Group {
    /// Why a volume is not what its blocks would say, if a snapshot has to do with it.
    pub(super) fn snapshot(&self, name: &str) -> Option<String> {
        let segments = self.logical.iter().flat_map(|logical| &logical.segments);
        segments.into_iter().find_map(|segment| match &segment.kind {
            Kind::Snapshot { origin, store, .. } if store == name => Some(format!(
                "it is a snapshot of {origin}, which is read instead; snapshots of this kind are not read"
            )),
            Kind::Snapshot {
                origin,
                store,
                merging: true,
            } if origin == name => Some(format!(
                "its snapshot {store} is being merged into it; let that end inside the machine"
            )),
            _ => None,
        })
    }

    /// The one group that a text describes.
    pub(super) fn read(metadata: &Value) -> Result<Self, DiskError> {
        let mut entries = metadata.entries().iter();
        let group = entries.find(|(_, value)| value.get("extent_size").is_some());
        let (name, group) = group.ok_or_else(|| damaged("its metadata describes no group"))?;
        let extent = sectors(group.number("extent_size")?)?;
        if extent == 0 {
            return Err(damaged("its extents have no length"));
        }
        let mut physical = Vec::new();
        for (name, value) in section(group, "physical_volumes") {
            physical.push(PhysicalEntry {
                name: name.clone(),
                id: value.text("id")?.replace('-', ""),
                start: sectors(value.number("pe_start")?)?,
            });
        }
        let mut logical = Vec::new();
        let mut budget = SEGMENTS;
        for (name, value) in section(group, "logical_volumes") {
            logical.push(read_logical(name, value, &mut budget)?);
        }
        Ok(Self {
            name: name.clone(),
            id: group.text("id")?.to_owned(),
            extent,
            physical,
            logical,
        })
    }
}

/// The entries of a section that need not be there: a group may have no logical volumes.
fn section<'a>(group: &'a Value, key: &str) -> &'a [(String, Value)] {
    group.get(key).map(Value::entries).unwrap_or_default()
}

fn sectors(count: u64) -> Result<u64, DiskError> {
    count
        .checked_mul(512)
        .ok_or_else(|| damaged("a length beyond any disk"))
}

fn read_logical(name: &str, value: &Value, budget: &mut usize) -> Result<Logical, DiskError> {
    let visible = Value::Text("VISIBLE".to_owned());
    let mut segments = Vec::new();
    for (key, segment) in value.entries() {
        let numbered = key
            .strip_prefix("segment")
            .is_some_and(|number| number.parse::<u32>().is_ok());
        if numbered {
            *budget = budget
                .checked_sub(1)
                .ok_or_else(|| damaged(format!("more than {SEGMENTS} segments")))?;
            segments.push(read_segment(segment)?);
        }
    }
    segments.sort_by_key(|segment| segment.start);
    let mut end = 0_u64;
    for segment in &segments {
        if segment.start != end {
            let what =
                format!("the logical volume {name:?} has a gap, or two segments in one place");
            return Err(damaged(what));
        }
        let next = end.checked_add(segment.count);
        end = next.ok_or_else(|| damaged("a volume beyond any disk"))?;
    }
    Ok(Logical {
        name: name.to_owned(),
        visible: value.list("status").contains(&visible),
        segments,
        extents: end,
    })
}

fn read_segment(value: &Value) -> Result<Segment, DiskError> {
    let kind = match value.text("type")? {
        "striped" | "linear" => {
            let areas = areas(value.list("stripes"));
            let stripe = if areas.len() == 1 {
                0
            } else {
                sectors(value.number("stripe_size")?)?
            };
            if areas.is_empty() || areas.len() > 1 && stripe == 0 {
                return Err(damaged("a striped segment without stripes"));
            }
            Kind::Striped { stripe, areas }
        }
        "mirror" => Kind::Mirrored(areas(value.list("mirrors"))),
        // Each leg is a pair: what is known of it, and its data.
        "raid1" => Kind::Mirrored(
            value
                .list("raids")
                .iter()
                .skip(1)
                .step_by(2)
                .filter_map(|leg| match leg {
                    Value::Text(name) => Some(Area {
                        name: name.clone(),
                        extent: 0,
                    }),
                    _ => None,
                })
                .collect(),
        ),
        "thin-pool" => Kind::ThinPool {
            metadata: value.text("metadata")?.to_owned(),
            data: value.text("pool")?.to_owned(),
        },
        "thin" => Kind::Thin {
            pool: value.text("thin_pool")?.to_owned(),
            number: value.number("device_id")?,
            origin: value.text("external_origin").ok().map(str::to_owned),
        },
        "snapshot" => {
            let merging = value.text("merging_store");
            Kind::Snapshot {
                origin: value.text("origin")?.to_owned(),
                merging: merging.is_ok(),
                store: merging.or_else(|_| value.text("cow_store"))?.to_owned(),
            }
        }
        other => Kind::Other(other.to_owned()),
    };
    Ok(Segment {
        start: value.number("start_extent")?,
        count: value.number("extent_count")?,
        kind,
    })
}

/// Names and extents, in turn.
fn areas(list: &[Value]) -> Vec<Area> {
    let pair = |pair: &[Value]| match pair {
        [Value::Text(name), Value::Number(extent)] => Some(Area {
            name: name.clone(),
            extent: *extent,
        }),
        _ => None,
    };
    list.chunks(2).filter_map(pair).collect()
}
