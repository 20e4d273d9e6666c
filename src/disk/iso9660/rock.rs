//! Rock Ridge: what a POSIX system needs, in fields behind a record's name and in areas that continue them. IEEE P1281
//! (SUSP), section 5, and P1282, section 4.

use super::FORMAT;
use super::date;
use crate::disk::bytes::Structure;
use crate::disk::{BlockDevice, DiskError, FileKind};

/// Areas of fields that one record may lead through, and the bytes of each.
const MOST_AREAS: usize = 64;
const MOST_AREA: u32 = 32 << 10;
/// Bytes of a name, and of a link's target.
const MOST_NAME: usize = 1024;
const MOST_LINK: usize = 4096;

/// What the fields of one record say.
#[derive(Debug, Clone, Default)]
pub struct Rock {
    pub mode: Option<u32>,
    pub links: Option<u32>,
    pub owner: Option<(u32, u32)>,
    pub device: (u32, u32),
    pub name: Option<Vec<u8>>,
    pub link: Vec<u8>,
    pub mtime: Option<i64>,
    /// The block in which the directory really begins that this record stands for.
    pub child: Option<u32>,
    /// Shown at the place from where it was moved, and not here.
    pub is_moved: bool,
    /// Bytes of a compressed file's content.
    pub unpacked: Option<u32>,
    /// Whether the next part of a link's target is set off by a slash.
    wants_slash: bool,
    /// Whether the next name field continues the last.
    name_goes_on: bool,
}

/// How many bytes to skip in each record, if the root's own record announces Rock Ridge's fields.
pub fn announced(system_use: &[u8]) -> Option<u8> {
    // A table of contents for the CD-ROM XA format may stand before it.
    [0, 14]
        .into_iter()
        .find_map(|at| match system_use.get(at..at + 7)? {
            [b'S', b'P', 7, 1, 0xbe, 0xef, skip] => Some(*skip),
            _ => None,
        })
}

impl Rock {
    /// Reads all fields; `block` bytes are a block.
    pub fn read(
        device: &dyn BlockDevice,
        block: u32,
        system_use: &[u8],
        skip: u8,
    ) -> Result<Self, DiskError> {
        let mut rock = Self::default();
        let first = system_use.get(usize::from(skip)..).unwrap_or_default();
        let mut next = rock.area(first)?;
        for _ in 0..MOST_AREAS {
            let Some((number, offset, length)) = next else {
                return Ok(rock);
            };
            let mut bytes = vec![0; usize::try_from(length.min(MOST_AREA)).unwrap_or_default()];
            let at = u64::from(number) * u64::from(block) + u64::from(offset);
            device.read_at(at, &mut bytes)?;
            next = rock.area(&bytes)?;
        }
        Err(DiskError::damaged(FORMAT, "fields of a record without end"))
    }

    /// What kind of node the mode says.
    pub fn kind(&self) -> Option<FileKind> {
        Some(match self.mode? & 0o170_000 {
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            0o020_000 => FileKind::CharDevice,
            0o060_000 => FileKind::BlockDevice,
            0o010_000 => FileKind::Fifo,
            0o140_000 => FileKind::Socket,
            _ => FileKind::File,
        })
    }

    /// Takes in the fields of one area; returns block, offset and length of the next.
    fn area(&mut self, bytes: &[u8]) -> Result<Option<(u32, u32, u32)>, DiskError> {
        let mut next = None;
        let mut rest = bytes;
        while let [first, second, length, _, ..] = *rest {
            let length = usize::from(length);
            // What is behind the last field is padding.
            let Some((field, behind)) = rest.split_at_checked(length).filter(|_| length >= 4)
            else {
                break;
            };
            rest = behind;
            let view = Structure::new(FORMAT, "Rock Ridge field", field);
            match [first, second] {
                [b'C', b'E'] => next = Some((view.le32(4)?, view.le32(12)?, view.le32(20)?)),
                [b'S', b'T'] => break,
                kind => self.field(kind, view)?,
            }
        }
        Ok(next)
    }

