use std::path::{Path, PathBuf};

use crate::fs::{Journal, JournalEnd};
use crate::model::Digest;

use super::line::{LONGEST_LINE, Line, NO_LINE, may_be_torn, number_of};
use super::{AuditError, Entry};

/// So many bytes of the end are looked at first: a plan's names take less.
const FIRST_LOOK: usize = 16 * 1024;

/// The log, open for more lines.
#[derive(Debug)]
pub struct Log {
    journal: Journal,
    path: PathBuf,
}

/// The line that the next one follows.
struct Last {
    number: u64,
    digest: String,
    is_torn: bool,
}

impl Log {
    /// Opens the log at `path`, which is made when it is not there; its directory must be. That it can be written is known then, but for
    /// the room on the disk.
    ///
    /// # Errors
    ///
    /// Any [`AuditError`].
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let log = Self { journal: Journal::open(path)?, path: path.to_owned() };
        log.last(&log.journal.hold()?)?;
        Ok(log)
    }

    /// Appends a line, and returns its digest, the log's new head. A line that a crash has cut short is closed off first: the next
    /// one follows it like any other.
    ///
    /// # Errors
    ///
    /// Any [`AuditError`]; there is no line then.
    pub fn append(&self, entry: &Entry) -> Result<Digest, AuditError> {
        let end = self.journal.hold()?;
        let last = self.last(&end)?;
        let mut line = Line::write(last.number + 1, &last.digest, entry);
        let digest = Digest::of(line.strip_suffix(b"\n").unwrap_or_default());
        if last.is_torn {
            line.insert(0, b'\n');
        }
        end.append(&line)?;
        Ok(digest)
    }

    fn last(&self, end: &JournalEnd<'_>) -> Result<Last, AuditError> {
        if end.length() == 0 {
            return Ok(Last { number: 0, digest: NO_LINE.to_owned(), is_torn: false });
        }
        let mut look = FIRST_LOOK;
        loop {
            let tail = end.tail(look)?;
            let is_all = u64::try_from(tail.len()).is_ok_and(|length| length == end.length());
            if let Some(last) = last_in(&tail, is_all) {
                return Ok(last);
            }
            if is_all || look > LONGEST_LINE {
                return Err(AuditError::NotALog { path: self.path.clone() });
            }
            look *= 4;
        }
    }
}

/// The last line in `tail`, which is all of the file or its end; nothing where it is not one of ours, or does not begin here.
fn last_in(tail: &[u8], is_all: bool) -> Option<Last> {
    let (text, is_torn) = tail.strip_suffix(b"\n").map_or((tail, true), |text| (text, false));
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if !is_all {
        lines.remove(0);
    }
    let last = lines.last().filter(|line| may_be_torn(line) && line.len() <= LONGEST_LINE)?;
    // One that was cut short may not even have its number: then it is counted from the last that has
    let numbered = lines.iter().rev().enumerate().find_map(|(behind, line)| Some((behind, number_of(line)?)));
    let (behind, number) = match numbered {
        Some(found) => found,
        None if is_all => (lines.len(), 0),
        None => return None,
    };
    let number = number.checked_add(u64::try_from(behind).ok()?)?;
    Some(Last { number, digest: Digest::of(last).to_string(), is_torn })
}
