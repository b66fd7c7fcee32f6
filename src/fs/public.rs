//! Public files that people keep by hand, in a directory that is made to be a git repository.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::directory::{make_id, parent_of, sync};
use super::held::UNFINISHED;
use super::{FileError, Held, read_public};

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link, to whatever.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// The names in `directory` and what they stand for, sorted; links are not followed. One that does not exist has none.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn entries_in(directory: &Path) -> Result<Vec<(OsString, EntryKind)>, FileError> {
    let failed = |error| FileError::os("read", directory, error);
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut named = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let kind = match kind {
            kind if kind.is_dir() => EntryKind::Directory,
            kind if kind.is_file() => EntryKind::File,
            kind if kind.is_symlink() => EntryKind::Link,
            _ => EntryKind::Other,
        };
        named.push((entry.file_name(), kind));
    }
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(named)
}

/// Reads a public file on which something rests: it must not be another user's whose group or others can write it.
///
/// # Errors
///
/// [`FileError::Writable`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_shared(path: &Path) -> Result<Vec<u8>, FileError> {
    let metadata = std::fs::metadata(path).map_err(|error| FileError::os("read", path, error))?;
    let me = rustix::process::geteuid().as_raw();
    let is_foreign = metadata.uid() != me && metadata.uid() != 0;
    if is_foreign && metadata.mode() & 0o022 != 0 {
        return Err(FileError::Writable { path: path.to_owned() });
    }
    read_public(path)
}

/// Writes a public file, whole or not at all, in the place of what is there; its mode is kept.
///
/// # Errors
///
/// [`FileError::Os`], and [`FileError::NotDurable`] when the new one is in place.
pub fn replace_public(path: &Path, content: &[u8]) -> Result<(), FileError> {
    // A link stays one: its file is replaced
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = std::fs::metadata(&target).ok().map(|metadata| metadata.permissions().mode() & 0o7777);
    let beside = sweep(&target)?.join(unfinished_name(&target)?);
    let written = write_new(&beside, content, mode).and_then(|()| {
        std::fs::rename(&beside, &target).map_err(|error| FileError::os("replace", path, error))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync(parent_of(&target)).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Removes what crashes have left of the replacement, or the removal, of what is at `path`. Returns the directory that it is in.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn sweep(path: &Path) -> Result<&Path, FileError> {
    let parent = parent_of(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Held::hold(parent)?.remove_unfinished(&name);
    Ok(parent)
}

/// Puts a new public file at `path`, whole or not at all, by way of the directory that would have `place` in it: in the file's own
/// nobody ever sees another name.
///
/// # Errors
///
/// [`FileError::Os`], and [`FileError::NotDurable`] when it is in place.
pub fn place_public(path: &Path, place: &Path, content: &[u8]) -> Result<(), FileError> {
    let beside = sweep(place)?.join(unfinished_name(place)?);
    let written = write_new(&beside, content, None).and_then(|()| {
        let placed = renameat_with(CWD, &beside, CWD, path, RenameFlags::NOREPLACE);
        placed.map_err(|error| FileError::os("create", path, error))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync(parent_of(path)).map_err(|source| FileError::NotDurable { path: path.to_owned(), source })
}

/// Makes `path` and what is missing above it, with the mode that the umask gives.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn make_public_directories(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o777).create(path);
    made.map_err(|error| FileError::os("create", path, error))
}

/// Removes `directory` and all that is in it, at once or not at all, by way of the directory that has `place` in it; of a link, the
/// link.
///
/// # Errors
///
/// [`FileError::Os`], and [`FileError::NotDurable`] when it is gone.
pub fn remove_directory(directory: &Path, place: &Path) -> Result<(), FileError> {
    let beside = sweep(place)?.join(unfinished_name(place)?);
    std::fs::rename(directory, &beside).map_err(|error| FileError::os("remove", directory, error))?;
    let synced = sync(parent_of(directory));
    // What cannot be removed is harmless here, and swept later
    remove_all(&beside);
    synced.map_err(|source| FileError::NotDurable { path: directory.to_owned(), source })
}

/// Removes whatever `path` is; of a link, the link.
pub(super) fn remove_all(path: &Path) {
    let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
}

fn unfinished_name(path: &Path) -> Result<String, FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!(".{name}.{}{UNFINISHED}", make_id()?))
}

fn write_new(path: &Path, content: &[u8], mode: Option<u32>) -> Result<(), FileError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode.unwrap_or(0o666)).open(path);
    let mut file = file.map_err(|error| FileError::os("create", path, error))?;
    // The umask is for new files; what was there keeps its mode whole
    let kept = mode.map_or(Ok(()), |mode| file.set_permissions(std::fs::Permissions::from_mode(mode)));
    let written = kept.and_then(|()| file.write_all(content)).and_then(|()| file.sync_all());
    written.map_err(|error| FileError::os("write", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{TemporaryDirectory, names_in};

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let here = TemporaryDirectory::scratch();
        let path = here.write("file", "old");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
        let link = here.link("link", &path).unwrap();
        replace_public(&link, b"new").unwrap();
        assert_eq!((read_public(&path).unwrap().as_slice(), mode(&path)), (&b"new"[..], 0o664));
        assert!(link.is_symlink());
        replace_public(&here.path().join("other"), b"").unwrap();
        assert_eq!(names_in(here.path()).unwrap(), ["file", "link", "other"]);
    }

    #[test]
    fn what_a_crash_has_left_is_swept() {
        let here = TemporaryDirectory::scratch();
        let id = make_id().unwrap();
        let place = here.path().join("place");
        here.write(&format!(".place.{id}.new/file"), "");
        here.write(&format!(".place.{}.new", make_id().unwrap()), "half");
        here.write(&format!(".other.{id}.new"), "");
        sweep(&place).unwrap();
        assert_eq!(names_in(here.path()).unwrap(), [format!(".other.{id}.new").as_str()]);
    }

    #[test]
    fn what_cannot_be_replaced_leaves_nothing() {
        let here = TemporaryDirectory::scratch();
        here.write("directory/file", "");
        assert!(replace_public(&here.path().join("directory"), b"new").is_err());
        assert_eq!(names_in(here.path()).unwrap(), ["directory"]);
    }

    #[test]
    fn a_link_is_removed_and_not_what_it_leads_to() {
        let here = TemporaryDirectory::scratch();
        let file = here.write("directory/file", "");
        let link = here.link("link", file.parent().unwrap()).unwrap();
        let place = here.path().join("place");
        remove_directory(&link, &place).unwrap();
        assert!(file.exists());
        remove_directory(file.parent().unwrap(), &place).unwrap();
        assert_eq!(names_in(here.path()).unwrap(), Vec::<OsString>::new());
    }
}
