//! The image's one RUN instruction: accounts, packages, and what the image has to lose and to gain before the files come.

use super::run::{Line, Run};
use crate::distribution::family::Step;
use crate::path::MachinePath;
use crate::plan::Plan;
use crate::quote::build_shell;
use crate::render::value::octal;

/// What is done before the files of further archives come, or after all.
pub(super) fn steps(steps: &[Step]) -> Vec<Line> {
    let mut run = Run::default();
    for step in steps {
        run.step(step);
    }
    run.lines()
}

/// The lines, in the order in which each step finds what it needs.
pub(super) fn image(plan: &Plan) -> Vec<Line> {
    let mut run = Run::default();
    for step in &plan.image.steps {
        run.step(step);
    }
    removed(plan, &mut run);
    emptied(plan, &mut run);
    made(plan, &mut run);
    run.lines()
}

/// Whether an instruction can name the path as it is.
fn is_plain(path: &MachinePath) -> bool {
    path.as_str()
        .is_some_and(|text| !text.chars().any(char::is_control))
}

fn removed(plan: &Plan, run: &mut Run) {
    let removals = plan.image.removals.iter();
    let mut removals = removals
        .filter(|removal| is_plain(&removal.path) && !removal.content)
        .peekable();
    if removals.peek().is_some() {
        run.command(Vec::new(), "rm -rf".to_owned());
    }
    for removal in removals {
        run.word(vec![removal.why.clone()], build_shell(&removal.path.text()));
    }
}

/// Directories that stay and lose their content.
fn emptied(plan: &Plan, run: &mut Run) {
    let removals = plan.image.removals.iter();
    let contents = removals.filter(|removal| removal.content);
    // What the packages put into a volume would be taken for the machine's data.
    let loaded = plan.state.volumes.iter().filter(|volume| volume.load);
    let paths = contents
        .map(|removal| &removal.path)
        .chain(loaded.map(|volume| &volume.path));
    let paths: Vec<String> = paths
        .filter(|path| is_plain(path))
        .map(|path| build_shell(&path.text()))
        .collect();
    if paths.is_empty() {
        return;
    }
    let why =
        "Directories that the packages' scripts fill: the machine's content is the whole of it.";
    run.command(vec![why.to_owned()], "mkdir -p".to_owned());
    for path in &paths {
        run.word(Vec::new(), path.clone());
    }
    run.command(Vec::new(), "find".to_owned());
    for path in paths {
        run.word(Vec::new(), path);
    }
    run.word(Vec::new(), "-mindepth 1 -delete".to_owned());
}

/// Directories, log files and links that have to be there before the start.
fn made(plan: &Plan, run: &mut Run) {
    let directories = plan.image.directories.iter();
    for directory in directories.filter(|directory| is_plain(&directory.path)) {
        let text = format!(
            "install -d -o {} -g {} -m {} {}",
            directory.uid,
            directory.gid,
            octal(directory.mode),
            build_shell(&directory.path.text())
        );
        run.command(Vec::new(), text);
    }
    for file in &plan.image.log_files {
        let text = format!(
            "install -o {} -g {} -m {} /dev/null {}",
            file.uid,
            file.gid,
            octal(file.mode),
            build_shell(&file.path.text())
        );
        run.command(Vec::new(), text);
    }
    for (path, to) in &plan.image.log_links {
        run.command(
            Vec::new(),
            format!("ln -sf {to} {}", build_shell(&path.text())),
        );
    }
}
