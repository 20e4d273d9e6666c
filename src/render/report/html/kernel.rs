//! What a workload asks of the kernel: what its code asks for, what each place refuses or wants added, and whatever else the
//! scan says, by its own names.

use super::card::SHOWN;
use crate::kernel::need::Degree;
use crate::kernel::target::Delta;
use crate::scan::Workload;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Kernel<'a> {
    /// Whether there is anything to show.
    any: bool,
    lists: Vec<List>,
    asks: Vec<Ask<'a>>,
    places: Vec<Place<'a>>,
}

/// Values of one kind; many are folded.
#[derive(Serialize)]
struct List {
    name: String,
    values: Vec<String>,
    many: bool,
    count: usize,
}

/// Something its code asks for, not merely could use.
#[derive(Serialize)]
struct Ask<'a> {
    what: &'a str,
    does: &'a str,
    capability: &'a str,
    place: String,
}

/// A place, and what lies between it and the workload.
#[derive(Serialize)]
struct Place<'a> {
    title: &'a str,
    fits: bool,
    add: Vec<String>,
    /// Calls that its code can reach and that are refused there, without harm as far as is known.
    refused: Vec<&'a str>,
    count: usize,
}

/// Values of one kind asked of the kernel that the page has.
const CHIPS: usize = 80;

/// Lists that have a form of their own here.
const OWN: [&str; 4] = ["evidence", "asks", "targets", "unresolved"];

pub(super) fn kernel(workload: &Workload) -> Kernel<'_> {
    let kernel = &workload.kernel;
    let asked = kernel.asks.iter().filter(|ask| ask.degree == Degree::Asks);
    let asks: Vec<Ask<'_>> = asked
        .take(CHIPS)
        .map(|ask| Ask {
            what: &ask.what,
            does: &ask.does,
            capability: &ask.capability,
            place: ask.evidence.place(),
        })
        .collect();
    let places: Vec<Place<'_>> = kernel.targets.iter().map(place).collect();
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
    Kernel {
        any: !(lists.is_empty() && asks.is_empty() && places.is_empty()),
        lists,
        asks,
        places,
    }
}

fn place(delta: &Delta) -> Place<'_> {
    let add = delta.add.iter().map(|addition| {
        let grant = if addition.possible {
            ""
        } else {
            " (not granted there)"
        };
        format!("{}{grant}: {}", addition.what, addition.why)
    });
    Place {
        title: &delta.title,
        fits: delta.fits,
        add: add.collect(),
        count: delta.refused.len(),
        refused: delta
            .refused
            .iter()
            .take(CHIPS)
            .map(|refused| refused.call.as_str())
            .collect(),
    }
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
            crate::ui::list(&items, SHOWN)
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
