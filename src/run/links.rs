use std::path::{Path, PathBuf};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use crate::fs::TemporaryDirectory;
use crate::model::EnvironmentFile;

use super::RunError;

/// Scripts use the small numbers for themselves: `exec 3>log` must not close a file of ours.
const FIRST_DESCRIPTOR: i32 = 64;

/// A directory of links that gives each inherited descriptor the name of its file. The links hold no secret, and lead
/// nowhere for a process that did not inherit the descriptors.
pub(super) struct Links {
    directory: TemporaryDirectory,
    files: Vec<EnvironmentFile>,
    descriptors: Vec<OwnedFd>,
}

impl Links {
    pub(super) fn make(directory: PathBuf, files: Vec<(String, OwnedFd)>) -> Result<Self, RunError> {
        let directory = TemporaryDirectory::at(directory)?;
        let mut links = Self { directory, files: Vec::new(), descriptors: Vec::new() };
        for (name, file) in files {
            let Some(environment_file) = EnvironmentFile::named(&name) else { continue };
            let descriptor =
                fcntl_dupfd_cloexec(&file, FIRST_DESCRIPTOR).map_err(RunError::os("pass a descriptor on"))?;
            links
                .directory
                .link(&name, &PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd())))?;
            links.files.push(environment_file);
            links.descriptors.push(descriptor);
        }
        Ok(links)
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn files(&self) -> &[EnvironmentFile] {
        &self.files
    }

    /// Lets the next child inherit the descriptors.
    pub(super) fn open_to_child(&self) -> Result<(), RunError> {
        let open = |descriptor| fcntl_setfd(descriptor, FdFlags::empty());
        self.descriptors.iter().try_for_each(open).map_err(RunError::os("pass a descriptor on"))
    }

    /// Closes our own descriptors: only the child's tree can read the files from here on.
    pub(super) fn close(&mut self) {
        self.descriptors.clear();
    }
}
