use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, fstatfs, openat, readlinkat, statat,
};
use rustix::io::Errno;

use super::Moment;

/// Deeper directories are not entered: each holds a descriptor.
const DEEPEST: usize = 200;
/// What the kernel makes up when it is read: proc, sysfs, debugfs, tracefs, securityfs, cgroups, bpf, devpts, pstore, efivarfs.
const MADE_UP: [i64; 12] = [
    0x9fa0,
    0x6265_6572,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x0027_e0eb,
    0x6367_7270,
    0xcafe_4a11,
    0x1cd1,
    0x6165_676c,
    0xde5e_81e4,
    0x6572_6362,
];

/// What something in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundKind {
    /// A directory.
    Directory,
    /// A file with content.
    File,
    /// A symbolic link, which is never followed.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// Something that was found in a directory, seen through the open directory: no name is looked up twice.
#[derive(Debug)]
pub struct Found<'a> {
    directory: BorrowedFd<'a>,
    name: &'a CStr,
    path: &'a Path,
    stat: Stat,
}

impl Found<'_> {
    /// Where it is.
    #[must_use]
    pub const fn path(&self) -> &Path {
        self.path
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> FoundKind {
        match FileType::from_raw_mode(self.stat.st_mode) {
            FileType::Directory => FoundKind::Directory,
            FileType::RegularFile => FoundKind::File,
            FileType::Symlink => FoundKind::Link,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => FoundKind::Other,
        }
    }

    /// Its permission bits.
    #[must_use]
    pub const fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    /// Its owner and its group, by number.
    #[must_use]
    pub const fn owner(&self) -> (u32, u32) {
        (self.stat.st_uid, self.stat.st_gid)
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or_default()
    }

    /// When it was last written, in seconds since 1970.
    #[must_use]
    pub const fn modified(&self) -> i64 {
        self.stat.st_mtime
    }

    /// Whether its content, its name or its mode have changed since `moment`.
    #[must_use]
    pub fn is_changed_since(&self, moment: Moment) -> bool {
        let nanoseconds = i64::try_from(self.stat.st_ctime_nsec).unwrap_or_default();
        Moment::at(self.stat.st_ctime, nanoseconds) >= moment
    }

    /// Opens it, if it is still a file.
    ///
    /// # Errors
    ///
    /// The kernel's own.
    pub fn open(&self) -> rustix::io::Result<OwnedFd> {
        // A pipe that has taken its place must not make us wait
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(self.directory, self.name, flags, Mode::empty())?;
        let is_file = FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::RegularFile;
        if is_file { Ok(file) } else { Err(Errno::INVAL) }
    }

    /// Where a link leads to.
    ///
    /// # Errors
    ///
    /// The kernel's own.
    pub fn target(&self) -> rustix::io::Result<OsString> {
        let target = readlinkat(self.directory, self.name, Vec::new())?;
        Ok(OsStr::from_bytes(target.as_bytes()).to_owned())
    }
}

/// What a walk comes by.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is nothing else")]
pub enum Step<'a> {
    /// Something in a directory.
    Found(&'a Found<'a>),
    /// A directory that may not be read, or something that has gone while we looked.
    Unreadable(&'a Path),
}

/// Shows `visit` all that is below `root`, in the order of names; it says whether a directory is to be entered. No link is
/// followed, and nothing is entered that the kernel makes up. A `root` that is not there has nothing below it.
pub fn walk(root: &Path, visit: &mut dyn FnMut(Step<'_>) -> bool) {
    match open_directory(CWD, root) {
        Ok(directory) => below(&directory, root, 0, visit),
        Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(_) => {
            visit(Step::Unreadable(root));
        }
    }
}

/// Shows `visit` what is at `path` itself, if something is.
pub fn look(path: &Path, visit: &mut dyn FnMut(Step<'_>) -> bool) {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
    let Ok(directory) = open_directory(CWD, parent) else { return };
    let Ok(name) = std::ffi::CString::new(name.as_bytes()) else { return };
    if let Ok(stat) = statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
        visit(Step::Found(&Found { directory: directory.as_fd(), name: &name, path, stat }));
    }
}

fn open_directory(at: BorrowedFd<'_>, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

fn below(directory: &OwnedFd, path: &Path, depth: usize, visit: &mut dyn FnMut(Step<'_>) -> bool) {
    let Ok(entries) = Dir::read_from(directory) else {
        visit(Step::Unreadable(path));
        return;
    };
    let mut names: Vec<_> = entries.map_while(Result::ok).map(|entry| entry.file_name().to_owned()).collect();
    names.retain(|name| name.as_bytes() != b"." && name.as_bytes() != b"..");
    names.sort();
    let is_made_up =
        |directory: &OwnedFd| fstatfs(directory).is_ok_and(|system| MADE_UP.contains(&system.f_type));
    for name in &names {
        let path: PathBuf = path.join(OsStr::from_bytes(name.as_bytes()));
        let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let found = Found { directory: directory.as_fd(), name, path: &path, stat };
        let is_directory = found.kind() == FoundKind::Directory;
        if !visit(Step::Found(&found)) || !is_directory {
            continue;
        }
        match open_directory(directory.as_fd(), name) {
            Ok(inner) if is_made_up(&inner) => {}
            Ok(inner) if depth < DEEPEST => below(&inner, &path, depth + 1, visit),
            Err(Errno::NOENT) => {}
            Ok(_) | Err(_) => {
                visit(Step::Unreadable(&path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    fn seen(root: &Path) -> Vec<String> {
        let mut seen = Vec::new();
        walk(root, &mut |step| {
            let path = match step {
                Step::Found(found) => found.path(),
                Step::Unreadable(path) => path,
            };
            seen.push(path.strip_prefix(root).unwrap().display().to_string());
            !path.ends_with("closed")
        });
        seen
    }

    #[test]
    fn all_is_seen_in_order_but_nothing_behind_a_link_or_in_what_is_not_to_be_entered() {
        let here = TemporaryDirectory::scratch();
        let elsewhere = TemporaryDirectory::scratch();
        elsewhere.write("file", "x");
        for name in ["b/.hidden", "a", "closed/file", "b/c/d"] {
            here.write(name, "x");
        }
        here.link("link", elsewhere.path()).unwrap();
        assert_eq!(seen(here.path()), ["a", "b", "b/.hidden", "b/c", "b/c/d", "closed", "link"]);
        assert_eq!(seen(&here.path().join("absent")), [""; 0]);
        assert_eq!(seen(&here.path().join("link")), [""; 0]);
    }
}
