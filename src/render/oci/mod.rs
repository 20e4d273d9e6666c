//! OCI image layouts of lifted workloads, written without an engine (image-spec 1.1): `workloads/ID/oci/`, and `oci/` with all of them
//! by name. The layers are those of the Dockerfiles, packed; blobs that several layouts have are one file of the disk.

mod config;

use self::config::Source;
use super::lifted::{self, Lifted};
use super::staging::Staging;
use super::{Error, Machine, Written};
use crate::plan::{Layer, Plan};
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
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
    lifts: &[Lifted<'_>],
    machine: &Machine<'_>,
    entrypoints: &BTreeMap<String, String>,
    written: &mut Written,
) -> Result<(), Error> {
    if lifts.is_empty() {
        return Ok(());
    }
    let all = Layout::new(staging, Path::new(ALL))?;
    let packed = layers(&all, lifts, machine, entrypoints, written)?;
    let mut manifests = Vec::new();
    for (lifted, layers) in lifts.iter().zip(&packed) {
        let own = Path::new("workloads").join(&lifted.plan.id).join("oci");
        let own = Layout::new(staging, &own)?;
        let manifest = image(&all, lifted.plan, layers)?;
        own.take(&all, &manifest, layers)?;
        own.index(std::slice::from_ref(&manifest.reference))?;
        written.paths.push(own.relative.clone());
        manifests.push(manifest.reference);
    }
    all.index(&manifests)?;
    written.paths.push(all.relative.clone());
    Ok(())
}

/// What a layer is packed from.
enum Archive<'a> {
    Layer(&'a Lifted<'a>, &'a Layer),
    Entrypoint(&'a str),
}

/// Packs every layer, side by side; the layers of each image, lowest first. What all share is packed once.
fn layers<'a>(
    all: &Layout<'_>,
    lifts: &'a [Lifted<'a>],
    machine: &Machine<'_>,
    entrypoints: &'a BTreeMap<String, String>,
    written: &mut Written,
) -> Result<Vec<Vec<Packed>>, Error> {
    let mut archives: Vec<Archive<'a>> = Vec::new();
    let mut shared = None;
    let mut images: Vec<Vec<usize>> = Vec::new();
    for lifted in lifts {
        let mut own = Vec::new();
        for layer in &lifted.lift.layers {
            let place = archives.len();
            if lifted::is_shared(layer) {
                let first = *shared.get_or_insert(place);
                own.push(first);
                if first != place {
                    continue;
                }
            } else {
                own.push(place);
            }
            archives.push(Archive::Layer(lifted, layer));
        }
        let text = entrypoints.get(&lifted.plan.id);
        if let Some(text) = text.filter(|_| lifted.plan.process.entrypoint) {
            own.push(archives.len());
            archives.push(Archive::Entrypoint(text));
        }
        images.push(own);
    }
    let packed: Result<Vec<(Packed, Vec<String>)>, Error> = archives
        .par_iter()
        .enumerate()
        .map(|(number, archive)| match archive {
            Archive::Layer(lifted, layer) => {
                let mut told = Vec::new();
                let packed = all.pack(number, |to| {
                    let unread = lifted.layer(layer, |_| true, machine, to)?;
                    let id = &lifted.plan.id;
                    told.extend(
                        unread
                            .into_iter()
                            .map(|(path, why)| format!("{path} of {id}: {why}")),
                    );
                    Ok(())
                })?;
                Ok((packed, told))
            }
            Archive::Entrypoint(text) => {
                let packed = all.pack(number, |to| {
                    let done = to.write_all(&entrypoint(text)?);
                    done.map_err(|error| Error::io("entrypoint.sh", error))
                })?;
                Ok((packed, Vec::new()))
            }
        })
        .collect();
    let packed = packed?;
    written
        .left_out
        .extend(packed.iter().flat_map(|(_, told)| told.iter().cloned()));
    let of = |own: &Vec<usize>| -> Vec<Packed> {
        let own = own.iter().filter_map(|place| packed.get(*place));
        own.map(|(packed, _)| packed.clone()).collect()
    };
    Ok(images.iter().map(of).collect())
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
fn image(all: &Layout<'_>, plan: &Plan, layers: &[Packed]) -> Result<Manifest, Error> {
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
    fn take(&self, other: &Self, manifest: &Manifest, layers: &[Packed]) -> Result<(), Error> {
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
    fn pack(
        &self,
        number: usize,
        write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
    ) -> Result<Packed, Error> {
        let partial = self.blobs().join(format!("partial-{number}"));
        let failed = |error| Error::io(&partial, error);
        let file = self.staging.create(&partial, 0o644)?;
        let file = Counted::new(BufWriter::with_capacity(CHUNK, file));
        let packer = GzEncoder::new(file, Compression::new(LEVEL));
        // Archives are written in small pieces.
        let mut plain = BufWriter::with_capacity(CHUNK, Counted::new(packer));
        write(&mut plain)?;
        let plain = plain.into_inner();
        let plain = plain.map_err(|error| failed(error.into_error()))?;
        let diff = hex(&plain.digest.finalize());
        let mut packed = plain.to.finish().map_err(failed)?;
        packed.to.flush().map_err(failed)?;
        let blob = Blob {
            digest: hex(&packed.digest.finalize()),
            size: packed.size,
        };
        let whole = self.staging.path();
        let named = whole.join(self.blobs()).join(&blob.digest);
        std::fs::rename(whole.join(&partial), named).map_err(failed)?;
        Ok(Packed { blob, diff })
    }
}

/// Writes, counts and digests.
struct Counted<W: Write> {
    to: W,
    digest: Sha256,
    size: u64,
}

impl<W: Write> Counted<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            digest: Sha256::new(),
            size: 0,
        }
    }
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
