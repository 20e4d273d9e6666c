//! What places make of rules. Which rules count there, and how many times, the places' files say (`[weighs]`).

use crate::kernel::place::{Place, Weighs, places};
use crate::rule::catalogue::{self, Rule};
use std::sync::LazyLock;

/// The places that a machine can be weighed for, in the order in which they are shown.
pub fn targets() -> impl Iterator<Item = &'static Place> {
    places().iter().filter(|place| place.weighs.is_some())
}

pub fn target(id: &str) -> Option<&'static Place> {
    targets().find(|place| place.id == id)
}

/// The target where none is named: the first of all.
pub fn usual() -> &'static Place {
    static NONE: LazyLock<Place> = LazyLock::new(Place::default);
    targets().next().unwrap_or(&NONE)
}

/// What a rule subtracts in a place: never more than there is.
pub fn points(rule: &Rule, place: &Place) -> u32 {
    let once = || catalogue::scale().points(rule.severity);
    let times = |weighs: &Weighs| weighs.times(&rule.id);
    let points = rule.points.unwrap_or_else(once);
    let times = place.weighs.as_ref().map_or(1, times);
    points.saturating_mul(times).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_those_of_the_design() {
        let found: Vec<&str> = targets().map(|place| place.id.as_str()).collect();
        assert_eq!(
            found,
            [
                "docker",
                "rootless-podman",
                "kubernetes-baseline",
                "kubernetes-restricted",
                "serverless",
                "system-container",
                "kubevirt"
            ]
        );
        assert_eq!(usual().id, "docker");
        assert!(target("gvisor").is_none(), "it is only compared with");
    }

    #[test]
    fn a_rule_counts_as_its_place_says() {
        let at = |id: &str, place: &str| {
            let rule = catalogue::rule(id).unwrap();
            points(rule, target(place).unwrap())
        };
        let capability = "security/needs-capability";
        let counted = [
            "docker",
            "rootless-podman",
            "kubernetes-restricted",
            "kubevirt",
        ];
        assert_eq!(
            counted.map(|place| at(capability, place)),
            [10, 20, 40, 0],
            "once, and as many times as a privilege is hard to get"
        );
        assert_eq!(at("security/runs-as-root", "kubernetes-restricted"), 20);
        assert_eq!(at("storage/persistent-state", "serverless"), 20);
        assert_eq!(
            at("platform/not-linux", "serverless"),
            100,
            "all there is, and not more"
        );
    }
}
