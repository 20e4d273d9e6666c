//! The OVF descriptor (DMTF DSP0243 2.1.1): sections References (7.1), DiskSection (9.1), and VirtualHardwareSection (8),
//! whose items are CIM's resource allocations.
//!
//! Elements and attributes are taken by their local names: versions 1 and 2 differ in their namespaces.

use super::super::Hardware;
use super::FORMAT;
use crate::disk::DiskError;
use roxmltree::{Document, Node, ParsingOptions};

/// Elements, attributes' texts and the like at most.
const NODES: u32 = 50_000;
/// Disks at most.
const DISKS: usize = 256;
/// CIM's numbers of kinds of resources.
const PROCESSOR: &str = "3";
const MEMORY: &str = "4";
/// What a disk's file is called where nothing says that it is one.
const ENDINGS: [&str; 7] = [".vmdk", ".vhd", ".vhdx", ".vdi", ".qcow2", ".img", ".raw"];

/// What is needed of a descriptor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// Files of the disks, in order.
    pub(super) disks: Vec<String>,
    pub(super) hardware: Hardware,
    /// How many machines it describes.
    pub(super) machines: usize,
    /// Disks that have no file: they begin empty.
    pub(super) blank: usize,
}

pub(super) fn parse(text: &[u8]) -> Result<Descriptor, DiskError> {
    let text = std::str::from_utf8(text).map_err(|_| damaged("it is not UTF-8"))?;
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| damaged(format!("its XML cannot be read: {error}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "Envelope" {
        return Err(damaged("it has no Envelope"));
    }
    let (disks, blank) = disks(root)?;
    Ok(Descriptor {
        disks,
        hardware: hardware(root),
        machines: elements(root, "VirtualSystem").count(),
        blank,
    })
}

/// Files by the order of their disks. A disk that another is the difference to is opened by that other.
fn disks(root: Node<'_, '_>) -> Result<(Vec<String>, usize), DiskError> {
    let section = elements(root, "DiskSection").next();
    let listed: Vec<_> = section
        .into_iter()
        .flat_map(|section| elements(section, "Disk"))
        .collect();
    let mut files = Vec::new();
    let mut blank = 0;
    if listed.is_empty() {
        let named = elements(root, "File").filter(|file| {
            let href = attribute(*file, "href").unwrap_or_default();
            let href = href.to_ascii_lowercase();
            ENDINGS.iter().any(|ending| href.ends_with(ending))
        });
        files.extend(named);
    }
    for disk in &listed {
        let id = attribute(*disk, "diskId");
        let parent =
            |other: &Node<'_, '_>| attribute(*other, "parentRef").is_some_and(|of| Some(of) == id);
        if listed.len() <= DISKS && listed.iter().any(parent) {
            continue;
        }
        let Some(wanted) = attribute(*disk, "fileRef") else {
            blank += 1;
            continue;
        };
        let found = elements(root, "File").find(|file| attribute(*file, "id") == Some(wanted));
        let missing = || {
            damaged(format!(
                "it refers to the file {wanted:?}, which it does not list"
            ))
        };
        files.push(found.ok_or_else(missing)?);
        if files.len() > DISKS {
            break;
        }
    }
    if files.len() > DISKS || listed.len() > DISKS {
        return Err(damaged(format!("more than {DISKS} disks")));
    }
    let names = files.into_iter().map(name).collect::<Result<_, _>>()?;
    Ok((names, blank))
}

/// The name of a file that can be read where it lies.
fn name(file: Node<'_, '_>) -> Result<String, DiskError> {
    let name = attribute(file, "href").ok_or_else(|| damaged("a file without a name"))?;
    let packed =
        attribute(file, "compression").is_some_and(|kind| !matches!(kind, "" | "identity"));
    if packed {
        let what = format!(
            "the file {name:?} is compressed as a whole; unpack it, and strike the attribute out of the descriptor"
        );
        return Err(DiskError::unsupported(FORMAT, what));
    }
    if attribute(file, "chunkSize").is_some() {
        let what =
            format!("the file {name:?} is in chunks; put them together and give the disk itself");
        return Err(DiskError::unsupported(FORMAT, what));
    }
    Ok(name.to_owned())
}

/// Of the first machine.
fn hardware(root: Node<'_, '_>) -> Hardware {
    let section = elements(root, "VirtualHardwareSection").next();
    let items = section.map(|section| section.children().filter(Node::is_element));
    let mut found = Hardware::default();
    for item in items.into_iter().flatten() {
        let quantity = text(item, "VirtualQuantity").and_then(|text| text.parse::<u64>().ok());
        match (text(item, "ResourceType"), quantity) {
            (Some(PROCESSOR), Some(count)) if found.processors.is_none() => {
                found.processors = u32::try_from(count).ok();
            }
            (Some(MEMORY), Some(count)) if found.memory.is_none() => {
                // Megabytes where nothing is said, as the first makers had it.
                let unit = text(item, "AllocationUnits").map_or(Some(1 << 20), unit);
                found.memory = unit.and_then(|unit| count.checked_mul(unit));
            }
            _ => {}
        }
    }
    found
}

/// Bytes in a unit as DSP0004 (annex C.1) writes them, `byte * 2^20`, and in the words that older makers used.
fn unit(text: &str) -> Option<u64> {
    match text {
        "KiloBytes" | "KB" => return Some(1 << 10),
        "MegaBytes" | "MB" => return Some(1 << 20),
        "GigaBytes" | "GB" => return Some(1 << 30),
        _ => {}
    }
    let plain: String = text.chars().filter(|letter| *letter != ' ').collect();
    let mut factors = plain.split('*');
    if factors.next() != Some("byte") {
        return None;
    }
    factors.try_fold(1_u64, |unit, factor| {
        let (base, exponent) = factor.split_once('^').unwrap_or((factor, "1"));
        let power = base
            .parse::<u64>()
            .ok()?
            .checked_pow(exponent.parse().ok()?);
        unit.checked_mul(power?)
    })
}

fn elements<'a, 'input>(
    below: Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    let mut nodes = below.descendants();
    std::iter::from_fn(move || {
        nodes.find(|node| node.is_element() && node.tag_name().name() == name)
    })
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let mut attributes = node.attributes();
    attributes
        .find(|attribute| attribute.name() == name)
        .map(|attribute| attribute.value())
}

fn text<'a>(node: Node<'a, '_>, name: &'a str) -> Option<&'a str> {
    elements(node, name).next()?.text().map(str::trim)
}

