//! What reached functions ask for, put together.

use super::super::reach::{Argument, Reach, Reference, Site, Unresolved};
use super::super::way::How;
use super::walk::{Module, Walk};

/// Places kept of one call.
const SITES: usize = 4;

/// The kernel has an interrupted wait go on by a number of its own (signal(7)): the call, and those it stands in for.
pub(super) const RESTART: &str = "restart_syscall";
pub(super) const RESTARTS: [&str; 4] = ["nanosleep", "clock_nanosleep", "poll", "futex"];

/// A place that makes a system call.
pub(super) struct Made {
    pub call: &'static str,
    /// The function that enters the kernel with it.
    pub function: u32,
    pub offset: u64,
    /// The number is this one; or one that is not known, and this place has this one.
    pub how: How,
}

impl Walk<'_> {
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
                .map_or("", crate::abi::call::Architecture::name)
                .to_owned(),
            unresolved: self.missing.iter().cloned().chain(self.lacking()).collect(),
            ..Reach::default()
        };
        for (at, module) in self.modules.iter().enumerate() {
            let entries = self.entries(at);
            for made in made(module, &entries) {
                let sites = reach.calls.entry(made.call.to_owned()).or_default();
                sites.push(module.site(made.offset));
            }
            let open = entries.iter().filter(|entry| entry.number.is_none());
            reach.unresolved.extend(open.map(|entry| Unresolved {
                site: module.site(entry.offset),
                reason: "the system call's number is computed".into(),
            }));
            collect(module, &mut reach);
        }
        if let Some(site) = RESTARTS
            .iter()
            .find_map(|call| reach.calls.get(*call))
            .and_then(|sites| sites.first())
            .cloned()
        {
            reach.calls.entry(RESTART.into()).or_default().push(site);
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

/// A place that enters the kernel.
pub(super) struct Entry {
    function: u32,
    offset: u64,
    /// `None` where it is not known.
    number: Option<u64>,
}

impl Walk<'_> {
    /// Where the reached functions of one file enter the kernel, themselves or by a function that they give the number.
    pub(super) fn entries(&self, at: usize) -> Vec<Entry> {
        let Some(module) = self.modules.get(at) else {
            return Vec::new();
        };
        let code = module.code;
        let lent = code.lent.iter();
        let lent = lent.filter(|lent| {
            let is_reached = lent.by.is_none_or(|by| module.is_reached(by));
            module.lent.contains(&lent.function) && is_reached
        });
        let lent = lent.map(|lent| Entry {
            function: lent.by.unwrap_or(lent.function),
            offset: lent.offset,
            number: lent.number.map(u64::from),
        });
        let is_dead = |function: u32, number: Option<u64>| {
            let name = number.and_then(|number| code.architecture.call(number));
            name.is_some_and(|name| self.is_dead(at, function, name))
        };
        let calls = code.calls.iter().map(|call| Entry {
            function: call.function,
            offset: call.offset,
            number: call.number.map(u64::from),
        });
        let calls = calls.filter(|call| {
            module.is_reached(call.function) && !is_dead(call.function, call.number)
        });
        let handed = code
            .arguments
            .iter()
            .filter(|argument| argument.call == "syscall" && module.is_reached(argument.function));
        let handed = handed.map(|argument| Entry {
            function: argument.function,
            offset: argument.offset,
            number: argument.value.map(|value| value & 0xffff_ffff),
        });
        lent.chain(calls).chain(handed).collect()
    }
}

/// The calls of one file's entries: where a number is not known, any of the file's own may be meant.
pub(super) fn made(module: &Module<'_>, entries: &[Entry]) -> Vec<Made> {
    let code = module.code;
    let made = |function: u32, offset: u64, number: Option<u64>, how: How| {
        Some(Made {
            call: code.architecture.call(number?)?,
            function,
            offset,
            how,
        })
    };
    let known = entries
        .iter()
        .filter_map(|entry| made(entry.function, entry.offset, entry.number, How::Makes));
    let open = entries.iter().find(|entry| entry.number.is_none());
    let any = open.into_iter().flat_map(|open| {
        code.calls.iter().filter_map(move |call| {
            let number = call.number.map(u64::from);
            made(open.function, call.offset, number, How::AnyNumber)
        })
    });
    known.chain(any).collect()
}

/// What else the reached functions of one file ask for.
fn collect(module: &Module<'_>, reach: &mut Reach) {
    let code = module.code;
    for argument in code.arguments.iter().filter(|argument| {
        module.is_reached(argument.function)
            && !matches!(argument.call, "syscall" | "dlsym" | "dlopen")
    }) {
        reach.arguments.push(Argument {
            call: argument.call.to_owned(),
            index: argument.index,
            value: argument.value,
            site: module.site(argument.offset),
        });
    }
    for gap in &code.gaps {
        if gap
            .function
            .is_none_or(|function| module.is_reached(function))
        {
            reach.unresolved.push(Unresolved {
                site: module.site(gap.offset),
                reason: gap.reason.into(),
            });
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
                site: module.site(*offset),
            });
        }
    }
}
