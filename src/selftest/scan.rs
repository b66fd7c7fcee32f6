//! Finds copies of known texts in a block of memory: whole ones in any usual encoding, and pieces of 8 bytes or more.

use std::ops::Range;

const WINDOW: usize = 8;
/// A hash has 16 bits.
const HASHES: usize = 1 << 16;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Knows what to look for.
#[derive(Debug)]
pub(super) struct Scanner {
    forms: Vec<Form>,
    /// Sorted by key.
    windows: Vec<Window>,
    /// The bytes that occur in the forms.
    alphabet: [bool; 256],
    /// Whether any window's key has this hash: most positions need no search.
    filter: Vec<bool>,
}

/// What a block of memory holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// For each whole copy the number of its needle.
    pub(super) full: Vec<usize>,
    /// How many pieces there are besides the whole copies.
    pub(super) pieces: usize,
}

#[derive(Debug)]
struct Form {
    needle: usize,
    text: Vec<u8>,
    /// The fewest bytes of it that are a piece: what stands for 8 bytes of the secret, or nearly so.
    piece: usize,
}

/// A piece of a form, by its first 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    key: u64,
    form: usize,
    at: usize,
}

impl Scanner {
    /// One that looks for `needles`; each must have 8 bytes or more.
    pub(super) fn of(needles: &[String]) -> Self {
        let mut forms: Vec<Form> = Vec::new();
        for (needle, text) in needles.iter().enumerate() {
            for (text, piece) in encodings(text) {
                if !forms.iter().any(|form| form.text == text) {
                    forms.push(Form { needle, text, piece });
                }
            }
        }
        let mut windows = Vec::new();
        for (number, form) in forms.iter().enumerate() {
            let pieces = form.text.windows(form.piece).enumerate();
            windows.extend(pieces.map(|(at, piece)| Window { key: key(piece), form: number, at }));
        }
        windows.sort_unstable();
        let mut filter = vec![false; HASHES];
        for window in &windows {
            if let Some(place) = filter.get_mut(hash(window.key)) {
                *place = true;
            }
        }
        let mut alphabet = [false; 256];
        for byte in forms.iter().flat_map(|form| &form.text) {
            if let Some(place) = alphabet.get_mut(usize::from(*byte)) {
                *place = true;
            }
        }
        Self { forms, windows, alphabet, filter }
    }

    /// All copies in `bytes`.
    pub(super) fn search(&self, bytes: &[u8]) -> Found {
        let mut full: Vec<(Range<usize>, usize)> = Vec::new();
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut usable = 0;
        for (last, byte) in bytes.iter().enumerate() {
            usable = if self.is_used(*byte) { usable + 1 } else { 0 };
            // Most of a process's memory is zeros, and most of the rest is no text
            if usable < WINDOW {
                continue;
            }
            let at = last + 1 - WINDOW;
            let key = bytes.get(at..=last).map_or(0, key);
            if !self.may_be_known(key) {
                continue;
            }
            let first = self.windows.partition_point(|window| window.key < key);
            let same = self.windows.iter().skip(first).take_while(|window| window.key == key);
            let rest = bytes.get(at..).unwrap_or_default();
            for (window, form) in same.filter_map(|window| Some((window, self.forms.get(window.form)?))) {
                let Some(piece) = form.text.get(window.at..window.at + form.piece) else { continue };
                if !rest.starts_with(piece) {
                    continue;
                }
                if window.at == 0 && rest.starts_with(&form.text) {
                    full.push((at..at + form.text.len(), form.needle));
                }
                let end = at + form.piece;
                match runs.last_mut() {
                    Some(run) if at <= run.end => run.end = run.end.max(end),
                    _ => runs.push(at..end),
                }
            }
        }
        let is_piece =
            |run: &&Range<usize>| !full.iter().any(|(copy, _)| copy.start < run.end && run.start < copy.end);
        let pieces = runs.iter().filter(is_piece).count();
        Found { full: full.into_iter().map(|(_, needle)| needle).collect(), pieces }
    }

    fn is_used(&self, byte: u8) -> bool {
        matches!(self.alphabet.get(usize::from(byte)), Some(true))
    }

    fn may_be_known(&self, key: u64) -> bool {
        matches!(self.filter.get(hash(key)), Some(true))
    }
}

