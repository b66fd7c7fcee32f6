use std::fmt;
use std::io::{self, BufRead, Read};

use crate::model::Digest;

use super::line::{LONGEST_LINE, Line, NO_LINE, may_be_torn, number_of};

/// What a log was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many lines it has.
    pub lines: u64,
    /// The digest of the last, which is worth keeping elsewhere; none in an empty log.
    pub head: Option<Digest>,
    /// What is wrong, by lines.
    pub findings: Vec<Finding>,
    /// The line whose digest is the head that was kept, where one was given and it is there.
    pub kept_at: Option<u64>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which line of the file, from 1.
    pub line: u64,
    /// What it is.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its bytes are not those that the next line follows.
    Changed,
    /// So many lines before it are gone.
    Missing(u64),
    /// It stands where it was not written.
    Moved,
    /// Nothing that we have written.
    NotOurs,
    /// A crash, or a full disk, has cut it short.
    Torn,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("changed: the next line follows another"),
            Self::Missing(1) => f.write_str("the line before it is missing"),
            Self::Missing(count) => write!(f, "{count} lines before it are missing"),
            Self::Moved => f.write_str("moved, or written twice: it does not follow the line before it"),
            Self::NotOurs => f.write_str("not a line of an audit log"),
            Self::Torn => f.write_str("torn: a crash or a full disk has cut it short"),
        }
    }
}

/// One line of the file as it is.
struct Raw {
    bytes: Vec<u8>,
    is_ended: bool,
}

/// The line before the one that is looked at.
struct Before {
    number: u64,
    digest: String,
    /// What it is where it cannot be read: if the next line follows it as it is, and if not.
    unread: Option<(Fault, Fault)>,
}

/// Reads a log to its end, and holds each line against the one before it. `kept` is a head from an earlier time, in hexadecimal.
///
/// # Errors
///
/// What `log` says.
pub fn verify(mut log: impl BufRead, kept: Option<&str>) -> io::Result<Report> {
    let mut report = Report { lines: 0, head: None, findings: Vec::new(), kept_at: None };
    let mut before = Before { number: 0, digest: NO_LINE.to_owned(), unread: None };
    while let Some(raw) = next(&mut log)? {
        report.lines += 1;
        let line = report.lines;
        let digest = Digest::of(&raw.bytes);
        if kept.is_some_and(|kept| digest.to_string().eq_ignore_ascii_case(kept)) {
            report.kept_at = Some(line);
        }
        let mut found = |line, fault| report.findings.push(Finding { line, fault });
        let parsed = Line::parse(&raw.bytes).filter(|_| raw.is_ended);
        let follows = parsed.as_ref().is_some_and(|parsed| parsed.previous == before.digest);
        let expected = before.number + 1;
        match parsed.as_ref().map(|parsed| parsed.number) {
            Some(number) if number > expected => found(line, Fault::Missing(number - expected)),
            Some(number) if number < expected => found(line, Fault::Moved),
            // Its place is right, so the line before is not what it was; one that cannot be read is named below
            Some(_) if !follows && line == 1 => found(line, Fault::Changed),
            Some(_) if !follows && before.unread.is_none() => found(line - 1, Fault::Changed),
            _ => {}
        }
        if let Some((followed, else_)) = before.unread {
            found(line - 1, if follows { followed } else { else_ });
        }
        let number = number_of(&raw.bytes);
        let unread = parsed.is_none().then(|| {
            let else_ = if number == Some(expected) { Fault::Changed } else { Fault::NotOurs };
            let torn = if may_be_torn(&raw.bytes) { Fault::Torn } else { Fault::NotOurs };
            // At the end of the file there is no next line
            if raw.is_ended { (torn, else_) } else { (torn.clone(), torn) }
        });
        before = Before { number: number.unwrap_or(expected), digest: digest.to_string(), unread };
        report.head = Some(digest);
    }
    if let Some((_, fault)) = before.unread {
        report.findings.push(Finding { line: report.lines, fault });
    }
    report.findings.sort_by_key(|finding| finding.line);
    report.findings.dedup();
    Ok(report)
}

/// The lines of a log that can be read, each with where it stands; and how many cannot.
///
/// # Errors
///
/// What `log` says.
pub fn lines(mut log: impl BufRead) -> io::Result<(Vec<Line>, usize)> {
    let (mut lines, mut unread) = (Vec::new(), 0);
    while let Some(raw) = next(&mut log)? {
        match Line::parse(&raw.bytes) {
            Some(line) => lines.push(line),
            None => unread += 1,
        }
    }
    Ok((lines, unread))
}

/// The next line, without the newline. Of one that is longer than any of ours it is the beginning.
fn next(log: &mut impl BufRead) -> io::Result<Option<Raw>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX) + 1;
    if log.take(most).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let is_ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
    if !is_ended && bytes.len() > LONGEST_LINE {
        log.skip_until(b'\n')?;
    }
    let is_ended = is_ended || bytes.len() > LONGEST_LINE;
    Ok(Some(Raw { bytes, is_ended }))
}

#[cfg(test)]
mod tests;
