//! The way through a script's commands.

use super::{Function, Script};
use crate::walk::glob;
use crate::words::sh::word::{fields, text};
use crate::words::sh::{Join, Kind, Node};
use std::rc::Rc;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// On to the next; whether it worked, where that can be told.
    On(Option<bool>),
    Return(Option<bool>),
    Exit,
}

/// Commands in commands, functions and lines of shell included.
const DEPTH: u32 = 90;

/// Values that a loop goes over.
const MOST_EACH: usize = 64;

impl Script<'_> {
    pub(super) fn list(&mut self, nodes: &[Node]) -> Flow {
        let mut last = Flow::On(Some(true));
        for node in nodes {
            last = self.node(node);
            if !matches!(last, Flow::On(_)) {
                break;
            }
        }
        last
    }

    fn node(&mut self, node: &Node) -> Flow {
        if self.steps == 0 || self.depth >= DEPTH {
            self.steps = 0;
            return Flow::Exit;
        }
        self.steps -= 1;
        self.depth += 1;
        let behind = self.around.is_put_behind;
        self.around.is_put_behind |= node.is_behind;
        self.line = node.line;
        let mut flow = self.kind(&node.kind);
        self.around.is_put_behind = behind;
        self.depth -= 1;
        // What is put behind ends alone.
        if node.is_behind {
            flow = Flow::On(Some(true));
        }
        // Whether it is come to is not known: what follows is gone through too.
        if self.maybe > 0 && !matches!(flow, Flow::On(_)) && self.steps > 0 {
            return Flow::On(None);
        }
        flow
    }

    fn kind(&mut self, kind: &Kind) -> Flow {
        match kind {
            Kind::Simple(simple) => self.simple(simple),
            Kind::Chain(parts) => self.chain(parts),
            Kind::Pipe(parts) => {
                let mut first = Flow::On(None);
                for (number, part) in parts.iter().enumerate() {
                    // What follows only reads it.
                    self.asking += u32::from(number > 0);
                    let flow = self.node(part);
                    self.asking -= u32::from(number > 0);
                    first = if number == 0 { flow } else { first };
                }
                match first {
                    Flow::On(_) => Flow::On(None),
                    other => other,
                }
            }
            Kind::Not(inner) => match self.ask(std::slice::from_ref(inner)) {
                Flow::On(status) => Flow::On(status.map(|worked| !worked)),
                other => other,
            },
            Kind::If { arms, otherwise } => self.branches(arms, otherwise),
            Kind::For { name, words, body } => self.each(name, words, body),
            Kind::Loop { condition, body } => {
                self.ask(condition);
                self.perhaps(body)
            }
            Kind::Case { word, arms } => self.case(word, arms),
            Kind::Group(body) => self.list(body),
            Kind::Function { name, body } => {
                let function = Function {
                    body: Rc::new(body.clone()),
                    file: self.file.clone(),
                };
                self.functions.insert(name.clone(), Rc::new(function));
                Flow::On(Some(true))
            }
        }
    }

    /// Commands whose end is only asked for.
    fn ask(&mut self, nodes: &[Node]) -> Flow {
        self.asking += 1;
        let flow = self.list(nodes);
        self.asking -= 1;
        flow
    }

    /// Commands that may or may not be come to.
    fn perhaps(&mut self, nodes: &[Node]) -> Flow {
        self.maybe += 1;
        let flow = self.list(nodes);
        self.maybe -= 1;
        match flow {
            Flow::Exit if self.steps == 0 => Flow::Exit,
            _ => Flow::On(None),
        }
    }

    fn chain(&mut self, parts: &[(Join, Node)]) -> Flow {
        let mut status = Some(true);
        for (number, (join, node)) in parts.iter().enumerate() {
            let runs = match join {
                Join::First => Some(true),
                Join::And => status,
                Join::Or => status.map(|worked| !worked),
            };
            let only_asks = parts
                .get(number + 1)
                .is_some_and(|(join, _)| *join == Join::Or)
                && is_test(node);
            let flow = match runs {
                Some(false) => continue,
                Some(true) if only_asks => self.ask(std::slice::from_ref(node)),
                Some(true) => self.node(node),
                None => self.perhaps(std::slice::from_ref(node)),
            };
            match flow {
                Flow::On(found) => status = found,
                Flow::Exit if number > 0 => {
                    self.end(parts.first().map(|(_, node)| node));
                    return Flow::Exit;
                }
                other => return other,
            }
        }
        Flow::On(status)
    }

    /// Notes that a condition ends the script before it started anything.
    fn end(&mut self, condition: Option<&Node>) {
        if self.starts.is_empty() && self.steps > 0 && condition.is_some_and(is_test) {
            let line = condition.map_or(self.line, |node| node.line);
            let line = std::mem::replace(&mut self.line, line);
            let shown = condition.map_or_else(String::new, shown);
            let evidence = self.evidence(&shown);
            // The outermost condition is what was asked.
            self.ended = Some(evidence);
            self.line = line;
        }
    }

    fn branches(&mut self, arms: &[(Vec<Node>, Vec<Node>)], otherwise: &[Node]) -> Flow {
        for (number, (condition, body)) in arms.iter().enumerate() {
            let status = match self.ask(condition) {
                Flow::On(status) => status,
                other => return other,
            };
            match status {
                Some(true) => {
                    let flow = self.list(body);
                    if flow == Flow::Exit {
                        self.end(condition.first());
                    }
                    return flow;
                }
                Some(false) => {}
                None => {
                    let mut flow = self.perhaps(body);
                    for (condition, body) in arms.iter().skip(number + 1) {
                        self.perhaps_asked(condition);
                        flow = self.perhaps(body);
                    }
                    if !otherwise.is_empty() {
                        flow = self.perhaps(otherwise);
                    }
                    return flow;
                }
            }
        }
        let flow = self.list(otherwise);
        if flow == Flow::Exit {
            self.end(arms.first().and_then(|(condition, _)| condition.first()));
        }
        flow
    }

    fn perhaps_asked(&mut self, condition: &[Node]) {
        self.maybe += 1;
        self.ask(condition);
        self.maybe -= 1;
    }

    fn each(&mut self, name: &str, words: &[String], body: &[Node]) -> Flow {
        let mut values: Vec<String> = Vec::new();
        for word in words {
            for field in fields(word, self) {
                if glob::is_pattern(&field) && field.starts_with('/') {
                    let found = self.facts.tree.glob(&field).into_iter();
                    values.extend(
                        found
                            .take(MOST_EACH)
                            .map(|entry| entry.path.text().into_owned()),
                    );
                } else {
                    values.push(field);
                }
            }
        }
        for value in values.iter().take(MOST_EACH) {
            self.put(name, value.clone());
            if let flow @ (Flow::Return(_) | Flow::Exit) = self.list(body) {
                return flow;
            }
        }
        Flow::On(Some(true))
    }

    fn case(&mut self, word: &str, arms: &[(Vec<String>, Vec<Node>)]) -> Flow {
        let word = text(word, self);
        let is_known = !super::environment::is_unknown(&word);
        for (patterns, body) in arms {
            for pattern in patterns {
                let pattern = text(pattern, self);
                if is_known && glob::matches(&pattern, &word) {
                    return self.list(body);
                }
            }
        }
        if !is_known {
            for (_, body) in arms {
                self.perhaps(body);
            }
        }
        Flow::On(None)
    }

    /// Calls a function; whether there is one.
    pub(super) fn function(&mut self, name: &str, arguments: &[String]) -> Option<Flow> {
        let function = self.functions.get(name).cloned()?;
        let first = self.arguments.first().cloned().unwrap_or_default();
        let inside = std::iter::once(first).chain(arguments.iter().cloned());
        let outer = std::mem::replace(&mut self.arguments, inside.collect());
        let file = std::mem::replace(&mut self.file, function.file.clone());
        let flow = self.list(&function.body);
        self.file = file;
        self.arguments = outer;
        Some(match flow {
            // What it found out is of the run, mostly; a shell's own tests are asked where they stand.
            Flow::Return(_) | Flow::On(_) => Flow::On(None),
            Flow::Exit => Flow::Exit,
        })
    }
}

/// Whether a command can do nothing but ask.
fn is_test(node: &Node) -> bool {
    matches!(&node.kind, Kind::Simple(simple)
        if simple.words.first().is_some_and(|word| matches!(word.as_str(), "[" | "[[" | "test")))
}

/// A command as it is written.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Simple(simple) => simple.words.join(" "),
        Kind::Not(inner) => format!("! {}", shown(inner)),
        Kind::Chain(parts) => parts
            .first()
            .map_or_else(String::new, |(_, node)| shown(node)),
        _ => String::new(),
    }
}
