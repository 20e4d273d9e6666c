//! What reached functions ask for, put together.

use super::super::reach::{Argument, Reach, Reference, Site, Unresolved};
use super::walk::{Module, Node, Walk};

/// Places kept of one call.
const SITES: usize = 4;

impl Walk<'_> {
    pub(super) fn way(&self, call: &str) -> Vec<Site> {
        let calls = self.modules.iter().enumerate().flat_map(|(at, module)| {
            let calls = module
                .code
                .calls
                .iter()
                .map(|call| (call.function, call.number.map(u64::from)));
            let handed = module
                .code
                .arguments
                .iter()
                .filter(|site| site.call == "syscall");
            calls
                .chain(handed.map(|site| (site.function, site.value)))
                .map(move |found| (at, module, found))
        });
        let mut found = calls.filter(|(at, module, (function, number))| {
            let name = number.and_then(|number| module.code.architecture.call(number));
            name == Some(call)
                && module.functions.get(*function as usize) == Some(&true)
                && !self.is_dead(*at, *function, call)
        });
        let mut node = found
            .next()
            .map(|(at, _, (function, _))| Node::Function(at, function));
        let mut way = Vec::new();
        while let Some(at) = node.filter(|_| way.len() < 1000) {
            if let Node::Function(module, function) = at
                && let Some(module) = self.modules.get(module)
            {
                let offset = module
                    .code
                    .functions
                    .get(function as usize)
                    .map_or(0, |function| function.offset);
                way.push(Site {
                    path: module.code.path.clone(),
                    offset,
                });
            }
            node = self
                .parents
                .as_ref()
                .and_then(|parents| parents.get(&at))
                .copied();
        }
        way.reverse();
        way
    }

    /// Libraries that were not found where the loader looks, and that nothing loaded by its path stands in for: the loader
    /// takes what is there already under the same name.
    fn lacking(&self) -> impl Iterator<Item = Unresolved> + '_ {
        let is_there = |name: &str| {
            let mut paths = self.modules.iter().map(|module| &module.code.path);
            paths.any(|path| path.name() == name)
        };
        let lacking = self.lacking.iter().filter(move |(_, name)| !is_there(name));
        lacking.map(|(path, name)| Unresolved {
            site: Site {
                path: path.clone(),
                offset: 0,
            },
            reason: format!("needs {name}, which is not there"),
        })
    }

    pub(super) fn finish(self) -> Reach {
        let architecture = self.modules.first().map(|module| module.code.architecture);
        let mut reach = Reach {
            architecture: architecture
                .map_or("", crate::kernel::call::Architecture::name)
                .to_owned(),
            unresolved: self.missing.iter().cloned().chain(self.lacking()).collect(),
            ..Reach::default()
        };
        for (at, module) in self.modules.iter().enumerate() {
            let is_dead = |function: u32, call: &str| self.is_dead(at, function, call);
            collect(module, &is_dead, &mut reach);
        }
        let restarts = ["nanosleep", "clock_nanosleep", "poll", "futex"];
        if let Some(site) = restarts
            .iter()
            .find_map(|call| reach.calls.get(*call))
            .and_then(|sites| sites.first())
            .cloned()
        {
            // The kernel has an interrupted wait go on by this number (signal(7)).
            reach
                .calls
                .entry("restart_syscall".into())
                .or_default()
                .push(site);
        }
        for sites in reach.calls.values_mut() {
            sites.sort();
            sites.dedup();
            sites.truncate(SITES);
        }
        reach.arguments.sort();
        reach.arguments.dedup();
        reach.references.sort();
        reach.references.dedup();
        reach.unresolved.sort();
        reach.unresolved.dedup();
        reach
    }
}

/// What the reached functions of one file ask for.
fn collect(module: &Module<'_>, is_dead: &dyn Fn(u32, &str) -> bool, reach: &mut Reach) {
    let code = module.code;
    let is_reached = |function: u32| module.functions.get(function as usize) == Some(&true);
    let site = |offset: u64| Site {
        path: code.path.clone(),
        offset,
    };
    let unresolved = |offset: u64, reason: &str| Unresolved {
        site: site(offset),
        reason: reason.into(),
    };
    let mut is_open = false;
    let mut add = |number: Option<u64>, offset: u64, reach: &mut Reach| {
        if let Some(number) = number {
            if let Some(name) = code.architecture.call(number) {
                reach
                    .calls
                    .entry(name.to_owned())
                    .or_default()
                    .push(site(offset));
            }
        } else {
            is_open = true;
            reach
                .unresolved
                .push(unresolved(offset, "the system call's number is computed"));
        }
    };
    let lent = code.lent.iter();
    for lent in lent.filter(|lent| module.lent.contains(&lent.function)) {
        if lent.by.is_none_or(is_reached) {
            add(lent.number.map(u64::from), lent.offset, reach);
        }
    }
    for call in code.calls.iter().filter(|call| is_reached(call.function)) {
        let number = call.number.map(u64::from);
        let name = number.and_then(|number| code.architecture.call(number));
        if name.is_some_and(|name| is_dead(call.function, name)) {
            continue;
        }
        add(number, call.offset, reach);
    }
    for argument in code
        .arguments
        .iter()
        .filter(|argument| is_reached(argument.function))
    {
        if argument.call == "syscall" {
            add(
                argument.value.map(|value| value & 0xffff_ffff),
                argument.offset,
                reach,
            );
        } else if !matches!(argument.call, "dlsym" | "dlopen") {
            reach.arguments.push(Argument {
                call: argument.call.to_owned(),
                index: argument.index,
                value: argument.value,
                site: site(argument.offset),
            });
        }
    }
    if is_open {
        // Any number of the file's own may be meant.
        for call in &code.calls {
            if let Some(name) = call
                .number
                .and_then(|number| code.architecture.call(number.into()))
            {
                reach
                    .calls
                    .entry(name.to_owned())
                    .or_default()
                    .push(site(call.offset));
            }
        }
    }
    for gap in &code.gaps {
        if gap.function.is_none_or(is_reached) {
            reach.unresolved.push(unresolved(gap.offset, gap.reason));
        }
    }
    for ((offset, text), _) in code
        .strings
        .iter()
        .zip(&module.strings)
        .filter(|(_, seen)| **seen)
    {
        if text.starts_with('/') && !text.contains(".so") {
            reach.references.push(Reference {
                text: text.clone(),
                site: site(*offset),
            });
        }
    }
}
