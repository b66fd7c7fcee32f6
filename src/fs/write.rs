use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fd::BorrowedFd;

use crate::secret::SecretBuffer;

use super::FileError;

/// Creates a file that only its owner can read, and writes `content` to it. Never over an existing file, never through
/// a link; a file that could not be written whole is removed.
///
/// # Errors
///
/// [`FileError::Exists`] and [`FileError::Os`].
pub fn create_private(path: &Path, content: &SecretBuffer) -> Result<(), FileError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return FileError::Exists { path: path.to_owned() };
        }
        FileError::os("create", path, error)
    })?;
    // EXPOSE: written to the file that its owner asked for
    let written = content.expose(|bytes| file.write_all(bytes)).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        FileError::os("write", path, error)
    })
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
