use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::fs::{self, TemporaryDirectory};

/// Memory for what the command writes to `$TMPDIR`, where the host has some: larger than the runtime directory, which is often a
/// tenth of the host's.
const SHARED_MEMORY: &str = "/dev/shm";

/// A temporary directory in memory, for one command. It is removed when this is dropped.
pub(super) struct Scratch {
    held: TemporaryDirectory,
    /// Within it, since what the command does there may lock the directory that it is in.
    path: PathBuf,
}

impl Scratch {
    /// One, where there is a place for it: without it the command has the directory that it would have had without us.
    pub(super) fn make() -> Option<Self> {
        let place = Path::new(SHARED_MEMORY);
        if !fs::is_in_memory(place) {
            return None;
        }
        TemporaryDirectory::sweep(place);
        let held = TemporaryDirectory::held_below(place).ok()?;
        let path = held.path().join("tmp");
        fs::make_private_directories(&path).ok()?;
        Some(Self { held, path })
    }

    /// As long as the command's tree holds the directory, nobody takes it for one that was left behind.
    pub(super) fn let_child_hold(&self) -> Result<(), Errno> {
        self.held.let_children_hold()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
