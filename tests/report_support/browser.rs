//! Headless Chromium, where `TRANSVASE_E2E` asks for it. The script beside this file does the looking.

use crate::report_support::repository;
use std::path::PathBuf;
use std::process::Command;

pub struct Browser {
    /// Where playwright-core and axe-core are installed.
    modules: PathBuf,
}

/// The browser; `None`, and a line that says so, where the machine is not asked for the real thing.
pub fn browser() -> Option<Browser> {
    if std::env::var_os("TRANSVASE_E2E").is_none() {
        println!("skipped: set TRANSVASE_E2E=1 to open reports in Chromium");
        return None;
    }
    let modules = std::env::var_os("TRANSVASE_NODE_MODULES");
    let modules = modules.expect("TRANSVASE_NODE_MODULES names a node_modules with playwright-core and axe-core; .ci/run makes one");
    Some(Browser {
        modules: PathBuf::from(modules),
    })
}

impl Browser {
    /// Opens each page at three widths, and works with it. The script prints how long each took.
    pub fn check(&self, pages: &[PathBuf]) {
        let done = Command::new("node")
            .arg(repository().join("tests/report_support/browser.js"))
            .args(pages)
            .env("NODE_PATH", &self.modules)
            .output()
            .expect("node runs");
        let said = String::from_utf8_lossy(&done.stdout);
        println!("{said}");
        assert!(
            done.status.success(),
            "{said}\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}
