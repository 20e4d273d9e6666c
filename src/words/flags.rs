//! Command-line flags.

/// Flags with their values: `-p 80`, `-p80`, `--port=80`, `--port 80`. Words before any flag come under the key "".
pub fn read(argv: &[String]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for word in argv {
        let is_number = word
            .strip_prefix('-')
            .is_some_and(|rest| rest.parse::<f64>().is_ok());
        if word.starts_with('-') && word.len() > 1 && !is_number {
            let (flag, value) = split(word);
            found.push((flag, value.into_iter().collect()));
        } else if let Some((_, args)) = found.last_mut() {
            args.push(word.clone());
        } else {
            found.push((String::new(), vec![word.clone()]));
        }
    }
    found
}

fn split(word: &str) -> (String, Option<String>) {
    if let Some((flag, value)) = word.split_once('=') {
        return (flag.to_owned(), Some(value.to_owned()));
    }
    let short = !word.starts_with("--")
        && word
            .get(2..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match word.split_at_checked(2).filter(|_| short) {
        Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}