    fn field(&mut self, kind: [u8; 2], view: Structure<'_>) -> Result<(), DiskError> {
        match &kind {
            b"PX" => {
                self.mode = Some(view.le32(4)?);
                self.links = Some(view.le32(12)?);
                self.owner = Some((view.le32(20)?, view.le32(28)?));
            }
            b"PN" => {
                let (high, low) = (view.le32(4)?, view.le32(12)?);
                // Some writers put both numbers into the lower half, as System V did.
                self.device = if high == 0 && low > 0xff {
                    (low >> 8, low & 0xff)
                } else {
                    (high, low)
                };
            }
            b"NM" => self.name_part(view)?,
            b"SL" => self.link_part(view)?,
            b"TF" => self.mtime = modified(view)?.or(self.mtime),
            b"CL" => self.child = Some(view.le32(4)?),
            b"RE" => self.is_moved = true,
            b"ZF" if view.slice(4, 2)? == b"pz" => self.unpacked = Some(view.le32(8)?),
            _ => {}
        }
        Ok(())
    }

    fn name_part(&mut self, view: Structure<'_>) -> Result<(), DiskError> {
        let flags = view.u8(4)?;
        // Its own and its parent's records, which have no name.
        if flags & 6 != 0 {
            return Ok(());
        }
        let name = self.name.get_or_insert_default();
        if !self.name_goes_on {
            name.clear();
        }
        self.name_goes_on = flags & 1 != 0;
        name.extend_from_slice(view.bytes().get(5..).unwrap_or_default());
        if name.len() > MOST_NAME {
            return Err(view.damaged(format_args!("a name of more than {MOST_NAME} bytes")));
        }
        Ok(())
    }

    /// Components of a target: text, or a mark for `.`, `..` and `/`; one may go on in the next field.
    fn link_part(&mut self, view: Structure<'_>) -> Result<(), DiskError> {
        let mut rest = view.bytes().get(5..).unwrap_or_default();
        while let [flags, length, ..] = *rest {
            let text = rest.get(2..2 + usize::from(length));
            let text = text.ok_or_else(|| view.damaged("a target that is cut short"))?;
            rest = rest.get(2 + text.len()..).unwrap_or_default();
            if flags & 8 != 0 {
                self.link = b"/".to_vec();
                self.wants_slash = false;
                continue;
            }
            if self.wants_slash {
                self.link.push(b'/');
            }
            self.link.extend_from_slice(match flags & 6 {
                2 => b".",
                4 => b"..",
                _ => text,
            });
            self.wants_slash = flags & 1 == 0;
            if self.link.len() > MOST_LINK {
                return Err(view.damaged(format_args!("a target of more than {MOST_LINK} bytes")));
            }
        }
        Ok(())
    }
}

/// The time of the last change, if the field has one: it is the second that may be there.
fn modified(view: Structure<'_>) -> Result<Option<i64>, DiskError> {
    let flags = view.u8(4)?;
    if flags & 2 == 0 {
        return Ok(None);
    }
    let before = usize::from(flags & 1);
    Ok(if flags & 0x80 != 0 {
        date::long(view.array(5 + before * 17)?)
    } else {
        Some(date::short(view.array(5 + before * 7)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_in_components() {
        let mut rock = Rock::default();
        let first = b"SL\x0e\x01\x01\x08\x00\x04\x00\x01\x03usr";
        let second = b"SL\x10\x01\x00\x00\x02rb\x02\x00\x00\x03lib";
        assert_eq!(
            rock.area(&[first.as_slice(), second].concat()).unwrap(),
            None
        );
        assert_eq!(rock.link, b"/../usrrb/./lib");
    }

    #[test]
    fn areas_are_followed_and_loops_end() {
        struct Zeros;
        impl BlockDevice for Zeros {
            fn size(&self) -> u64 {
                1 << 40
            }

            fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<(), DiskError> {
                buf.fill(0);
                let field = [
                    b"CE\x1c\x01".as_slice(),
                    &[0; 16],
                    &[28, 0, 0, 0, 0, 0, 0, 0],
                ]
                .concat();
                buf[..28].copy_from_slice(&field);
                Ok(())
            }
        }
        let field = [
            b"CE\x1c\x01".as_slice(),
            &[0; 16],
            &[28, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        assert!(Rock::read(&Zeros, 2048, &field, 0).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_fields_survive(bytes in proptest::collection::vec(0u8.., 0..300), kind in 0..8_usize) {
            let mut rock = Rock::default();
            let _ = (rock.area(&bytes), announced(&bytes));
            let kind = [b"PX", b"PN", b"NM", b"SL", b"TF", b"CL", b"ZF", b"RE"][kind];
            let view = Structure::new(FORMAT, "field", &bytes);
            let _ = rock.field(*kind, view);
        }
    }
}
