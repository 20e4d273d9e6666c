//! From concerns to a score and a verdict for one target.

use super::{Assessment, Factor, Place, RaiseTo, policy};
use crate::rule::Concern;
use crate::rule::catalogue;
use crate::rule::{Certainty, Severity, Verdict};
use std::collections::BTreeMap;

/// Weighs the concerns of one workload (or of the machine). One factor a rule, however often it fired: ten secrets are
/// not ten times the work. A factor that weighs nothing is left out; its concern is still in the report.
pub fn assess<'a>(target: &Place, concerns: impl IntoIterator<Item = &'a Concern>) -> Assessment {
    let concerns: Vec<&Concern> = concerns.into_iter().collect();
    let certainty = Certainty::of(concerns.iter().copied());
    let mut by_rule: BTreeMap<&str, Vec<&Concern>> = BTreeMap::new();
    for concern in concerns {
        by_rule.entry(&concern.rule).or_default().push(concern);
    }
    let mut factors = Vec::new();
    let mut verdict = Verdict::Container;
    for (id, concerns) in by_rule {
        let worst = concerns
            .iter()
            .map(|c| c.severity)
            .max()
            .unwrap_or(Severity::Info);
        let (points, means) = weigh(id, worst, target);
        if points == 0 {
            continue;
        }
        verdict = verdict.max(means);
        factors.push(Factor {
            rule: id.to_owned(),
            points,
            evidence: concerns
                .iter()
                .flat_map(|c| c.evidence.iter().cloned())
                .collect(),
            remedy: concerns
                .first()
                .map(|c| c.remedy.clone())
                .unwrap_or_default(),
        });
    }
    factors.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.rule.cmp(&b.rule)));
    let score = score(&factors);
    if score < catalogue::scale().fit {
        verdict = verdict.max(Verdict::ContainerWithChanges);
    }
    let raise_to = raise(&factors, score);
    Assessment {
        target: target.id.clone(),
        score,
        verdict,
        certainty,
        factors,
        raise_to,
    }
}

/// Points, and what the rule alone makes of the verdict.
fn weigh(id: &str, severity: Severity, target: &Place) -> (u32, Verdict) {
    let Some(rule) = catalogue::rule(id) else {
        // A user's own rule (`--detectors`) weighs by its severity.
        let points = catalogue::scale().points(severity);
        return (points, by_severity(severity, points, None));
    };
    if severity == Severity::Info {
        return (0, Verdict::Container);
    }
    let mut points = policy::points(rule, target);
    if severity < rule.severity {
        // A pack may say that this occurrence is milder than the rule's default.
        points = points.min(catalogue::scale().points(severity));
    }
    if points == 0 {
        (0, Verdict::Container)
    } else {
        (points, by_severity(severity, points, rule.verdict))
    }
}

fn by_severity(severity: Severity, points: u32, verdict: Option<Verdict>) -> Verdict {
    match severity {
        Severity::Blocker => verdict.unwrap_or(Verdict::KeepVm),
        Severity::Major if points >= catalogue::scale().change => Verdict::ContainerWithChanges,
        _ => Verdict::Container,
    }
}

fn score(factors: &[Factor]) -> u32 {
    100u32.saturating_sub(factors.iter().map(|factor| factor.points).sum())
}

/// The score after the heaviest factors are fixed; `None` where nothing is to be gained.
fn raise(factors: &[Factor], score: u32) -> Option<RaiseTo> {
    let raise = &catalogue::scale().raise;
    let by: Vec<&Factor> = factors
        .iter()
        .take(raise.rules)
        .filter(|factor| factor.points >= raise.points)
        .collect();
    let rest: u32 = factors
        .iter()
        .skip(by.len())
        .map(|factor| factor.points)
        .sum();
    let raised = 100u32.saturating_sub(rest);
    (raised > score).then(|| RaiseTo {
        score: raised,
        by: by.iter().map(|factor| factor.rule.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Evidence;

    fn concern(rule: &str) -> Concern {
        let evidence = vec![Evidence::line(&"/etc/x".into(), 1, "x")];
        catalogue::concern(rule, Some("w"), String::new(), evidence).unwrap()
    }

    #[test]
    fn factors_sum_exactly_to_the_score() {
        let concerns = [
            "security/plain-secret",
            "storage/persistent-state",
            "network/outbound-dependency",
        ]
        .map(concern);
        let found = assess(policy::usual(), &concerns);
        let sum: u32 = found.factors.iter().map(|factor| factor.points).sum();
        assert_eq!(found.score, 100 - sum);
        assert_eq!(found.factors.len(), 2, "an info weighs nothing");
    }

    #[test]
    fn a_rule_counts_once() {
        let twice = [
            concern("security/plain-secret"),
            concern("security/plain-secret"),
        ];
        let once = [concern("security/plain-secret")];
        let (twice, once) = (
            assess(policy::usual(), &twice),
            assess(policy::usual(), &once),
        );
        assert_eq!(twice.score, once.score);
        assert_eq!(twice.factors[0].evidence.len(), 2);
    }

    #[test]
    fn blockers_decide_by_target() {
        let server = [concern("kernel/in-kernel-server")];
        assert_eq!(
            assess(policy::usual(), &server).verdict,
            Verdict::IsolatedContainer
        );
        assert_eq!(
            assess(policy::target("kubevirt").unwrap(), &server).verdict,
            Verdict::Container
        );
        let module = [concern("kernel/out-of-tree-module")];
        assert_eq!(assess(policy::usual(), &module).verdict, Verdict::KeepVm);
    }

    #[test]
    fn nothing_to_say_is_a_container() {
        let found = assess(policy::usual(), &[]);
        assert_eq!(
            (found.score, found.verdict, found.raise_to),
            (100, Verdict::Container, None)
        );
    }

    proptest::proptest! {
        #[test]
        fn the_sum_holds_for_any_concerns(picks in proptest::collection::vec(0usize..54, 0..40)) {
            let ids: Vec<&String> = catalogue::rules().keys().collect();
            let concerns: Vec<Concern> = picks.iter().filter_map(|i| ids.get(*i)).map(|id| concern(id)).collect();
            for target in policy::targets() {
                let found = assess(target, &concerns);
                let sum: u32 = found.factors.iter().map(|factor| factor.points).sum();
                proptest::prop_assert_eq!(found.score, 100u32.saturating_sub(sum));
            }
        }
    }
}
