//! Where control goes that no instruction names: jumps through tables, and calls that do not come back.

use super::Graph;
use crate::code::image::Pointer;
use crate::code::places::Places;
use crate::code::sweep::{Kind, Sweep};

/// Entries of one table of jumps.
const TABLE: usize = 4096;

/// Targets of one file, times the jumps that may mean each.
const TARGETS: usize = 1 << 22;

/// Entries of tables that are looked at for one file, each as often as code refers to its table.
const ENTRIES: usize = 1 << 26;

impl Graph<'_> {
    /// Functions come back that return, jump away to one that does or to where is not seen, or run on into one that does.
    pub(super) fn find_dead_ends(&mut self, sweep: &Sweep) {
        let mut comes_back = vec![false; self.starts.len()];
        let mark = |place: u32, comes_back: &mut Vec<bool>| {
            let at = self.function(place).unwrap_or(0) as usize;
            comes_back
                .get_mut(at)
                .is_some_and(|known| !std::mem::replace(known, true))
                .then_some(at)
        };
        let mut work: Vec<usize> = Vec::new();
        for place in sweep.returns.iter().chain(&sweep.jumps) {
            work.extend(mark(*place, &mut comes_back));
        }
        let mut leaving: Vec<(u32, u32)> = Vec::new();
        for found in sweep.refs.iter().filter(|found| found.kind == Kind::Jump) {
            let (from, to) = (self.function(found.from), self.function(found.to));
            if let (Some(from), Some(to)) = (from, to)
                && from != to
            {
                leaving.push((to, from));
            }
        }
        for start in &self.runs_into {
            let next = self.function(*start).unwrap_or(0);
            leaving.extend(next.checked_sub(1).map(|before| (next, before)));
        }
        leaving.sort_unstable();
        while let Some(at) = work.pop() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let first = leaving.partition_point(|(to, _)| *to < at);
            for (_, from) in leaving
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(|(to, _)| *to == at)
            {
                if let Some(known) = comes_back.get_mut(*from as usize).filter(|known| !**known) {
                    *known = true;
                    work.push(*from as usize);
                }
            }
        }
        let calls = sweep.refs.iter().filter(|found| match found.kind {
            Kind::Call => {
                self.function(found.to)
                    .and_then(|at| comes_back.get(at as usize))
                    == Some(&false)
            }
            Kind::CallThrough => self.never_returns(found.to),
            _ => false,
        });
        self.dead_ends = calls.map(|found| found.from).collect();
    }

    /// Functions of the C and C++ standards, and what compilers call, that do not come back.
    pub(super) fn never_returns(&self, slot: u32) -> bool {
        let names =
            self.image
                .pointers_at(self.address(slot))
                .filter_map(|pointer| match pointer {
                    Pointer::Symbol(symbol, _) => self.image.symbols.get(symbol as usize),
                    _ => None,
                });
        names.into_iter().any(|symbol| {
            matches!(
                symbol.name.as_str(),
                "abort"
                    | "exit"
                    | "_exit"
                    | "_Exit"
                    | "quick_exit"
                    | "__assert_fail"
                    | "__libc_fatal"
                    | "err"
                    | "errx"
                    | "__stack_chk_fail"
                    | "__fortify_fail"
                    | "__chk_fail"
                    | "longjmp"
                    | "siglongjmp"
                    | "__longjmp_chk"
                    | "pthread_exit"
                    | "__cxa_throw"
                    | "__cxa_rethrow"
                    | "_ZSt9terminatev"
                    | "_Unwind_Resume"
            )
        })
    }

    /// Tables beside jumps: distances from the table in 32 bits, or whole addresses.
    pub(super) fn find_tables(&mut self, sweep: &Sweep) {
        let taken = sweep.refs.iter().filter(|found| found.kind == Kind::Take);
        let bases = Places::new(taken.map(|found| found.to).collect());
        let mut jumps = sweep.jumps.iter().peekable();
        let mut found = Vec::new();
        let mut entries = 0;
        while let Some(jump) = jumps.next() {
            let Some(function) = self.function(*jump) else {
                continue;
            };
            // All jumps of one function together: which table belongs to which is not asked.
            let mut own = vec![*jump];
            while let Some(next) = jumps.next_if(|next| self.function(**next) == Some(function)) {
                own.push(*next);
            }
            let at = function as usize;
            let start = self.starts.get(at).unwrap_or(0);
            let end = self.starts.get(at + 1).unwrap_or(self.end);
            let first = sweep.refs.partition_point(|found| found.from < start);
            let refs = sweep.refs.get(first..).unwrap_or_default().iter();
            let takes = refs
                .take_while(|found| found.from < end)
                .filter(|found| found.kind == Kind::Take);
            let mut targets: Vec<u32> = Vec::new();
            for take in takes {
                let next = bases.before(take.to).map_or(0, |at| at + 1);
                let limit = bases.get(next).unwrap_or(u32::MAX);
                let table = self.table(take.to, limit);
                // One that ends at once has been looked at as well.
                entries += table.len() + 1;
                targets.extend(table);
                if entries > ENTRIES {
                    break;
                }
            }
            // Entries repeat within a table; each counts once for each jump.
            targets.sort_unstable();
            targets.dedup();
            for target in targets {
                found.extend(own.iter().map(|jump| (target, *jump)));
            }
            if found.len() > TARGETS || entries > ENTRIES {
                self.is_cut = true;
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        self.table_targets = found;
    }

    pub(super) fn table(&self, table: u32, limit: u32) -> Vec<u32> {
        let address = self.address(table);
        if self.image.is_code(address) {
            return Vec::new();
        }
        let length = usize::try_from(limit.saturating_sub(table)).unwrap_or(0);
        let bytes = self.image.bytes(address).unwrap_or_default();
        let bytes = bytes.get(..length.min(bytes.len())).unwrap_or_default();
        let relative = bytes.chunks_exact(4).take(TABLE).map_while(|raw| {
            let distance = i32::from_le_bytes(raw.try_into().ok()?);
            let to = address.wrapping_add_signed(distance.into());
            (distance != 0 && self.image.is_code(to)).then(|| self.place(to))
        });
        let whole = bytes.chunks_exact(8).take(TABLE).map_while(|raw| {
            let to = u64::from_le_bytes(raw.try_into().ok()?);
            (self.image.is_fixed && self.image.is_code(to)).then(|| self.place(to))
        });
        relative.chain(whole).collect()
    }
}
