use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::FileError;
use super::directory::parent_of;

/// So many digits has no process id.
const LONGEST_ID: u64 = 20;

/// The right to write a directory, which one process has at a time. Dropped, it is free again; so it is after a crash.
///
/// It is a file beside the directory, `.NAME.lock`, with the holder's process id in it. It goes with its holder; what a crash has
/// left is taken over.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of `target`, whose parent must exist.
    ///
    /// # Errors
    ///
    /// [`FileError::Busy`] when another process holds it, with that one's id where it can be told; [`FileError::Os`].
    pub fn of(target: &Path) -> Result<Self, FileError> {
        let name = format!(".{}.lock", target.file_name().unwrap_or_default().to_string_lossy());
        let path = parent_of(target).join(name);
        loop {
            let failed = |error| FileError::os("lock", &path, error);
            let mut file = open(&path).map_err(failed)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(busy(target, &mut file)),
                Err(error) => return Err(failed(error.into())),
            }
            // Its holder may have removed it between these lines: then the lock is of no file, and we make another
            if is_named(&file, &path).map_err(failed)? {
                let id = rustix::process::getpid().as_raw_nonzero();
                let written = file.set_len(0).and_then(|()| file.write_all(format!("{id}\n").as_bytes()));
                let lock = Self { path, _file: file };
                return written.map(|()| lock).map_err(|error| FileError::os("lock", target, error));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

fn busy(target: &Path, file: &mut File) -> FileError {
    let mut text = String::new();
    let holder = file.take(LONGEST_ID).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
    FileError::Busy { path: target.to_owned(), holder }
}

fn is_named(file: &File, path: &Path) -> std::io::Result<bool> {
    let ours = file.metadata()?;
    Ok(path.symlink_metadata().is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    #[test]
    fn of_two_one_holds_it_the_other_is_told_by_whom_and_nothing_is_left() {
        let here = TemporaryDirectory::scratch();
        let target = here.path().join("bundle");
        let held = Lock::of(&target).unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        let refused = Lock::of(&target).unwrap_err();
        assert!(matches!(&refused, FileError::Busy { holder: Some(id), .. } if *id == me), "{refused}");
        drop(held);
        drop(Lock::of(&target).unwrap());
        assert_eq!(crate::fs::names_in(here.path()).unwrap(), Vec::<std::ffi::OsString>::new());
    }

    #[test]
    fn what_a_crash_has_left_is_taken_over() {
        let here = TemporaryDirectory::scratch();
        here.write(".bundle.lock", "99999999\n");
        drop(Lock::of(&here.path().join("bundle")).unwrap());
    }
}
