use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fd::BorrowedFd;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::secret::SecretBuffer;

use super::FileError;

/// The largest file that is read, in MiB: a plan has tens of KB, an output of a large cloud hundreds.
const LIMIT_MIB: usize = 64;
const BLOCK: usize = 64 * 1024;

/// Reads a file that may hold secrets.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_secret(path: &Path) -> Result<SecretBuffer, FileError> {
    drain(&mut open(path)?, path, LIMIT_MIB)
}

/// Reads a file that must be its owner's alone: an age identity.
///
/// # Errors
///
/// [`FileError::NotPrivate`], [`FileError::NotOwned`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_private(path: &Path) -> Result<SecretBuffer, FileError> {
    let mut file = open(path)?;
    // Asked of the open file: the name may point elsewhere a moment later
    let metadata = file.metadata().map_err(|error| FileError::os("read", path, error))?;
    let mode = metadata.mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(FileError::NotPrivate { path: path.to_owned(), mode });
    }
    let me = rustix::process::geteuid().as_raw();
    if metadata.is_file() && metadata.uid() != me && metadata.uid() != 0 {
        return Err(FileError::NotOwned { path: path.to_owned() });
    }
    drain(&mut file, path, LIMIT_MIB)
}

/// Reads a public file whole: ciphertext, a manifest, recipients.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_public(path: &Path) -> Result<Vec<u8>, FileError> {
    read_capped(path, LIMIT_MIB * 1024 * 1024)
}

/// As [`read_public`], of a file that comes from elsewhere: it must be there itself. A link would lead anywhere, and whoever
/// opens a pipe waits for ever.
///
/// # Errors
///
/// [`FileError::NotPlain`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_plain(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |error| FileError::os("read", path, error);
    let not_plain = || FileError::NotPlain { path: path.to_owned(), wanted: "file" };
    if !path.symlink_metadata().map_err(failed)?.is_file() {
        return Err(not_plain());
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file =
        OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(failed)?;
    // Asked again of the open file: the name may stand for something else by now
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(not_plain());
    }
    take(&file, path, LIMIT_MIB * 1024 * 1024)
}

/// Reads a public file of at most `limit` bytes.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_capped(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    take(&open(path)?, path, limit)
}

/// Reads a public file of at most `limit` bytes on which much depends: nobody but its owner, who is us or root, may write it.
///
/// # Errors
///
/// [`FileError::NotGuarded`], [`FileError::NotOwned`], [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_guarded(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let file = open(path)?;
    // Asked of the open file: the name may point elsewhere a moment later
    let metadata = file.metadata().map_err(|error| FileError::os("read", path, error))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(FileError::NotGuarded { path: path.to_owned(), mode });
    }
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me && metadata.uid() != 0 {
        return Err(FileError::NotOwned { path: path.to_owned() });
    }
    take(&file, path, limit)
}

/// Where `path` really is, without links and dots.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn true_path(path: &Path) -> Result<PathBuf, FileError> {
    std::fs::canonicalize(path).map_err(|error| FileError::os("open", path, error))
}

/// The permission bits of `path`.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn mode(path: &Path) -> Result<u32, FileError> {
    let metadata = std::fs::metadata(path).map_err(|error| FileError::os("read", path, error))?;
    Ok(metadata.mode() & 0o7777)
}

/// The user and the group to whom `path` belongs.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn owner(path: &Path) -> Result<(u32, u32), FileError> {
    let metadata = std::fs::metadata(path).map_err(|error| FileError::os("read", path, error))?;
    Ok((metadata.uid(), metadata.gid()))
}

/// Whether `path` is ours, root's, or of whoever `place` belongs to.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn is_owned_as(path: &Path, place: &Path) -> Result<bool, FileError> {
    let owner = |path: &Path| {
        let metadata = std::fs::metadata(path).map_err(|error| FileError::os("read", path, error))?;
        Ok(metadata.uid())
    };
    let (of, me) = (owner(path)?, rustix::process::geteuid().as_raw());
    Ok(of == me || of == 0 || of == owner(place)?)
}

/// Whether `path` is a directory, and ours.
#[must_use]
pub fn is_own_directory(path: &Path) -> bool {
    let me = rustix::process::geteuid().as_raw();
    std::fs::metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == me)
}

