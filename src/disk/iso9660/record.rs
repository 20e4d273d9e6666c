//! Directory records: where a file lies, and its plain or Joliet name. ECMA-119, 9.1.

use super::FORMAT;
use super::date;
use crate::disk::DiskError;
use crate::disk::bytes::Structure;

/// Bytes of a sector; no record crosses from one to the next.
pub const SECTOR: u16 = 2048;
/// Where the root's record stands in a volume descriptor.
pub const ROOT_AT: usize = 156;
/// Bytes before the name.
const HEADER: usize = 33;

/// By which names files are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Capital letters, digits, and a version.
    Plain,
    /// Two bytes a letter, the big end first.
    Joliet,
    /// Rock Ridge, whose fields begin after so many bytes.
    Rock { skip: u8 },
}

/// One record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Of the record itself, in bytes.
    pub length: u8,
    /// The first block.
    pub extent: u32,
    /// Blocks between it and the content.
    pub attributes_length: u8,
    /// Bytes of content.
    pub size: u32,
    /// Seconds since 1970.
    pub time: i64,
    pub is_interleaved: bool,
    flags: u8,
    name: Vec<u8>,
    /// What is behind the name: Rock Ridge's fields.
    pub system_use: Vec<u8>,
}

impl Record {
    /// The record at the beginning of `bytes`; `None` where there is none.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, DiskError> {
        let Some(length) = bytes.first().copied().filter(|length| *length > 0) else {
            return Ok(None);
        };
        let view = Structure::new(FORMAT, "directory record", bytes);
        let own = view.slice(0, usize::from(length))?;
        let view = Structure::new(FORMAT, "directory record", own);
        let name_length = usize::from(view.u8(32)?);
        let name = view.slice(HEADER, name_length)?;
        // The fields begin at an even place.
        let fields = (HEADER + name_length).next_multiple_of(2);
        Ok(Some(Self {
            length,
            extent: view.le32(2)?,
            attributes_length: view.u8(1)?,
            size: view.le32(10)?,
            time: date::short(view.array(18)?),
            flags: view.u8(25)?,
            is_interleaved: view.u8(26)? != 0 || view.u8(27)? != 0,
            name: name.to_vec(),
            system_use: own.get(fields..).unwrap_or_default().to_vec(),
        }))
    }

    pub fn is_directory(&self) -> bool {
        self.flags & 2 != 0
    }

    /// The other half of a file of the Macintosh.
    pub fn is_associated(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Whether the next record holds more of the same file.
    pub fn goes_on(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// A directory's first two records: its own, and its parent's.
    pub fn is_self_or_parent(&self) -> bool {
        matches!(self.name.as_slice(), [0 | 1])
    }

    /// The name without Rock Ridge, as the kernel shows it.
    pub fn name_as(&self, names: Names) -> Vec<u8> {
        match names {
            Names::Joliet => joliet(&self.name),
            Names::Plain | Names::Rock { .. } => plain(&self.name),
        }
    }
}

/// Small letters, without the version.
fn plain(name: &[u8]) -> Vec<u8> {
    let name = name.strip_suffix(b";1").unwrap_or(name);
    let name = name.strip_suffix(b".").unwrap_or(name);
    let letter = |byte: &u8| match byte {
        b';' | b'/' => b'.',
        other => other.to_ascii_lowercase(),
    };
    name.iter().map(letter).collect()
}

fn joliet(name: &[u8]) -> Vec<u8> {
    let (pairs, _) = name.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().copied().map(u16::from_be_bytes).collect();
    let text = String::from_utf16_lossy(&units);
    let text = text.strip_suffix(";1").unwrap_or(&text);
    text.trim_end_matches('.').as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_rock_ridge() {
        assert_eq!(plain(b"README.TXT;1"), b"readme.txt");
        assert_eq!(plain(b"KERNEL.;1"), b"kernel");
        assert_eq!(plain(b"A;2"), b"a.2");
        let wide: Vec<u8> = "Größe.txt;1"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(joliet(&wide), "Größe.txt".as_bytes());
    }

    proptest::proptest! {
        #[test]
        fn any_record_survives(mut bytes in proptest::collection::vec(0u8.., 0..300), length: u8) {
            let _ = Record::parse(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = length;
            }
            if let Ok(Some(record)) = Record::parse(&bytes) {
                let _ = (record.name_as(Names::Plain), record.name_as(Names::Joliet));
            }
        }
    }
}
