//! `transvase inspect`: what is on the disks, and the files in them.

mod extract;
mod pax;
mod sparse;

use super::nearest;
use crate::cli::{Global, Inside, Inspect, Shown};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::fact::Unexamined;
use crate::path::{MachinePath, sanitise};
use crate::progress::{Progress as _, Step, Total};
use crate::source::{OpenOptions, Root};
use crate::ui;
use crate::walk::{Entry, Tree};
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;

/// Largest file that `cat` writes, in bytes: a hostile image may claim 2^63. An archive keeps holes.
const MOST: u64 = 64 << 30;
/// Bytes written at once.
const PIECE: usize = 4 << 20;

pub(super) fn run(global: &Global, args: &Inspect) -> Result<ExitStatus, Error> {
    let options = OpenOptions {
        root: args.source.root.clone(),
        allow_outside: args.source.allow_outside,
        leave_out: Vec::new(),
    };
    let Some(action) = &args.action else {
        let inspection = Root::inspect(&args.source.source, &options)?;
        ui::show(&match args.format {
            Shown::Terminal => ui::inspection::terminal(&inspection, &ui::Style::of(global)),
            Shown::Json => inspection.to_json(),
        });
        return Ok(ExitStatus::Done);
    };
    let root = Root::open(&args.source.source, &options)?;
    let (tree, problems) = root.walk();
    let machine = Machine {
        root,
        tree,
        problems,
    };
    match action {
        Inside::Ls { path } => machine.list(path),
        Inside::Cat { path } => machine.cat(path),
        Inside::Extract { path } => machine.extract(global, path),
    }
}

/// An opened machine, walked.
struct Machine {
    root: Root,
    tree: Tree,
    problems: Vec<Unexamined>,
}

impl Machine {
    fn list(&self, path: &OsStr) -> Result<ExitStatus, Error> {
        let path = MachinePath::new(path.as_bytes());
        let entry = match self.tree.get(&path) {
            Some(entry) => entry,
            // A link that leads nowhere is still there.
            None => self.named(&path)?,
        };
        let shown = if entry.is_dir() {
            self.tree.children(&entry.path)
        } else {
            vec![self.named(&path)?]
        };
        let rows = shown.into_iter().map(|entry| (entry, self.device(entry)));
        ui::out(&ui::listing::lines(rows));
        Ok(self.tell(|problem| {
            *problem == entry.path || problem.parent().as_ref() == Some(&entry.path)
        }))
    }

    /// The entry of this name, links in its directories followed.
    fn named(&self, path: &MachinePath) -> Result<&Entry, Error> {
        let entry = self.tree.entry(&self.tree.canonical(path));
        entry.ok_or_else(|| {
            let why = self.problems.iter().find(|problem| {
                path.is_within(&problem.path) && problem.path != MachinePath::root()
            });
            Error::Other(match why {
                Some(why) => format!(
                    "there is no {path} to be read: {}: {}",
                    why.path,
                    sanitise(&why.reason)
                ),
                None => format!("there is no {path} in the machine.{}", self.meant(path)),
            })
        })
    }

    /// What a mistyped path was meant to be: its neighbour, or else how far it leads.
    fn meant(&self, path: &MachinePath) -> String {
        let Some(parent) = path.parent() else {
            return String::new();
        };
        let Some(directory) = self.tree.get(&parent) else {
            return match self.deepest(&parent) {
                Some(last) => format!(" The path leads as far as {last}; `ls` shows what is there"),
                None => String::new(),
            };
        };
        let text = |path: &MachinePath| String::from_utf8_lossy(path.file_name()).into_owned();
        let known = self.tree.children(&directory.path);
        let known: Vec<String> = known.iter().map(|entry| text(&entry.path)).collect();
        let near = nearest::suggestion(&text(path), &known);
        if near.is_empty() {
            format!(" `ls {parent}` shows what is there")
        } else {
            sanitise(&near).into_owned()
        }
    }

    /// The last directory on the way to a path that is there.
    fn deepest(&self, path: &MachinePath) -> Option<MachinePath> {
        let mut above = std::iter::successors(path.parent(), MachinePath::parent);
        above.find(|path| self.tree.get(path).is_some())
    }

    fn device(&self, entry: &Entry) -> Option<(u32, u32)> {
        use crate::disk::FileKind::{BlockDevice, CharDevice};
        if !matches!(entry.kind, BlockDevice | CharDevice) {
            return None;
        }
        Some(self.root.stat(entry).ok()??.device)
    }

