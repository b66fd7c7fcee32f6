//! Reads that an identity comes in by: a credential of a service manager, an inherited descriptor, what a command writes.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use crate::secret::SecretBuffer;

use super::FileError;
use super::read::{Descriptor, drain, open as open_file};

/// The largest identity that is read, in MiB. One of a person has a few hundred bytes, and so has an ssh key.
const LIMIT_MIB: usize = 1;

/// Reads a file of `$CREDENTIALS_DIRECTORY`. It is as systemd makes it: of mode 0400 and the service's, or root's with an access
/// list that lets the service read it, which the mode shows as 0440. What it never is: open to everybody, or to be written.
///
/// # Errors
///
/// [`FileError::NotPrivate`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_credential(path: &Path) -> Result<SecretBuffer, FileError> {
    let mut file = open_file(path)?;
    // Asked of the open file: the name may point elsewhere a moment later
    let metadata = file.metadata().map_err(|error| FileError::os("read", path, error))?;
    let mode = metadata.mode() & 0o7777;
    if metadata.is_file() && mode & 0o037 != 0 {
        return Err(FileError::NotPrivate { path: path.to_owned(), mode });
    }
    drain(&mut file, path, LIMIT_MIB)
}

/// Reads what this process has inherited as descriptor `number`, to its end. A file that has a name must be its owner's alone.
///
/// # Errors
///
/// [`FileError::NotPrivate`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_inherited(number: i32) -> Result<SecretBuffer, FileError> {
    let name = PathBuf::from(format!("fd:{number}"));
    let failed = |error: Errno| FileError::os("read", &name, error);
    let descriptor = inherited(number).map_err(failed)?;
    let status = fstat(&descriptor).map_err(failed)?;
    let mode = status.st_mode & 0o7777;
    let is_file = rustix::fs::FileType::from_raw_mode(status.st_mode).is_file();
    // Of a file without a name, a memfd say, the mode keeps nobody out
    if is_file && status.st_nlink > 0 && mode & 0o077 != 0 {
        let path = super::true_path(&in_proc(number)).unwrap_or(name);
        return Err(FileError::NotPrivate { path, mode });
    }
    drain(&mut Descriptor(descriptor.as_fd()), &name, LIMIT_MIB)
}

/// Whether this process has a descriptor `number`.
#[must_use]
pub fn is_open(number: i32) -> bool {
    in_proc(number).exists()
}

/// Reads what `from` gives, to its end: what a command writes that `name` stands for.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_output(from: BorrowedFd<'_>, name: &str) -> Result<SecretBuffer, FileError> {
    drain(&mut Descriptor(from), Path::new(name), LIMIT_MIB)
}

/// A copy of what this process has inherited as descriptor `number`, closed to programs that it starts. From a number only unsafe code
/// makes an owner: so the kernel makes the copy, asked as of another process.
///
/// # Errors
///
/// The kernel's own.
pub fn copy_inherited(number: i32) -> Result<OwnedFd, Errno> {
    let us = pidfd_open(getpid(), PidfdFlags::empty())?;
    if us.as_raw_fd() == number {
        // It was free, and is ours only now
        return Err(Errno::BADF);
    }
    pidfd_getfd(us, number, PidfdGetfdFlags::empty())
}

/// A copy of the descriptor. Opened anew it would not be where it stands now, a socket not at all, nor a file that only whoever
/// has opened it may read; but a kernel before 5.6 has nothing else for us, nor a sandbox that forbids it.
fn inherited(number: i32) -> Result<OwnedFd, Errno> {
    match copy_inherited(number) {
        Err(Errno::NOSYS | Errno::PERM) => {
            open(in_proc(number), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        }
        copy => copy,
    }
}

fn in_proc(number: i32) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{number}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};

    use super::*;

    #[test]
    fn a_pipe_is_read_to_its_end_and_no_further_than_the_limit() {
        for (length, is_read) in
            [(0, true), (3, true), (LIMIT_MIB << 20, true), ((LIMIT_MIB << 20) + 1, false)]
        {
            let (reader, mut writer) = pipe().unwrap();
            // Whoever reads no further closes the pipe
            let written = std::thread::spawn(move || writer.write_all(&vec![b'x'; length]).is_ok());
            let read = read_inherited(reader.as_raw_fd());
            drop(reader);
            assert!(written.join().unwrap() || !is_read);
            assert_eq!(read.is_ok(), is_read, "{length}");
            assert!(read.is_err() || read.unwrap().len() == length);
        }
    }

    #[test]
    fn what_is_not_open_is_not_read() {
        let error = read_inherited(9999).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `fd:9999`: bad file descriptor");
        assert!(!is_open(9999));
    }
}
