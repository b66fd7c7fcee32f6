//! What is in the memory of another process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::pread;
use rustix::process::Pid;

use crate::fs::{FileError, read_capped};

use super::scan::Scanner;

/// How often a process is looked at that changes meanwhile.
const LOOKS: usize = 5;
const LONGEST_MAP: usize = 16 * 1024 * 1024;

/// What one look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Whole copies.
    pub(super) copies: usize,
    /// Different secrets of which there is a whole copy.
    pub(super) secrets: usize,
    /// The most whole copies of one secret.
    pub(super) most: usize,
    /// Pieces of 8 bytes or more, by the kind of memory that they are in.
    pub(super) pieces: BTreeMap<&'static str, usize>,
    /// Bytes that were searched.
    pub(super) bytes: usize,
    /// Mappings that could not be read to their end.
    pub(super) unread: usize,
}

impl Tally {
    /// Pieces in all kinds of memory.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.values().sum()
    }
}

/// A file below `/proc/PID`.
pub(super) fn of_process(process: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{name}", process.as_raw_nonzero()))
}

/// Opens `/proc/PID/mem`.
pub(super) fn open(process: Pid) -> rustix::io::Result<OwnedFd> {
    openat(CWD, of_process(process, "mem"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Searches all memory of `process` that can be read, whatever it is for. A mapping that goes away
/// while it is read, such as the stack on which a child was started, makes it look again.
///
/// # Errors
///
/// [`FileError`] when the kernel does not let us look.
pub(super) fn look(process: Pid, scanner: &Scanner) -> Result<Tally, FileError> {
    let mut tally = look_once(process, scanner)?;
    for _ in 1..LOOKS {
        if tally.unread > 0 {
            tally = look_once(process, scanner)?;
        }
    }
    Ok(tally)
}

fn look_once(process: Pid, scanner: &Scanner) -> Result<Tally, FileError> {
    let maps = read_capped(&of_process(process, "maps"), LONGEST_MAP)?;
    let path = of_process(process, "mem");
    let memory = open(process).map_err(|error| FileError::os("read", &path, error))?;
    let mut tally = Tally::default();
    let mut copies: BTreeMap<usize, usize> = BTreeMap::new();
    for mapping in String::from_utf8_lossy(&maps).lines().filter_map(Mapping::parse) {
        let block = mapping.read(&memory);
        tally.bytes += block.len();
        tally.unread += usize::from(block.len() < mapping.length);
        let found = scanner.search(&block);
        for needle in found.full {
            *copies.entry(needle).or_default() += 1;
        }
        if found.pieces > 0 {
            *tally.pieces.entry(mapping.kind).or_default() += found.pieces;
        }
    }
    tally.copies = copies.values().sum();
    tally.most = copies.values().copied().max().unwrap_or_default();
    tally.secrets = copies.into_keys().collect::<BTreeSet<_>>().len();
    Ok(tally)
}

/// A line of `/proc/PID/maps`.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    from: u64,
    length: usize,
    kind: &'static str,
}

impl Mapping {
    /// None when it cannot be read, or is a page that the kernel shares with every process.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (from, to) = words.next()?.split_once('-')?;
        let modes = words.next()?;
        let is_file = words.nth(2)? != "0";
        let name = words.next().unwrap_or_default();
        let is_kernels = name.starts_with("[v");
        if !modes.starts_with('r') || is_kernels {
            return None;
        }
        let bound = |text| u64::from_str_radix(text, 16).ok();
        let (from, to) = (bound(from)?, bound(to)?);
        let kind = match name {
            "[stack]" => "stack",
            "[heap]" => "heap",
            _ if is_file => "file",
            _ => "anonymous",
        };
        Some(Self { from, length: usize::try_from(to.checked_sub(from)?).ok()?, kind })
    }

    /// As much of it as can be read.
    fn read(&self, memory: &OwnedFd) -> Vec<u8> {
        let mut block = vec![0; self.length];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match pread(memory, rest, self.from + u64::try_from(filled).unwrap_or_default()) {
                Ok(count) if count > 0 => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
        block.truncate(filled);
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memory_is_looked_at_but_what_cannot_be_read_and_the_kernels_own() {
        let kind = |line| Mapping::parse(line).map(|mapping| (mapping.length, mapping.kind));
        assert_eq!(kind("7ffc1000-7ffc3000 rw-p 00000000 00:00 0    [stack]"), Some((0x2000, "stack")));
        assert_eq!(kind("5000-6000 rw-p 00000000 00:00 0    [heap]"), Some((0x1000, "heap")));
        assert_eq!(kind("5000-6000 rw-p 00000000 00:00 0 "), Some((0x1000, "anonymous")));
        assert_eq!(kind("5000-6000 r--p 00000000 00:00 0 "), Some((0x1000, "anonymous")));
        assert_eq!(kind("5000-6000 rw-p 00000000 fe:00 17  /usr/bin/x"), Some((0x1000, "file")));
        assert_eq!(kind("5000-6000 r-xp 00000000 fe:00 17  /usr/bin/x"), Some((0x1000, "file")));
        assert_eq!(kind("5000-6000 ---p 00000000 00:00 0 "), None);
        assert_eq!(kind("5000-6000 r--p 00000000 00:00 0  [vvar]"), None);
        assert_eq!(kind("nonsense"), None);
    }

    #[test]
    fn what_is_in_our_own_memory_is_found() {
        let needle = format!("{:x}-made-up-{:x}", std::process::id(), 0xfeed_u32 * 7919);
        let scanner = Scanner::of(std::slice::from_ref(&needle));
        let tally = look(rustix::process::getpid(), &scanner).unwrap();
        assert!(tally.copies >= 1 && tally.secrets == 1 && tally.bytes > 0, "{tally:?}");
    }
}
