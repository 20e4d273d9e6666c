//! One pass over a text's bytes for every literal that the data have: parts of names, beginnings of tokens, marks of places, calls,
//! and the mark of a URL. What stands around a hit is for whoever asked; where none is, nothing else looks at the bytes.
//!
//! Four bytes at each place are looked up in a table of bits: the first three choose a word of it, the fourth a bit. No place waits for
//! the one before it, as it does in an automaton, and so this is several times as fast.

use super::data::DATA;
use std::ops::Range;
use std::sync::LazyLock;

/// What a literal is of; a number is a place in the data's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Name,
    Form(usize),
    /// The head of an armoured key.
    Armour,
    Place(usize),
    Call(usize),
    Url,
}

/// A literal in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub start: usize,
    pub end: usize,
    pub what: What,
}

/// The head of an armoured key (RFC 7468, RFC 4716, RFC 9580, OpenVPN's static keys): dashes, and then a label.
pub(super) const ARMOUR: &str = "BEGIN ";

struct Literal {
    text: Vec<u8>,
    /// ASCII letters of either case.
    folds: bool,
    what: What,
}

impl Literal {
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        text.get(at..at + self.text.len()).is_some_and(|part| {
            if self.folds {
                part.eq_ignore_ascii_case(&self.text)
            } else {
                part == self.text
            }
        })
    }
}

/// Words of the table, as a power of two: 32 KiB, which stay in a core's nearest memory.
const WORDS: usize = 1 << 13;
const SHIFT: u32 = 32 - 13;
/// Shortest literal.
const SHORTEST: usize = 3;

struct Sieve {
    bits: Box<[u32; WORDS]>,
    /// By word: the literals of it, as a range of `literals`.
    of: Vec<(u16, u16)>,
    literals: Vec<Literal>,
    /// Those that begin with a line's end: a text's beginning is as good.
    of_lines: Vec<usize>,
}

/// The word for three bytes, the lowest of `four`. They are given in one case: 0x20 set in each, which makes one of some others too.
fn word(four: u32) -> usize {
    // The factor's lowest byte is zero, so that the fourth byte of the text has no part in it.
    (four.wrapping_mul(0x9e37_7900) >> SHIFT) as usize
}

/// A text's last bytes, zeros behind them.
#[cold]
fn last(text: &[u8], at: usize) -> [u8; 8] {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(text.get(at..).unwrap_or_default()) {
        *to = *from;
    }
    eight
}

impl Sieve {
    fn new(mut literals: Vec<Literal>) -> Option<Self> {
        literals.retain(|literal| literal.text.len() >= SHORTEST);
        let first = |literal: &Literal| {
            let mut four = [0; 4];
            for (to, from) in four.iter_mut().zip(&literal.text) {
                *to = *from;
            }
            u32::from_le_bytes(four) | 0x2020_2020
        };
        // Of those that begin at the same place the longest comes first.
        literals.sort_by_key(|literal| (word(first(literal)), usize::MAX - literal.text.len()));
        let bits = vec![0u32; WORDS].into_boxed_slice();
        let mut bits: Box<[u32; WORDS]> = bits.try_into().ok()?;
        let mut of = vec![(0, 0); WORDS];
        for (at, literal) in literals.iter().enumerate() {
            let four = first(literal);
            let bit = literal
                .text
                .get(3)
                .map_or(u32::MAX, |_| 1 << (four >> 24 & 31));
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            if let (Some(bits), Some(of)) = (bits.get_mut(word(four)), of.get_mut(word(four))) {
                *of = if *bits == 0 {
                    (at, at + 1)
                } else {
                    (of.0, at + 1)
                };
                *bits |= bit;
            }
        }
        let of_lines = literals.iter().enumerate();
        let of_lines = of_lines.filter(|(_, literal)| literal.text.starts_with(b"\n"));
        Some(Self {
            of_lines: of_lines.map(|(at, _)| at).collect(),
            bits,
            of,
            literals,
        })
    }

