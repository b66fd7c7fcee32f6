use std::path::Path;

use rustix::fd::BorrowedFd;

use crate::secret::SecretBuffer;

use super::{FileError, NewFile};

/// Creates a file that only its owner can read, with all of `content` or not at all. Never over an existing file, never
/// through a link.
///
/// # Errors
///
/// [`FileError::Exists`], [`FileError::NotDurable`] and [`FileError::Os`].
pub fn create_private(path: &Path, content: &SecretBuffer) -> Result<(), FileError> {
    let file = NewFile::at(path)?;
    write_fd(file.file(), content).map_err(|error| FileError::os("write", path, error))?;
    file.commit()
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
