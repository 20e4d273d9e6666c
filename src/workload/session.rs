//! What a session finds in its environment before anything of its own: on this machine, every scheduled job.

use crate::distribution::kin;
use crate::fact::{Facts, Syntax};
use crate::path::MachinePath;
use crate::service::{ScheduledJob, Starter};

/// What every session of the machine finds in its environment, those of jobs too (pam_env(8)).
#[derive(Default)]
pub(super) struct Session {
    variables: Vec<(String, String)>,
    /// Files that hold a secret: they are handed over whole.
    pub(super) secret: Vec<MachinePath>,
}

impl Session {
    pub(super) fn of(facts: &Facts) -> Self {
        let mut session = Self::default();
        let kin = facts.os.as_ref().and_then(kin::of);
        for file in kin.iter().flat_map(|kin| &kin.session_environment) {
            let path = MachinePath::new(file);
            let document = facts.documents.get(&(path.clone(), Syntax::Environment));
            for setting in document.iter().flat_map(|document| &document.settings) {
                if setting.secret {
                    session.secret.push(path.clone());
                    continue;
                }
                let value = setting.args.first().cloned().unwrap_or_default();
                session.variables.push((setting.key.clone(), value));
            }
        }
        session.secret.dedup();
        session
    }

    /// The scheduler's own PATH stands, and what a table sets itself.
    pub(super) fn given(&self, job: ScheduledJob) -> ScheduledJob {
        if job.manager != Starter::Cron {
            return job;
        }
        let own = &job.environment;
        let is_set = |name: &String| name == "PATH" || own.iter().any(|(known, _)| known == name);
        let given = self.variables.iter().filter(|(name, _)| !is_set(name));
        let environment = given.chain(own).cloned().collect();
        ScheduledJob { environment, ..job }
    }
}
