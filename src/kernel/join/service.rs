//! Modules of the name service. What they offer is called `_nss_SERVICE_FUNCTION` and found by the two names (The GNU C
//! Library, "Names of the Functions in NSS Modules"), also where the C library has them built in and keeps their addresses in
//! a table: a program that never asks for hosts calls none of theirs that look for hosts.

use super::super::way::How;
use super::Hashed;
use super::trace::Node;
use super::walk::Walk;
use crate::fact::{Code, Target, name_hash};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// By function, the hashes of the names it may be asked for by.
pub(super) type Offers = HashMap<u32, Vec<u32>, BuildHasherDefault<Hashed>>;

/// What waits for a name to be met: module and function by the name's hash.
pub(super) type Waiting = HashMap<u32, Vec<(usize, u32)>, BuildHasherDefault<Hashed>>;

/// The functions that one file offers.
pub(super) fn offers(code: &Code) -> Offers {
    let mut found = Offers::default();
    for symbol in &code.symbols {
        // What sets a module up is called by its whole name, which is put together.
        let name = symbol.name.strip_prefix("_nss_");
        let Some(name) = name.filter(|name| !name.ends_with("_init")) else {
            continue;
        };
        if let Target::Function(function) = symbol.target {
            // A service's own name may have the sign in it that ends it.
            let starts = name
                .match_indices('_')
                .filter_map(|(at, _)| name.get(at + 1..));
            let hashes = starts.map(|rest| name_hash(rest.as_bytes()));
            found.entry(function).or_default().extend(hashes);
        }
    }
    found
}

impl Walk<'_> {
    /// A function that was not called, but that somebody now can call: at once, or when its name is met.
    pub(super) fn offered(&mut self, module: usize, function: u32, how: How) {
        let names = self
            .modules
            .get(module)
            .and_then(|found| found.file.offers.get(&function));
        match names {
            Some(names) if !names.iter().any(|name| self.names.contains(name)) => {
                for name in names {
                    let waiting = self.waiting.entry(*name).or_default();
                    waiting.push((module, function));
                }
            }
            _ => self.function(module, function, how),
        }
    }

    /// A name is met for the first time.
    pub(super) fn met(&mut self, name: u32) {
        for (module, function) in self.waiting.remove(&name).unwrap_or_default() {
            self.under(Node::Name(name), |walk| {
                walk.function(module, function, How::Serves);
            });
        }
    }
}
