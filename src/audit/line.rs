use serde::{Deserialize, Serialize};

use super::Entry;

/// A line of more bytes is none of ours.
pub(super) const LONGEST_LINE: usize = 256 * 1024;
/// How much of that the names of parameters may take. The rest is less: some forty texts of a thousand bytes.
const ROOM: usize = 128 * 1024;
/// Before the first line there is none.
pub(super) const NO_LINE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const START: &str = "{\"number\":";

/// What stands in a line: its place in the chain, and the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// The SHA-256 of the line before, without the newline; zeros in the first.
    pub previous: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

#[derive(Deserialize)]
struct Link {
    number: u64,
    previous: String,
}

impl Line {
    /// Reads a line, without the newline.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // Two readings: serde's flatten does not read the numbers of this crate's serde_json
        let Link { number, previous } = serde_json::from_slice(bytes).ok()?;
        Some(Self { number, previous, entry: serde_json::from_slice(bytes).ok()? })
    }

    /// The line as it is written, with the newline.
    pub(super) fn write(number: u64, previous: &str, entry: &Entry) -> Vec<u8> {
        let line = Self { number, previous: previous.to_owned(), entry: entry.fit(ROOM) };
        // Strings, numbers, and lists of those: there is nothing to fail on
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The number that a line begins with, even where it was cut short behind it.
pub(super) fn number_of(line: &[u8]) -> Option<u64> {
    let after = line.strip_prefix(START.as_bytes())?;
    let end = after.iter().position(|byte| *byte == b',')?;
    std::str::from_utf8(after.get(..end)?).ok()?.parse().ok()
}

/// Whether `line` can be what is left of one of ours: its beginning, or the zeros that a power failure leaves in its place.
pub(super) fn may_be_torn(line: &[u8]) -> bool {
    line.starts_with(START.as_bytes())
        || START.as_bytes().starts_with(line)
        || line.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Event, Peer, Verb, Who};
    use crate::model::{ParameterName, Site};

    #[test]
    fn a_line_has_an_end_whatever_it_is_to_hold() {
        let long = || Some("\\\u{10ffff}".repeat(1000));
        let who = Who { user: long(), uid: u32::MAX, login_uid: Some(u32::MAX), tty: long(), unit: long() };
        let mut entry = Entry::new(
            Event::Refused,
            Verb::Serve,
            &long().unwrap(),
            &who,
            "2026-01-02T03:04:05Z".parse().unwrap(),
        );
        entry.site = Site::parse(&"s".repeat(255)).ok();
        entry.parameters = (0..2000)
            .map(|n| ParameterName::parse(&format!("{n:05}{}", "\"".repeat(250))).unwrap())
            .collect();
        entry.files = (0..100).map(|_| long().unwrap()).collect();
        entry.waived = entry.files.clone();
        (entry.vault, entry.delivery, entry.child, entry.error) = (long(), long(), long(), long());
        entry.peer = Some(Peer { pid: i32::MAX, uid: u32::MAX, gid: u32::MAX, unit: long() });
        let written = Line::write(u64::MAX, NO_LINE, &entry);
        assert!((128 * 1024..LONGEST_LINE).contains(&written.len()), "{}", written.len());
        let read = Line::parse(&written).unwrap();
        assert_eq!((read.number, read.previous.as_str()), (u64::MAX, NO_LINE));
        assert_eq!(read.entry, entry.fit(ROOM));
        assert_eq!(number_of(&written), Some(u64::MAX));
        let counted = read.entry.parameters.len() + read.entry.more_parameters.unwrap();
        assert_eq!(counted, 2000);
    }

    #[test]
    fn a_beginning_and_zeros_may_be_torn_and_nothing_else() {
        for torn in ["", "{", "{\"numb", "{\"number\":", "{\"number\":1,\"prev", "\0\0\0"] {
            assert!(may_be_torn(torn.as_bytes()), "{torn}");
        }
        for other in ["root:x:0:0", "{\"n\"", "{}", "\0x"] {
            assert!(!may_be_torn(other.as_bytes()), "{other}");
        }
        assert_eq!(number_of(b"{\"number\":12,"), Some(12));
        assert_eq!(number_of(b"{\"number\":12"), None);
    }
}
