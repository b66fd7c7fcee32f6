//! The files in the bundle's own directory, for a mount namespace.

use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::mount::{MountFlags, mount, mount_remount};

use super::RunError;
use super::nameless::ramfs_file;
use super::worker::HandedOver;

/// Puts a ramfs, which never swaps, over `directory`, with the files; read-only from then on. Returns a descriptor of each.
pub(super) fn over(directory: &Path, files: &[HandedOver]) -> Result<Vec<OwnedFd>, RunError> {
    let failed = RunError::os("put memory over the bundle");
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("dcn-vault", directory, "ramfs", flags, c"mode=0700").map_err(&failed)?;
    let file = |file: &HandedOver| ramfs_file(&directory.join(&file.name), &file.content);
    let files = files.iter().map(file).collect::<Result<_, _>>().map_err(&failed)?;
    mount_remount(directory, flags | MountFlags::RDONLY | MountFlags::BIND, "").map_err(&failed)?;
    Ok(files)
}
