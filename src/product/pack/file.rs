//! A pack as written: TOML, every field known, nothing flattened or untagged, so that an error names its line.

use super::Case;
use super::source::{Config, Source};
pub use super::when::{Concern, OptionMatch, SettingMatch, TextMatch, Unless, When};
use crate::product::Disposition;
use crate::words::address::Form;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One product, or one family of rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackFile {
    /// `family/name`.
    pub id: String,
    pub title: String,
    /// `web-server`, `database`, `platform`, `rules`, …
    pub kind: String,
    #[serde(default)]
    pub disposition: Option<Disposition>,
    /// What it is to a container; the reason shown for the disposition.
    pub why: String,
    pub cannot_see: String,
    #[serde(default)]
    pub links: Vec<String>,
    #[serde(default)]
    pub recognise: Option<Recognise>,
    /// What else may become of it, by its own configuration; the first that holds counts.
    #[serde(default)]
    pub otherwise: Vec<Otherwise>,
    /// Packs of what it runs on, whose tables marked `lent` are its own too.
    #[serde(default)]
    pub borrows: Vec<String>,
    /// Variables whose value is more words of the command line: `JAVA_OPTS`. Those of the lending packs count too.
    #[serde(default)]
    pub options: Vec<String>,
    /// Units folded into the product's own workload: umbrellas, one-time preparations.
    #[serde(default)]
    pub helpers: Vec<String>,
    #[serde(default)]
    pub instances: Vec<Instances>,
    #[serde(default)]
    pub config: Option<Config>,
    #[serde(default)]
    pub listen: Vec<Listen>,
    #[serde(default)]
    pub connect: Vec<Connect>,
    #[serde(default)]
    pub data: Vec<Place>,
    #[serde(default)]
    pub log: Vec<Log>,
    /// Settings that name directories which have to be there when it starts, empty or not.
    #[serde(default)]
    pub make: Vec<Named>,
    /// Settings that name locales.
    #[serde(default)]
    pub locale: Vec<Named>,
    /// Settings that name the hosts it answers for.
    #[serde(default)]
    pub host: Vec<Named>,
    /// Settings that name the paths it serves.
    #[serde(default)]
    pub path: Vec<Named>,
    /// Settings that name files or directories the product needs.
    #[serde(default)]
    pub claim: Vec<Claim>,
    #[serde(default)]
    pub run: Run,
    #[serde(default)]
    pub probe: Option<Probe>,
    /// It runs somebody's application, of which the pack knows neither what it is nor where it keeps its state.
    #[serde(default)]
    pub hosts_application: bool,
    /// Packages (by pattern) by which it does so: an interpreter that a web server loads.
    #[serde(default)]
    pub hosts_application_with: Vec<String>,
    /// Clients name files by path, and it opens them: what a client claims has to be there too.
    #[serde(default)]
    pub opens_files_of_clients: bool,
    /// Installed packages that belong to it: modules, plug-ins, clients.
    #[serde(default)]
    pub companions: Vec<String>,
    /// The same, but only those an administrator asked for: what a product shares with the system's own tools.
    #[serde(default)]
    pub companions_manual: Vec<String>,
    /// Packages of it that no distribution has: its maker's own.
    #[serde(default)]
    pub makers: Vec<String>,
    /// Files of its packages that it runs without.
    #[serde(default)]
    pub optional: Vec<crate::product::Optional>,
    /// Commands that jobs call, and what has to be installed for them.
    #[serde(default)]
    pub tool: Vec<Tool>,
    /// Whose jobs keep files of others up to date.
    #[serde(default)]
    pub upkeep: Vec<Upkeep>,
    #[serde(default)]
    pub concern: Vec<Concern>,
    #[serde(default)]
    pub case: Vec<Case>,
}

/// What makes a service this product: every list that is given must hold a hit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recognise {
    /// Unit or script names.
    #[serde(default)]
    pub units: Vec<String>,
    /// The main program: a path pattern, or a base name; interpreters and wrappers are followed.
    #[serde(default)]
    pub executables: Vec<String>,
    /// Any argument of the command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Owner of the program or of the unit.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Unit names with variables in them, which the rest of the pack may use: `php{version}-fpm.service`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Of several packs that match, the highest is taken; a server in an interpreter outranks the interpreter.
    #[serde(default)]
    pub rank: u32,
}

/// Another disposition than the pack's, and when: a mail server that serves nobody but its machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    pub disposition: Disposition,
    pub why: String,
    /// Rules of the pack that then do not fire: what serves others is no agent of its machine.
    #[serde(default)]
    pub silences: Vec<String>,
    pub when: When,
}

