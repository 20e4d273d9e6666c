//! Options of programs that start others, and what they say.

use super::Around;

/// An option, what it is spelt with in short, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    User,
    /// To Debian's a process that is looked for, to OpenRC's the user.
    Owner,
    Login,
    Group,
    PidFile,
    Directory,
    Umask,
    Program,
    Output,
    Setting,
    Line,
    /// A word of no interest here.
    Other,
    Behind,
    /// It starts something.
    Starts,
    /// It does not.
    Asks,
}

pub(super) type Options = &'static [(&'static [&'static str], Says)];

/// start-stop-daemon(8), of Debian and of OpenRC; supervise-daemon(8) has the same.
pub(super) const DAEMON: Options = &[
    (&["-S", "--start"], Says::Starts),
    (
        &[
            "-K", "--stop", "-T", "--status", "-t", "--test", "-H", "--help",
        ],
        Says::Asks,
    ),
    (&["-b", "--background"], Says::Behind),
    (&["-c", "--chuid"], Says::User),
    (&["-u", "--user"], Says::Owner),
    (&["-g", "--group"], Says::Group),
    (&["-p", "--pidfile"], Says::PidFile),
    (&["-d", "--chdir"], Says::Directory),
    (&["-k", "--umask"], Says::Umask),
    (&["-x", "--exec", "-a", "--startas"], Says::Program),
    (
        &["-O", "--output", "-1", "--stdout", "-2", "--stderr"],
        Says::Output,
    ),
    (&["-e", "--env"], Says::Setting),
    (
        &[
            "-n",
            "--name",
            "-N",
            "--nicelevel",
            "-s",
            "--signal",
            "-R",
            "--retry",
            "-I",
            "--iosched",
            "-P",
            "--procsched",
            "-r",
            "--chroot",
            "--ppid",
            "--notify-timeout",
            "-w",
            "--wait",
            "--progress",
            "-3",
            "--stdout-logger",
            "-4",
            "--stderr-logger",
            "--capabilities",
            "--scheduler",
            "--scheduler-priority",
            "--secbits",
            "--oom-score-adj",
            "--notify",
            "-D",
            "--respawn-delay",
            "--respawn-max",
            "--respawn-period",
            "--healthcheck-timer",
            "--healthcheck-delay",
            "--respawn-delay-step",
            "--respawn-delay-cap",
        ],
        Says::Other,
    ),
];

/// `daemon` of Red Hat's functions.
pub(super) const FUNCTION: Options = &[
    (&["--user"], Says::User),
    (&["--pidfile"], Says::PidFile),
    (&["--check"], Says::Other),
];

/// daemon(1).
pub(super) const PROGRAM: Options = &[
    (&["-u", "--user"], Says::User),
    (&["-D", "--chdir"], Says::Directory),
    (&["-m", "--umask"], Says::Umask),
    (&["-e", "--env"], Says::Setting),
    (&["-F", "--pidfile"], Says::PidFile),
    (
        &["-o", "--output", "-O", "--stdout", "-E", "--stderr"],
        Says::Output,
    ),
    (
        &[
            "-n",
            "--name",
            "-P",
            "--pidfiles",
            "-X",
            "--command",
            "-A",
            "--attempts",
            "-L",
            "--delay",
            "-M",
            "--limit",
            "-l",
            "--errlog",
            "-b",
            "--dbglog",
            "-C",
            "--chroot",
        ],
        Says::Other,
    ),
    (
        &["--running", "--stop", "--list", "--restart", "--signal"],
        Says::Asks,
    ),
];

/// startproc(8) and start_daemon of the Linux Standard Base.
pub(super) const PROCESS: Options = &[
    (&["-u"], Says::User),
    (&["-g"], Says::Group),
    (&["-p"], Says::PidFile),
    (&["-l"], Says::Output),
    (&["-n", "-t", "-T", "-i", "-c", "-N"], Says::Other),
];

const SWITCH: Options = &[
    (&["-c", "--command", "--session-command"], Says::Line),
    (
        &[
            "-s",
            "--shell",
            "-w",
            "--whitelist-environment",
            "-G",
            "--supp-group",
        ],
        Says::Other,
    ),
    (&["-g", "--group"], Says::Group),
    (&["-u", "--user"], Says::User),
    (&["-", "-l", "--login"], Says::Login),
];

pub(super) const SUDO: Options = &[
    (&["-u", "--user"], Says::User),
    (&["-g", "--group"], Says::Group),
    (&["-i", "--login"], Says::Login),
    (
        &[
            "-p",
            "-C",
            "-h",
            "-r",
            "-t",
            "-T",
            "-U",
            "--prompt",
            "--close-from",
            "--host",
        ],
        Says::Other,
    ),
];

pub(super) const DAEMONIZE: Options = &[
    (&["-u"], Says::User),
    (&["-p"], Says::PidFile),
    (&["-c"], Says::Directory),
    (&["-o", "-e"], Says::Output),
    (&["-E"], Says::Setting),
    (&["-l"], Says::Other),
];

/// A command line's options taken off.
#[derive(Default)]
pub(super) struct Read {
    pub around: Around,
    pub program: Option<String>,
    pub line: Option<String>,
    pub directory: Option<String>,
    pub umask: Option<String>,
    pub output: Vec<String>,
    pub starts: bool,
    pub asks: bool,
    pub owner: Option<String>,
    pub rest: Vec<String>,
}

impl Read {
    pub fn of(args: &[String], options: Options, around: Around) -> Self {
        let mut read = Self {
            around,
            ..Self::default()
        };
        let mut words = args.iter().peekable();
        while let Some(word) = words.next_if(|word| word.starts_with('-') || is_nice(word)) {
            if word == "--" {
                break;
            }
            let (flag, inline) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let of = |flag: &str| {
                let mut all = options.iter();
                all.find(|(spelt, _)| spelt.contains(&flag))
                    .map(|(_, says)| *says)
            };
            let glued = word
                .get(..2)
                .filter(|_| word.len() > 2 && !word.starts_with("--"));
            let (says, inline) = match (of(flag), glued.and_then(of)) {
                (Some(says), _) => (says, inline),
                (None, Some(says))
                    if !matches!(says, Says::Starts | Says::Asks | Says::Behind | Says::Login) =>
                {
                    (says, word.get(2..).map(str::to_owned))
                }
                // `-Sbc app`: letters in one.
                (None, _) => {
                    read.letters(word, options);
                    continue;
                }
            };
            match says {
                Says::Starts => read.starts = true,
                Says::Asks => read.asks = true,
                Says::Behind => read.around.is_put_behind = true,
                Says::Login => read.around.is_login = true,
                says => {
                    // A value that only the run brings is none, and the next option is not it.
                    let is_option = |word: &&String| word.starts_with("--") && of(word).is_some();
                    let is_there = inline.is_some() || !words.peek().is_some_and(is_option);
                    let value = inline.or_else(|| words.next_if(|_| is_there).cloned());
                    read.take(says, value.unwrap_or_default());
                }
            }
        }
        read.rest = words.cloned().collect();
        read
    }

    fn letters(&mut self, word: &str, options: Options) {
        for letter in word.chars().skip(1).filter(|_| !word.starts_with("--")) {
            let flag = format!("-{letter}");
            let mut all = options.iter();
            match all.find(|(spelt, _)| spelt.contains(&flag.as_str())) {
                Some((_, Says::Starts)) => self.starts = true,
                Some((_, Says::Asks)) => self.asks = true,
                Some((_, Says::Behind)) => self.around.is_put_behind = true,
                _ => {}
            }
        }
    }

    fn take(&mut self, says: Says, value: String) {
        match says {
            Says::User => self.account(&value),
            Says::Owner => self.owner = Some(value),
            Says::Group => self.around.group = Some(value),
            Says::PidFile => self.around.pid_file = Some(value),
            Says::Directory => self.directory = Some(value),
            Says::Umask => self.umask = Some(value),
            Says::Program => self.program = Some(value),
            Says::Output => self.output.push(value),
            Says::Line => self.line = Some(value),
            Says::Setting => {
                if let Some((name, value)) = value.split_once('=') {
                    self.around
                        .settings
                        .push((name.to_owned(), value.to_owned()));
                }
            }
            _ => {}
        }
    }

    /// `user`, `user:group`, `user.group`.
    pub fn account(&mut self, written: &str) {
        let (user, group) = written.split_once(':').unwrap_or((written, ""));
        self.around.user = Some(user.to_owned());
        if !group.is_empty() {
            self.around.group = Some(group.to_owned());
        }
    }
}

/// Of su(1) and runuser(1): options stand before and behind the user, and what follows is for the shell.
pub(super) fn switched(args: &[String], around: Around) -> Read {
    let mut read = Read::of(
        args,
        SWITCH,
        Around {
            user: None,
            ..around
        },
    );
    if read.around.user.is_none() && !read.rest.is_empty() {
        let user = read.rest.remove(0);
        read.account(&user);
        let line = read.line.take();
        let behind = Read::of(&read.rest, SWITCH, read.around);
        let line = behind.line.clone().or(line);
        read = Read { line, ..behind };
    }
    read.around.user.get_or_insert_with(|| "root".to_owned());
    read
}

/// `+5`, a nice value of Red Hat's function.
fn is_nice(word: &str) -> bool {
    word.strip_prefix('+')
        .is_some_and(|rest| rest.parse::<u8>().is_ok())
}
