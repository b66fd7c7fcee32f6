use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::FileError;
use super::directory::{is_named_by_id, make_id, sync};
use super::public::remove_all;

/// How the name of an unfinished file ends.
pub(super) const UNFINISHED: &str = ".new";

/// A directory that nobody else holds until this is dropped, and in which files are replaced whole.
#[derive(Debug)]
pub struct Held {
    directory: PathBuf,
    /// The lock lives as long as it is open.
    _lock: File,
}

impl Held {
    /// Holds `directory`; another that holds it is waited for.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn hold(directory: &Path) -> Result<Self, FileError> {
        let failed = |error| FileError::os("lock", directory, error);
        let lock = File::open(directory).map_err(failed)?;
        loop {
            match flock(&lock, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self { directory: directory.to_owned(), _lock: lock }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
    }

    /// Puts a file with these public bytes, which only its owner can read or write, in the place of `name`: the old one or
    /// the new one is there, whole, whatever happens. What a crash has left of an earlier one is removed.
    ///
    /// # Errors
    ///
    /// [`FileError::NotDurable`] and [`FileError::Os`].
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.remove_unfinished(name);
        let path = self.directory.join(name);
        let unfinished = self.directory.join(format!(".{name}.{}{UNFINISHED}", make_id()?));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let mut file = file.map_err(|error| FileError::os("create", &unfinished, error))?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.and_then(|()| std::fs::rename(&unfinished, &path)).map_err(|error| {
            let _ = std::fs::remove_file(&unfinished);
            FileError::os("write", &path, error)
        })?;
        self.sync(path)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    ///
    /// [`FileError::NotDurable`] and [`FileError::Os`].
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.directory.join(name);
        std::fs::remove_file(&path).map_err(|error| FileError::os("remove", &path, error))?;
        self.sync(path)
    }

    fn sync(&self, path: PathBuf) -> Result<(), FileError> {
        sync(&self.directory).map_err(|source| FileError::NotDurable { path, source })
    }

    /// Who writes one holds the directory: those that are there are nobody's. What cannot be removed is harmless.
    pub(super) fn remove_unfinished(&self, name: &str) {
        let prefix = format!(".{name}.");
        let is_unfinished = |other: &str| is_named_by_id(other, &prefix, UNFINISHED);
        for entry in std::fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(is_unfinished) {
                remove_all(&entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::fs::{TemporaryDirectory, names_in, read_public};

    #[test]
    fn a_file_is_replaced_whole_and_private_and_what_a_crash_left_is_gone() {
        let here = TemporaryDirectory::scratch();
        let id = make_id().unwrap();
        here.write("seen", "old");
        here.write(&format!(".seen.{id}.new"), "half");
        let others = [format!(".other.{id}.new"), String::from(".seen.abc.new"), format!(".seen.{id}.old")];
        for other in &others {
            here.write(other, "");
        }
        let held = Held::hold(here.path()).unwrap();
        held.replace("seen", b"new").unwrap();
        let path = here.path().join("seen");
        assert_eq!(read_public(&path).unwrap(), b"new");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let mut expected: Vec<&str> = others.iter().map(String::as_str).chain(["seen"]).collect();
        expected.sort_unstable();
        assert_eq!(names_in(here.path()).unwrap(), expected);
        held.remove("seen").unwrap();
        assert!(!path.exists() && held.remove("seen").is_err());
    }

    #[test]
    fn who_cannot_write_leaves_the_old_file_and_nothing_else() {
        let here = TemporaryDirectory::scratch();
        here.write("seen/file", "a directory is in the way");
        let held = Held::hold(here.path()).unwrap();
        assert!(held.replace("seen", b"new").is_err());
        assert_eq!(names_in(here.path()).unwrap(), ["seen"]);
    }
}
