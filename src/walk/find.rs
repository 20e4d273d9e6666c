//! Patterns asked of a tree.

use super::glob;
use super::{Entry, Tree};
use crate::path::MachinePath;
use foldhash::HashSet;

/// An entry that a pattern named.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The name as the pattern spells it: links in its directories are not followed.
    pub named: MachinePath,
    pub entry: &'a Entry,
}

impl Tree {
    /// Entries a shell pattern names: `*` and `?` and `[…]` within a component, `**` over components; as in glob(7), a
    /// wildcard at the start of a component leaves hidden names out. Directories on the way may be links; the paths
    /// returned are the resolved ones, sorted.
    pub fn glob(&self, pattern: &str) -> Vec<&Entry> {
        let mut found: Vec<&Entry> = self.find(pattern).iter().map(|found| found.entry).collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        found
    }

    /// The same with the names by which the pattern means them, sorted by these. Of several names that lead to one
    /// entry the first stands.
    pub fn find(&self, pattern: &str) -> Vec<Found<'_>> {
        let mut search = Search {
            tree: self,
            seen: HashSet::default(),
            found: Vec::new(),
        };
        search.below(
            &MachinePath::root(),
            &MachinePath::root(),
            &glob::parts(pattern).collect::<Vec<_>>(),
        );
        let mut found = search.found;
        found.sort_by(|a, b| a.named.cmp(&b.named));
        let mut entries: HashSet<&MachinePath> = HashSet::default();
        found.retain(|found| entries.insert(&found.entry.path));
        found
    }
}

struct Search<'a> {
    tree: &'a Tree,
    /// Directories already searched for that many remaining components: links that lead in circles end here, and so
    /// does a pattern of many wildcards in a directory full of links to itself.
    seen: HashSet<(MachinePath, usize)>,
    found: Vec<Found<'a>>,
}

impl<'a> Search<'a> {
    /// Searches a directory: its real path, and as the pattern came to it. As deep as the pattern has components.
    fn below(&mut self, dir: &MachinePath, named: &MachinePath, parts: &[&str]) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        if !self.seen.insert((dir.clone(), parts.len())) {
            return;
        }
        match *part {
            "**" => self.anywhere(dir, named, parts),
            part if glob::is_pattern(part) => {
                for entry in self.tree.children(dir) {
                    let name = entry.path.file_name();
                    let hidden = name.first() == Some(&b'.') && glob::starts_wild(part);
                    if !hidden && glob::matches_name(part, name) {
                        self.step(entry, named.join(name), rest);
                    }
                }
            }
            name => {
                if let Some(entry) = self.tree.entry(&dir.join(name)) {
                    self.step(entry, named.join(name), rest);
                }
            }
        }
    }

    /// Searches everything below a directory for a pattern that begins with `**`.
    fn anywhere(&mut self, dir: &MachinePath, named: &MachinePath, parts: &[&str]) {
        let skip = dir.components().count();
        for entry in self.tree.below(dir) {
            let names = entry.path.components().skip(skip);
            let names: Vec<&[u8]> = names.collect();
            if glob::matches_names(parts.iter().copied(), names.iter().copied()) {
                let path = names
                    .iter()
                    .fold(named.as_bytes().to_vec(), |mut path, name| {
                        path.push(b'/');
                        path.extend_from_slice(name);
                        path
                    });
                let named = MachinePath::new(path);
                self.found.push(Found { named, entry });
            }
        }
    }

    fn step(&mut self, entry: &'a Entry, named: MachinePath, rest: &[&str]) {
        if rest.is_empty() {
            self.found.push(Found { named, entry });
        } else if let Some(real) = self.tree.resolve(&entry.path) {
            self.below(&real, &named, rest);
        }
    }
}

/// A pattern that means just this path, whatever characters it holds. Bytes that are not UTF-8 are met by U+FFFD.
pub fn literal(path: &MachinePath) -> String {
    let text = path.text();
    let special = |c: char| "*?[\u{fffd}".contains(c);
    if !text.contains(special) {
        return text.into_owned();
    }
    let mut pattern = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special(c) {
            pattern.extend(['[', c, ']']);
        } else {
            pattern.push(c);
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::super::tests::{names, tree};
    use super::*;

    fn named(found: &[Found<'_>]) -> Vec<String> {
        let show = |found: &Found<'_>| format!("{} = {}", found.named, found.entry.path);
        found.iter().map(show).collect()
    }

    #[test]
    fn patterns_follow_linked_directories() {
        let tree = tree(&[
            "/",
            "/etc/",
            "/etc/on/",
            "/etc/on/site -> ../all/site",
            "/etc/on/.hidden",
            "/etc/all/",
            "/etc/all/site",
            "/srv/",
            "/srv/x/",
            "/srv/x/v.conf",
            "/srv/x/deep/",
            "/srv/x/deep/v.conf",
            "/link -> srv",
        ]);
        assert_eq!(names(&tree.glob("/etc/on/*")), ["/etc/on/site"]);
        assert_eq!(names(&tree.glob("/etc/on/.*")), ["/etc/on/.hidden"]);
        assert_eq!(names(&tree.glob("/link/*/v.conf")), ["/srv/x/v.conf"]);
        assert_eq!(
            named(&tree.find("/link/*/v.conf")),
            ["/link/x/v.conf = /srv/x/v.conf"]
        );
        assert_eq!(
            named(&tree.find("/*/x/v.conf")),
            ["/link/x/v.conf = /srv/x/v.conf"]
        );
        assert_eq!(
            names(&tree.glob("/srv/**/v.conf")),
            ["/srv/x/deep/v.conf", "/srv/x/v.conf"]
        );
        assert_eq!(
            named(&tree.find("/link/**/v.conf")),
            [
                "/link/x/deep/v.conf = /srv/x/deep/v.conf",
                "/link/x/v.conf = /srv/x/v.conf"
            ]
        );
        assert_eq!(names(&tree.glob("/etc/all/site")), ["/etc/all/site"]);
        assert_eq!(names(&tree.glob("/etc/all/site/x")), [] as [&str; 0]);
    }

    #[test]
    fn a_directory_of_links_to_itself_is_searched_once() {
        let mut lines = vec!["/".to_owned(), "/d/".to_owned(), "/d/file".to_owned()];
        lines.extend((0..300).map(|n| format!("/d/{n} -> .")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let tree = tree(&lines);
        let pattern = format!("/d/{}f*", "*/".repeat(40));
        assert_eq!(names(&tree.glob(&pattern)), ["/d/file"]);
    }

    #[test]
    fn a_literal_means_itself() {
        let tree = tree(&["/", "/a[1]*?", "/a1xy"]);
        let path = MachinePath::new("/a[1]*?");
        assert_eq!(names(&tree.glob(&literal(&path))), ["/a[1]*?"]);
        let odd = MachinePath::new(b"/\xe2\x82x\xff*");
        let entry = Entry {
            path: odd.clone(),
            ..tree.entries()[0].clone()
        };
        let tree = Tree::new(vec![entry]);
        assert_eq!(tree.glob(&literal(&odd)).len(), 1);
    }
}
