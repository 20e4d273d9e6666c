//! The templates: layout only. Strict (a name that the view does not have is an error), no escaping but by the quoting
//! helpers, one for each language.

use super::Error;
use crate::quote;
use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use serde::Serialize;
use std::sync::LazyLock;

/// A template's name and text.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name, ".hbs")))),+]
    };
}

const TEMPLATES: [(&str, &str); 11] = templates![
    "Dockerfile",
    "README.md",
    "compose.yaml",
    "dockerignore",
    "entrypoint.sh",
    "env",
    "gitignore",
    "mailer.sh",
    "report.md",
    "table",
    "workload.md",
];

static REGISTRY: LazyLock<Result<Handlebars<'static>, String>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    for (name, text) in TEMPLATES {
        registry
            .register_template_string(name, text)
            .map_err(|error| error.to_string())?;
    }
    text_helper(&mut registry, "sh", quote::shell);
    text_helper(&mut registry, "shcomment", quote::shell_comment);
    text_helper(&mut registry, "comment", quote::comment);
    text_helper(&mut registry, "yaml", quote::yaml);
    text_helper(&mut registry, "scalar", quote::yaml_interpolated);
    text_helper(&mut registry, "md", quote::markdown);
    text_helper(&mut registry, "code", quote::code);
    text_helper(&mut registry, "prose", quote::prose);
    text_helper(&mut registry, "dotenv", quote::dotenv);
    text_helper(&mut registry, "cron", quote::table_value);
    // Views hand over only what a Dockerfile can say; what it cannot say must not become something else.
    text_helper(&mut registry, "word", |value| {
        quote::dockerfile_word(value).unwrap_or_default()
    });
    registry.register_helper("exec", Box::new(exec));
    Ok(registry)
});

fn text_helper(registry: &mut Handlebars<'static>, name: &'static str, quote: fn(&str) -> String) {
    let helper = move |helper: &Helper<'_>,
                       _: &Handlebars<'_>,
                       _: &Context,
                       _: &mut RenderContext<'_, '_>,
                       out: &mut dyn Output|
          -> HelperResult {
        let value = helper.param(0).and_then(|param| param.value().as_str());
        let value = value.ok_or_else(|| wrong(name, "a text"))?;
        out.write(&quote(value))?;
        Ok(())
    };
    registry.register_helper(name, Box::new(helper));
}

fn exec(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let list = helper.param(0).and_then(|param| param.value().as_array());
    let list = list.ok_or_else(|| wrong("exec", "a list"))?;
    let words: Option<Vec<&str>> = list.iter().map(serde_json::Value::as_str).collect();
    out.write(&quote::exec(
        &words.ok_or_else(|| wrong("exec", "a list of texts"))?,
    ))?;
    Ok(())
}

fn wrong(helper: &str, wanted: &str) -> RenderError {
    RenderErrorReason::Other(format!("helper {helper} wants {wanted}")).into()
}

/// Fills a template.
pub fn fill(template: &'static str, view: &impl Serialize) -> Result<String, Error> {
    let registry = REGISTRY.as_ref().map_err(|reason| Error::Template {
        template,
        reason: reason.clone(),
    })?;
    registry
        .render(template, view)
        .map_err(|error| Error::Template {
            template,
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses_and_is_strict() {
        assert!(REGISTRY.is_ok());
        let empty = serde_json::json!({});
        for name in ["Dockerfile", "README.md", "compose.yaml", "workload.md"] {
            assert!(fill(name, &empty).is_err(), "{name}");
        }
        assert!(
            fill(
                "env",
                &serde_json::json!({"prefix": 1, "tag": "", "ports": []})
            )
            .is_err()
        );
    }
}
