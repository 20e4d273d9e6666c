//! XML: a key is the path of element names; an attribute is `path/@name`, an element's own text is the path itself.
//!
//! roxmltree refuses DTDs unless asked, and bounds what they expand to when it is; old descriptors carry one.

use super::Reader;

/// Elements of the largest server.xml anybody wrote, with room to spare.
const NODES: u32 = 200_000;

pub(super) fn read(out: &mut Reader<'_>, text: &str) -> Result<(), String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: NODES,
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options)
        .map_err(|error| format!("not XML: {error}"))?;
    let mut count = 0;
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        count += 1;
        let mut path: Vec<String> = node
            .ancestors()
            .filter(roxmltree::Node::is_element)
            .map(|element| element.tag_name().name().to_owned())
            .collect();
        path.reverse();
        let line = document.text_pos_at(node.range().start).row;
        for attribute in node.attributes() {
            out.setting(
                &path,
                &format!("@{}", attribute.name()),
                &[attribute.value().to_owned()],
                count,
                line,
            );
        }
        let own = node.text().map(str::trim).filter(|text| !text.is_empty());
        if let (Some(own), Some((name, above))) = (own, path.split_last()) {
            out.setting(above, name, &[own.to_owned()], count, line);
        }
    }
    Ok(())
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
