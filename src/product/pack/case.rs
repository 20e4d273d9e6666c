//! A pack's own cases, as written. They are tried where a machine can be examined.

use crate::product::Disposition;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A small machine and what is to be found on it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// Files by path; a value that starts with `-> ` is a symbolic link, a path that ends in `/` a directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Installed packages, with what they own: `nginx = ["/usr/sbin/nginx"]`.
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<String>>,
    /// The service asked about; absent for rule packs.
    #[serde(default)]
    pub service: Option<String>,
    pub expect: Expect,
}

/// What a case is to find; what is not given is not asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Whether this pack recognises the service (or, for rule packs, whether any concern fires).
    pub recognised: bool,
    #[serde(default)]
    pub disposition: Option<Disposition>,
    /// `tcp 0.0.0.0:8080`, `unix /run/x.sock`; exactly these.
    #[serde(default)]
    pub listens: Option<Vec<String>>,
    #[serde(default)]
    pub connects: Option<Vec<String>>,
    #[serde(default)]
    pub data: Option<Vec<String>>,
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Who the main process becomes.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub claims: Option<Vec<String>>,
    #[serde(default)]
    pub concerns: Option<Vec<String>>,
}
