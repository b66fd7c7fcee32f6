use std::path::Path;

use rustix::io::Errno;

use crate::model::EnvironmentFile;

/// Where the files are for a command that is in no namespace.
pub(super) trait Place {
    /// The directory.
    fn path(&self) -> &Path;
    /// What is in it.
    fn files(&self) -> &[EnvironmentFile];
    /// Lets the next child have what it needs of our descriptors.
    fn let_child_hold(&self) -> Result<(), Errno>;
    /// Keeps them from whatever else we start.
    fn keep_to_ourselves(&self) -> Result<(), Errno>;
}
