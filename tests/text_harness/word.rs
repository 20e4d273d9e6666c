//! Words, variables, addresses and patterns.

use std::hint::black_box;
use transvase::walk::glob;
use transvase::words::address::{self, Form};
use transvase::words::budget::Budget;
use transvase::words::{self, expand, flags, script, start};

const FORMS: [Form; 7] = [
    Form::Address,
    Form::Port,
    Form::Url,
    Form::Socket,
    Form::Peer,
    Form::Site,
    Form::Handler,
];

/// What variables may make of a text, at most so many times as long.
const TIMES: usize = 4;
const FLOOR: usize = 8 << 10;

pub fn read(text: &str) {
    let split = words::split(text);
    for word in &split {
        assert_eq!(words::split(&words::quote(word)), [word.as_str()]);
    }
    black_box(flags::read(&split));
    black_box(words::shell(text));
    black_box(words::shell_quoted(text));
    black_box(words::commands(text));
    black_box(words::assigned(text));
    black_box(script::words(text, true));
    black_box(script::words(text, false));
    let budget = Budget::of(text.len());
    let known = expand::variables(text, &budget);
    let made: usize = known
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(
        made <= text.len() * TIMES + FLOOR,
        "{made} bytes of {}",
        text.len()
    );
    let budget = Budget::of(text.len());
    for line in expand::logical_lines(text) {
        black_box(expand::expand(&line, &known, &budget));
        black_box(start::may_start(&line));
        black_box(start::inner(&line));
        black_box(script::script_words(&line));
    }
    black_box(start::starter(&split));
    for word in split.iter().take(32) {
        for form in FORMS {
            black_box(address::parse(word, form, Some(80)));
        }
        black_box(address::url(word));
    }
}

/// A pattern, and a name on each line behind it.
pub fn globs(text: &str) {
    let mut lines = text.lines();
    let pattern = lines.next().unwrap_or_default();
    for name in lines.take(64) {
        let whole = glob::matches(pattern, name);
        assert!(whole || pattern != name || glob::is_pattern(pattern));
        black_box(glob::matches_path(pattern, name));
        assert!(glob::matches_path("**", name));
    }
}
