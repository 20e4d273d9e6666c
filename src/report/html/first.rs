//! The first screen: what the machine is, what moves, what stays, what to do first.

use super::words::{count, plural};
use crate::report::kinds::Kind;
use crate::report::questions::{Question, questions};
use crate::report::steps::{Step, steps};
use crate::report::words;
use crate::rule::Verdict;
use crate::scan::{Scan, Workload};
use crate::text::bytes;
use serde::Serialize;

/// What the machine is and whether it moves.
#[derive(Serialize)]
pub(super) struct Hero<'a> {
    name: &'a str,
    score: u32,
    verdict: &'static str,
    /// The answer in a few words, and in a sentence.
    said: &'static str,
    lead: String,
    /// How much is known, in a word and in a sentence.
    certainty: &'static str,
    sure: &'static str,
    /// Why the whole scores less than its workloads; empty where it does not.
    whole: String,
    parts: Vec<Part>,
    facts: Vec<(&'static str, String)>,
}

/// Workloads of one verdict as a part of a bar; left edge and width in percent.
#[derive(Serialize)]
struct Part {
    verdict: &'static str,
    x: String,
    width: String,
    text: String,
}

/// A workload on the first screen.
#[derive(Serialize)]
pub(super) struct Move {
    id: String,
    title: String,
    score: u32,
    verdict: &'static str,
    said: &'static str,
    ports: String,
    data: String,
}

/// Services that stay for one reason.
#[derive(Serialize)]
pub(super) struct Stay<'a> {
    names: String,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct StepRow {
    step: Step,
    gain: String,
    places: Vec<String>,
    more: usize,
}

/// Steps, workloads, and kinds of services that stay, on the first screen.
const FIRST: usize = 4;
pub(super) const MOVES: usize = 8;
pub(super) const STAYS: usize = 4;

pub(super) fn hero<'a>(scan: &'a Scan, keep: &[Kind<'_>]) -> Hero<'a> {
    let whole = &scan.assessment;
    let kept: usize = keep.iter().map(|kind| kind.services.len()).sum();
    let parts = parts(scan);
    let all = scan.workloads.len();
    let moves = scan.workloads.iter().filter(|w| movable(w)).count();
    let said = match (moves, kept + all - moves) {
        (1.., 1..) => "Moves in part",
        _ => words::verdict_said(whole.verdict),
    };
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    let moves = if all == 0 {
        "Nothing on this machine is a workload of its own".to_owned()
    } else {
        let all = plural(all, "workload", "workloads");
        format!("{all}: {}", texts.join(", "))
    };
    let stays = match kept {
        0 => "no service has to stay".to_owned(),
        1 => "1 service stays on a machine".to_owned(),
        kept => format!("{kept} services stay on a machine"),
    };
    Hero {
        name: words::machine(scan),
        score: whole.score,
        verdict: words::verdict(whole.verdict),
        said,
        lead: format!("{moves}; {stays}"),
        certainty: words::certainty(whole.certainty),
        sure: words::certainty_said(whole.certainty),
        whole: lowest(scan),
        parts,
        facts: facts(scan),
    }
}

/// Whether a container of any kind can carry it.
pub(super) fn movable(workload: &Workload) -> bool {
    workload.assessment.verdict != Verdict::KeepVm
}

/// A machine's score is the lowest of its parts: which part that is, where it is not a workload.
fn lowest(scan: &Scan) -> String {
    let scores = || scan.workloads.iter().map(|w| w.assessment.score);
    let (Some(least), Some(most)) = (scores().min(), scores().max()) else {
        return String::new();
    };
    if least <= scan.assessment.score {
        return String::new();
    }
    let range = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    format!(
        "The workloads score {range}. The whole scores {}, as low as its lowest part: what belongs to no workload weighs on the machine itself",
        scan.assessment.score
    )
}

fn parts(scan: &Scan) -> Vec<Part> {
    const SAID: [(Verdict, &str, &str); 4] = [
        (Verdict::Container, "moves as it is", "move as they are"),
        (
            Verdict::ContainerWithChanges,
            "moves after changes",
            "move after changes",
        ),
        (
            Verdict::IsolatedContainer,
            "moves behind the walls of a VM",
            "move behind the walls of a VM",
        ),
        (Verdict::KeepVm, "stays on a VM", "stay on a VM"),
    ];
    let all = scan.workloads.len().max(1) as f64;
    let mut before = 0;
    let mut parts = Vec::new();
    for (verdict, one, many) in SAID {
        let workloads = scan.workloads.iter();
        let of = workloads.filter(|workload| workload.assessment.verdict == verdict);
        let count = of.count();
        if count > 0 {
            parts.push(Part {
                verdict: words::verdict(verdict),
                x: format!("{:.2}", f64::from(before) * 100.0 / all),
                width: format!("{:.2}", count as f64 * 100.0 / all),
                text: plural(count, one, many),
            });
        }
        before += u32::try_from(count).unwrap_or(u32::MAX);
    }
    parts
}

fn facts(scan: &Scan) -> Vec<(&'static str, String)> {
    let machine = &scan.machine;
    let libc = machine.libc.as_ref().map(|libc| {
        format!("{} {}", libc.kind, libc.version)
            .trim_end()
            .to_owned()
    });
    let support = machine.os.as_ref().and_then(|os| os.end_of_life.clone());
    let packages = (scan.packages.count > 0).then(|| count(scan.packages.count));
    let kernels = (!machine.kernels.is_empty()).then(|| crate::text::list(&machine.kernels, 2));
    let all = [
        ("System", Some(words::system(scan).to_owned())),
        ("Supported until", support),
        ("Architecture", machine.architecture.clone()),
        ("Init", machine.init.clone()),
        ("C library", libc),
        ("Kernel", kernels),
        ("Packages", packages),
        ("Files", Some(count(scan.coverage.files_seen))),
        (
            "On disk",
            (scan.usage.bytes > 0).then(|| bytes(scan.usage.bytes)),
        ),
    ];
    let known = all
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)));
    known.collect()
}