    fn cat(&self, path: &OsStr) -> Result<ExitStatus, Error> {
        let path = MachinePath::new(path.as_bytes());
        let Some(entry) = self.tree.get(&path) else {
            self.named(&path)?;
            return Err(Error::Other(format!("{path} is a link that leads nowhere")));
        };
        if let Some(what) = unreadable(entry) {
            return Err(Error::Other(format!(
                "{path} is {what}; cat shows regular files"
            )));
        }
        if entry.size > MOST {
            return Err(Error::Other(format!(
                "{path} is too large: {} bytes, and cat shows at most {MOST}; use extract, which keeps holes",
                entry.size
            )));
        }
        let failed = |error: io::Error| Error::Other(format!("{path}: {error}"));
        let content = self.root.content(entry);
        let mut content = content.map_err(|error| failed(error.into()))?;
        let mut stdout = io::stdout().lock();
        let terminal = stdout.is_terminal();
        let mut piece = vec![0; PIECE];
        loop {
            let read = content.read(&mut piece).map_err(failed)?;
            let piece = piece.get(..read).unwrap_or_default();
            if piece.is_empty() {
                return flushed(&mut stdout);
            }
            let written = if terminal {
                stdout.write_all(harmless(piece).as_bytes())
            } else {
                stdout.write_all(piece)
            };
            if let Some(ended) = ended(written) {
                return ended;
            }
        }
    }

    fn extract(&self, global: &Global, path: &OsStr) -> Result<ExitStatus, Error> {
        let path = MachinePath::new(path.as_bytes());
        let top = self.named(&path)?;
        if io::stdout().is_terminal() {
            return Err(Error::Other(
                "extract writes a tar archive, which is nothing for a terminal; send it to a file or to tar".to_owned(),
            ));
        }
        let files = std::iter::once(top).chain(self.tree.below(&top.path));
        let bytes = files
            .filter(|entry| entry.is_file())
            .map(|entry| entry.size);
        let progress = ui::progress::Bar::new(global);
        progress.phase("extracting", Total::Bytes(bytes.sum()));
        let counted = Counted {
            out: io::stdout().lock(),
            progress: &progress,
        };
        let mut stdout = io::BufWriter::with_capacity(PIECE, counted);
        let entries = std::iter::once(top).chain(self.tree.below(&top.path));
        let written = extract::write(&mut stdout, &self.root, &self.tree, entries);
        let left_out = match written {
            Ok(left_out) => left_out,
            Err(error) => return ended(Err(error)).unwrap_or(Ok(ExitStatus::Done)),
        };
        progress.finish();
        for (path, reason) in &left_out {
            ui::err(&format!("transvase: {path}: {}\n", sanitise(reason)));
        }
        let status = self.tell(|problem| problem.is_within(&top.path));
        flushed(&mut stdout)?;
        Ok(if left_out.is_empty() {
            status
        } else {
            ExitStatus::Partial
        })
    }

    /// Says what the walk could not see of what was asked for.
    fn tell(&self, of: impl Fn(&MachinePath) -> bool) -> ExitStatus {
        let mut status = ExitStatus::Done;
        for problem in self.problems.iter().filter(|problem| of(&problem.path)) {
            status = ExitStatus::Partial;
            ui::err(&format!(
                "transvase: {}: {}\n",
                problem.path,
                sanitise(&problem.reason)
            ));
        }
        status
    }
}

/// Output that tells how much went out.
struct Counted<'a, W> {
    out: W,
    progress: &'a ui::progress::Bar,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.out.write(piece)?;
        self.progress.step(Step::bytes(written as u64));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn unreadable(entry: &Entry) -> Option<&'static str> {
    use crate::disk::FileKind::{BlockDevice, CharDevice, Directory, Fifo, File, Socket, Symlink};
    match entry.kind {
        File => None,
        Directory => Some("a directory"),
        Symlink => Some("a link"),
        CharDevice | BlockDevice => Some("a device"),
        Fifo => Some("a named pipe"),
        Socket => Some("a socket"),
    }
}

/// A file's content for a terminal: lines and tabs stay, what would steer the terminal does not.
fn harmless(piece: &[u8]) -> String {
    let text = String::from_utf8_lossy(piece);
    let mut safe = String::with_capacity(text.len());
    for part in text.split_inclusive(['\n', '\t']) {
        let inner = part.trim_end_matches(['\n', '\t']);
        safe.push_str(&sanitise(inner));
        safe.push_str(part.get(inner.len()..).unwrap_or_default());
    }
    safe
}

/// How a command ends whose writing failed. A reader that went away is no error of ours.
fn ended(written: io::Result<()>) -> Option<Result<ExitStatus, Error>> {
    let error = written.err()?;
    Some(if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(ExitStatus::Done)
    } else {
        Err(Error::Other(format!(
            "cannot write to standard output: {error}"
        )))
    })
}

fn flushed(out: &mut impl Write) -> Result<ExitStatus, Error> {
    ended(out.flush()).unwrap_or(Ok(ExitStatus::Done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_does_not_steer_a_terminal() {
        assert_eq!(harmless(b"a\tb\n\x1b[2J\r\n"), "a\tb\n\\u{1b}[2J\\r\n");
    }
}
