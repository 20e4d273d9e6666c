//! Detectors of formats: each reads one kind of file, whatever product wrote it. No product is named here.

mod account;
mod certificate;
mod code;
mod cron;
mod digest;
mod elf;
mod elf_note;
mod import;
mod init_script;
mod listener;
mod loader_cache;
mod managed;
mod member;
pub mod package;
mod peer;
pub(crate) mod reference;
mod release;
mod script;
mod secret;
pub mod syntax;
pub mod system;
mod unit;

use super::Detector;

pub use certificate::Certificates;
pub use code::MachineCode;
pub use cron::Cron;
pub use digest::Digest;
pub use elf::Executable;
pub use import::Code;
pub use init_script::InitScripts;
pub use listener::NamedListeners;
pub use loader_cache::LoaderCache;
pub use managed::Managers;
pub use member::Members;
pub use secret::Content;
pub use system::CONFIGURATION;
pub use unit::Units;

/// Every native detector.
pub fn all() -> Vec<Box<dyn Detector>> {
    let mut all: Vec<Box<dyn Detector>> = vec![
        Box::new(syntax::Configuration),
        Box::new(Members),
        Box::new(Cron),
        Box::new(code::MachineCode),
        Box::new(elf::Executable),
        Box::new(import::Code),
        Box::new(LoaderCache),
        Box::new(digest::Digest),
        Box::new(InitScripts),
        Box::new(secret::Content),
        Box::new(certificate::Certificates),
        Box::new(listener::NamedListeners),
        Box::new(account::Accounts),
        Box::new(system::Release),
        Box::new(system::Identity),
        Box::new(release::Former),
        Box::new(Managers),
        Box::new(Units),
    ];
    all.extend(package::detectors());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_detector_is_documented_and_unique() {
        let all = all();
        let mut ids: Vec<String> = all
            .iter()
            .map(|detector| detector.id().to_owned())
            .collect();
        for detector in &all {
            let doc = detector.doc();
            for text in [doc.title, doc.recognises, doc.why, doc.cannot_see] {
                assert!(!text.is_empty(), "{}", detector.id());
            }
            assert!(!doc.references.is_empty(), "{}", detector.id());
            assert!(detector.id().split_once('/').is_some());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
    }
}