pub(super) fn moves(scan: &Scan) -> Vec<Move> {
    words::by_score(scan)
        .into_iter()
        .filter(|workload| movable(workload))
        .take(MOVES)
        .map(|workload| {
            let listens = workload.listens.iter().filter(|listen| !listen.is_local());
            let mut ports: Vec<String> = listens
                .map(|listen| format!(":{}/{}", listen.port, listen.protocol))
                .collect();
            ports.sort();
            ports.dedup();
            ports.extend(workload.schedule.clone());
            let data: u64 = workload.data.iter().map(|data| data.bytes).sum();
            Move {
                id: workload.id.clone(),
                title: workload.title.clone(),
                score: workload.assessment.score,
                verdict: words::verdict(workload.assessment.verdict),
                said: words::verdict_said(workload.assessment.verdict),
                ports: crate::text::list(&ports, 3),
                data: if data > 0 {
                    format!("{} of data", bytes(data))
                } else {
                    String::new()
                },
            }
        })
        .collect()
}

/// What stays, by reasons, the workloads that no container can carry before the services.
pub(super) fn stays<'a>(scan: &Scan, keep: &[Kind<'a>]) -> Vec<Stay<'a>> {
    let workloads = scan.workloads.iter().filter(|w| !movable(w));
    let ids: Vec<String> = workloads.map(|workload| workload.id.clone()).collect();
    let workloads = (!ids.is_empty()).then(|| Stay {
        names: crate::text::list(&ids, 3),
        reason: "No container can carry them as they are; their cards below say why.",
    });
    let services = keep.iter().map(|kind| Stay {
        names: kind.names(2),
        reason: kind.reason,
    });
    workloads.into_iter().chain(services).collect()
}

/// What to do first, and then.
pub(super) fn todo(scan: &Scan) -> (Vec<StepRow>, Vec<StepRow>) {
    let mut all = steps(scan).into_iter().map(step_row);
    let first = all.by_ref().take(FIRST).collect();
    (first, all.collect())
}

/// A question on the first screen.
#[derive(Serialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    question: Question,
    gain: String,
}

/// Questions on the first screen; all of them are in questions.toml.
pub(super) const ASKED: usize = 4;

/// The questions whose answers gain most, and how many there are.
pub(super) fn asked(scan: &Scan) -> (Vec<Asked>, usize) {
    let all = questions(scan);
    let count = all.len();
    let first = all.into_iter().take(ASKED).map(|question| Asked {
        gain: match question.points {
            0 => String::new(),
            points => format!("+{}", plural(points as usize, "point", "points")),
        },
        question,
    });
    (first.collect(), count)
}

fn step_row(step: Step) -> StepRow {
    let places: Vec<String> = step.workloads.iter().take(3).cloned().collect();
    let points = plural(step.points as usize, "point", "points");
    StepRow {
        gain: match (step.points, step.workloads.len()) {
            (0, _) => String::new(),
            (_, 0 | 1) => format!("+{points}"),
            (_, over) => format!("+{points} over {over}"),
        },
        more: step.workloads.len() - places.len(),
        places,
        step,
    }
}
