//! Headless Chromium, where everything is asked for. The script beside this file does the looking.

use crate::needs;
use crate::report_support::repository;
use std::path::PathBuf;
use std::process::Command;

pub struct Browser {
    chromium: PathBuf,
    node: PathBuf,
    /// Where playwright-core and axe-core are installed.
    modules: PathBuf,
}

/// The browser; `None` where the machine is not asked for the real thing.
pub fn browser() -> Option<Browser> {
    needs::end_to_end()?;
    Some(Browser {
        chromium: needs::tool("chromium")?,
        node: needs::tool("node")?,
        modules: needs::node_modules()?,
    })
}

impl Browser {
    /// Opens each page at three widths, and works with it. The script prints how long each took.
    pub fn check(&self, pages: &[PathBuf]) {
        let done = Command::new(&self.node)
            .arg(repository().join("tests/report_support/browser.js"))
            .args(pages)
            .env("NODE_PATH", &self.modules)
            .env("CHROMIUM", &self.chromium)
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
