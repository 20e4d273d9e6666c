//! Which packages apt installed as dependencies.

use crate::detect::native::package::dpkg::{doc, stanzas};
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;

/// apt's extended_states: which packages came as dependencies.
pub struct States;

impl Detector for States {
    fn id(&self) -> &'static str {
        "packages/apt-states"
    }

    fn doc(&self) -> Doc {
        doc(
            "Packages installed as dependencies",
            "the Auto-Installed marks of apt",
        )
    }

    fn interest(&self) -> Interest {
        Interest {
            paths: vec!["/var/lib/apt/extended_states".into()],
            limit: 64 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        let automatic = stanzas(file.text())
            .into_iter()
            .filter(|(_, stanza)| {
                stanza
                    .get("Auto-Installed")
                    .is_some_and(|value| value == "1")
            })
            .filter_map(|(_, stanza)| stanza.get("Package").cloned())
            .collect();
        sink.fact(Fact::Automatic(automatic));
    }
}
