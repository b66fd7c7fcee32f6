use std::io;
use std::path::{Path, PathBuf};

use crate::fs::FileError;
use crate::report::Hint;

use super::policy::PolicyError;

/// Why nobody can be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// systemd's sockets are not what it says.
    #[error("the sockets that were handed over cannot be used: {why}")]
    Activation {
        /// What is wrong with them.
        why: &'static str,
    },
    /// Another service has the place.
    #[error("somebody answers at `{}` already", .path.display())]
    Answers {
        /// The socket.
        path: PathBuf,
    },
    /// The place cannot be taken.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something else has the name.
    #[error("`{}` is not a socket", .path.display())]
    NotASocket {
        /// What is there.
        path: PathBuf,
    },
    /// The kernel refuses something that every process may do.
    #[error("cannot {what}: {}", crate::fs::reason(.source))]
    Os {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// There is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl ServeError {
    pub(super) fn os<E: Into<io::Error>>(what: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Os { what: what.to_owned(), source: error.into() }
    }

    pub(super) fn bind(path: &Path, error: impl Into<io::Error>) -> Self {
        Self::Os { what: format!("listen at `{}`", path.display()), source: error.into() }
    }
}

impl Hint for ServeError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Activation { .. } => {
                "use dcn-vault.socket as it ships, or `StandardInput=socket` in the service"
            }
            Self::Answers { .. } => "end it first, or choose another place with --socket",
            Self::File(error) => return error.hint(),
            Self::NotASocket { .. } => "choose another place with --socket, or remove it first",
            Self::Os { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "make the directory first: `mkdir -m 755`, or packaging/systemd/dcn-vault.tmpfiles"
            }
            Self::Os { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                "the path of a socket has at most 107 bytes"
            }
            Self::Os { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run this as a user who may"
            }
            Self::Os { .. } => "a security module may forbid it: `dmesg` and the audit log say more",
            Self::Policy(error) => return error.hint(),
        })
    }
}
