use std::path::{Path, PathBuf};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use crate::fs::TemporaryDirectory;
use crate::model::EnvironmentFile;

use super::RunError;
use super::facts::NAME as FACTS;
use super::place::Place;

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
    pub(super) fn make(directory: PathBuf, files: &[(String, OwnedFd)]) -> Result<Self, RunError> {
        let directory = TemporaryDirectory::held_at(directory)?;
        let mut links = Self { directory, files: Vec::new(), descriptors: Vec::new() };
        for (name, file) in files {
            if name == FACTS {
                continue;
            }
            let descriptor =
                fcntl_dupfd_cloexec(file, FIRST_DESCRIPTOR).map_err(RunError::os("pass a descriptor on"))?;
            links
                .directory
                .link(name, &PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd())))?;
            links.files.extend(EnvironmentFile::named(name));
            links.descriptors.push(descriptor);
        }
        Ok(links)
    }
}

impl Place for Links {
    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn files(&self) -> &[EnvironmentFile] {
        &self.files
    }

    fn let_child_hold(&self) -> Result<(), Errno> {
        self.directory.let_children_hold()?;
        self.descriptors.iter().try_for_each(|descriptor| fcntl_setfd(descriptor, FdFlags::empty()))
    }

    fn keep_to_ourselves(&self) -> Result<(), Errno> {
        self.descriptors.iter().try_for_each(|descriptor| fcntl_setfd(descriptor, FdFlags::CLOEXEC))
    }
}
