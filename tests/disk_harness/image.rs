//! Images: opened with what lies beside them, and read here and there.

use super::input::Part;
use super::volume;
use super::{folder, input};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use transvase::disk::image::{self, Beside, Machine, OpenError, RawFile};

/// Files in memory.
struct Files(Vec<(&'static str, Arc<Part>)>);

impl Beside for Files {
    fn file(&self, named: &[u8]) -> io::Result<RawFile> {
        let mut files = (0..).zip(&self.0);
        let found = files.find(|(_, (name, _))| name.as_bytes() == named);
        let (number, (_, part)) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(RawFile::elsewhere(Arc::<Part>::clone(part), number))
    }

    fn path(&self, named: &[u8]) -> PathBuf {
        Path::new("memory").join(&*String::from_utf8_lossy(named))
    }

    fn names(&self) -> Vec<Vec<u8>> {
        let names = self.0.iter().map(|(name, _)| name.as_bytes().to_vec());
        names.collect()
    }
}

/// Opens the first of these files, whose content the input's parts are.
pub fn read(data: &[u8], names: &[&'static str]) {
    let parts = input::parts(data);
    // Files of the system cost too much for a fuzzer; the tests look through them too.
    if !cfg!(fuzzing)
        && let Some(path) = folder::write(&parts, names)
    {
        touch(image::machine(&path, false));
    }
    let parts = parts.into_iter().map(Arc::new);
    let files = Files(names.iter().copied().zip(parts).collect());
    let first = names.first().copied().unwrap_or_default();
    touch(image::machine_among(first.as_bytes(), Arc::new(files)));
}

fn touch(machine: Result<Machine, OpenError>) {
    let disks = machine.map(|machine| machine.disks).unwrap_or_default();
    for disk in disks.iter().take(4) {
        volume::touch(&disk.device);
    }
}
