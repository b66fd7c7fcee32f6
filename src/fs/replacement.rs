use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with, syncfs};
use rustix::io::Errno;

use super::FileError;
use super::directory::{is_named_by_id, make_directory, make_id, parent_of, sync};

/// How the name of an unfinished directory ends.
const STAGING: &str = ".new";
/// With more files than this, one flush of the whole file system is cheaper than one for each of them.
const SYNCED_ONE_BY_ONE: usize = 64;

/// A directory that takes another's place whole: it is filled beside it, then exchanged in one step.
///
/// Dropped before [`Replacement::commit`] it removes itself, and the old directory has never changed. A crash leaves
/// at worst the unfinished directory, whose name begins with `.` and ends with `.new`; the next replacement removes it.
#[derive(Debug)]
pub struct Replacement {
    target: PathBuf,
    staging: PathBuf,
    /// Held as long as this lives: an unfinished directory that nobody holds is a crash's.
    lock: File,
    added: Mutex<Added>,
    committed: bool,
}

/// What a replacement has so far.
#[derive(Debug, Default)]
struct Added {
    count: usize,
    /// The first of them.
    files: Vec<PathBuf>,
    directories: BTreeSet<PathBuf>,
}

impl Replacement {
    /// Makes an empty directory beside `target`, and its parents where they are missing. Removes those that crashes have
    /// left for the same target.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn of(target: &Path) -> Result<Self, FileError> {
        let parent = parent_of(target);
        std::fs::create_dir_all(parent).map_err(|error| FileError::os("create", parent, error))?;
        let prefix = format!(".{}.", target.file_name().unwrap_or_default().to_string_lossy());
        remove_abandoned(parent, &prefix);
        loop {
            let staging = parent.join(format!("{prefix}{}{STAGING}", make_id()?));
            make_directory(&staging, 0o755)?;
            // Between these two lines it looks abandoned: somebody may have removed it, and we make another
            match lock(&staging) {
                Ok(Some(lock)) => {
                    let target = target.to_owned();
                    return Ok(Self { target, staging, lock, added: Mutex::default(), committed: false });
                }
                Ok(None) => {}
                Err(error) => {
                    let _ = std::fs::remove_dir(&staging);
                    return Err(FileError::os("lock", &staging, error));
                }
            }
        }
    }

    /// Adds a public file at `name`, which may have directories in it. Several threads may add at once.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn add(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.staging.join(name);
        self.make_directories_of(&path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path);
        let mut file = file.map_err(|error| FileError::os("create", &path, error))?;
        file.write_all(content).map_err(|error| FileError::os("write", &path, error))?;
        self.note(path);
        Ok(())
    }

    /// Adds the file that the old directory has at `name`, as it is. It costs no space: both names are the same file.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn keep(&self, name: &str) -> Result<(), FileError> {
        let (old, path) = (self.target.join(name), self.staging.join(name));
        self.make_directories_of(&path)?;
        let linked = std::fs::hard_link(&old, &path).or_else(|_| std::fs::copy(&old, &path).map(|_| ()));
        linked.map_err(|error| FileError::os("create", &path, error))?;
        self.note(path);
        Ok(())
    }

    fn make_directories_of(&self, path: &Path) -> Result<(), FileError> {
        let mut missing = Vec::new();
        let mut directory = parent_of(path);
        let added = self.added();
        while directory != self.staging && !added.directories.contains(directory) {
            missing.push(directory.to_owned());
            directory = parent_of(directory);
        }
        // Others need not wait for the disk; where two make the same directory, it is there for both
        drop(added);
        for directory in missing.iter().rev() {
            match make_directory(directory, 0o755) {
                Err(FileError::Os { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {}
                made => made?,
            }
        }
        if !missing.is_empty() {
            self.added().directories.extend(missing);
        }
        Ok(())
    }

    /// Remembers that `path` must be written to the disk; of many files only how many they are.
    fn note(&self, path: PathBuf) {
        let mut added = self.added();
        added.count += 1;
        if added.count <= SYNCED_ONE_BY_ONE {
            added.files.push(path);
        }
    }

    fn added(&self) -> MutexGuard<'_, Added> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all that was added written to the disk.
    fn sync(&self) -> std::io::Result<()> {
        let added = self.added();
        if added.count > SYNCED_ONE_BY_ONE {
            return Ok(syncfs(&self.lock)?);
        }
        added.files.iter().chain(&added.directories).try_for_each(|path| sync(path))?;
        sync(&self.staging)
    }

    /// Puts the new directory in the old one's place, in one step, and removes the old one.
    ///
    /// # Errors
    ///
    /// [`FileError::NoExchange`] and [`FileError::Os`]; the old directory is untouched then. [`FileError::NotDurable`] when
    /// the new one is in place.
    pub fn commit(mut self) -> Result<(), FileError> {
        self.sync().map_err(|error| FileError::os("write", &self.staging, error))?;
        let exists = self.target.symlink_metadata().is_ok();
        let flags = if exists { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, &self.staging, CWD, &self.target, flags).map_err(|error| match error {
            Errno::INVAL | Errno::NOSYS => FileError::NoExchange { path: self.target.clone() },
            other => FileError::os("replace", &self.target, other),
        })?;
        self.committed = true;
        let synced = sync(parent_of(&self.target));
        // Only now: after a power cut the old name could still lead to what is removed
        if exists {
            // The staging name now has the old directory. It is complete and harmless where it cannot be removed
            let _ = std::fs::remove_dir_all(&self.staging);
        }
        synced.map_err(|source| FileError::NotDurable { path: self.target.clone(), source })
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_dir_all(&self.staging);
        }
    }
}

