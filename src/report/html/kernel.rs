//! What a workload asks of the kernel: on its card in two lines, and behind them whatever the scan says, by its own names.
//! Workloads that run the same programs ask the same, which the page then holds once.

use super::card::SHOWN;
use super::texts::Texts;
use super::words::plural;
use crate::kernel::need::Degree;
use crate::kernel::place::Delta;
use crate::scan::{Scan, Workload};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// What stands on a card.
#[derive(Serialize, Default)]
pub(super) struct Kernel {
    /// Whether there is anything to show.
    any: bool,
    /// Of `Kernels::details`.
    number: usize,
    asks: String,
    fits: String,
    fails: String,
}

/// What stands behind the cards.
#[derive(Default)]
pub(super) struct Kernels {
    /// Lists with name and values; what is asked for with what that does, a capability and a place; places, what is to be
    /// added there, and calls that are refused. All texts by their numbers.
    pub details: Vec<Value>,
    by_workload: HashMap<String, usize>,
}

/// Values of one kind asked of the kernel that the page has.
const CHIPS: usize = 80;

/// Lists that have a form of their own here.
const OWN: [&str; 4] = ["evidence", "asks", "targets", "unresolved"];

impl Kernels {
    pub fn new(scan: &Scan, texts: &mut Texts) -> Self {
        let mut kernels = Self::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        for workload in &scan.workloads {
            let Some(detail) = detail(workload, texts) else {
                continue;
            };
            let number = *known.entry(detail.to_string()).or_insert_with(|| {
                kernels.details.push(detail);
                kernels.details.len() - 1
            });
            kernels.by_workload.insert(workload.id.clone(), number);
        }
        kernels
    }

    pub fn card(&self, workload: &Workload) -> Kernel {
        let Some(number) = self.by_workload.get(&workload.id) else {
            return Kernel::default();
        };
        let kernel = &workload.kernel;
        let asked = kernel.asks.iter().filter(|ask| ask.degree == Degree::Asks);
        let mut asked: Vec<String> = asked.map(|ask| ask.does.clone()).collect();
        asked.dedup();
        let calls = plural(kernel.syscalls.len(), "system call", "system calls");
        let asks = match (kernel.syscalls.len(), asked.as_slice()) {
            (0, []) => String::new(),
            (0, asked) => format!("Its code {}.", crate::text::list(asked, 4)),
            (_, []) => format!("Its code can make {calls} and asks for no privilege."),
            (_, asked) => format!(
                "Its code can make {calls}; it {}.",
                crate::text::list(asked, 4)
            ),
        };
        let places = |fits: bool| {
            let of = kernel.targets.iter().filter(|delta| delta.fits == fits);
            let titles: Vec<&str> = of.map(|delta| delta.title.as_str()).collect();
            titles.join(" · ")
        };
        Kernel {
            any: true,
            number: *number,
            asks,
            fits: places(true),
            fails: places(false),
        }
    }
}

fn detail(workload: &Workload, texts: &mut Texts) -> Option<Value> {
    let kernel = &workload.kernel;
    let mut lists = lists(workload);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for open in &kernel.unresolved {
        *reasons.entry(&open.reason).or_default() += 1;
    }
    let reasons = reasons.into_iter().map(|(reason, times)| match times {
        1 => reason.to_owned(),
        times => format!("{reason} ({times} places)"),
    });
    lists.extend(list("not told by the code".to_owned(), reasons.collect()));
    let asked = kernel.asks.iter().filter(|ask| ask.degree == Degree::Asks);
    let asked: Vec<[String; 4]> = asked
        .take(CHIPS)
        .map(|ask| {
            let place = ask.evidence.place();
            [
                ask.what.clone(),
                ask.does.clone(),
                ask.capability.clone(),
                place,
            ]
        })
        .collect();
    if lists.is_empty() && asked.is_empty() && kernel.targets.is_empty() {
        return None;
    }
    let lists = lists.iter().map(|list| {
        let values = texts.numbers(list.values.iter().map(String::as_str));
        json!([
            texts.number(&list.name),
            list.count,
            u8::from(list.many),
            values
        ])
    });
    let lists: Vec<Value> = lists.collect();
    let asks: Vec<Vec<usize>> = asked
        .iter()
        .map(|ask| texts.numbers(ask.iter().map(String::as_str)))
        .collect();
    let places: Vec<Value> = kernel
        .targets
        .iter()
        .map(|delta| place(delta, texts))
        .collect();
    Some(json!([lists, asks, places]))
}

fn place(delta: &Delta, texts: &mut Texts) -> Value {
    let add: Vec<usize> = delta
        .add
        .iter()
        .map(|addition| {
            let grant = if addition.possible {
                ""
            } else {
                " (not granted there)"
            };
            texts.number(&format!("{}{grant}: {}", addition.what, addition.why))
        })
        .collect();
    let refused = delta.refused.iter().take(CHIPS);
    let refused = texts.numbers(refused.map(|refused| refused.call.as_str()));
    json!([
        texts.number(&delta.title),
        u8::from(delta.fits),
        add,
        delta.refused.len(),
        refused
    ])
}

/// Values of one kind; many are folded.
struct List {
    name: String,
    values: Vec<String>,
    many: bool,
    count: usize,
}

/// Whatever else the scan says of the kernel, by its own names: lists become chips, an object its fields.
fn lists(workload: &Workload) -> Vec<List> {
    let Ok(Value::Object(fields)) = serde_json::to_value(&workload.kernel) else {
        return Vec::new();
    };
    fields
        .into_iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .filter_map(|(name, value)| list(name.replace('_', " "), chips(&value)))
        .collect()
}

fn list(name: String, mut values: Vec<String>) -> Option<List> {
    let count = values.len();
    let more = count.saturating_sub(CHIPS);
    if more > 0 {
        values.truncate(CHIPS);
        values.push(format!("and {more} more in scan.json"));
    }
    (count > 0).then_some(List {
        name,
        values,
        many: count > SHOWN,
        count,
    })
}

fn chips(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .map(plain)
            .filter(|text| !text.is_empty())
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "evidence")
            .map(|(name, value)| (name, plain(value)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect(),
        other => Some(plain(other))
            .filter(|text| !text.is_empty())
            .into_iter()
            .collect(),
    }
}

/// A value on one line: of an object its texts and numbers, evidence aside.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(plain)
                .filter(|text| !text.is_empty())
                .collect();
            crate::text::list(&items, SHOWN)
        }
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| *name != "evidence" && !value.is_object())
            .map(|(_, value)| plain(value))
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shape_of_value_can_be_shown() {
        let value = serde_json::json!([{"name": "bpf", "number": 321, "evidence": [{"path": "/x"}]}, "NET_ADMIN", null]);
        assert_eq!(chips(&value), ["bpf 321", "NET_ADMIN"]);
        assert_eq!(
            chips(&serde_json::json!({"level": "x86-64-v3", "bits": null})),
            ["level: x86-64-v3"]
        );
        assert!(chips(&Value::Null).is_empty());
    }

    #[test]
    fn many_values_are_folded_and_cut() {
        let found = list("syscalls".into(), (0..300).map(|n| n.to_string()).collect()).unwrap();
        assert!(found.many);
        assert_eq!((found.count, found.values.len()), (300, CHIPS + 1));
        assert!(list("none".into(), Vec::new()).is_none());
    }
}
