use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, linkat, openat};

use crate::secret::SecretBuffer;

use super::FileError;
use super::directory::{parent_of, sync};

/// Creates a file that only its owner can read, with all of `content` or not at all. Never over an existing file, never
/// through a link.
///
/// # Errors
///
/// [`FileError::Exists`], [`FileError::NotDurable`] and [`FileError::Os`].
pub fn create_private(path: &Path, content: &SecretBuffer) -> Result<(), FileError> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match openat(CWD, parent_of(path), flags, Mode::RUSR | Mode::WUSR) {
        Ok(nameless) => create_by_name_at_the_end(path, &File::from(nameless), content)?,
        Err(_) => create_by_name_at_first(path, content)?,
    }
    sync(parent_of(path)).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Puts a file with these bytes, which only its owner can read or write, in the place of `path`: the old one or the
/// new one is there, whole, whatever happens.
///
/// # Errors
///
/// [`FileError::NotDurable`] and [`FileError::Os`].
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let directory = parent_of(path);
    let unfinished = directory.join(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
    // What a crash has left
    let _ = std::fs::remove_file(&unfinished);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
    let mut file = file.map_err(|error| FileError::os("create", &unfinished, error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&unfinished, path)).map_err(|error| {
        let _ = std::fs::remove_file(&unfinished);
        FileError::os("write", path, error)
    })?;
    sync(directory).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Removes a file.
///
/// # Errors
///
/// [`FileError::NotDurable`] and [`FileError::Os`].
pub fn remove_private(path: &Path) -> Result<(), FileError> {
    std::fs::remove_file(path).map_err(|error| FileError::os("remove", path, error))?;
    sync(parent_of(path)).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Holds `directory` until what is returned is dropped; another that holds it is waited for.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn hold(directory: &Path) -> Result<Held, FileError> {
    let failed = |error| FileError::os("lock", directory, error);
    let file = File::open(directory).map_err(failed)?;
    loop {
        match flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(Held(file)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
    }
}

/// A directory that nobody else holds.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "the lock lives as long as it is open")] File);

/// Writes `content` to a descriptor with `write(2)`: no buffer in between keeps a copy.
///
/// # Errors
///
/// The kernel's own.
pub fn write_fd(fd: BorrowedFd<'_>, content: &SecretBuffer) -> rustix::io::Result<()> {
    // EXPOSE: handed to the kernel
    content.expose(|mut bytes| {
        while !bytes.is_empty() {
            match rustix::io::write(fd, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })
}

/// The name is given to a file that is whole: a crash leaves no half of it.
fn create_by_name_at_the_end(path: &Path, file: &File, content: &SecretBuffer) -> Result<(), FileError> {
    fill(file, content).map_err(|error| FileError::os("write", path, error))?;
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(|error| refused(path, error.into()))
}

/// For file systems that know no nameless files.
fn create_by_name_at_first(path: &Path, content: &SecretBuffer) -> Result<(), FileError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| refused(path, error))?;
    fill(&file, content).map_err(|error| {
        let _ = std::fs::remove_file(path);
        FileError::os("write", path, error)
    })
}

fn fill(mut file: &File, content: &SecretBuffer) -> std::io::Result<()> {
    // EXPOSE: written to the file that its owner asked for
    content.expose(|bytes| file.write_all(bytes))?;
    file.sync_all()
}

fn refused(path: &Path, error: std::io::Error) -> FileError {
    if error.kind() == ErrorKind::AlreadyExists {
        return FileError::Exists { path: path.to_owned() };
    }
    FileError::os("create", path, error)
}
