//! Where a secret goes that was asked for: to a pipe, to a new file, to a terminal only by name.

use std::path::{Path, PathBuf};

use rustix::stdio::stdout;
use rustix::termios::isatty;

use crate::fs::{self, FileError};
use crate::report::Hint;
use crate::secret::SecretBuffer;

use super::exit::Failure;
use super::ui::BrokenPipe;

/// Standard output is a terminal, where a secret stays in view and in the scroll-back.
#[derive(Debug, thiserror::Error)]
#[error("standard output is a terminal")]
struct Terminal;

impl Hint for Terminal {
    fn hint(&self) -> String {
        String::from("-o FILE writes a new file of mode 0600; -o - writes to the terminal all the same")
    }
}

/// A place that takes a secret.
pub(super) enum Output {
    File(PathBuf),
    Stdout,
}

impl Output {
    /// The one that `-o` names, or standard output; refused before anything is opened for it.
    pub(super) fn of(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            None if isatty(stdout()) => Err(Terminal.into()),
            Some(path) if path.as_os_str() != "-" => {
                if path.symlink_metadata().is_ok() {
                    return Err(FileError::Exists { path: path.to_owned() }.into());
                }
                Ok(Self::File(path.to_owned()))
            }
            _ => Ok(Self::Stdout),
        }
    }

    /// Writes it: to a file, all of it or nothing.
    pub(super) fn write(&self, content: &SecretBuffer) -> Result<(), Failure> {
        match self {
            Self::File(path) => Ok(fs::create_private(path, content)?),
            Self::Stdout => Ok(fs::write_fd(stdout(), content).map_err(|_| BrokenPipe)?),
        }
    }
}