    /// Whether a literal may begin with these four bytes: the lowest bit says so.
    fn may(&self, four: u32) -> u32 {
        self.bits.get(word(four)).copied().unwrap_or_default() >> (four >> 24 & 31)
    }

    fn find(&self, text: &[u8], within: Range<usize>, found: &mut impl FnMut(Hit)) {
        if within.start == 0 {
            for literal in self.of_lines.iter().filter_map(|at| self.literals.get(*at)) {
                let rest = literal.text.get(1..).unwrap_or_default();
                let length = rest.len();
                if text
                    .get(..length)
                    .is_some_and(|head| head.eq_ignore_ascii_case(rest))
                {
                    found(Hit {
                        start: 0,
                        end: length,
                        what: literal.what,
                    });
                }
            }
        }
        let end = within.end.min(text.len());
        let mut at = within.start;
        while at < end {
            let eight = match text.get(at..at + 8) {
                Some(eight) => <[u8; 8]>::try_from(eight).unwrap_or_default(),
                None => last(text, at),
            };
            // In one case; what the fourth byte chooses has no part in that.
            let eight = u64::from_le_bytes(eight) | 0x2020_2020_2020_2020;
            #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
            let four = |by: u32| (eight >> (8 * by)) as u32;
            let any = self.may(four(0)) | self.may(four(1)) | self.may(four(2)) | self.may(four(3));
            if any & 1 == 1 {
                for by in 0..4 {
                    if self.may(four(by)) & 1 == 1 && at + (by as usize) < end {
                        self.verify(text, at + by as usize, word(four(by)), found);
                    }
                }
            }
            at += 4;
        }
    }

    #[cold]
    fn verify(&self, text: &[u8], at: usize, word: usize, found: &mut impl FnMut(Hit)) {
        let (from, to) = self.of.get(word).copied().unwrap_or_default();
        let literals = self
            .literals
            .get(from.into()..to.into())
            .unwrap_or_default();
        for literal in literals
            .iter()
            .filter(|literal| literal.stands_at(text, at))
        {
            found(Hit {
                start: at,
                end: at + literal.text.len(),
                what: literal.what,
            });
        }
    }
}

static SIEVE: LazyLock<Option<Sieve>> = LazyLock::new(|| Sieve::new(literals().collect()));

fn literals() -> impl Iterator<Item = Literal> {
    let literal = |text: &str, folds: bool, what: What| Literal {
        text: text.as_bytes().to_vec(),
        folds,
        what,
    };
    let names = DATA.names.markers.iter();
    let names = names.map(move |marker| literal(marker, true, What::Name));
    let forms = DATA.tokens.iter().enumerate().flat_map(move |(at, token)| {
        let starts = token.start.iter();
        starts.map(move |start| literal(start, false, What::Form(at)))
    });
    let places = DATA.places.iter().enumerate().flat_map(move |(at, place)| {
        let markers = place.markers.iter();
        markers.map(move |marker| literal(marker, true, What::Place(at)))
    });
    let calls = DATA.calls.keys().enumerate();
    let calls = calls.map(move |(at, name)| literal(&format!("{name}("), false, What::Call(at)));
    let rest = [
        literal(ARMOUR, false, What::Armour),
        literal("://", false, What::Url),
    ];
    names.chain(forms).chain(places).chain(calls).chain(rest)
}

/// Every literal that begins in `within`, in the order of their beginnings; of several that begin together the longest first.
pub(super) fn find(text: &[u8], within: Range<usize>, mut found: impl FnMut(Hit)) {
    if let Some(sieve) = SIEVE.as_ref() {
        sieve.find(text, within, &mut found);
    }
}