/// Removes the staging directories that no living process holds. What cannot be removed is left: it is harmless.
fn remove_abandoned(parent: &Path, prefix: &str) {
    let is_staging = |name: &str| is_named_by_id(name, prefix, STAGING);
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_staging)
            && let Ok(Some(_held)) = lock(&entry.path())
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The directory, open and locked; `None` when another process holds it or has removed it.
fn lock(directory: &Path) -> std::io::Result<Option<File>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let open = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(directory);
    let file = match open {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let ours = file.metadata()?;
    let is_there = directory
        .symlink_metadata()
        .is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino()));
    Ok(is_there.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

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
    fn a_file_that_is_kept_is_the_old_one_itself_and_files_may_stand_below() {
        let here = TemporaryDirectory::scratch();
        let target = here.path().join("bundle");
        let first = Replacement::of(&target).unwrap();
        first.add("sites/a/file", b"1").unwrap();
        first.add("sites/b/file", b"2").unwrap();
        first.commit().unwrap();
        let before = target.join("sites/a/file").metadata().unwrap().ino();
        let second = Replacement::of(&target).unwrap();
        second.keep("sites/a/file").unwrap();
        second.add("sites/b/file", b"3").unwrap();
        second.commit().unwrap();
        assert_eq!(target.join("sites/a/file").metadata().unwrap().ino(), before);
        assert_eq!(std::fs::read(target.join("sites/b/file")).unwrap(), b"3");
        assert_eq!(names(&target.join("sites")), ["a", "b"]);
    }

    #[test]
    fn an_unfinished_directory_is_removed_by_the_next_replacement_and_not_while_its_maker_lives() {
        let here = TemporaryDirectory::scratch();
        let target = here.path().join("bundle");
        let alive = Replacement::of(&target).unwrap();
        let id = make_id().unwrap();
        let others =
            [format!(".other.{id}.new"), String::from(".bundle.mine.new"), format!(".bundle.{id}.old")];
        let abandoned = here.write(&format!(".bundle.{id}.new/passwords.yaml.age"), "half");
        for other in &others {
            here.write(&format!("{other}/file"), "");
        }
        Replacement::of(&target).unwrap().commit().unwrap();
        assert!(!abandoned.parent().unwrap().exists());
        assert!(alive.staging.is_dir() && others.iter().all(|other| here.path().join(other).is_dir()));
        alive.add("late", b"1").unwrap();
        alive.commit().unwrap();
        assert_eq!(names(&target), ["late"]);
    }
}
