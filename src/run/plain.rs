use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::fs::{self, TemporaryDirectory};
use crate::model::EnvironmentFile;

use super::place::Place;
use super::worker::HandedOver;
use super::{RunError, pass};

/// A directory in memory for files that have a name. They are wiped and removed when this is dropped; where we are killed, by the
/// next `run` of the user.
pub(super) struct PlainFiles {
    directory: TemporaryDirectory,
    files: Vec<EnvironmentFile>,
}

impl PlainFiles {
    /// One below the first of `places` that is in memory.
    pub(super) fn below(places: &[PathBuf]) -> Result<Self, RunError> {
        let place =
            places.iter().find(|place| fs::is_in_memory(place)).ok_or_else(|| RunError::NotInMemory {
                looked_at: places
                    .iter()
                    .map(|place| place.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
        let place = fs::true_path(place)?;
        TemporaryDirectory::sweep(&place);
        Ok(Self { directory: TemporaryDirectory::held_below(&place)?, files: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes their names away. What is in them stays with who holds them open.
    pub(super) fn lose_names(&self) {
        self.directory.remove();
    }

    /// Takes note of what the worker has written.
    pub(super) fn are_there(&mut self, written: &[(String, OwnedFd)]) {
        self.files = pass::environment_files(written).collect();
    }
}

impl Place for PlainFiles {
    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn files(&self) -> &[EnvironmentFile] {
        &self.files
    }

    // As long as the command's tree holds the directory, nobody takes it for one that was left behind
    fn let_child_hold(&self) -> Result<(), Errno> {
        self.directory.let_children_hold()
    }

    fn keep_to_ourselves(&self) -> Result<(), Errno> {
        Ok(())
    }
}

/// The worker's part: writes the files into `directory`, and returns descriptors of them.
pub(super) fn write(files: &[HandedOver], directory: &Path) -> Result<Vec<OwnedFd>, RunError> {
    let failed = RunError::os("make a file in memory");
    let write = |file: &HandedOver| {
        let path = directory.join(&file.name);
        fs::create_private(&path, &file.content)?;
        openat(CWD, &path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
            .map_err(&failed)
    };
    files.iter().map(write).collect()
}

impl Drop for PlainFiles {
    fn drop(&mut self) {
        self.directory.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBuffer;

    #[test]
    fn files_that_still_have_their_names_are_wiped_when_the_command_did_not_start() {
        let files = PlainFiles::below(&[PathBuf::from("/dev/shm")]).unwrap();
        let mut content = SecretBuffer::new();
        content.push(b"not-a-real-secret");
        let written =
            write(&[HandedOver { name: String::from("passwords.yaml"), content }], files.path()).unwrap();
        drop(files);
        let left = fs::read_open_secret(&written[0]).unwrap();
        // EXPOSE: made up
        assert_eq!(left.expose(<[u8]>::to_vec), [0; 17]);
    }
}
