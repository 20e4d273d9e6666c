//! Quoting, one file for each language that is written. Nothing of the machine reaches an artefact but through here.

mod dockerfile;
mod dotenv;
mod markdown;
mod shell;
mod toml;
mod yaml;

pub use self::toml::toml;
pub use dockerfile::{build_path, build_shell, comment, dockerfile_word, exec};
pub use dotenv::dotenv;
pub use markdown::{code, markdown, prose};
pub use shell::{shell, shell_comment, table_value};
pub use yaml::{json_document, yaml, yaml_interpolated};
