//! What is on a machine's disks, as a tree for a terminal.

use super::Style;
use crate::source::{InspectedDisk, InspectedVolume, Inspection, System};
use crate::text::bytes;

/// A line of the tree, and what hangs on it.
struct Node {
    text: String,
    below: Vec<Node>,
}

impl Node {
    fn new(text: String, below: Vec<Node>) -> Self {
        Self { text, below }
    }

    /// As deep as the tree is, which is by its making: disk, volume, what is said of it.
    fn write(&self, before: &str, text: &mut String) {
        let last = self.below.len().saturating_sub(1);
        for (at, node) in self.below.iter().enumerate() {
            let (branch, beside) = if at == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            text.extend([before, branch, &node.text, "\n"]);
            node.write(&format!("{before}{beside}"), text);
        }
    }
}

/// The whole text, a line end at its end.
pub fn terminal(inspection: &Inspection, style: &Style) -> String {
    let mut text = String::new();
    let mut title = vec![inspection.paths.join(", "), inspection.format.clone()];
    if let Some(hardware) = inspection.hardware {
        title.extend(hardware.processors.map(|n| format!("{n} processors")));
        title.extend(hardware.memory.map(|n| format!("{} of memory", bytes(n))));
    }
    text.push_str(&title.join("  "));
    text.push('\n');
    let mut below: Vec<Node> = inspection
        .disks
        .iter()
        .map(|disk| of_disk(disk, style))
        .collect();
    let logical = inspection.logical_volumes.iter();
    below.extend(logical.map(|volume| of_volume(volume, None, style)));
    Node::new(String::new(), below).write("", &mut text);
    systems(&inspection.systems, style, &mut text);
    for (title, lines) in [
        ("Perhaps not read", &inspection.gaps),
        ("Remarks", &inspection.remarks),
    ] {
        section(title, lines, style, &mut text);
    }
    text
}

fn section(title: &str, lines: &[String], style: &Style, text: &mut String) {
    if !lines.is_empty() {
        text.extend(["\n", &style.paint("1", title), "\n"]);
        for line in lines {
            text.extend(["  ", line, "\n"]);
        }
    }
}

fn of_disk(disk: &InspectedDisk, style: &Style) -> Node {
    let words = |table: &str| {
        let name = style.paint("1", &disk.device);
        format!("{name}  {}  {}  {table}", bytes(disk.bytes), disk.format)
    };
    match (&disk.table, disk.volumes.as_slice()) {
        // A disk or an array that is one volume has one line.
        (None, [volume]) => of_volume(volume, Some(&disk.format), style),
        (table, volumes) => Node::new(
            words(table.as_deref().unwrap_or("no partition table")),
            volumes
                .iter()
                .map(|volume| of_volume(volume, None, style))
                .collect(),
        ),
    }
}

/// `format` is of the image, where the volume is all of it.
fn of_volume(volume: &InspectedVolume, format: Option<&str>, style: &Style) -> Node {
    let mut words = vec![style.paint("1", &volume.device), bytes(volume.bytes)];
    words.extend(format.map(str::to_owned));
    words.extend(volume.contents.clone());
    if volume.contents.is_none() {
        words.push("nothing that is known".to_owned());
    }
    words.extend(volume.label.as_ref().map(|label| format!("LABEL={label}")));
    words.extend(volume.uuid.as_ref().map(|uuid| format!("UUID={uuid}")));
    let part = volume.partlabel.as_ref();
    words.extend(part.map(|label| format!("PARTLABEL={label}")));
    words.extend(volume.used.map(|used| format!("{} used", bytes(used))));
    words.extend(volume.part_of.as_ref().map(|of| format!("part of {of}")));
    let reason = volume.reason.iter();
    let mut below: Vec<Node> = reason
        .map(|why| Node::new(style.paint("33", &format!("not read: {why}")), Vec::new()))
        .collect();
    let subvolumes = volume.subvolumes.iter();
    below.extend(subvolumes.map(|path| Node::new(format!("subvolume {path}"), Vec::new())));
    let notes = volume.notes.iter();
    below.extend(notes.map(|note| Node::new(note.clone(), Vec::new())));
    Node::new(words.join("  "), below)
}

fn systems(systems: &[System], style: &Style, text: &mut String) {
    let title = match systems {
        [] => "No operating system",
        [_] => "Operating system",
        _ => "Operating systems",
    };
    text.extend(["\n", &style.paint("1", title), "\n"]);
    let readable = systems.iter().filter(|system| system.readable).count();
    for system in systems {
        let mut words = vec![
            system
                .name
                .clone()
                .unwrap_or_else(|| "without a name".to_owned()),
        ];
        words.extend(system.hostname.clone());
        match &system.root {
            Some(root) if system.readable && readable > 1 => words.push(format!("--root {root}")),
            Some(root) => words.push(format!("on {root}")),
            None => {}
        }
        if !system.readable {
            words.push("not examined: only Linux machines are".to_owned());
        } else if !system.likely {
            words.push("a snapshot or a copy".to_owned());
        }
        text.extend(["  ", &words.join("  "), "\n"]);
        for mount in &system.mounts {
            text.extend(["    ", &mount.point, "  ", &mount.device, "\n"]);
        }
        for line in &system.unexamined {
            text.extend([
                "    ",
                &style.paint("33", &format!("not read: {line}")),
                "\n",
            ]);
        }
    }
}
