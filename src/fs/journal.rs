use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Take};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::{Timespec, poll};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::FileError;

/// A writer holds the file for less than a millisecond; who holds it for seconds has been stopped, or means harm.
const PATIENCE: usize = 5_000;
const MILLISECOND: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// A public file of lines to which many processes append, each a whole line at a time.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

/// The right to append to a [`Journal`], which one process has at a time.
#[derive(Debug)]
pub struct JournalEnd<'a> {
    journal: &'a Journal,
    length: u64,
}

impl Journal {
    /// Opens the file at `path`, or makes it, for its owner alone. Never through a link; its directory must exist.
    ///
    /// # Errors
    ///
    /// [`FileError::NotPlain`], [`FileError::NotOwned`], [`FileError::NotGuarded`] when others may write it, and
    /// [`FileError::Os`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed());
        let not_plain = || FileError::NotPlain { path: path.to_owned(), wanted: "file" };
        let file = options.open(path).map_err(|error| match Errno::from_io_error(&error) {
            // A link; a socket
            Some(Errno::LOOP | Errno::NXIO) => not_plain(),
            _ => FileError::os("write", path, error),
        })?;
        let metadata = file.metadata().map_err(|error| FileError::os("write", path, error))?;
        if !metadata.is_file() {
            return Err(not_plain());
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(FileError::NotOwned { path: path.to_owned() });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(FileError::NotGuarded { path: path.to_owned(), mode });
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Waits till nobody else appends.
    ///
    /// # Errors
    ///
    /// [`FileError::Busy`] when somebody holds it for seconds, and [`FileError::Os`].
    pub fn hold(&self) -> Result<JournalEnd<'_>, FileError> {
        lock(&self.file, &self.path, FlockOperation::NonBlockingLockExclusive)?;
        match self.file.metadata() {
            Ok(metadata) => Ok(JournalEnd { journal: self, length: metadata.len() }),
            Err(error) => {
                unlock(&self.file);
                Err(FileError::os("read", &self.path, error))
            }
        }
    }
}

impl JournalEnd<'_> {
    /// How many bytes there are.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The last `count` bytes, or all where there are fewer.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn tail(&self, count: usize) -> Result<Vec<u8>, FileError> {
        let count = usize::try_from(self.length).unwrap_or(usize::MAX).min(count);
        let start = self.length.saturating_sub(u64::try_from(count).unwrap_or_default());
        let mut bytes = vec![0; count];
        let read = self.journal.file.read_exact_at(&mut bytes, start);
        read.map(|()| bytes).map_err(|error| FileError::os("read", &self.journal.path, error))
    }

    /// Appends `bytes` in one step. Where the disk takes only a part of them, that part is taken back, if the file system lets us.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn append(self, bytes: &[u8]) -> Result<(), FileError> {
        let file = &self.journal.file;
        let written = loop {
            match rustix::io::write(file, bytes) {
                Err(Errno::INTR) => {}
                Ok(count) if count == bytes.len() => break Ok(()),
                Ok(_) => break Err(Errno::NOSPC),
                Err(error) => break Err(error),
            }
        };
        written.map_err(|error| {
            let _ = file.set_len(self.length);
            FileError::os("write", &self.journal.path, error)
        })
    }
}

impl Drop for JournalEnd<'_> {
    fn drop(&mut self) {
        unlock(&self.journal.file);
    }
}

/// Opens the file of lines at `path` to read what is in it now; what is being appended meanwhile is not seen in part.
///
/// # Errors
///
/// [`FileError::NotPlain`], [`FileError::Busy`] and [`FileError::Os`].
pub fn read_journal(path: &Path) -> Result<BufReader<Take<File>>, FileError> {
    let failed = |error| FileError::os("read", path, error);
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    lock(&file, path, FlockOperation::NonBlockingLockShared)?;
    let metadata = file.metadata();
    unlock(&file);
    let metadata = metadata.map_err(failed)?;
    if !metadata.is_file() {
        return Err(FileError::NotPlain { path: path.to_owned(), wanted: "file" });
    }
    Ok(BufReader::new(file.take(metadata.len())))
}

fn lock(file: &File, path: &Path, how: FlockOperation) -> Result<(), FileError> {
    for _ in 0..PATIENCE {
        match flock(file, how) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) => drop(poll(&mut [], Some(&MILLISECOND))),
            Err(Errno::INTR) => {}
            Err(error) => return Err(FileError::os("lock", path, error)),
        }
    }
    Err(FileError::Busy { path: path.to_owned(), holder: None })
}

fn unlock(file: &File) {
    // What cannot be unlocked is so when the file is closed
    let _ = flock(file, FlockOperation::Unlock);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::fs::TemporaryDirectory;

    #[test]
    fn lines_are_appended_and_the_end_is_read_back() {
        let here = TemporaryDirectory::scratch();
        let path = here.path().join("log");
        let journal = Journal::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        for line in ["one\n", "two\n"] {
            journal.hold().unwrap().append(line.as_bytes()).unwrap();
        }
        let end = journal.hold().unwrap();
        assert_eq!(
            (end.length(), end.tail(3).unwrap(), end.tail(100).unwrap()),
            (8, b"wo\n".to_vec(), b"one\ntwo\n".to_vec())
        );
        drop(end);
        let mut text = String::new();
        read_journal(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn what_is_no_file_of_ours_alone_is_refused() {
        let here = TemporaryDirectory::scratch();
        let (real, link) = (here.write("real", ""), here.path().join("link"));
        symlink(&real, &link).unwrap();
        assert!(matches!(Journal::open(&link), Err(FileError::NotPlain { .. })));
        assert!(matches!(Journal::open(Path::new("/dev/null")), Err(FileError::NotPlain { .. })));
        assert!(matches!(Journal::open(&here.path().join("no/log")), Err(FileError::Os { .. })));
        assert!(matches!(Journal::open(here.path()), Err(FileError::Os { .. })));
        std::fs::set_permissions(&real, PermissionsExt::from_mode(0o664)).unwrap();
        assert!(matches!(Journal::open(&real), Err(FileError::NotGuarded { mode: 0o664, .. })));
        std::fs::set_permissions(&real, PermissionsExt::from_mode(0o644)).unwrap();
        Journal::open(&real).unwrap();
    }
}
