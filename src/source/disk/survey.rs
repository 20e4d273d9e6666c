//! Disk images described: each disk with its volumes, and the operating systems on them.

use super::view::View;
use super::{choice, mounts, names, subvolumes};
use crate::disk::contents::Contents;
use crate::disk::open::{Disk, Volume as DiskVolume};
use crate::path::sanitise;
use crate::source::inspection::{self, Hardware, Inspection, Mount, System, Volume};
use crate::source::{Error, OpenOptions, release};
use std::path::PathBuf;

/// Subvolumes that are listed; a machine that keeps a snapshot for every hour has thousands.
const MOST_SUBVOLUMES: usize = 200;

pub(in crate::source) fn survey(
    paths: &[PathBuf],
    options: &OpenOptions,
) -> Result<Inspection, Error> {
    let allow_outside = options.allow_outside;
    let disk_options = crate::disk::open::OpenOptions { allow_outside };
    let disk = Disk::open(paths, &disk_options).map_err(|error| Error::image(&error))?;
    let paths: Vec<String> = paths
        .iter()
        .map(|path| clean(&path.to_string_lossy()))
        .collect();
    let on_a_whole = disk.wholes.iter().map(|whole| whole.volumes.end).max();
    let logical = disk.volumes.get(on_a_whole.unwrap_or_default()..);
    Ok(Inspection {
        schema_version: Inspection::SCHEMA_VERSION,
        format: disk.format.to_owned(),
        hardware: disk.hardware.map(|hardware| Hardware {
            processors: hardware.processors,
            memory: hardware.memory,
        }),
        disks: disks(&disk, &paths),
        logical_volumes: logical.unwrap_or_default().iter().map(volume).collect(),
        systems: systems(&disk),
        gaps: disk.notes.iter().map(|note| clean(note)).collect(),
        remarks: remarks(&disk),
        paths,
    })
}

fn remarks(disk: &Disk) -> Vec<String> {
    let files = super::shown(&disk.files).into_iter();
    let files = files.map(|file| format!("{file} is read too, since an image leads to it"));
    let remarks = disk.remarks.iter().map(|note| clean(note));
    remarks.chain(files).collect()
}

fn disks(disk: &Disk, paths: &[String]) -> Vec<inspection::Disk> {
    let wholes = disk.wholes.iter();
    let each = wholes.map(|whole| {
        let volumes = disk.volumes.get(whole.volumes.clone()).unwrap_or_default();
        inspection::Disk {
            device: whole.device.clone(),
            path: whole.image.and_then(|at| paths.get(at)).cloned(),
            format: whole.format.to_owned(),
            bytes: whole.size,
            table: whole.table.map(str::to_owned),
            volumes: volumes.iter().map(volume).collect(),
        }
    });
    each.collect()
}

fn volume(found: &DiskVolume) -> Volume {
    let mut volume = Volume {
        device: clean(&found.device),
        kind: found.kind.name().to_owned(),
        bytes: found.size,
        partuuid: some(&found.partuuid),
        partlabel: some(&found.partlabel),
        ..Volume::default()
    };
    let mut says = |state: &str, contents: Option<&str>, uuid: &str, label: &str| {
        state.clone_into(&mut volume.state);
        volume.contents = contents.map(str::to_owned);
        volume.uuid = some(uuid);
        volume.label = some(label);
    };
    match &found.contents {
        Contents::FileSystem(fs) => {
            let info = fs.info();
            says("file-system", Some(info.kind), &info.uuid, &info.label);
            volume.used = Some(info.used);
            volume.notes = info.notes.iter().map(|note| clean(note)).collect();
            let named = subvolumes::all(fs.as_ref());
            if named.len() > 1 {
                let shown = named.iter().take(MOST_SUBVOLUMES);
                volume.subvolumes = shown.map(|one| clean(&one.path)).collect();
                if named.len() > MOST_SUBVOLUMES {
                    let more = named.len() - MOST_SUBVOLUMES;
                    volume.notes.push(format!("{more} more subvolumes"));
                }
            }
        }
        Contents::Recognised {
            kind,
            uuid,
            label,
            why,
        } => {
            says("unread", Some(kind), uuid, label);
            volume.reason = some(why);
        }
        Contents::Part { kind, uuid, of } => {
            says("part", Some(kind), uuid, "");
            volume.part_of = some(of);
        }
        Contents::Swap { uuid, label } => says("swap", Some("swap"), uuid, label),
        Contents::Empty => says("nothing", None, "", ""),
    }
    volume
}

fn systems(disk: &Disk) -> Vec<System> {
    let mut systems = Vec::new();
    for (choice, likely) in choice::every(disk) {
        let mut problems = Vec::new();
        let mounts = mounts::join(disk, &choice, &mut problems);
        problems.extend(super::left_over(disk, &mounts));
        let view = View(&mounts);
        let read = |path: &str| view.text(path, release::LIMIT);
        systems.push(System {
            root: Some(clean(&choice.name)),
            name: inspection::name(&read, &view.names("/etc")),
            hostname: read("/etc/hostname").and_then(|text| inspection::host(&text)),
            readable: true,
            likely,
            mounts: mounts
                .iter()
                .map(|mount| Mount {
                    device: clean(&mount.device),
                    point: mount.point.to_string(),
                })
                .collect(),
            unexamined: problems
                .iter()
                .map(|problem| format!("{}: {}", problem.path, sanitise(&problem.reason)))
                .collect(),
        });
    }
    let windows = disk.volumes.iter().filter(|volume| {
        matches!(&volume.contents, Contents::FileSystem(fs)
            if names::exists_in_any_case(fs.as_ref(), super::WINDOWS))
    });
    systems.extend(windows.map(|volume| System {
        root: Some(clean(&volume.device)),
        name: Some("Windows".to_owned()),
        ..System::default()
    }));
    systems
}

fn clean(text: &str) -> String {
    sanitise(text).into_owned()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| clean(text))
}
