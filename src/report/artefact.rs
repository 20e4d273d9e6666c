//! Files that were written, or would be, as the report shows them. Never a secret, the machine's data, or a file of the
//! machine's own.

use crate::plan::Plan;
use crate::render::{self, Error, Staging, Written};
use crate::scan::Scan;
use rustix::fs::{Mode, OFlags};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// A text file, shown with a button that copies it.
#[derive(Debug, Clone)]
pub struct Artefact {
    /// Relative to OUT.
    pub path: String,
    pub text: String,
}

/// The files of a report.
#[derive(Debug, Clone, Default)]
pub struct Artefacts {
    pub shown: Vec<Artefact>,
    /// Those that are too long to be shown here, or one too many.
    pub more: usize,
    /// What they are, where they are not files that were just written beside the report.
    pub note: &'static str,
}

/// Longest file that is shown, and how much is shown of all together; bytes.
const LONGEST: u64 = 96 << 10;
const TOGETHER: usize = 384 << 10;

impl Artefacts {
    /// The text files among what was written, in the order of their paths, those of OUT itself first.
    pub fn written(staging: &Staging, written: &Written) -> Self {
        read(staging.path(), written.paths.clone())
    }

    /// What `migrate` would write. Dockerfiles say whose the carried files are, which plans of a saved scan do not know.
    pub fn planned(plans: &[Plan], saved: bool) -> Result<Self, Error> {
        let mut files = render::preview(plans)?;
        files
            .retain(|(path, _)| !saved || path.file_name().is_none_or(|name| name != "Dockerfile"));
        files.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let mut found = Self::default();
        for (path, text) in files {
            found.show(&path, text);
        }
        found.note = match (plans.is_empty(), saved) {
            (true, _) => "",
            (false, false) => {
                "None of these is written yet: `transvase migrate` writes them, with the files they carry."
            }
            (false, true) => {
                "None of these is written yet: `transvase migrate` writes them, with the files they carry and a Dockerfile for each workload, for which it reads the machine."
            }
        };
        Ok(found)
    }

    /// Files that `migrate` wrote beside a scan that is read again; nothing where it wrote none.
    pub fn beside(directory: &Path, scan: &Scan) -> Self {
        const WHOLE: [&str; 3] = ["compose.yaml", "README.md", ".env"];
        const EACH: [&str; 4] = ["Dockerfile", "README.md", "entrypoint.sh", "seccomp.json"];
        let mut paths: Vec<PathBuf> = WHOLE.iter().map(PathBuf::from).collect();
        for workload in &scan.workloads {
            // The scan is only a file: an id in it may be anything.
            let mut parts = Path::new(&workload.id).components();
            if let (Some(Component::Normal(id)), None) = (parts.next(), parts.next()) {
                let below = Path::new("workloads").join(id);
                paths.extend(EACH.iter().map(|name| below.join(name)));
            }
        }
        let mut found = read(directory, paths);
        let is_ours = found
            .shown
            .iter()
            .any(|file| file.path.starts_with("workloads/"));
        if !is_ours {
            return Self::default();
        }
        found.note = "As they stand beside the scan now.";
        found
    }

    fn show(&mut self, path: &Path, text: String) {
        let taken: usize = self.shown.iter().map(|file| file.text.len()).sum();
        if text.len() as u64 > LONGEST || taken + text.len() > TOGETHER {
            self.more += 1;
        } else {
            let path = path.display().to_string();
            self.shown.push(Artefact { path, text });
        }
    }
}

/// Text files below a directory. What cannot be read is not shown, and stands there all the same.
fn read(directory: &Path, mut paths: Vec<PathBuf>) -> Artefacts {
    paths.retain(|path| shown(path));
    paths.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut found = Artefacts::default();
    for path in paths {
        let whole = directory.join(&path);
        let Ok(meta) = whole.symlink_metadata() else {
            continue;
        };
        // A directory that others write to may have a link in it that leads elsewhere.
        let (at, within) = (whole.canonicalize(), directory.canonicalize());
        if !matches!((at, within), (Ok(at), Ok(within)) if at.starts_with(&within)) {
            continue;
        }
        if meta.is_file() && meta.len() > LONGEST {
            found.more += 1;
        } else if let (true, Ok(text)) = (meta.is_file(), text(&whole)) {
            found.show(&path, text);
        }
    }
    found
}

/// A regular file's text. Asked of the open file, which has not waited for anybody: a FIFO may have taken its place.
fn text(path: &Path) -> std::io::Result<String> {
    let flags =
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Files of OUT itself come first, then workload by workload; what one reads first stands first.
fn order(path: &Path) -> (bool, Option<&Path>, usize, &Path) {
    const FIRST: [&str; 5] = [
        "compose.yaml",
        "README.md",
        "Dockerfile",
        "entrypoint.sh",
        ".env",
    ];
    let name = path.file_name().unwrap_or_default();
    let rank = FIRST.iter().position(|first| name == *first);
    (
        path.components().count() > 1,
        path.parent(),
        rank.unwrap_or(FIRST.len()),
        path,
    )
}

/// Whether a file is ours to show: what copies the machine's own content is not.
fn shown(path: &Path) -> bool {
    let mut parts = path.components().map(Component::as_os_str);
    let first = parts.next().unwrap_or_default();
    let private = ["secrets", "data"].iter().any(|name| first == *name);
    !private && parts.all(|part| part != "rootfs" && part != "oci")
}
