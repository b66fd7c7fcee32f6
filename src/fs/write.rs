use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};

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
