//! Whether a file tree is a machine's root: asked of a directory, an archive, and each file system of a disk alike.

/// What `has` answers must be about the name itself, a link not followed: `os-release` is often a link, and the `/usr` it
/// leads into may be another file system.
pub(super) fn is_root(has: impl Fn(&str) -> bool) -> bool {
    if has("etc/os-release") || has("usr/lib/os-release") {
        return true;
    }
    // Before 2012 nothing had an os-release.
    has("etc") && ["usr", "bin"].into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_and_others() {
        let root = |names: &[&str]| is_root(|name| names.contains(&name));
        assert!(root(&["etc", "usr"]) && root(&["etc", "bin"]));
        assert!(root(&["usr/lib/os-release"]) && root(&["etc/os-release"]));
        assert!(!root(&["etc"]) && !root(&["usr", "bin"]) && !root(&["lib/os-release"]));
    }
}
