//! Accounts by the tools of shadow: useradd(8), groupadd(8), usermod(8), userdel(8).

use super::super::Step;
use crate::distribution::account::{Accounts, PlannedUser};

/// The numbers below are for the system's own accounts.
const FIRST_PERSON: u32 = 1000;

/// Every account, in the order in which one needs the other.
pub(in super::super) fn accounts(accounts: &Accounts<'_>, group_options: &[&str]) -> Vec<Step> {
    let gone = accounts.displaced.iter().map(|name| {
        Step::new(["userdel", name])
            .why("This account of the base has a number that the machine gave to somebody else.")
    });
    let groups = accounts.groups.iter().map(|group| {
        let gid = group.gid.to_string();
        let words = ["groupadd"]
            .into_iter()
            .chain(group_options.iter().copied());
        Step::new(words.chain(["--gid", &gid, &group.name]))
    });
    let users = accounts.users.iter().map(|user| account(user, accounts));
    let memberships = (accounts.memberships.iter())
        .map(|(user, group)| Step::new(["usermod", "--append", "--groups", group, user]));
    let mut made = groups.chain(users).chain(memberships);
    let first = made.next().map(|step| step.why(Accounts::WHY));
    gone.chain(first).chain(made).collect()
}

fn account(user: &PlannedUser, accounts: &Accounts<'_>) -> Step {
    let mut words = vec!["useradd".to_owned(), "--no-log-init".to_owned()];
    let mut option = |option: &str, value: Option<String>| {
        words.push(option.to_owned());
        words.extend(value);
    };
    if user.uid < FIRST_PERSON {
        option("--system", None);
    }
    let mut others = accounts.users.iter();
    if others.any(|other| other.uid == user.uid && other.name != user.name) {
        option("--non-unique", None);
    }
    option("--uid", Some(user.uid.to_string()));
    option("--gid", Some(user.gid.to_string()));
    if !user.groups.is_empty() {
        option("--groups", Some(user.groups.join(",")));
    }
    option("--home-dir", Some(user.home.clone()));
    option("--no-create-home", None);
    option("--shell", Some(user.shell.clone()));
    words.push(user.name.clone());
    Step::new(words)
}
