//! Configuration, whatever its syntax, as one list of settings: what packs ask their questions of.

use super::Evidence;
use crate::path::MachinePath;

/// A configuration syntax that `detect/native/syntax/` can read. Packs name it in kebab-case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// Directives that end in `;` and `{ }` blocks, `#` comments (nginx).
    Blocks,
    /// The same with C's comments beside `#` (named, dhcpd, VCL).
    CBlocks,
    /// Directives that end with their line and `{ }` blocks, `=` or `:` allowed after the key (dovecot, keepalived, NATS, Caddy).
    Braces,
    /// `<Section argument>` and directives (Apache httpd).
    Apache,
    /// Unindented section headers, indented keywords (HAProxy).
    Haproxy,
    /// `[section]` and `key = value` (my.cnf, php.ini, FPM pools, supervisord, uWSGI).
    Ini,
    /// `key = value` without sections, values may be quoted (postgresql.conf, sysctl.conf).
    KeyEquals,
    /// `key value value…` (redis.conf, sshd_config, chrony.conf, ntp.conf).
    KeySpace,
    /// Command-line flags, several or one a line (memcached.conf); also read from a command line.
    Flags,
    /// `NAME=value`, quoted as systemd.exec(5) EnvironmentFile= or a shell's plain assignments.
    Environment,
    /// Columns parted by white space (fstab, exports, hosts); the first is the key.
    Columns,
    /// Objects and arrays; a key is the path to a scalar, joined by `/`.
    Json,
    Yaml,
    Toml,
    /// Elements; a key is the path of element names, an attribute is `path/@name`.
    Xml,
    /// Java properties.
    Properties,
    /// Plain assignments and calls with literal arguments in a script language's settings file (gunicorn.conf.py, wp-config.php).
    Script,
}

/// A setting: a path of block or section names down to the key, its arguments, and where it stands.
///
/// `http/server/listen ["8080", "default_server"]` at nginx.conf:12. Argument values are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Enclosing blocks' names and the key, joined by `/`. Block arguments are settings of their own (`http/server/location ["/api"]`).
    pub key: String,
    pub args: Vec<String>,
    /// Which instance of the enclosing block, counted through the file from 1; 0 outside any.
    pub block: u32,
    /// 1-based.
    pub line: u32,
    /// Whether a secret was redacted from the arguments.
    pub secret: bool,
    /// Conditions it stands under, outermost first: `IfModule ssl_module`. Whether they hold shows only while reading on.
    pub conditions: Vec<String>,
}

impl Setting {
    /// The block of lines that begin with `export` in files of variables: to a shell they are like all others, and systemd
    /// takes none of them (`EnvironmentFile=`, systemd.exec(5)).
    pub const EXPORTED: u32 = 1;
}

/// A request to read on: `include conf.d/*.conf;` in the context of `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Absolute path or pattern, relative ones already taken from where the syntax says.
    pub pattern: String,
    /// Block path the included settings belong to.
    pub context: String,
    pub line: u32,
    /// As of a setting.
    pub conditions: Vec<String>,
}

/// One configuration file read under one syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub path: MachinePath,
    pub syntax: Syntax,
    /// In file order. Keys of an included file start below the context it was included in.
    pub settings: Vec<Setting>,
    pub includes: Vec<Include>,
}

impl Document {
    pub fn evidence(&self, setting: &Setting) -> Evidence {
        let key = setting.key.rsplit('/').next().unwrap_or_default();
        Evidence::line(
            &self.path,
            setting.line,
            &format!("{key} {}", setting.args.join(" ")),
        )
    }
}
