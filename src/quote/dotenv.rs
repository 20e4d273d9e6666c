//! The `.env` file of compose: single quotes keep everything but a single quote and a newline.

/// A value; a control character is dropped, a single quote is escaped as compose reads it.
pub fn dotenv(value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | ':' | '-' | '_');
    if value.chars().all(bare) {
        return value;
    }
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}
