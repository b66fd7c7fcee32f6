use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::rand::{GetRandomFlags, getrandom};

use super::FileError;

/// A directory of one process, private, with a name that nobody can guess; removed when dropped.
#[derive(Debug)]
pub struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Makes one below `parent`.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn below(parent: &Path) -> Result<Self, FileError> {
        Self::at(Self::name_below(parent)?)
    }

    /// A name for one below `parent`, which is not made yet.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn name_below(parent: &Path) -> Result<PathBuf, FileError> {
        Ok(parent.join(format!("dcn-vault-{}", make_id()?)))
    }

    /// Makes the one with this name.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn at(path: PathBuf) -> Result<Self, FileError> {
        make_directory(&path, 0o700)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Puts a symbolic link into it.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn link(&self, name: &str, to: &Path) -> Result<PathBuf, FileError> {
        let path = self.0.join(name);
        std::os::unix::fs::symlink(to, &path).map_err(|error| FileError::os("create", &path, error))?;
        Ok(path)
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    impl TemporaryDirectory {
        /// One for a test.
        pub(crate) fn scratch() -> Self {
            Self::below(&std::env::temp_dir()).unwrap()
        }

        /// Writes a fixture.
        #[allow(clippy::disallowed_methods, reason = "a test's own fixture")]
        pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    #[test]
    fn a_temporary_directory_is_private_and_goes_away() {
        use std::os::unix::fs::MetadataExt;
        let directory = TemporaryDirectory::scratch();
        let path = directory.path().to_owned();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        drop(directory);
        assert!(!path.exists());
    }
}
