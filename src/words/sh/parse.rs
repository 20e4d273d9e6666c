//! The tree of a script. What is no shell at all gives some tree too: nothing is refused, and what means nothing where it
//! stands is passed over.

use super::lex::{Token, tokens};
use super::{Join, Kind, Node, Simple};
use crate::words::expand::is_name;

/// Commands in commands.
const DEPTH: usize = 40;

pub fn parse(text: &str) -> Vec<Node> {
    let mut parser = Parser {
        tokens: tokens(text),
        at: 0,
        depth: 0,
    };
    let mut found = Vec::new();
    while parser.at < parser.tokens.len() {
        let before = parser.at;
        found.append(&mut parser.list(&[]));
        // An end without a beginning.
        if parser.at == before || parser.at < parser.tokens.len() {
            parser.at += 1;
        }
    }
    found
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn line(&self) -> u32 {
        let here = self.tokens.get(self.at).or_else(|| self.tokens.last());
        here.map_or(1, |(_, line)| *line)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found == word)
    }

    fn is_operator(&self, operator: &str) -> bool {
        matches!(self.peek(), Some(Token::Operator(found)) if *found == operator)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn takes_operator(&mut self, operator: &str) -> bool {
        let is = self.is_operator(operator);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    fn ends_of_lines(&mut self) {
        while self.is_operator("\n") || self.is_operator(";") {
            self.at += 1;
        }
    }

    /// Commands up to one of these words, or to what closes a group or an arm.
    fn list(&mut self, ends: &[&str]) -> Vec<Node> {
        let mut found = Vec::new();
        loop {
            self.ends_of_lines();
            match self.peek() {
                None | Some(Token::Operator(")" | ";;" | ";&" | ";;&")) => return found,
                Some(Token::Word(word)) if ends.contains(&word.as_str()) => return found,
                _ => {}
            }
            let before = self.at;
            let mut node = self.chain(ends);
            node.is_behind = self.takes_operator("&");
            found.push(node);
            self.at = self.at.max(before + usize::from(self.at == before));
        }
    }

    fn chain(&mut self, ends: &[&str]) -> Node {
        let line = self.line();
        let mut found = vec![(Join::First, self.pipe(ends))];
        loop {
            let join = if self.takes_operator("&&") {
                Join::And
            } else if self.takes_operator("||") {
                Join::Or
            } else {
                break;
            };
            while self.takes_operator("\n") {}
            found.push((join, self.pipe(ends)));
        }
        one_or(found, line, |found| found.1, Kind::Chain)
    }

    fn pipe(&mut self, ends: &[&str]) -> Node {
        let line = self.line();
        let is_not = self.takes_word("!");
        let mut found = vec![self.command(ends)];
        while self.takes_operator("|") || self.takes_operator("|&") {
            while self.takes_operator("\n") {}
            found.push(self.command(ends));
        }
        let node = one_or(found, line, |node| node, Kind::Pipe);
        if is_not {
            return plain(Kind::Not(Box::new(node)), line);
        }
        node
    }

    fn command(&mut self, ends: &[&str]) -> Node {
        let line = self.line();
        if self.depth >= DEPTH {
            return plain(self.simple(), line);
        }
        self.depth += 1;
        let kind = self.compound(ends);
        self.depth -= 1;
        plain(kind, line)
    }

    fn compound(&mut self, ends: &[&str]) -> Kind {
        if self.takes_operator("(") {
            let body = self.list(&[]);
            self.takes_operator(")");
            self.redirections();
            return Kind::Group(body);
        }
        let Some(Token::Word(word)) = self.peek() else {
            return self.simple();
        };
        match word.as_str() {
            "{" => {
                self.at += 1;
                let body = self.list(&["}"]);
                self.takes_word("}");
                self.redirections();
                Kind::Group(body)
            }
            "if" => self.condition(),
            "while" | "until" => {
                self.at += 1;
                let condition = self.list(&["do"]);
                let body = self.body();
                Kind::Loop { condition, body }
            }
            "for" | "select" => self.each(),
            "case" => self.case(),
            "function" => {
                self.at += 1;
                let name = self.word().unwrap_or_default();
                let name = name.trim_end_matches("()").to_owned();
                if self.takes_operator("(") {
                    self.takes_operator(")");
                }
                self.function(name, ends)
            }
            name if self.is_function() => {
                let name = name.to_owned();
                self.at += 3;
                self.function(name, ends)
            }
            _ => self.simple(),
        }
    }

    /// `name (` `)`.
    fn is_function(&self) -> bool {
        let after = |number| self.tokens.get(self.at + number).map(|(token, _)| token);
        let opens = matches!(after(1), Some(Token::Operator("(")));
        opens && matches!(after(2), Some(Token::Operator(")")))
    }

    fn function(&mut self, name: String, ends: &[&str]) -> Kind {
        while self.takes_operator("\n") {}
        let body = vec![self.command(ends)];
        Kind::Function { name, body }
    }

    fn condition(&mut self) -> Kind {
        self.at += 1;
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.list(&["then", "fi"]);
            self.takes_word("then");
            arms.push((condition, self.list(&["elif", "else", "fi"])));
            if self.takes_word("elif") {
                continue;
            }
            if self.takes_word("else") {
                otherwise = self.list(&["fi"]);
            }
            self.takes_word("fi");
            self.redirections();
            return Kind::If { arms, otherwise };
        }
    }

    fn each(&mut self) -> Kind {
        self.at += 1;
        let name = self.word().unwrap_or_default();
        self.ends_of_lines();
        let mut words = Vec::new();
        if self.takes_word("in") {
            while let Some(word) = self.word() {
                words.push(word);
            }
        } else {
            words.push("\"$@\"".to_owned());
        }
        self.ends_of_lines();
        let body = self.body();
        Kind::For { name, words, body }
    }

    fn body(&mut self) -> Vec<Node> {
        self.ends_of_lines();
        self.takes_word("do");
        let body = self.list(&["done"]);
        self.takes_word("done");
        self.redirections();
        body
    }

    fn case(&mut self) -> Kind {
        self.at += 1;
        let word = self.word().unwrap_or_default();
        self.ends_of_lines();
        self.takes_word("in");
        let mut arms = Vec::new();
        loop {
            self.ends_of_lines();
            if self.takes_word("esac") || self.peek().is_none() {
                break;
            }
            let before = self.at;
            self.takes_operator("(");
            let mut patterns = Vec::new();
            while let Some(pattern) = self.word() {
                patterns.push(pattern);
                self.takes_operator("|");
            }
            self.takes_operator(")");
            let body = self.list(&["esac"]);
            let _ = self.takes_operator(";;")
                || self.takes_operator(";&")
                || self.takes_operator(";;&");
            arms.push((patterns, body));
            self.at = self.at.max(before + usize::from(self.at == before));
        }
        self.redirections();
        Kind::Case { word, arms }
    }

    /// What follows a group's end.
    fn redirections(&mut self) -> Vec<String> {
        let mut output = Vec::new();
        while let Some(Token::Redirect(is_output)) = self.peek() {
            let is_output = *is_output;
            self.at += 1;
            output.extend(self.word().filter(|_| is_output));
        }
        output
    }

    fn simple(&mut self) -> Kind {
        let mut found = Simple::default();
        let is_test = self.is_word("[[");
        loop {
            found.output.append(&mut self.redirections());
            let is_open = found.words.last().is_some_and(|word| is_list(word));
            match self.peek() {
                Some(Token::Word(word)) => {
                    let ends_test = is_test && word == "]]";
                    found.words.push(word.clone());
                    self.at += 1;
                    if ends_test {
                        break;
                    }
                }
                // `name=(a b)` is a list.
                Some(Token::Operator("(")) if is_open => self.values(&mut found.words),
                Some(Token::Operator(operator)) if is_test && *operator != "\n" => {
                    found.words.push((*operator).to_owned());
                    self.at += 1;
                }
                _ => break,
            }
        }
        Kind::Simple(found)
    }

    fn values(&mut self, words: &mut [String]) {
        self.at += 1;
        let mut values = Vec::new();
        while !self.is_operator(")") && self.peek().is_some() {
            match self.word() {
                Some(word) => values.push(word.trim_matches(['"', '\'']).to_owned()),
                None => self.at += 1,
            }
        }
        self.takes_operator(")");
        if let Some(last) = words.last_mut() {
            last.push('"');
            last.push_str(&values.join(" "));
            last.push('"');
        }
    }
}

fn is_list(word: &str) -> bool {
    let name = word
        .strip_suffix('=')
        .map(|name| name.trim_end_matches('+'));
    name.is_some_and(is_name)
}

fn plain(kind: Kind, line: u32) -> Node {
    Node {
        kind,
        line,
        is_behind: false,
    }
}

fn one_or<T>(
    mut found: Vec<T>,
    line: u32,
    single: impl Fn(T) -> Node,
    several: impl Fn(Vec<T>) -> Kind,
) -> Node {
    if found.len() == 1
        && let Some(only) = found.pop()
    {
        return single(only);
    }
    plain(several(found), line)
}
