//! OCI image layouts of lifted workloads, written without an engine (image-spec 1.1): `workloads/ID/oci/`, and `oci/` with all of them
//! by name. The layers are those of the Dockerfiles, packed; blobs that several layouts have are one file of the disk.

mod config;

use self::config::Source;
use super::lifted;
use super::staging::Staging;
use super::{Error, Written};
use crate::plan::Plan;
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Layers are packed as hard as this: six costs twice the time for two hundredths of the size.
const LEVEL: u32 = 4;
/// Read and packed in pieces of this many bytes.
const CHUNK: usize = 256 * 1024;
/// One layout with all images, beside those of the workloads.
const ALL: &str = "oci";
/// The tag that compose gives images that are built here.
const TAG: &str = "latest";

/// A blob: its digest in hexadecimal, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    digest: String,
    size: u64,
}

/// A packed layer, and the digest of what is packed.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    blob: Blob,
    diff: String,
}

/// Writes the layouts of all lifted plans; `entrypoints` are the texts of their entry points.
pub(super) fn write(
    staging: &Staging,
    plans: &[Plan],
    entrypoints: &BTreeMap<String, String>,
    written: &mut Written,
) -> Result<(), Error> {
    let lifted: Vec<&Plan> = plans
        .iter()
        .filter(|plan| plan.image.lift.is_some())
        .collect();
    if lifted.is_empty() {
        return Ok(());
    }
    let all = Layout::new(staging, Path::new(ALL))?;
    let packed = layers(&all, &lifted, entrypoints)?;
    let mut manifests = Vec::new();
    for plan in &lifted {
        let own = Path::new("workloads").join(&plan.id).join("oci");
        let own = Layout::new(staging, &own)?;
        let layers: Vec<&Packed> = archives(plan)
            .iter()
            .filter_map(|archive| packed.get(archive))
            .collect();
        let manifest = image(&all, plan, &layers)?;
        own.take(&all, &manifest, &layers)?;
        own.index(std::slice::from_ref(&manifest.reference))?;
        written.paths.push(own.relative.clone());
        manifests.push(manifest.reference);
    }
    all.index(&manifests)?;
    written.paths.push(all.relative.clone());
    Ok(())
}

/// Where a layer's content comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Archive {
    /// A tar of a build context.
    File(PathBuf),
    /// A workload's entry point.
    Entrypoint(String),
}

/// The layers of an image, lowest first. What all share is named after the first that has it.
fn archives(plan: &Plan) -> Vec<Archive> {
    let lift = plan.image.lift.iter();
    let layers = lift.flat_map(|lift| &lift.layers);
    let mut found: Vec<Archive> = layers
        .map(|layer| Archive::File(lifted::path(plan, layer)))
        .collect();
    if plan.process.entrypoint {
        found.push(Archive::Entrypoint(plan.id.clone()));
    }
    found
}

/// Packs every layer, side by side. One that several images share is the same file under several names, and packed once.
fn layers(
    all: &Layout<'_>,
    plans: &[&Plan],
    entrypoints: &BTreeMap<String, String>,
) -> Result<BTreeMap<Archive, Packed>, Error> {
    let mut named: BTreeMap<Archive, Archive> = BTreeMap::new();
    let mut shared: Option<Archive> = None;
    for plan in plans {
        for archive in archives(plan) {
            let is_shared = matches!(&archive, Archive::File(path) if path.ends_with("shared.tar"));
            let first = match (&shared, is_shared) {
                (Some(first), true) => first.clone(),
                (None, true) => shared.insert(archive.clone()).clone(),
                _ => archive.clone(),
            };
            named.insert(archive, first);
        }
    }
    let mut first: Vec<&Archive> = named.values().collect();
    first.sort();
    first.dedup();
    let packed: Result<BTreeMap<&Archive, Packed>, Error> = first
        .into_par_iter()
        .enumerate()
        .map(|(number, archive)| {
            let packed = match archive {
                Archive::File(path) => {
                    let from = all.staging.path().join(path);
                    let file = File::open(&from).map_err(|error| Error::io(&from, error))?;
                    all.pack(number, BufReader::with_capacity(CHUNK, file))
                }
                Archive::Entrypoint(id) => {
                    let text = entrypoints.get(id).map_or("", String::as_str);
                    all.pack(number, entrypoint(text)?.as_slice())
                }
            };
            Ok((archive, packed?))
        })
        .collect();
    let packed = packed?;
    let each = named.iter();
    Ok(each
        .filter_map(|(archive, first)| Some((archive.clone(), packed.get(first)?.clone())))
        .collect())
}

/// The entry point as a layer: where a Dockerfile copies it to.
fn entrypoint(text: &str) -> Result<Vec<u8>, Error> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(text.len() as u64);
    header.set_mtime(0);
    let mut builder = tar::Builder::new(Vec::new());
    let done = builder.append_data(&mut header, "entrypoint.sh", text.as_bytes());
    done.and_then(|()| builder.into_inner())
        .map_err(|error| Error::io("entrypoint.sh", error))
}