/// The same of a whole text, as a list.
pub(super) fn all(text: &[u8]) -> Vec<Hit> {
    let mut all = Vec::new();
    find(text, 0..text.len(), |hit| all.push(hit));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, each literal sought at each place.
    fn naive(text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for literal in literals() {
            for at in 0..text.len() {
                if literal.stands_at(text, at) {
                    let end = at + literal.text.len();
                    hits.push(Hit {
                        start: at,
                        end,
                        what: literal.what,
                    });
                }
            }
            let rest = literal.text.strip_prefix(b"\n");
            if let Some(rest) = rest.filter(|rest| {
                let head = text.get(..rest.len());
                head.is_some_and(|head| head.eq_ignore_ascii_case(rest))
            }) {
                hits.push(Hit {
                    start: 0,
                    end: rest.len(),
                    what: literal.what,
                });
            }
        }
        hits
    }

    fn sorted(mut hits: Vec<Hit>) -> Vec<(usize, usize, String)> {
        hits.sort_by_key(|hit| (hit.start, hit.end, format!("{:?}", hit.what)));
        let shown = hits.iter();
        shown
            .map(|hit| (hit.start, hit.end, format!("{:?}", hit.what)))
            .collect()
    }

    #[test]
    fn no_literal_is_too_short_or_in_the_wrong_case() {
        let all: Vec<Literal> = literals().collect();
        assert!(all.len() > 300 && all.len() < usize::from(u16::MAX));
        for literal in all {
            let text = String::from_utf8_lossy(&literal.text).into_owned();
            assert!(text.len() >= SHORTEST, "{text}");
            assert!(!literal.folds || text == text.to_lowercase(), "{text}");
        }
    }

    #[test]
    fn the_longest_comes_first_and_beginnings_are_in_order() {
        let hits = all(b"pw=1 sk-proj-x KEY pass\npw=2 https://h");
        assert!(hits.is_sorted_by_key(|hit| hit.start));
        assert_eq!(hits.first().map(|hit| (hit.start, hit.end)), Some((0, 2)));
        let forms = hits.iter().filter(|hit| matches!(hit.what, What::Form(_)));
        let lengths: Vec<usize> = forms.map(|hit| hit.end - hit.start).collect();
        assert_eq!(lengths, [8, 3]);
    }

    #[test]
    fn every_literal_is_found_at_every_place() {
        for (at, literal) in literals().enumerate() {
            let mut text = vec![b'.'; at % 9];
            text.extend_from_slice(&literal.text);
            assert_eq!(sorted(all(&text)), sorted(naive(&text)));
            text.extend_from_slice(b"........");
            assert_eq!(sorted(all(&text)), sorted(naive(&text)));
            assert!(!naive(&text).is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn the_one_pass_finds_what_a_search_for_each_finds(
            parts in proptest::collection::vec((0usize..2000, 0u8..4, ".{0,6}", proptest::num::u8::ANY), 0..30),
            from in 0usize..40,
        ) {
            let known: Vec<Literal> = literals().collect();
            let mut text = Vec::new();
            for (which, case, between, byte) in parts {
                if let Some(literal) = known.get(which % (known.len() + 100)) {
                    // Cut short at times, and in other cases.
                    let part = literal.text.get(..literal.text.len() - usize::from(case == 3)).unwrap();
                    match case {
                        1 => text.extend(part.to_ascii_uppercase()),
                        2 => text.extend(part.iter().enumerate().map(|(at, byte)| if at % 2 == 0 { byte.to_ascii_uppercase() } else { *byte })),
                        _ => text.extend_from_slice(part),
                    }
                }
                text.extend_from_slice(between.as_bytes());
                text.push(byte);
            }
            proptest::prop_assert_eq!(sorted(all(&text)), sorted(naive(&text)));
            let from = from.min(text.len());
            let mut part = Vec::new();
            find(&text, from..text.len(), |hit| part.push(hit));
            let rest: Vec<Hit> = naive(&text).into_iter().filter(|hit| hit.start >= from && (from == 0 || hit.start > 0)).collect();
            proptest::prop_assert_eq!(sorted(part), sorted(rest));
        }
    }
}
