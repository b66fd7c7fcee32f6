//! An age file whose header is read at once.
//!
//! It stands apart because age reads a header line by line, and all of it anew with each: with a thousand recipients that takes
//! seconds. What the header says is age's to judge.

use std::io::{self, BufRead, Read};

/// How the last line of a header begins (C2SP age.md); no other line of one does.
const LAST: &[u8] = b"\n---";

/// An age file, from where it has been read on.
pub(super) struct AgeFile<'a>(&'a [u8]);

impl<'a> AgeFile<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Read for AgeFile<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl BufRead for AgeFile<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.0)
    }

    fn consume(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    /// Not up to the next `delimiter`, but up to the one at the end of the header, where that is still to come.
    fn read_until(&mut self, delimiter: u8, into: &mut Vec<u8>) -> io::Result<usize> {
        let last = self.0.windows(LAST.len()).position(|window| window == LAST).map_or(0, |at| at + 1);
        let rest = self.0.get(last..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == delimiter).map_or(self.0.len(), |at| last + at + 1);
        into.extend_from_slice(self.0.get(..end).unwrap_or_default());
        self.consume(end);
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_whole_and_what_is_none_line_by_line() {
        let mut file = AgeFile::of(b"age-encryption.org/v1\n-> X25519 a\nb\n--- c\nnonce\nand more");
        let mut read = Vec::new();
        assert_eq!(file.read_until(b'\n', &mut read).unwrap(), read.len());
        assert_eq!(read, b"age-encryption.org/v1\n-> X25519 a\nb\n--- c\n");
        file.read_until(b'\n', &mut read).unwrap();
        assert!(read.ends_with(b"\nnonce\n"));
        file.read_until(b'\n', &mut read).unwrap();
        assert!(read.ends_with(b"\nand more"));
        assert_eq!(file.read_until(b'\n', &mut read).unwrap(), 0);
    }
}