struct Manifest {
    blob: Blob,
    config: Blob,
    /// As an index names it.
    reference: Value,
}

/// An image's configuration and manifest, as blobs.
fn image(all: &Layout<'_>, plan: &Plan, layers: &[&Packed]) -> Result<Manifest, Error> {
    let source = Source::new(plan);
    let diffs: Vec<&str> = layers.iter().map(|layer| layer.diff.as_str()).collect();
    let config = all.json(&config::config(plan, &source, &diffs))?;
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer.blob))
        .collect();
    let annotations = config::annotations(plan, &source);
    let blob = all.json(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": layers,
        "annotations": annotations,
    }))?;
    let mut reference = descriptor(MANIFEST, &blob);
    if let Some(reference) = reference.as_object_mut() {
        reference.insert("platform".to_owned(), source.platform());
        let name = format!("{}:{TAG}", plan.id);
        let name = json!({ "org.opencontainers.image.ref.name": name });
        reference.insert("annotations".to_owned(), name);
    }
    Ok(Manifest {
        blob,
        config,
        reference,
    })
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn descriptor(kind: &str, blob: &Blob) -> Value {
    json!({
        "mediaType": kind,
        "digest": format!("sha256:{}", blob.digest),
        "size": blob.size,
    })
}

/// An image layout (image-spec, image-layout.md).
struct Layout<'s> {
    staging: &'s Staging,
    relative: PathBuf,
}

impl<'s> Layout<'s> {
    fn new(staging: &'s Staging, relative: &Path) -> Result<Self, Error> {
        let layout = Self {
            staging,
            relative: relative.to_owned(),
        };
        staging.directory(&layout.blobs(), 0o755)?;
        let version = br#"{"imageLayoutVersion":"1.0.0"}"#;
        staging.file(&relative.join("oci-layout"), 0o644, version)?;
        Ok(layout)
    }

    fn blobs(&self) -> PathBuf {
        self.relative.join("blobs").join("sha256")
    }

    fn index(&self, manifests: &[Value]) -> Result<(), Error> {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        });
        let text = text(&index)?;
        self.staging
            .file(&self.relative.join("index.json"), 0o644, &text)
    }

    /// The blobs of an image that another layout has.
    fn take(&self, other: &Self, manifest: &Manifest, layers: &[&Packed]) -> Result<(), Error> {
        let layers = layers.iter().map(|layer| &layer.blob);
        let mut blobs: Vec<&Blob> = [&manifest.blob, &manifest.config]
            .into_iter()
            .chain(layers)
            .collect();
        blobs.sort_by(|a, b| a.digest.cmp(&b.digest));
        blobs.dedup_by(|a, b| a.digest == b.digest);
        for blob in blobs {
            let (from, to) = (
                other.blobs().join(&blob.digest),
                self.blobs().join(&blob.digest),
            );
            self.staging.link(&from, &to)?;
        }
        Ok(())
    }

    fn json(&self, value: &impl Serialize) -> Result<Blob, Error> {
        let text = text(value)?;
        let blob = Blob {
            digest: hex(&Sha256::digest(&text)),
            size: text.len() as u64,
        };
        let path = self.blobs().join(&blob.digest);
        if !self.staging.path().join(&path).exists() {
            self.staging.file(&path, 0o644, &text)?;
        }
        Ok(blob)
    }

    /// Packs an archive into a blob, which is named once its digest is known.
    fn pack(&self, number: usize, mut from: impl Read) -> Result<Packed, Error> {
        let partial = self.blobs().join(format!("partial-{number}"));
        let failed = |error| Error::io(&partial, error);
        let counted = Counted {
            to: BufWriter::with_capacity(CHUNK, self.staging.create(&partial, 0o644)?),
            digest: Sha256::new(),
            size: 0,
        };
        let mut packer = GzEncoder::new(counted, Compression::new(LEVEL));
        let mut diff = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let got = from.read(&mut buffer).map_err(failed)?;
            let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else {
                break;
            };
            diff.update(piece);
            packer.write_all(piece).map_err(failed)?;
        }
        let mut counted = packer.finish().map_err(failed)?;
        counted.to.flush().map_err(failed)?;
        let blob = Blob {
            digest: hex(&counted.digest.finalize()),
            size: counted.size,
        };
        let whole = self.staging.path();
        let named = std::fs::rename(
            whole.join(&partial),
            whole.join(self.blobs()).join(&blob.digest),
        );
        named.map_err(failed)?;
        Ok(Packed {
            blob,
            diff: hex(&diff.finalize()),
        })
    }
}

/// Writes, counts and digests.
struct Counted<W: Write> {
    to: W,
    digest: Sha256,
    size: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let done = self.to.write(piece)?;
        self.digest.update(piece.get(..done).unwrap_or_default());
        self.size = self.size.saturating_add(done as u64);
        Ok(done)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

fn text(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::io("image", std::io::Error::other(error)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
