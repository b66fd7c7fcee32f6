use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, repeat};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat, statfs};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::geteuid;

use super::FileError;
use super::directory::{is_named_by_id, make_directory, make_id};

const PREFIX: &str = "dcn-vault-";
/// What one is called that is held: what is called so and is not locked was left behind.
const HELD_PREFIX: &str = "dcn-vault-run-";
/// What it is called until its maker holds it.
const UNFINISHED_PREFIX: &str = ".dcn-vault-run-";
/// How often a name is tried that somebody takes for one that was left behind.
const TRIES: usize = 8;
/// The kernel's numbers for file systems that are nowhere but in memory.
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// In such blocks the kernel counts what a file holds.
const BLOCK: u64 = 512;

/// A directory of one process, private, with a name that nobody can guess; removed when dropped.
///
/// One that is *held* is locked as long as its maker lives, or a child that was let hold it: when it is not locked, it was left
/// behind.
#[derive(Debug)]
pub struct TemporaryDirectory {
    path: PathBuf,
    lock: Option<OwnedFd>,
}

impl TemporaryDirectory {
    /// Makes one below `parent`.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn below(parent: &Path) -> Result<Self, FileError> {
        let path = parent.join(format!("{PREFIX}{}", make_id()?));
        make_directory(&path, 0o700)?;
        Ok(Self { path, lock: None })
    }

    /// Makes one that is held.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn held_below(parent: &Path) -> Result<Self, FileError> {
        Self::held_at(Self::name_below(parent)?)
    }

    /// A name for one below `parent` that will be held.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn name_below(parent: &Path) -> Result<PathBuf, FileError> {
        Ok(parent.join(format!("{HELD_PREFIX}{}", make_id()?)))
    }

    /// Makes the one with this name, held.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn held_at(path: PathBuf) -> Result<Self, FileError> {
        let parent = path.parent().unwrap_or_else(|| Path::new("."));
        let mut last = Errno::NOENT;
        for _ in 0..TRIES {
            // Under its own name only when it is locked: another that sweeps may come in between
            let unfinished = parent.join(format!("{UNFINISHED_PREFIX}{}", make_id()?));
            make_directory(&unfinished, 0o700)?;
            match lock(&unfinished).and_then(|lock| Ok((lock, rustix::fs::rename(&unfinished, &path)?))) {
                Ok((lock, ())) => return Ok(Self { path, lock: Some(lock) }),
                Err(error) => last = error,
            }
        }
        Err(FileError::os("create", &path, last))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a symbolic link into it.
    ///
    /// # Errors
    ///
    /// [`FileError::Os`].
    pub fn link(&self, name: &str, to: &Path) -> Result<PathBuf, FileError> {
        let path = self.path.join(name);
        std::os::unix::fs::symlink(to, &path).map_err(|error| FileError::os("create", &path, error))?;
        Ok(path)
    }

    /// Lets the children that are started from here on hold the directory: it counts as left behind only when they, too, have
    /// ended.
    ///
    /// # Errors
    ///
    /// The kernel's own.
    pub fn let_children_hold(&self) -> Result<(), Errno> {
        self.lock.as_ref().map_or(Ok(()), |lock| fcntl_setfd(lock, FdFlags::empty()))
    }

    /// Removes it, before it is dropped.
    pub fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }

    /// Overwrites what the files in it hold.
    pub fn wipe(&self) {
        wipe(&self.path);
    }

    /// Removes what processes of this user that are no more have left below `parent`, and wipes the files in it.
    pub fn sweep(parent: &Path) {
        let Ok(entries) = std::fs::read_dir(parent) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_held =
                is_named_by_id(name, HELD_PREFIX, "") || is_named_by_id(name, UNFINISHED_PREFIX, "");
            let is_of_user =
                || entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
            if is_held
                && is_of_user()
                && let Ok(lock) = lock(&entry.path())
            {
                // The one that is locked, whatever its name leads to by now
                wipe(Path::new(&in_proc(&lock)));
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether `directory` is there, on a file system that is nowhere but in memory (and in swap), and takes files of ours.
#[must_use]
pub fn is_in_memory(directory: &Path) -> bool {
    let kind = statfs(directory).ok().and_then(|found| u64::try_from(found.f_type).ok());
    matches!(kind, Some(TMPFS | RAMFS)) && super::refuse_unwritable(&directory.join("x")).is_ok()
}

fn lock(directory: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = openat(CWD, directory, flags, Mode::empty())?;
    flock(&held, FlockOperation::NonBlockingLockExclusive)?;
    Ok(held)
}

/// Overwrites the plain files in `directory`, in place. What cannot be overwritten is removed all the same.
fn wipe(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        // Whoever opens a pipe waits for a reader
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(entry.path());
        if let Ok(file) = file {
            fill(file);
        }
    }
}

/// Overwrites what is in `file`, which has no name any more.
pub fn wipe_nameless(file: &OwnedFd) {
    if let Ok(file) = OpenOptions::new().write(true).open(in_proc(file)) {
        fill(file);
    }
}

fn in_proc(descriptor: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

fn fill(mut file: File) {
    let Some(found) = file.metadata().ok().filter(Metadata::is_file) else { return };
    // In a file of holes there is less than its length says, and no room for that
    let held = found.blocks().saturating_mul(BLOCK);
    let _ = std::io::copy(&mut repeat(0).take(found.len().min(held)), &mut file);
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
            let path = self.path.join(name);
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

    #[test]
    fn what_was_left_behind_is_swept_and_what_is_held_is_not() {
        let parent = TemporaryDirectory::scratch();
        let held = TemporaryDirectory::held_below(parent.path()).unwrap();
        let left = TemporaryDirectory::held_below(parent.path()).unwrap();
        left.write("passwords.yaml", "not-a-real-secret");
        let path = left.path().to_owned();
        // As a kill does: the lock is gone, the directory is there
        flock(left.lock.as_ref().unwrap(), FlockOperation::Unlock).unwrap();
        let not_held = TemporaryDirectory::below(parent.path()).unwrap();
        let other = parent.write("dcn-vault-somebody", "else");
        TemporaryDirectory::sweep(parent.path());
        assert_eq!((path.exists(), held.path().exists(), other.exists()), (false, true, true));
        assert!(not_held.path().exists());
    }

    #[test]
    fn files_are_wiped_in_place_and_nothing_behind_a_link_is() {
        let here = TemporaryDirectory::scratch();
        let outside = TemporaryDirectory::scratch();
        let file = here.write("passwords.yaml", "not-a-real-secret");
        let kept = outside.write("kept", "text");
        here.link("link", &kept).unwrap();
        here.wipe();
        assert_eq!(crate::fs::read_public(&file).unwrap(), [0; 17]);
        assert_eq!(crate::fs::read_public(&kept).unwrap(), b"text");
    }

    #[test]
    fn what_has_lost_its_name_is_wiped_all_the_same() {
        let here = TemporaryDirectory::scratch();
        let file = OwnedFd::from(File::open(here.write("passwords.yaml", "not-a-real-secret")).unwrap());
        here.remove();
        wipe_nameless(&file);
        let content = crate::fs::read_open_secret(&file).unwrap();
        // EXPOSE: made up
        assert_eq!(content.expose(<[u8]>::to_vec), [0; 17]);
    }

    #[test]
    fn neither_a_pipe_nor_a_file_of_holes_stops_the_wiping() {
        let here = TemporaryDirectory::scratch();
        let pipe = here.path().join("a-pipe");
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let holes = here.write("holes", "");
        OpenOptions::new().write(true).open(&holes).unwrap().set_len(1 << 40).unwrap();
        let file = here.write("passwords.yaml", &"not-a-real-secret".repeat(10_000));
        here.wipe();
        assert!(crate::fs::read_public(&file).unwrap().iter().all(|byte| *byte == 0));
        assert_eq!(holes.metadata().unwrap().blocks(), 0);
    }
}