/// Units that a generator makes at boot.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// `postgresql@{1}-{2}.service`.
    pub unit: String,
    /// A path pattern; its stars are `{1}`, `{2}`, ….
    pub each: String,
    /// The unit that pulls them in, or the init script that starts them.
    pub wanted_by: String,
    /// What an init script starts for each, where there is no template.
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A file (stars filled in) whose first word says no.
    #[serde(default)]
    pub unless: Option<Unless>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    pub from: Source,
    pub form: Form,
    /// With `form = "port"`: the addresses.
    #[serde(default)]
    pub address: Option<Source>,
    /// `tcp` unless it says otherwise.
    #[serde(default)]
    pub protocol: Option<String>,
    /// Port of an address without one.
    #[serde(default)]
    pub port: Option<u16>,
    /// Settings and flags whose presence means that there is no such listener: `mysqld/skip-networking`, `--uds`.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Appended to a socket's directory: `/.s.PGSQL.{port}`.
    #[serde(default)]
    pub suffix: Option<String>,
    /// A number that is added to the port, from a source of its own: `-Dapp.offset=100`.
    #[serde(default)]
    pub offset: Option<Source>,
    #[serde(default)]
    pub lent: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    pub from: Source,
    pub form: Form,
    /// With `form = "port"`: the addresses.
    #[serde(default)]
    pub address: Option<Source>,
    /// Settings whose first argument is a name for several peers, and so no address: `**/upstream`.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Port where none is written.
    #[serde(default)]
    pub port: Option<u16>,
    /// Where relative sockets start.
    #[serde(default)]
    pub below: Option<Source>,
    /// Last words of a key that names a host, and of the key beside it that names its port: `{ host = "port" }`.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
    #[serde(default)]
    pub lent: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    #[serde(default)]
    pub from: Source,
    pub why: String,
    /// How the value says it.
    #[serde(default)]
    pub form: PlaceForm,
    /// A path pattern of links; what they lead to is meant: `{data}/pg_tblspc/*`.
    #[serde(default)]
    pub links: Option<String>,
    /// Only directories that no package has and the service's user owns: what an application's own settings name.
    #[serde(default)]
    pub written: bool,
    #[serde(default)]
    pub lent: bool,
}

/// How a value says where something is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceForm {
    #[default]
    Path,
    /// Several, parted by commas.
    List,
    /// How names of files begin (`log-bin = /srv/log/bin`): their directory is meant.
    Prefix,
    /// A command line: the directories of the files that it names are meant.
    Command,
}

/// Values of settings that name what has to be there: directories that the product does not make itself, locales.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub from: Source,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub from: Source,
    /// The process opens it as the user the container starts with, so the image may link it to the container's output.
    #[serde(default)]
    pub stdout: bool,
    #[serde(default)]
    pub lent: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub from: Source,
    #[serde(default)]
    pub lent: bool,
}

/// How it runs in the foreground.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The command; `{program}`, `{args}` (the unit's own, all of them), `{executable}`, `{arguments}` (the program that was
    /// recognised behind wrappers, and its own), `{config}`, `{data}`, `{port}` and instance variables are filled in.
    /// Absent: the unit's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Words at the end of the command, unless a setting already says so.
    #[serde(default)]
    pub append: Vec<Append>,
    /// Words of the unit's own command that another takes the place of: `{ start = "run" }`.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// Arguments dropped from `{args}`: flags that send it into the background.
    #[serde(default)]
    pub drop: Vec<String>,
    #[serde(default)]
    pub user: Option<String>,
    /// A setting or flag that names the user it becomes, once it has begun as root.
    #[serde(default)]
    pub user_from: Option<Source>,
    #[serde(default)]
    pub starts_as_root: bool,
    /// Users that its workers run as, whoever the main process is: what they own inside an application, they write.
    #[serde(default)]
    pub workers: Option<Source>,
    #[serde(default)]
    pub stop_signal: Option<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The variables of the shell files of `[config]` are its process's too: whoever starts it reads them.
    #[serde(default)]
    pub exports: bool,
    /// What its process makes use of where the machine gives it: `CAP_IPC_LOCK` of what keeps secrets in memory.
    #[serde(default)]
    pub capabilities: Vec<String>,
    #[serde(default)]
    pub directories: Vec<Directory>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    pub words: Vec<String>,
    /// Setting keys.
    pub unless: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub path: String,
    /// The user of the main process where absent.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub group: Option<String>,
    /// Octal: `"0755"`.
    #[serde(default)]
    pub mode: Option<String>,
}

/// Commands by name, and the installed packages (by pattern) that are behind them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub commands: Vec<String>,
    pub packages: Vec<String>,
}

/// Packages (by pattern) whose jobs renew what stands below directories: whoever has files there has that job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upkeep {
    pub packages: Vec<String>,
    pub directories: Vec<String>,
}

/// How to ask whether it works.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// A command inside the container; `{port}` and `{address}` are filled in.
    #[serde(default)]
    pub command: Vec<String>,
    /// Path asked for over HTTP at the first TCP port.
    #[serde(default)]
    pub http: Option<String>,
    /// Connect to the first TCP port.
    #[serde(default)]
    pub tcp: bool,
    /// It speaks first.
    #[serde(default)]
    pub greeting: bool,
    /// What is sent to it from outside; `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN` are bytes.
    #[serde(default)]
    pub ask: Option<String>,
    /// The same over UDP, where that changes nothing.
    #[serde(default)]
    pub datagram: Option<String>,
    /// An expression (over bytes, each a character) that what it says matches: only then does it speak this protocol.
    #[serde(default)]
    pub expect: Option<String>,
}
