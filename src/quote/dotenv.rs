//! The `.env` file of compose: single quotes keep everything but a single quote and a newline.

use crate::path::is_unsafe;

/// A value; a single quote is escaped as compose reads it. What steers or is not seen is dropped: there is no escape for it,
/// and whatever is written here is of our own making.
pub fn dotenv(value: &str) -> String {
    let value: String = value.chars().filter(|c| !is_unsafe(*c)).collect();
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | ':' | '-' | '_');
    if value.chars().all(bare) {
        return value;
    }
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}
