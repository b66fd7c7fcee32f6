use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::rand::{GetRandomFlags, getrandom};

use super::FileError;

/// 128 random bits as hexadecimal: a name that nobody else has.
///
/// # Errors
///
/// [`FileError::Os`] when the kernel gives no random numbers.
pub fn make_id() -> Result<String, FileError> {
    let mut bytes = [0; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(|error| FileError::os("read", Path::new("the kernel's random numbers"), error))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Whether `text` is such an id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether `name` is `prefix`, an id and `suffix`: what a crash has left, and nothing of anybody else's.
pub(super) fn is_named_by_id(name: &str, prefix: &str, suffix: &str) -> bool {
    name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(is_id)
}

/// Refuses a path whose nearest directory that exists takes no new names.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn refuse_unwritable(path: &Path) -> Result<(), FileError> {
    let mut nearest = parent_of(path);
    while !nearest.exists() {
        nearest = parent_of(nearest);
    }
    accessat(CWD, nearest, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
        .map_err(|error| FileError::os("write in", nearest, error))
}

/// Makes `path` and what is missing above it, for its owner alone.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn make_private_directories(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| FileError::os("create", path, error))
}

pub(super) fn make_directory(path: &Path, mode: u32) -> Result<(), FileError> {
    DirBuilder::new().mode(mode).create(path).map_err(|error| FileError::os("create", path, error))
}

pub(super) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Has the names in `directory` written to the disk.
pub(super) fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}
