use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, RenameFlags, accessat, renameat_with};
use rustix::rand::{GetRandomFlags, getrandom};

use super::FileError;

/// A directory that takes another's place whole: it is filled beside it, then exchanged in one step.
///
/// Dropped before [`Replacement::commit`] it removes itself, and the old directory has never changed. A crash leaves
/// at worst the unfinished directory, whose name begins with `.` and ends with `.new`.
#[derive(Debug)]
pub struct Replacement {
    target: PathBuf,
    staging: PathBuf,
    committed: bool,
}

impl Replacement {
    /// Makes an empty directory beside `target`, and its parents where they are missing.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn of(target: &Path) -> Result<Self, FileError> {
        let parent = parent_of(target);
        std::fs::create_dir_all(parent).map_err(|error| FileError::os("create", parent, error))?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let staging = parent.join(format!(".{name}.{}.new", make_id()?));
        make_directory(&staging, 0o755)?;
        Ok(Self { target: target.to_owned(), staging, committed: false })
    }

    /// Adds a public file, on the disk before this returns.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn add(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.staging.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path);
        let mut file = file.map_err(|error| FileError::os("create", &path, error))?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        written.map_err(|error| FileError::os("write", &path, error))
    }

    /// Puts the new directory in the old one's place, in one step, and removes the old one.
    ///
    /// # Errors
    ///
    /// [`FileError::NoExchange`] and [`FileError::Os`]; the old directory is untouched then.
    pub fn commit(mut self) -> Result<(), FileError> {
        sync(&self.staging)?;
        let exists = self.target.symlink_metadata().is_ok();
        let flags = if exists { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, &self.staging, CWD, &self.target, flags).map_err(|error| match error {
            rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS => {
                FileError::NoExchange { path: self.target.clone() }
            }
            other => FileError::os("replace", &self.target, other),
        })?;
        self.committed = true;
        if exists {
            // The staging name now has the old directory. It is complete and harmless where it cannot be removed
            let _ = std::fs::remove_dir_all(&self.staging);
        }
        sync(parent_of(&self.target))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_dir_all(&self.staging);
        }
    }
}

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

fn make_directory(path: &Path, mode: u32) -> Result<(), FileError> {
    DirBuilder::new().mode(mode).create(path).map_err(|error| FileError::os("create", path, error))
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn sync(directory: &Path) -> Result<(), FileError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| FileError::os("write", directory, error))
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

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_replacement_that_is_not_committed_leaves_the_old_directory_and_nothing_else() {
        let here = TemporaryDirectory::scratch();
        let target = here.path().join("bundle");
        let first = Replacement::of(&target).unwrap();
        first.add("old", b"1").unwrap();
        first.commit().unwrap();
        let second = Replacement::of(&target).unwrap();
        second.add("new", b"2").unwrap();
        drop(second);
        assert_eq!(names(here.path()), ["bundle"]);
        assert_eq!(names(&target), ["old"]);
    }

    #[test]
    fn a_committed_one_takes_the_place_whole() {
        let here = TemporaryDirectory::scratch();
        let target = here.path().join("deep").join("bundle");
        for name in ["old", "new"] {
            let replacement = Replacement::of(&target).unwrap();
            replacement.add(name, b"1").unwrap();
            replacement.commit().unwrap();
        }
        assert_eq!(names(&target), ["new"]);
        assert_eq!(names(target.parent().unwrap()), ["bundle"]);
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
