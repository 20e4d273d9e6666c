//! fstab(5): which device is mounted where.

use super::names;
use crate::disk::{FileSystem, NodeId};

/// Largest fstab that is read, in bytes.
const MOST: usize = 1 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `UUID=…`, `/dev/sda1`, `nas:/export`, …
    pub device: String,
    pub point: String,
    pub kind: String,
    pub options: Vec<String>,
}

impl Line {
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }

    /// A file system that is on no disk of this machine.
    pub(super) fn is_network(&self) -> bool {
        let kinds = [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "glusterfs",
            "ceph",
            "9p",
            "virtiofs",
            "lustre",
            "afs",
            "davfs",
        ];
        kinds.contains(&self.kind.as_str())
            || self.kind.starts_with("fuse.")
            || self.device.contains(":/")
            || self.device.starts_with("//")
    }

    /// A file system without a device: nothing of it survives a power-off.
    pub(super) fn is_virtual(&self) -> bool {
        let kinds = [
            "proc",
            "sysfs",
            "tmpfs",
            "devpts",
            "devtmpfs",
            "swap",
            "cgroup",
            "cgroup2",
            "debugfs",
            "securityfs",
            "hugetlbfs",
            "mqueue",
            "efivarfs",
            "none",
            "ignore",
            "autofs",
            "binfmt_misc",
            "configfs",
            "tracefs",
            "bpf",
            "pstore",
        ];
        kinds.contains(&self.kind.as_str()) || !self.point.starts_with('/')
    }
}

/// The lines of the machine whose root is the directory `top`.
pub(super) fn read(fs: &dyn FileSystem, top: NodeId) -> Vec<Line> {
    let text = names::text(fs, top, "etc/fstab", MOST);
    lines(&text.unwrap_or_default())
}

/// Lines in order; comments and lines of fewer than two fields are passed over.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(line)
        .collect()
}

fn line(text: &str) -> Option<Line> {
    let mut fields = text.split_whitespace().map(unescape);
    let (device, point) = (fields.next()?, fields.next()?);
    let kind = fields.next().unwrap_or_else(|| "auto".into());
    let options = fields
        .next()
        .unwrap_or_default()
        .split(',')
        .map(str::to_owned)
        .collect();
    let device = device.replace('"', "");
    Some(Line {
        device,
        point,
        kind,
        options,
    })
}

/// `\040` is a space (getmntent(3)).
fn unescape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((head, tail)) = rest.split_once('\\') {
        out.push_str(head);
        let code = tail
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok())
            .filter(u8::is_ascii);
        if let Some(code) = code {
            out.push(char::from(code));
            rest = tail.get(3..).unwrap_or_default();
        } else {
            out.push('\\');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_escapes() {
        let found = lines(
            "# c\nUUID=\"ab\" /srv/a\\040b ext4 rw,nofail 0 2\n\nproc /proc proc\nnas:/x /mnt nfs _netdev\nx\n",
        );
        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[0].device.as_str(), found[0].point.as_str()),
            ("UUID=ab", "/srv/a b")
        );
        assert!(found[0].has("nofail") && !found[0].is_virtual());
        assert!(found[1].is_virtual() && found[2].is_network());
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "(?s).{0,200}") {
            let _ = lines(&text);
        }
    }
}
