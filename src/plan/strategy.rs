//! How an image comes by its files: its distribution's packages on its base image, or the files of the disk itself.

use super::place::Place;
use super::setup;

/// What the caller asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wish {
    /// Packages where somebody still has them, else lifted.
    #[default]
    Auto,
    Packages,
    Lift,
}

/// What a plan is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// The release's base image, and its packages from an archive.
    Packages,
    /// Everything from the disk, on nothing.
    Lift,
}

impl Strategy {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Lift => "lift",
        }
    }
}

/// What has to be said where another strategy was asked for.
pub(super) fn remark(wish: Wish, strategy: Strategy) -> Option<String> {
    (wish == Wish::Lift && strategy == Strategy::Packages).then(|| {
        "Lift was asked for, and no package database was read that says what belongs to what: this image installs packages instead.".to_owned()
    })
}

/// The strategy of a machine's images, and why it is this one.
pub(super) fn choose(wish: Wish, place: &Place<'_>) -> (Strategy, String) {
    let base = place.base;
    // What a package is made of, only its database tells.
    let can_lift = !place.facts.packages.is_empty();
    match wish {
        Wish::Lift if can_lift => (Strategy::Lift, "as asked for".to_owned()),
        Wish::Lift => (
            Strategy::Packages,
            format!(
                "nothing can be lifted, since no package database was read; {}",
                setup::reason(base)
            ),
        ),
        Wish::Packages => (Strategy::Packages, setup::reason(base)),
        Wish::Auto if !can_lift || (base.family.is_some() && base.is_known) => {
            (Strategy::Packages, setup::reason(base))
        }
        Wish::Auto if base.family.is_none() && base.is_known => (
            Strategy::Lift,
            format!("{}: the machine's own files are taken", base.reason),
        ),
        Wish::Auto if base.family.is_none() => (
            Strategy::Lift,
            "this version does not install packages of this distribution, so that the machine's own files are taken".to_owned(),
        ),
        Wish::Auto => (
            Strategy::Lift,
            format!("no base image of its release is known ({}), so that the machine's own files are taken", base.reason),
        ),
    }
}
