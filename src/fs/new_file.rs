use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, linkat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::FileError;
use super::directory::{make_id, parent_of};

/// A file of mode 0600 that gets its name only when it is whole, and never another's. Its directory is held open: the name is
/// made there, whatever is mounted over it meanwhile.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    name: OsString,
    directory: OwnedFd,
    file: OwnedFd,
    /// The name that it has until then, where the file system knows no nameless files.
    unfinished: Option<OsString>,
}

impl NewFile {
    /// One that will be `path`.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`] and [`FileError::Os`].
    pub fn at(path: &Path) -> Result<Self, FileError> {
        let failed = |error: Errno| FileError::os("create", path, error);
        let name = path.file_name().ok_or(Errno::ISDIR).map_err(failed)?.to_owned();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, parent_of(path), flags, Mode::empty()).map_err(failed)?;
        if statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(FileError::Exists { path: path.to_owned() });
        }
        let mode = Mode::RUSR | Mode::WUSR;
        let nameless = openat(&directory, ".", OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode);
        let (file, unfinished) = if let Ok(file) = nameless {
            (file, None)
        } else {
            let unfinished = OsString::from(format!(".{}.{}.new", name.to_string_lossy(), make_id()?));
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            (openat(&directory, &unfinished, flags, mode).map_err(failed)?, Some(unfinished))
        };
        Ok(Self { path: path.to_owned(), name, directory, file, unfinished })
    }

    /// Where to write.
    #[must_use]
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Gives it its name, now that it is whole.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`], [`FileError::NotDurable`] and [`FileError::Os`].
    pub fn commit(&self) -> Result<(), FileError> {
        fsync(&self.file).map_err(|error| FileError::os("write", &self.path, error))?;
        let linked = if let Some(unfinished) = &self.unfinished {
            linkat(&self.directory, unfinished, &self.directory, &self.name, AtFlags::empty())
        } else {
            let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            linkat(CWD, nameless, &self.directory, &self.name, AtFlags::SYMLINK_FOLLOW)
        };
        linked.map_err(|error| match error {
            Errno::EXIST => FileError::Exists { path: self.path.clone() },
            other => FileError::os("create", &self.path, other),
        })?;
        fsync(&self.directory)
            .map_err(|error| FileError::NotDurable { path: self.path.clone(), source: error.into() })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.unfinished {
            let _ = unlinkat(&self.directory, unfinished, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::fs::{TemporaryDirectory, names_in};

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_none_before() {
        let here = TemporaryDirectory::scratch();
        let path = here.path().join("file");
        let new = NewFile::at(&path).unwrap();
        rustix::io::write(new.file(), b"whole").unwrap();
        assert!(!path.exists());
        new.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        drop(NewFile::at(&here.path().join("other")).unwrap());
        assert_eq!(names_in(here.path()).unwrap(), ["file"]);
    }

    #[test]
    fn what_is_there_is_never_replaced_nor_what_comes_meanwhile_nor_a_link_followed() {
        let here = TemporaryDirectory::scratch();
        let path = here.write("file", "old");
        assert!(matches!(NewFile::at(&path), Err(FileError::Exists { .. })));
        let link = here.link("link", &here.path().join("absent")).unwrap();
        assert!(matches!(NewFile::at(&link), Err(FileError::Exists { .. })));
        let new = NewFile::at(&here.path().join("late")).unwrap();
        here.write("late", "somebody else's");
        assert!(matches!(new.commit(), Err(FileError::Exists { .. })));
        assert_eq!(names_in(here.path()).unwrap(), ["file", "late", "link"]);
    }
}
