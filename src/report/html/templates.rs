//! The templates of report.html: a registry of their own, since here the engine escapes for HTML by default. Three braces,
//! which escape nothing, are for the style, the script and the data block; a test holds them to it.

use crate::path::sanitise;
use crate::render::Error;
use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext};
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// A partial's name and text.
macro_rules! partials {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../templates/report/", $name, ".hbs")))),+]
    };
}

const PARTIALS: [(&str, &str); 14] = partials![
    "card", "concerns", "coverage", "fall", "files", "first", "left", "map", "page", "proof",
    "services", "svg", "targets", "treemap",
];

static REGISTRY: LazyLock<Result<Handlebars<'static>, String>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    for (name, text) in PARTIALS {
        registry
            .register_template_string(name, text)
            .map_err(|error| error.to_string())?;
    }
    registry.register_helper("prose", Box::new(prose));
    Ok(registry)
});

/// Text of the machine as HTML that shows every character of it.
fn escape(text: &str) -> String {
    handlebars::html_escape(&sanitise(text))
}

/// A sentence of ours in which backticks mark code; what the machine put into it is escaped like everything else.
fn prose(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).and_then(|param| param.value().as_str());
    out.write(&marked_up(text.unwrap_or_default()))?;
    Ok(())
}

fn marked_up(text: &str) -> String {
    let mut parts = text.split('`').map(escape);
    let mut html = parts.next().unwrap_or_default();
    let rest: Vec<String> = parts.collect();
    for pair in rest.chunks(2) {
        match pair {
            [code, after] => {
                let _ = write!(html, "<code>{code}</code>{after}");
            }
            [alone] => {
                let _ = write!(html, "`{alone}");
            }
            _ => {}
        }
    }
    html
}

pub(super) fn fill(view: &impl Serialize) -> Result<String, Error> {
    let template = "report.html";
    let failed = |reason: String| Error::Template { template, reason };
    let registry = REGISTRY.as_ref().map_err(|reason| failed(reason.clone()))?;
    registry
        .render("page", view)
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_code_and_nothing_else_is_markup() {
        assert_eq!(
            marked_up("run `a <b>` & go"),
            "run <code>a &lt;b&gt;</code> &amp; go"
        );
        assert_eq!(marked_up("a ` alone"), "a ` alone");
    }

    #[test]
    fn only_what_is_ours_goes_unescaped() {
        for (name, text) in PARTIALS {
            let raw: Vec<&str> = text
                .match_indices("{{{")
                .map(|(at, _)| text[at..].split("}}}").next().unwrap_or_default())
                .collect();
            let allowed = ["{{{style", "{{{script", "{{{data"];
            assert!(
                raw.iter().all(|found| allowed.contains(found)),
                "{name}: {raw:?}"
            );
            assert!(!text.contains("{{&"), "{name}");
        }
    }
}
