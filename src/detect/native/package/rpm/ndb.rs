//! Headers in rpm's own database, `Packages.db` of SUSE: `lib/backend/ndb/rpmpkg.c` of rpm's sources. Numbers are
//! little-endian whatever the machine.

/// Slots and blobs are counted in blocks of so many bytes, and a slot is one.
const BLOCK: usize = 16;
const PAGE: usize = 4096;

/// Before and behind a blob.
const HEAD: usize = 16;
const TAIL: usize = 12;

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let own = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(own)).ok()
}

/// Shows the header of every package. What is damaged is left out, and told.
pub(super) fn blobs<'a>(
    bytes: &'a [u8],
    visit: &mut dyn FnMut(&'a [u8]),
) -> Result<(), &'static str> {
    if !bytes.starts_with(b"RpmP") || number(bytes, 4) != Some(0) {
        return Err("is no database of rpm's own form");
    }
    let pages = number(bytes, 12).unwrap_or_default();
    let size = pages.checked_mul(PAGE).filter(|size| *size > 0);
    let (slots, mut damage) = match size.and_then(|size| bytes.get(..size)) {
        Some(slots) => (slots, None),
        None => (bytes, Some("is cut short")),
    };
    // So that slots that lead to one blob do not make more of the file than there is.
    let mut left = bytes.len();
    // The first two blocks are the file's own head.
    for slot in slots.chunks_exact(BLOCK).skip(2) {
        let id = number(slot, 4);
        if !slot.starts_with(b"Slot") {
            damage = damage.or(Some("has a damaged slot"));
            continue;
        }
        if id == Some(0) {
            continue;
        }
        match blob(bytes, slot).filter(|blob| blob.len() <= left) {
            Some(blob) => {
                left -= blob.len();
                visit(blob);
            }
            None => damage = damage.or(Some("has a damaged package")),
        }
    }
    damage.map_or(Ok(()), Err)
}

fn blob<'a>(bytes: &'a [u8], slot: &[u8]) -> Option<&'a [u8]> {
    let at = number(slot, 8)?.checked_mul(BLOCK)?;
    let size = number(slot, 12)?.checked_mul(BLOCK)?;
    let all = bytes.get(at..at.checked_add(size)?)?;
    let length = number(all, 12)?;
    let is_whole = all.starts_with(b"BlbS")
        && all.ends_with(b"BlbE")
        && number(all, 4) == number(slot, 4)
        && number(all, size.checked_sub(8)?) == Some(length);
    let end = HEAD.checked_add(length)?;
    (is_whole && end.checked_add(TAIL)? <= size).then(|| all.get(HEAD..end))?
}
