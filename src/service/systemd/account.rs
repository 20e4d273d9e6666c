//! The user and the group that a unit's processes run as, by name.

use super::unit::{Unit, is_true};
use crate::fact::Facts;

/// User= and Group= as names; a dynamic user is called after the unit.
pub(super) fn account(
    facts: &Facts,
    unit: &Unit,
    user: Option<String>,
    group: Option<String>,
) -> (String, String) {
    if unit.owner.is_user {
        // A user's manager starts nothing as anybody else.
        return (unit.owner.user.0.clone(), unit.owner.group.0.clone());
    }
    let is_dynamic = unit
        .value("Service", "DynamicUser")
        .is_some_and(|(_, entry)| is_true(&entry.value));
    let stem = unit.name.rsplit_once('.').map_or(&*unit.name, |(s, _)| s);
    let prefix = stem.split('@').next().unwrap_or_default();
    let user = match user {
        None if is_dynamic => prefix.to_owned(),
        None => "root".to_owned(),
        Some(user) => {
            let known = user.parse().ok().and_then(|uid| facts.user_of(uid));
            known.map_or(user, |known| known.name.clone())
        }
    };
    let group = match group {
        None => primary_group(facts, &user).unwrap_or_else(|| user.clone()),
        Some(group) => {
            let known = group.parse().ok().and_then(|gid| facts.group_of(gid));
            known.map_or(group, |known| known.name.clone())
        }
    };
    (user, group)
}

fn primary_group(facts: &Facts, user: &str) -> Option<String> {
    let group = facts.group_of(facts.user(user)?.gid);
    group.map(|group| group.name.clone())
}
