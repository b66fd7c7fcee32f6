//! A tar archive as POSIX has it (ustar, with pax records for what does not fit), written from one end to the other.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const BLOCK: usize = 512;
/// The longest name that fits into a header.
const LONGEST_NAME: usize = 100;
/// The largest size that eleven octal digits say.
const LARGEST: u64 = 0o777_7777_7777;

/// What is said of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) path: &'a Path,
    pub(super) kind: EntryKind<'a>,
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) modified: i64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum EntryKind<'a> {
    Directory,
    /// Of so many bytes.
    File(u64),
    /// To there.
    Link(&'a Path),
}

/// An archive under way.
pub(super) struct Archive<W>(W);

impl<W: Write> Archive<W> {
    pub(super) const fn to(writer: W) -> Self {
        Self(writer)
    }

    /// Begins an entry; the bytes of a file follow by [`Archive::content`] and [`Archive::end_of_content`].
    pub(super) fn begin(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let path = entry.path.as_os_str().as_bytes();
        let (kind, size, target) = match entry.kind {
            EntryKind::Directory => (b'5', 0, &b""[..]),
            EntryKind::File(size) => (b'0', size, &b""[..]),
            EntryKind::Link(target) => (b'2', 0, target.as_os_str().as_bytes()),
        };
        let mut records = Vec::new();
        for (key, value) in [("path", path), ("linkpath", target)] {
            if value.len() > LONGEST_NAME {
                push_record(key, value, &mut records);
            }
        }
        if size > LARGEST {
            push_record("size", size.to_string().as_bytes(), &mut records);
        }
        if !records.is_empty() {
            let length = u64::try_from(records.len()).unwrap_or(u64::MAX);
            self.0.write_all(&header(b"pax", b'x', length, b"", entry))?;
            self.0.write_all(&records)?;
            self.end_of_content(length)?;
        }
        self.0.write_all(&header(path, kind, size, target, entry))
    }

    pub(super) fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Fills the last block of a content of `size` bytes.
    pub(super) fn end_of_content(&mut self, size: u64) -> io::Result<()> {
        let used = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        let missing = if used == 0 { 0 } else { BLOCK - used };
        self.0.write_all([0; BLOCK].get(..missing).unwrap_or_default())
    }

    /// Ends the archive, and gives the writer back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.0.write_all(&[0; 2 * BLOCK])?;
        Ok(self.0)
    }
}

fn header(path: &[u8], kind: u8, size: u64, target: &[u8], entry: &Entry<'_>) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8], longest: usize| {
        let bytes = bytes.get(..bytes.len().min(longest)).unwrap_or(bytes);
        if let Some(place) = header.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    let octal = |number: u64, digits: usize| format!("{:0digits$o}", number.min((1 << (3 * digits)) - 1));
    put(0, path, LONGEST_NAME);
    put(100, octal(entry.mode.into(), 7).as_bytes(), 7);
    put(108, octal(entry.owner.into(), 7).as_bytes(), 7);
    put(116, octal(entry.group.into(), 7).as_bytes(), 7);
    put(124, octal(size, 11).as_bytes(), 11);
    put(136, octal(u64::try_from(entry.modified).unwrap_or_default(), 11).as_bytes(), 11);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(157, target, LONGEST_NAME);
    put(257, b"ustar\x0000", 8);
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let sum = format!("{}\0 ", octal(sum, 6));
    if let Some(place) = header.get_mut(148..156) {
        place.copy_from_slice(sum.as_bytes());
    }
    header
}

/// `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
fn push_record(key: &str, value: &[u8], records: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_records_length_counts_its_own_digits() {
        for (value, expected) in [(2, "11 path=xx\n"), (90, "99 path=x"), (91, "101 path=x")] {
            let mut records = Vec::new();
            push_record("path", "x".repeat(value).as_bytes(), &mut records);
            let text = String::from_utf8(records).unwrap();
            assert!(text.starts_with(expected), "{text}");
            let length: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(length, text.len());
        }
    }

    #[test]
    fn a_header_has_the_sum_of_its_bytes() {
        let entry = Entry {
            path: Path::new("a/file"),
            kind: EntryKind::File(5),
            mode: 0o640,
            owner: 0,
            group: u32::MAX,
            modified: -1,
        };
        let mut bytes = Vec::new();
        let mut archive = Archive::to(&mut bytes);
        archive.begin(&entry).unwrap();
        archive.content(b"hello").unwrap();
        archive.end_of_content(5).unwrap();
        archive.finish().unwrap();
        assert_eq!(bytes.len(), 4 * BLOCK);
        let mut header = bytes[..BLOCK].to_vec();
        let written = String::from_utf8(header[148..154].to_vec()).unwrap();
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(u32::from_str_radix(&written, 8).unwrap(), sum);
    }
}
