//! The capabilities a container keeps: for its entry point's own work, and for a process that stays root.

use super::contract::Seen;
use super::privilege::{SET_GID, SET_UID};
use crate::abi::capability::capabilities;
use crate::kernel::need::Program;
use crate::kernel::place::Profile;
use crate::path::MachinePath;
use std::collections::BTreeMap;

impl Seen<'_> {
    /// What preparing the start needs of root.
    pub(super) fn of_the_entry_point(&self, keep: &mut impl FnMut(&str, &str)) {
        let plan = self.plan;
        if !plan.process.entrypoint {
            return;
        }
        if plan.process.uid != 0 {
            for name in ["CAP_SETUID", "CAP_SETGID"] {
                keep(name, "the entry point becomes the process's user");
            }
            if plan.process.init {
                keep(
                    "CAP_KILL",
                    "the engine's init, which is root, hands signals on to it",
                );
            }
        }
        let loads = plan.state.volumes.iter().any(|volume| volume.load);
        let makes = plan
            .image
            .directories
            .iter()
            .any(|directory| directory.runtime);
        let puts = !plan.state.secrets.is_empty();
        let output = plan.process.uid != 0 && !plan.image.log_links.is_empty();
        if loads || makes || puts || output || !plan.process.before.is_empty() {
            for name in ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] {
                keep(
                    name,
                    "the entry point puts files and directories of other owners in place",
                );
            }
        }
        let directories = plan
            .image
            .directories
            .iter()
            .filter(|directory| directory.runtime);
        let modes = directories.map(|directory| directory.mode);
        let files = plan
            .state
            .secrets
            .iter()
            .filter_map(|secret| secret.file.as_ref());
        let mut modes = modes.chain(files.map(|file| file.mode));
        if loads || modes.any(|mode| mode & (SET_UID | SET_GID) != 0) {
            keep(
                "CAP_FSETID",
                "the entry point sets set-user-id and set-group-id bits",
            );
        }
        if plan.schedule.scheduler.is_some() {
            for name in [
                "CAP_CHOWN",
                "CAP_DAC_OVERRIDE",
                "CAP_FOWNER",
                "CAP_SETUID",
                "CAP_SETGID",
                "CAP_KILL",
                "CAP_AUDIT_WRITE",
            ] {
                keep(name, "the scheduler starts jobs as their users");
            }
        }
    }

    /// What a process that stays root needs; `Some` says why that cannot be told.
    pub(super) fn of_root(&self, keep: &mut impl FnMut(&str, &str)) -> Option<String> {
        if self.plan.schedule.scheduler.is_some() {
            let mut jobs = self.plan.schedule.jobs.iter();
            let root = jobs.find(|job| job.user == "root")?;
            return Some(format!("root's job {} may need anything", root.name));
        }
        if let Profile::Unknown { why, .. } = self.profile() {
            return Some(why);
        }
        let reached: BTreeMap<&str, &str> = self
            .need
            .asks
            .iter()
            .filter(|ask| !ask.capability.is_empty())
            .map(|ask| (ask.capability.as_str(), ask.does.as_str()))
            .collect();
        let changes_user = reached.contains_key("CAP_SETUID");
        let interprets = self.programs.iter().any(|(path, reach)| {
            reach.is_some_and(|reach| Program::new(path, reach, self.facts).interprets())
        });
        if interprets || (self.starts_programs() && !changes_user) {
            return Some(
                "it is root and starts other programs, which may need anything".to_owned(),
            );
        }
        self.of_ordinary_calls(&reached, keep);
        self.of_ports(keep);
        self.of_asks(keep);
        None
    }

    /// What processes of root do every day: become another user, and open that user's files.
    fn of_ordinary_calls(&self, reached: &BTreeMap<&str, &str>, keep: &mut impl FnMut(&str, &str)) {
        for name in [
            "CAP_SETUID",
            "CAP_SETGID",
            "CAP_CHOWN",
            "CAP_FOWNER",
            "CAP_SYS_CHROOT",
            "CAP_SETPCAP",
        ] {
            if let Some(does) = reached.get(name) {
                keep(name, &format!("its code {does}"));
            }
        }
        if reached.contains_key("CAP_SETUID") {
            keep(
                "CAP_DAC_OVERRIDE",
                "root opens files of the user it becomes",
            );
            if reached.contains_key("CAP_KILL") {
                keep(
                    "CAP_KILL",
                    "root signals processes that became another user",
                );
            }
        } else if self.has_files_of_others() {
            keep("CAP_DAC_OVERRIDE", "it opens files that are not root's");
        }
    }

    fn of_ports(&self, keep: &mut impl FnMut(&str, &str)) {
        if let Some(listen) = self
            .workload
            .listens
            .iter()
            .find(|listen| (1..1024).contains(&listen.port))
        {
            keep(
                "CAP_NET_BIND_SERVICE",
                &format!(
                    "it listens on port {} ({})",
                    listen.port,
                    listen.evidence.place()
                ),
            );
        }
    }

    /// What its own code asks for, and what libraries want of root.
    fn of_asks(&self, keep: &mut impl FnMut(&str, &str)) {
        for ask in self.need.asked() {
            if !ask.capability.is_empty() && !capabilities().is_hosts(&ask.capability) {
                keep(
                    &ask.capability,
                    &format!("its code {} ({})", ask.does, ask.evidence.place()),
                );
            }
        }
        for (path, reach) in &self.programs {
            let Some(reach) = reach else { continue };
            for name in Program::new(path, reach, self.facts).of_libraries() {
                keep(name, "a library it is linked with wants it of root");
            }
        }
    }

    pub(super) fn starts_programs(&self) -> bool {
        let mut reaches = self.programs.iter().filter_map(|(_, reach)| *reach);
        reaches
            .any(|reach| reach.calls.contains_key("execve") || reach.calls.contains_key("execveat"))
    }

    pub(super) fn has_files_of_others(&self) -> bool {
        let plan = self.plan;
        plan.state.volumes.iter().any(|volume| volume.uid != 0)
            || plan
                .image
                .directories
                .iter()
                .any(|directory| directory.uid != 0)
            || plan.image.entries.iter().any(|entry| entry.uid != 0)
            || plan.image.log_files.iter().any(|file| file.uid != 0)
    }

    pub(super) fn file_capabilities(&self) -> impl Iterator<Item = (&MachinePath, &Vec<String>)> {
        let elfs = self
            .plan
            .process
            .programs
            .iter()
            .filter_map(|path| self.facts.elfs.get(path));
        elfs.filter(|elf| !elf.capabilities.is_empty())
            .map(|elf| (&elf.path, &elf.capabilities))
    }
}