/// Whether both are on one file system. One that is not there is on none.
#[must_use]
pub fn is_same_file_system(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    device(one).is_some_and(|of_one| Some(of_one) == device(other))
}

/// When `path` was last written.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn modified(path: &Path) -> Result<SystemTime, FileError> {
    let metadata = std::fs::metadata(path).map_err(|error| FileError::os("read", path, error))?;
    metadata.modified().map_err(|error| FileError::os("read", path, error))
}

/// The directories in `directory`, sorted. One that does not exist has none.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn directories_below(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let paths = names_in(directory)?.into_iter().map(|name| directory.join(name));
    Ok(paths.filter(|path| path.is_dir()).collect())
}

/// Whether the program at `path` runs as another user than who starts it.
#[must_use]
pub fn changes_user(path: &Path) -> bool {
    const SET_USER: u32 = 0o4000;
    std::fs::metadata(path).is_ok_and(|found| found.mode() & SET_USER != 0)
}

/// The names of all that is in `directory`, sorted.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn names_in(directory: &Path) -> Result<Vec<OsString>, FileError> {
    let failed = |error| FileError::os("read", directory, error);
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(failed)?;
    names.sort();
    Ok(names)
}

/// Reads standard input, which may hold secrets.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_stdin() -> Result<SecretBuffer, FileError> {
    // Not io::stdin(): its buffer lives as long as the process and is never wiped
    let fd = rustix::stdio::stdin();
    drain(&mut Descriptor(fd), Path::new("<stdin>"), LIMIT_MIB)
}

/// Reads a part of standard input, which may hold secrets: its length as eight digits, then as many bytes.
///
/// # Errors
///
/// [`FileError::Os`] and [`FileError::TooLarge`].
pub fn read_stdin_part() -> Result<SecretBuffer, FileError> {
    let (path, stdin) = (Path::new("<stdin>"), rustix::stdio::stdin());
    let failed = |error| FileError::os("read", path, error);
    let mut digits = [0; 8];
    Descriptor(stdin).read_exact(&mut digits).map_err(failed)?;
    let length = std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok());
    let length: usize = length.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    if length > LIMIT_MIB * 1024 * 1024 {
        return Err(too_large(path));
    }
    let mut block = Zeroizing::new(vec![0; length]);
    Descriptor(stdin).read_exact(&mut block).map_err(failed)?;
    let mut content = SecretBuffer::with_capacity(length);
    content.push(&block);
    Ok(content)
}

/// Reads what a terminal gives at once, which is a line; without the line's end. Empty where the input has ended.
///
/// # Errors
///
/// [`FileError::Os`].
pub fn read_line(terminal: BorrowedFd<'_>) -> Result<SecretBuffer, FileError> {
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    let count = loop {
        match Descriptor(terminal).read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read.map_err(|error| FileError::os("read", Path::new("/dev/tty"), error))?,
        }
    };
    let line = block.get(..count).unwrap_or_default();
    let mut content = SecretBuffer::with_capacity(count);
    content.push(line.strip_suffix(b"\n").unwrap_or(line));
    Ok(content)
}

pub(super) fn open(path: &Path) -> Result<File, FileError> {
    File::open(path).map_err(|error| FileError::os("read", path, error))
}

fn take(file: &File, path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| FileError::os("read", path, error))?;
    if bytes.len() > limit { Err(too_large(path)) } else { Ok(bytes) }
}

pub(super) fn drain(from: &mut impl Read, path: &Path, limit: usize) -> Result<SecretBuffer, FileError> {
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    let mut content = SecretBuffer::with_capacity(BLOCK);
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(content),
            Ok(count) => content.push(block.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileError::os("read", path, error)),
        }
        if content.len() > limit * 1024 * 1024 {
            return Err(FileError::TooLarge { path: path.to_owned(), limit });
        }
    }
}

fn too_large(path: &Path) -> FileError {
    FileError::TooLarge { path: path.to_owned(), limit: LIMIT_MIB }
}

pub(super) struct Descriptor<'fd>(pub(super) BorrowedFd<'fd>);

impl Read for Descriptor<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, block)?)
    }
}
