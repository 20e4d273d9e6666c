//! Accounts of an image, and how they are made where no family's tools can be counted on.

use super::family::Step;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account made before the packages are installed, with the machine's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedUser {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
    /// Supplementary groups.
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlannedGroup {
    pub name: String,
    pub gid: u32,
}

/// Everything about accounts that is done to an image.
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'a> {
    pub users: &'a [PlannedUser],
    pub groups: &'a [PlannedGroup],
    /// Accounts of the base that hold one of the numbers.
    pub displaced: &'a [String],
    /// Of accounts that are not made here: user and group.
    pub memberships: &'a [(String, String)],
}

impl Accounts<'_> {
    /// Why they are made at all.
    pub const WHY: &'static str =
        "Accounts with the machine's numbers, so that carried data stays readable.";

    /// Lines at the end of passwd(5) and group(5), which every Linux image has: for bases whose tools are not known. Groups
    /// that are not made here keep the members they have. No name, home or shell holds a colon: the plan leaves such out.
    pub fn written(&self) -> Vec<Step> {
        let mut made = self.lines().into_iter();
        let first = made.next().map(|step| step.why(Self::WHY));
        first.into_iter().chain(made).collect()
    }

    /// The same without a word of why.
    pub fn lines(&self) -> Vec<Step> {
        let line = |line: String, file| Step::new(["printf", "%s\\n", &line]).appended(file);
        let groups = self.groups.iter().map(|group| {
            let members = self.members(&group.name).join(",");
            line(
                format!("{}:x:{}:{members}", group.name, group.gid),
                "/etc/group",
            )
        });
        let users = self.users.iter().map(|user| {
            let (uid, gid) = (user.uid, user.gid);
            line(
                format!("{}:x:{uid}:{gid}::{}:{}", user.name, user.home, user.shell),
                "/etc/passwd",
            )
        });
        groups.chain(users).collect()
    }

    fn members(&self, group: &str) -> Vec<&str> {
        let own = (self.users.iter()).filter(|user| user.groups.iter().any(|name| name == group));
        let others = self.memberships.iter().filter(|(_, name)| name == group);
        let names = own.map(|user| user.name.as_str());
        names.chain(others.map(|(user, _)| user.as_str())).collect()
    }
}
