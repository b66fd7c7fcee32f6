//! The client: asks a service for a value, and takes nothing for one that is not whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::stat;
use rustix::io::{Errno, read};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};
use rustix::process::geteuid;

use crate::fs::receive;
use crate::report::Hint;
use crate::secret::SecretBuffer;

use super::asked::Asked;
use super::protocol::{LONGEST_STATUS, Status, request_line};

/// Longer than any service is silent, unless its policy makes it wait longer.
const PATIENCE: Duration = Duration::from_secs(150);

/// Why a service has not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The answer is not whole.
    #[error("the answer of `{}` is cut", .path.display())]
    Cut {
        /// The socket.
        path: PathBuf,
    },
    /// It is somebody's whom nobody has asked to serve here.
    #[error("`{}` is served by user {uid}, who is not root, not you, and not whose directory it is in", .path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// The user.
        uid: u32,
    },
    /// It does not speak our protocol.
    #[error("`{}` does not answer as dcn-vault does", .path.display())]
    NotOurs {
        /// The socket.
        path: PathBuf,
    },
    /// The kernel refuses.
    #[error("cannot ask `{}`: {}", .path.display(), crate::fs::reason(&std::io::Error::from(*.source)))]
    Os {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: Errno,
    },
    /// The service says no.
    #[error("{error}")]
    Refused {
        /// In its words.
        error: String,
        /// What it advises.
        hint: String,
    },
}

impl Hint for AskError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Cut { .. } => "ask again; its log says what has happened",
            Self::Foreign { .. } => "it could give false values: see who has made it",
            Self::NotOurs { .. } => "is it the right socket? Another version may speak another protocol",
            Self::Os { source: Errno::CONNREFUSED | Errno::NOENT, .. } => {
                "is the service running? `systemctl status dcn-vault.socket`, or `dcn-vault serve`"
            }
            Self::Os { source: Errno::ACCESS, .. } => {
                "the socket is its owner's and, perhaps, a group's: are you in it?"
            }
            Self::Os { source: Errno::AGAIN, .. } => "it is silent: its log says more",
            Self::Os { .. } => "check the path",
            Self::Refused { hint, .. } => return hint.clone(),
        })
    }
}

/// Asks the service at `path`.
///
/// # Errors
///
/// Any [`AskError`]; there is no value then.
pub fn ask(path: &Path, asked: &Asked) -> Result<SecretBuffer, AskError> {
    let failed = |source| AskError::Os { path: path.to_owned(), source };
    let cut = || AskError::Cut { path: path.to_owned() };
    let address = SocketAddrUnix::new(path).map_err(failed)?;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).map_err(failed)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE)).map_err(failed)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE)).map_err(failed)?;
    connect(&socket, &address).map_err(failed)?;
    refuse_a_stranger(path, &socket)?;
    // A service that is busy says so, and goes, before it reads: then this fails, and its word is there all the same
    let _ = send(&socket, &request_line(asked), SendFlags::NOSIGNAL);
    let line = match status_line(socket.as_fd()) {
        Ok(Some(line)) => line,
        Ok(None) | Err(Errno::CONNRESET) => return Err(cut()),
        Err(error) => return Err(failed(error)),
    };
    match Status::parse(&line) {
        Some(Status::Ok { length }) => {
            let length = usize::try_from(length).map_err(|_| cut())?;
            match receive(socket.as_fd(), length) {
                Ok(Some(value)) => Ok(value),
                Ok(None) | Err(Errno::CONNRESET) => Err(cut()),
                Err(error) => Err(failed(error)),
            }
        }
        Some(Status::Refused { error, hint }) => Err(AskError::Refused { error, hint }),
        None => Err(AskError::NotOurs { path: path.to_owned() }),
    }
}

/// Whoever makes a socket where we look for one could give us a password that he knows.
fn refuse_a_stranger(path: &Path, socket: &OwnedFd) -> Result<(), AskError> {
    let failed = |source| AskError::Os { path: path.to_owned(), source };
    let uid = getsockopt(socket, sockopt::PeerCredentials)
        .map_err(|error| failed(Errno::from_raw_os_error(error as i32)))?
        .uid();
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let owner = stat(directory).map_err(failed)?.st_uid;
    if uid == 0 || uid == geteuid().as_raw() || uid == owner {
        return Ok(());
    }
    Err(AskError::Foreign { path: path.to_owned(), uid })
}

/// The first line, byte by byte: what follows it must not come into a buffer that is not wiped.
fn status_line(socket: BorrowedFd<'_>) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        match read(socket, &mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) if byte == *b"\n" => return Ok(Some(line)),
            Ok(_) if line.len() < LONGEST_STATUS => line.extend(byte),
            Ok(_) => return Ok(Some(Vec::new())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
