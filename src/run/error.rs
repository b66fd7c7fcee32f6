use std::io;

use crate::fs::FileError;
use crate::report::Hint;

/// Why the command did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The links could not be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// The command may not be executed.
    #[error("`{command}` cannot be executed: {reason}")]
    NotExecutable {
        /// As it was given.
        command: String,
        /// What the kernel says.
        reason: String,
    },
    /// There is no such command.
    #[error("`{command}` is not found")]
    NotFound {
        /// As it was given.
        command: String,
    },
    /// The kernel refuses something that every process may do.
    #[error("cannot {what}: {source}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The worker has failed, and has said why.
    #[error("the bundle was not opened")]
    Worker,
    /// The worker is gone without a word.
    #[error("the process that opens the bundle was killed")]
    WorkerKilled,
}

impl RunError {
    pub(super) fn os(what: &'static str) -> impl Fn(rustix::io::Errno) -> Self {
        move |error| Self::Os { what, source: error.into() }
    }
}

impl Hint for RunError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::File(error) => return error.hint(),
            Self::NotExecutable { .. } => {
                "check its mode and its first line; the command is run without a shell"
            }
            Self::NotFound { .. } => {
                "check its spelling and PATH; for shell syntax use: dcn-vault run -- sh -c '…'"
            }
            Self::Os { .. } => {
                "a container or a security module may forbid it: `dmesg` and the audit log say more"
            }
            Self::Worker => "see above",
            Self::WorkerKilled => "is the host short of memory? `dmesg` says more",
        })
    }
}
