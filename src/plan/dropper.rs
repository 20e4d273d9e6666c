//! How an entry point becomes the process's user, with what the image has.

use super::place::Place;
use crate::path::MachinePath;
use crate::program;
use std::collections::BTreeSet;

/// A program that starts another as somebody else, in the place of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Dropper {
    /// util-linux 2.24 and newer; the only one that keeps capabilities.
    #[default]
    Setpriv,
    /// chroot(1) of coreutils, into the root it is in already, with these groups.
    Chroot(Vec<u32>),
    /// BusyBox's su, by the account's name.
    Su(String),
}

impl Dropper {
    /// The first that is there; everywhere where packages bring the first.
    pub(super) fn new(user: &str, gid: u32, place: &Place<'_>) -> Self {
        let real = |name: &str| {
            let path = program::locate(name, place.facts)?;
            let real: MachinePath = place.facts.tree.resolve(&path)?;
            Some(real.name().into_owned())
        };
        let is = |name: &str, file: &str| real(name).is_some_and(|real| real == file);
        let installs = !place.lifts && place.base.family.is_some();
        // An image of packages is not the machine: its table says what it has.
        let by_chroot = installs && place.base.dropper == "chroot";
        if !by_chroot && (installs || is("setpriv", "setpriv")) {
            return Self::Setpriv;
        }
        if by_chroot || is("chroot", "chroot") {
            let groups = place.facts.groups_with(user);
            let groups = groups.into_iter().map(|group| group.gid);
            let groups: BTreeSet<u32> = groups.chain([gid]).collect();
            return Self::Chroot(groups.into_iter().collect());
        }
        if is("su", "busybox") {
            return Self::Su(user.to_owned());
        }
        Self::Setpriv
    }

    /// Its name.
    pub(super) fn program(&self) -> &'static str {
        match self {
            Self::Setpriv => "setpriv",
            Self::Chroot(_) => "chroot",
            Self::Su(_) => "su",
        }
    }
}
