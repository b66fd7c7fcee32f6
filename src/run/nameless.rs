//! Files in memory that no path leads to.

use std::path::Path;

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, memfd_create, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_remount};

use crate::fs::{self, write_fd};
use crate::secret::SecretBuffer;

use super::RunError;
use super::worker::HandedOver;

/// Where the worker's ramfs is mounted, in a mount namespace that ends with it. Whatever is below is hidden from the
/// worker alone, after it has read all that it needs.
const MOUNT_POINTS: [&str; 3] = ["/tmp", "/run", "/mnt"];

/// The files on a ramfs, which never swaps: read-only, and gone with the last descriptor.
///
/// Within it they stand below the very words of `directory`, where the supervisor makes the links to them. Once this
/// process and its mounts are gone, those words are what the kernel calls an open file of it. A program that resolves a
/// link by its text, as Python's `Path.resolve` does, so comes back to the link, and opens that.
pub(super) fn on_ramfs(files: &[HandedOver], directory: &Path) -> Result<Vec<OwnedFd>, RunError> {
    let failed = RunError::os("make a file in memory");
    let point = MOUNT_POINTS
        .into_iter()
        .map(Path::new)
        .find(|point| point.is_dir())
        .ok_or(Errno::NOENT)
        .map_err(&failed)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("dcn-vault", point, "ramfs", flags, c"mode=0700").map_err(&failed)?;
    let inside = point.join(directory.strip_prefix("/").unwrap_or(directory));
    fs::make_private_directories(&inside)?;
    let file = |file: &HandedOver| ramfs_file(&inside.join(&file.name), &file.content);
    let files = files.iter().map(file).collect::<Result<_, _>>().map_err(&failed)?;
    // ramfs knows no seals, but nobody, root neither, opens a file of a read-only mount for writing
    mount_remount(point, flags | MountFlags::RDONLY | MountFlags::BIND, "").map_err(&failed)?;
    Ok(files)
}

/// The files as sealed memfds, which may swap.
pub(super) fn on_memfd(files: &[HandedOver]) -> Result<Vec<OwnedFd>, Errno> {
    files.iter().map(|file| memfd(&file.content)).collect()
}

pub(super) fn ramfs_file(path: &Path, content: &SecretBuffer) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::RUSR)?;
    write_fd(file.as_fd(), content)?;
    read_only(&file)
}

fn memfd(content: &SecretBuffer) -> Result<OwnedFd, Errno> {
    let file = memfd_create("dcn-vault", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    fchmod(&file, Mode::RUSR)?;
    write_fd(file.as_fd(), content)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    read_only(&file)
}

/// Opens it again, at its start, for reading only.
fn read_only(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}