fn damaged(what: impl Into<String>) -> DiskError {
    DiskError::damaged(FORMAT, format!("descriptor: {}", what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope(inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" \
             xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:rasd=\"urn:rasd\">{inside}</Envelope>"
        )
    }

    #[test]
    fn disks_come_in_their_own_order_and_parents_with_their_children() {
        let text = envelope(
            "<References><File ovf:id=\"a\" ovf:href=\"a.vmdk\"/><File ovf:id=\"b\" ovf:href=\"b.vmdk\"/>\
             <File ovf:id=\"c\" ovf:href=\"c.vmdk\"/><File ovf:id=\"i\" ovf:href=\"x.iso\"/></References>\
             <DiskSection><Disk ovf:diskId=\"3\" ovf:fileRef=\"c\"/><Disk ovf:diskId=\"1\" ovf:fileRef=\"a\"/>\
             <Disk ovf:diskId=\"4\"/><Disk ovf:diskId=\"2\" ovf:fileRef=\"b\" ovf:parentRef=\"1\"/></DiskSection>",
        );
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (read.disks, read.blank),
            (vec!["c.vmdk".to_owned(), "b.vmdk".to_owned()], 1)
        );
        let text =
            envelope("<References><File href=\"x.iso\"/><File href=\"A.VMDK\"/></References>");
        assert_eq!(parse(text.as_bytes()).unwrap().disks, ["A.VMDK"]);
    }

    #[test]
    fn hardware_is_in_bytes() {
        let item = |kind: &str, quantity: &str, more: &str| {
            format!(
                "<Item>{more}<rasd:ResourceType>{kind}</rasd:ResourceType><rasd:VirtualQuantity> {quantity} </rasd:VirtualQuantity></Item>"
            )
        };
        let read = |items: &str| {
            let text = envelope(&format!(
                "<VirtualSystem><VirtualHardwareSection>{items}</VirtualHardwareSection></VirtualSystem>"
            ));
            let read = parse(text.as_bytes()).unwrap().hardware;
            (read.processors, read.memory)
        };
        let units = |text: &str| format!("<rasd:AllocationUnits>{text}</rasd:AllocationUnits>");
        let both =
            item("3", "4", &units("hertz * 10^6")) + &item("4", "2048", &units("byte * 2^20"));
        assert_eq!(read(&both), (Some(4), Some(2 << 30)));
        assert_eq!(
            read(&item("4", "3", &units("GigaBytes"))),
            (None, Some(3 << 30))
        );
        assert_eq!(read(&item("4", "512", "")), (None, Some(512 << 20)));
        for (quantity, unit) in [
            ("9223372036854775808", "byte * 2^20"),
            ("1", "byte * 2^64"),
            ("-1", "byte"),
            ("1", "hertz"),
        ] {
            assert_eq!(
                read(&item("4", quantity, &units(unit))),
                (None, None),
                "{quantity} {unit}"
            );
        }
        assert_eq!(read(&item("3", "4294967296", "")), (None, None));
    }

    #[test]
    fn what_cannot_be_read_in_place_is_refused() {
        for (inside, said) in [
            (
                "<File id=\"a\" href=\"a\" compression=\"gzip\"/><DiskSection><Disk fileRef=\"a\"/></DiskSection>",
                "compressed",
            ),
            (
                "<File id=\"a\" href=\"a\" chunkSize=\"1\"/><DiskSection><Disk fileRef=\"a\"/></DiskSection>",
                "in chunks",
            ),
            (
                "<DiskSection><Disk fileRef=\"b\"/></DiskSection>",
                "does not list",
            ),
            (
                &format!("<DiskSection>{}</DiskSection>", "<Disk/>".repeat(300)),
                "256 disks",
            ),
            (&"<a>".repeat(20_000), "cannot be read"),
            (&"<a/>".repeat(60_000), "cannot be read"),
        ] {
            let error = parse(envelope(inside).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aa\">]><Envelope>&a;</Envelope>";
        assert!(parse(bomb.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn anything_ends(text in "[<>/a-zE=\" &;!\\[\\]0-9-]{0,80}", bytes: Vec<u8>) {
            let _ = parse(text.as_bytes());
            let _ = parse(envelope(&text).as_bytes());
            let _ = parse(&bytes);
            let _ = unit(&text);
        }
    }
}
