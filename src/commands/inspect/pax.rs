//! Headers of the pax interchange format: POSIX.1-2017, pax, "pax Header Block" and "ustar Interchange Format"; attributes
//! as star(5) and GNU tar write them.

use std::io::{self, Write};
use tar::{EntryType, Header};

/// What the numbers of a ustar header hold: seven octal digits, and eleven.
const SMALL: u64 = 0o777_7777;
const LARGE: u64 = 0o777_7777_7777;
/// Bytes of the name's and the link's field.
const NAME: usize = 100;
pub(super) const BLOCK: usize = 512;

/// One member's header, in the making.
pub(super) struct Member {
    header: Header,
    records: Vec<u8>,
}

impl Member {
    pub(super) fn new(kind: EntryType, name: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        let mut member = Self {
            header,
            records: Vec::new(),
        };
        let field = member.header.as_ustar_mut().map(|ustar| &mut ustar.name);
        let fits = field.is_some_and(|field| fill(field, name));
        if !fits {
            member.record(b"path", name);
        }
        member
    }

    pub(super) fn link(&mut self, target: &[u8]) {
        let field = self.header.as_ustar_mut().map(|ustar| &mut ustar.linkname);
        if !field.is_some_and(|field| fill(field, target)) {
            self.record(b"linkpath", target);
        }
    }

    /// A record `LENGTH KEY=VALUE`, where the length counts its own digits.
    pub(super) fn record(&mut self, key: &[u8], value: &[u8]) {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + digits(length) > length {
            length = rest + digits(length);
        }
        self.records
            .extend_from_slice(length.to_string().as_bytes());
        for part in [b" ", key, b"=", value, b"\n"] {
            self.records.extend_from_slice(part);
        }
    }

    pub(super) fn owner(&mut self, mode: u32, uid: u32, gid: u32) {
        self.header.set_mode(mode & 0o7777);
        let (uid, gid) = (u64::from(uid), u64::from(gid));
        let uid = self.within(b"uid", uid, SMALL);
        self.header.set_uid(uid);
        let gid = self.within(b"gid", gid, SMALL);
        self.header.set_gid(gid);
    }

    pub(super) fn size(&mut self, size: u64) {
        let size = self.within(b"size", size, LARGE);
        self.header.set_size(size);
    }

    /// Seconds since 1970, and nanoseconds.
    pub(super) fn time(&mut self, seconds: i64, nanoseconds: u32) {
        let whole = u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds <= LARGE);
        self.header.set_mtime(whole.unwrap_or(0));
        if whole.is_none() || nanoseconds != 0 {
            let text = decimal(seconds, nanoseconds.min(999_999_999));
            self.record(b"mtime", text.as_bytes());
        }
    }

    pub(super) fn device(&mut self, (major, minor): (u32, u32)) -> io::Result<()> {
        self.header.set_device_major(major)?;
        self.header.set_device_minor(minor)
    }

    pub(super) fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.records.is_empty() {
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::XHeader);
            header.set_mode(0o644);
            header.set_size(self.records.len() as u64);
            if let Some(ustar) = header.as_ustar_mut() {
                fill(&mut ustar.name, b"PaxHeaders/member");
            }
            header.set_cksum();
            out.write_all(header.as_bytes())?;
            out.write_all(&self.records)?;
            pad(out, self.records.len() as u64)?;
        }
        self.header.set_cksum();
        out.write_all(self.header.as_bytes())
    }

    /// A number that the field holds; a larger one goes into a record.
    fn within(&mut self, key: &[u8], value: u64, most: u64) -> u64 {
        if value > most {
            self.record(key, value.to_string().as_bytes());
            return 0;
        }
        value
    }
}

/// A time before 1970 counts its fraction backwards, as its sign does.
fn decimal(seconds: i64, nanoseconds: u32) -> String {
    if seconds < 0 && nanoseconds != 0 {
        let whole = (seconds + 1).unsigned_abs();
        return format!("-{whole}.{:09}", 1_000_000_000 - nanoseconds);
    }
    format!("{seconds}.{nanoseconds:09}")
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// Fills a field as far as it goes, and says whether that is all.
fn fill(field: &mut [u8; NAME], text: &[u8]) -> bool {
    for (to, from) in field.iter_mut().zip(text) {
        *to = *from;
    }
    text.len() <= NAME
}

/// Zeros up to the next block.
pub(super) fn pad(out: &mut impl Write, written: u64) -> io::Result<()> {
    let over = usize::try_from(written % BLOCK as u64).unwrap_or(0);
    let zeros = [0; BLOCK];
    let missing = if over == 0 { 0 } else { BLOCK - over };
    out.write_all(zeros.get(..missing).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_themselves() {
        for length in 0..1200 {
            let mut member = Member::new(EntryType::Regular, b"x");
            member.record(b"k", &vec![b'v'; length]);
            let text = String::from_utf8(member.records).unwrap();
            let (said, _) = text.split_once(' ').unwrap();
            assert_eq!(said.parse(), Ok(text.len()));
        }
    }

    #[test]
    fn times() {
        assert_eq!(decimal(5, 20), "5.000000020");
        assert_eq!(decimal(-2, 750_000_000), "-1.250000000");
        assert_eq!(decimal(-1, 500_000_000), "-0.500000000");
    }
}
