//! XML: a key is the path of element names; an attribute is `path/@name`, an element's own text is the path itself.
//!
//! roxmltree refuses DTDs unless asked, and bounds what they expand to when it is; old descriptors carry one.

use super::Reader;

/// Elements of the largest server.xml anybody wrote, with room to spare.
const NODES: u32 = 200_000;

/// Attributes of one element, and name spaces of a document: the parser compares each with all before it.
const MOST_ATTRIBUTES: usize = 1_000;

pub(super) fn read(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    if most_assignments(text) > MOST_ATTRIBUTES {
        return Err(format!(
            "an element has more than {MOST_ATTRIBUTES} attributes; not read"
        ));
    }
    if text.matches("xmlns").nth(MOST_ATTRIBUTES).is_some() {
        return Err(format!(
            "more than {MOST_ATTRIBUTES} name spaces are declared; not read"
        ));
    }
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: NODES,
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options)
        .map_err(|error| format!("not XML: {error}"))?;
    let mut count = 0;
    let mut lines = Lines::default();
    // The elements from the root to where we are.
    let mut open: Vec<roxmltree::NodeId> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        if out.is_full() {
            break;
        }
        count += 1;
        let above = node.parent().map(|parent| parent.id());
        while open.last().is_some_and(|last| Some(*last) != above) {
            open.pop();
            path.pop();
        }
        if node.parent_element().map(|parent| parent.id()) != open.last().copied() {
            // It is inside of one that was too deep.
            continue;
        }
        let line = lines.of(text, node.range().start);
        open.push(node.id());
        path.push(node.tag_name().name().to_owned());
        for attribute in node.attributes() {
            let name = format!("@{}", attribute.name());
            out.setting(&path, &name, &[attribute.value().to_owned()], count, line);
        }
        let own = node.text().map(str::trim).filter(|text| !text.is_empty());
        if let (Some(own), Some((name, above))) = (own, path.split_last()) {
            out.setting(above, name, &[own.to_owned()], count, line);
        }
        if !out.may_nest(path.len()) {
            open.pop();
            path.pop();
        }
    }
    Ok(())
}

/// The most equals signs of one tag, and so no fewer than its attributes. A document that declares entities may hide tags
/// in quotes: there quotes count for nothing.
fn most_assignments(text: &str) -> usize {
    let hides = text.contains("<!ENTITY");
    let (mut most, mut count) = (0, 0);
    let (mut inside, mut quote) = (false, None);
    for byte in text.bytes() {
        match (byte, quote) {
            (byte, Some(open)) if byte == open => quote = None,
            (b'<', None) => (inside, count) = (true, 0),
            (b'>', None) if !hides => inside = false,
            (b'"' | b'\'', None) if inside && !hides => quote = Some(byte),
            (b'=', None) if inside => {
                count += 1;
                most = most.max(count);
            }
            _ => {}
        }
    }
    most
}

/// Lines of places that come one after the other.
#[derive(Default)]
struct Lines {
    at: usize,
    before: u32,
}

impl Lines {
    fn of(&mut self, text: &str, place: usize) -> u32 {
        // What an entity stands for is written further up; its line is about that of where it stands.
        if let Some(between) = text.as_bytes().get(self.at..place) {
            let lines = between
                .split(|byte| *byte == b'\n')
                .count()
                .saturating_sub(1);
            self.before += u32::try_from(lines).unwrap_or_default();
            self.at = place;
        }
        self.before + 1
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Xml;

    #[test]
    fn attributes_and_text() {
        let text =
            "<Server>\n <Connector port=\"8081\"\n  keystorePass=\"abc\"/>\n <a>x</a>\n</Server>";
        assert_eq!(
            shown(Xml, text),
            [
                "Server/Connector/@port=8081@2",
                "Server/Connector/@keystorePass=[redacted]@2",
                "Server/a=x@4"
            ]
        );
    }
}
