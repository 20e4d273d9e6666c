//! Images: opened with what lies beside them, and read here and there.

use super::volume;
use super::{folder, input};
use transvase::disk::image;

/// Opens the first of these files, whose content the input's parts are.
pub fn read(data: &[u8], names: &[&str]) {
    let Some(path) = folder::write(&input::parts(data), names) else {
        return;
    };
    let Ok(machine) = image::machine(&path, false) else {
        return;
    };
    for disk in machine.disks.iter().take(4) {
        volume::touch(&disk.device);
    }
}