fn key(window: &[u8]) -> u64 {
    window.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

fn hash(key: u64) -> usize {
    let [.., low, high] = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    usize::from(u16::from_le_bytes([low, high]))
}

/// `text` as it is, as JSON and YAML quote it, in base64 wherever it stands in a longer text, and in hexadecimal; each with
/// the size of a piece. Eight digits would be too few: programs have tables of them.
fn encodings(text: &str) -> Vec<(Vec<u8>, usize)> {
    let hex = |digits: fn(u8) -> String| text.bytes().map(digits).collect::<String>().into_bytes();
    let mut encodings = vec![
        (text.as_bytes().to_vec(), WINDOW),
        (text.replace('\\', "\\\\").replace('"', "\\\"").into_bytes(), WINDOW),
        (text.replace('\'', "''").into_bytes(), WINDOW),
        (hex(|byte| format!("{byte:02x}")), 2 * WINDOW),
        (hex(|byte| format!("{byte:02X}")), 2 * WINDOW),
    ];
    encodings.extend((0..3).map(|before| (base64(text.as_bytes(), before), WINDOW)));
    encodings
}

/// The characters of base64 that depend on `text` alone when `before` other bytes precede it.
fn base64(text: &[u8], before: usize) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(text);
    let mut characters = Vec::new();
    for triple in bytes.chunks_exact(3) {
        let number = triple.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| number >> shift & 63);
        characters.extend(digits.iter().filter_map(|digit| BASE64.get(*digit)));
    }
    // A character stands for six bits: those that share bits with what is before are not the text's own
    characters.drain(..(before * 8).div_ceil(6).min(characters.len()));
    characters
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "k7\"Qz\\w'3mNb8vXc4LpR6tYh";

    fn scanner() -> Scanner {
        Scanner::of(&[String::from("another-one-0123456789"), SECRET.to_owned()])
    }

    fn found(text: &str) -> (usize, usize) {
        let memory = [&[0; 37][..], b"before", text.as_bytes(), b"after", &[0; 19]].concat();
        let found = scanner().search(&memory);
        assert!(found.full.iter().all(|needle| *needle == 1));
        (found.full.len(), found.pieces)
    }

    #[test]
    fn a_copy_is_found_in_every_encoding() {
        for text in [
            SECRET,
            "k7\\\"Qz\\\\w'3mNb8vXc4LpR6tYh",
            "k7\"Qz\\w''3mNb8vXc4LpR6tYh",
            "6b3722517a5c7727336d4e6238765863344c705236745968",
            "6B3722517A5C7727336D4E6238765863344C705236745968",
            // `base64` of it, after one other byte, after two
            "azciUXpcdyczbU5iOHZYYzRMcFI2dFlo",
            "eGs3IlF6XHcnM21OYjh2WGM0THBSNnRZaA==",
            "eHhrNyJRelx3JzNtTmI4dlhjNExwUjZ0WWg=",
        ] {
            assert_eq!(found(text), (1, 0), "{text}");
        }
    }

    #[test]
    fn every_window_of_eight_bytes_is_a_piece_and_none_of_seven() {
        for window in SECRET.as_bytes().windows(8) {
            assert_eq!(found(std::str::from_utf8(window).unwrap()), (0, 1));
        }
        for window in SECRET.as_bytes().windows(7) {
            assert_eq!(found(std::str::from_utf8(window).unwrap()), (0, 0));
        }
    }

    #[test]
    fn hexadecimal_of_eight_bytes_is_a_piece_and_of_seven_is_none() {
        assert_eq!(found("517a5c7727336d4e"), (0, 1));
        assert_eq!(found("7a5c7727336d4e"), (0, 0));
        assert_eq!(found("517A5C7727336D4E"), (0, 1));
    }

    #[test]
    fn all_but_one_byte_is_one_piece_and_two_halves_are_two() {
        let part = |range: Range<usize>| SECRET.get(range).unwrap();
        assert_eq!(found(part(1..SECRET.len())), (0, 1));
        assert_eq!(found(part(0..SECRET.len() - 1)), (0, 1));
        assert_eq!(found(&format!("{}......{}", part(0..9), part(9..SECRET.len()))), (0, 2));
    }

    #[test]
    fn each_copy_is_counted_at_any_place_and_nothing_else_is() {
        assert_eq!(found(&format!("{SECRET}{SECRET}-{SECRET}")), (3, 0));
        for at in 0..9 {
            let memory = [&vec![7; at][..], SECRET.as_bytes()].concat();
            assert_eq!(scanner().search(&memory), Found { full: vec![1], pieces: 0 });
        }
        let noise: Vec<u8> =
            (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert_eq!(scanner().search(&noise), Found::default());
        assert_eq!(scanner().search(b""), Found::default());
    }
}
