//! A folder in memory for what is opened by its path.

use super::input::Part;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Of this process, so that several may run at once.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    base.join(format!("transvase-fuzz-{}", std::process::id()))
});

/// Removes it with everything in it.
pub fn remove() {
    // Nothing is lost where it stays.
    let _ = fs::remove_dir_all(&*FOLDER);
}

/// Writes the parts of an input under these names, those that are missing as empty files; the first one's path. `None`
/// where no file can have such a size.
pub fn write(parts: &[Part], names: &[&str]) -> Option<PathBuf> {
    fs::create_dir_all(&*FOLDER).expect("a folder for the images");
    for (number, name) in names.iter().enumerate() {
        // Truncated and not replaced: that is the quicker.
        let file = File::create(FOLDER.join(name)).expect("an image");
        let Some(part) = parts.get(number) else {
            continue;
        };
        file.set_len(part.size).ok()?;
        for (at, bytes) in part.pieces() {
            let left = usize::try_from(part.size.saturating_sub(at)).unwrap_or(usize::MAX);
            let bytes = &bytes[..left.min(bytes.len())];
            file.write_all_at(bytes, at).expect("room in memory");
        }
    }
    Some(FOLDER.join(names.first()?))
}
