//! A directory of the machine as `ls -l` shows one: names quoted, times in UTC.

use crate::disk::FileKind;
use crate::path::sanitise;
use crate::text::time;
use crate::walk::Entry;
use std::fmt::Write as _;

/// One line for each entry: mode, owner, group, bytes or device numbers, time, name, a link's target.
pub fn lines<'a>(entries: impl IntoIterator<Item = (&'a Entry, Option<(u32, u32)>)>) -> String {
    let rows: Vec<(&Entry, [String; 4])> = entries
        .into_iter()
        .map(|(entry, device)| {
            let size = match device {
                Some((major, minor)) => format!("{major}, {minor}"),
                None => entry.size.to_string(),
            };
            let mode = mode(entry.kind, entry.mode);
            (
                entry,
                [mode, entry.uid.to_string(), entry.gid.to_string(), size],
            )
        })
        .collect();
    let mut widths = [0; 4];
    for (_, cells) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for (entry, cells) in rows {
        for (width, cell) in widths.iter().zip(&cells) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{cell:>width$} ");
        }
        let _ = write!(
            text,
            "{} {}",
            time(entry.mtime),
            quoted(entry.path.file_name())
        );
        if let Some(target) = &entry.target {
            let _ = write!(text, " -> {}", quoted(target));
        }
        text.push('\n');
    }
    text
}

/// A name in double quotes: what is unsafe or not UTF-8 escaped, so that two names never look alike.
fn quoted(name: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in name.utf8_chunks() {
        let valid = chunk.valid().replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&sanitise(&valid));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
    // The root has no name.
    if text == "\"\"" {
        "\"/\"".to_owned()
    } else {
        text
    }
}

/// `drwxr-xr-t`, as ls(1) writes it.
fn mode(kind: FileKind, mode: u32) -> String {
    let mut text = String::from(match kind {
        FileKind::File => "-",
        FileKind::Directory => "d",
        FileKind::Symlink => "l",
        FileKind::CharDevice => "c",
        FileKind::BlockDevice => "b",
        FileKind::Fifo => "p",
        FileKind::Socket => "s",
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_names() {
        assert_eq!(mode(FileKind::Directory, 0o1777), "drwxrwxrwt");
        assert_eq!(mode(FileKind::File, 0o6640), "-rwSr-S---");
        assert_eq!(quoted(b"a\"\x1b[31m\xff"), "\"a\\\"\\u{1b}[31m\\xff\"");
        assert_ne!(quoted(b"\\xff"), quoted(b"\xff"));
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_shown(name in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            proptest::prop_assert!(!quoted(&name).chars().any(char::is_control));
        }
    }
}
