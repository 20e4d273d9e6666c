//! Lines of a script that start a daemon, by the programs that do it.

use super::shell;

/// Whether a line names something that starts daemons.
pub fn may_start(line: &str) -> bool {
    starter(&shell(inner(line))).is_some()
}

/// Where the word stands that starts a daemon.
pub fn starter(words: &[String]) -> Option<usize> {
    words.iter().position(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(
            name,
            "start-stop-daemon" | "daemon" | "su" | "runuser" | "nohup" | "setsid"
        )
    })
}

/// The command whose output is taken, where it is one that starts a daemon; the line itself otherwise.
pub fn inner(line: &str) -> &str {
    let opens = [("`", '`'), ("$(", ')')];
    let inner = opens.into_iter().find_map(|(open, close)| {
        let (_, tail) = line.split_once(open)?;
        let command = tail.rsplit_once(close).map_or(tail, |(command, _)| command);
        command.contains("start-stop-daemon").then_some(command)
    });
    inner.unwrap_or(line)
}
