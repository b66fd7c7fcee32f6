//! Where clients connect: a socket of our own making, or one that systemd hands over.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd, RawFd};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Stat, chownat, lstat, stat, unlink};
use rustix::io::{Errno, fcntl_dupfd_cloexec, ioctl_fionbio};
use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use rustix::process::{getpid, umask};
use rustix::stdio::stdin;

use crate::fs::{Lock, copy_inherited};

use super::error::ServeError;

/// As many may wait to be accepted; the kernel takes less where `net.core.somaxconn` says so.
const BACKLOG: i32 = 4096;
/// The first descriptor that systemd hands over.
const FIRST: RawFd = 3;
const MOST: RawFd = 16;
/// Only its owner connects.
const ONLY_OURS: Mode = Mode::from_raw_mode(0o177);
/// Its group connects, too: the one that it has before it listens.
const A_GROUPS: Mode = Mode::from_raw_mode(0o117);

/// Sockets that listen.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<OwnedFd>,
    /// Goes with us.
    _bound: Option<Bound>,
}

/// A name that goes with us.
#[derive(Debug)]
struct Bound {
    path: PathBuf,
    is: (u64, u64),
    _lock: Lock,
}

/// What systemd says of the sockets that it hands over: `LISTEN_PID` and `LISTEN_FDS`.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Activation<'a> {
    /// For whom they are.
    pub pid: Option<&'a OsStr>,
    /// How many.
    pub count: Option<&'a OsStr>,
}

impl Listener {
    /// Makes a socket at `path`, for its owner alone or also for a group. One that is there already is replaced when nobody answers at
    /// it. Until we end nobody of ours takes its place.
    ///
    /// # Errors
    ///
    /// [`ServeError::Answers`], [`ServeError::NotASocket`], [`ServeError::File`] when another of us holds the place, and
    /// [`ServeError::Os`].
    pub fn at(path: &Path, group: Option<u32>) -> Result<Self, ServeError> {
        let failed = |error: Errno| ServeError::bind(path, error);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        stat(directory.unwrap_or_else(|| Path::new("."))).map_err(failed)?;
        let lock = Lock::of(path)?;
        let address = SocketAddrUnix::new(path).map_err(failed)?;
        remove_stale(path, &address)?;
        let socket = new_socket().map_err(failed)?;
        // By its mode from the beginning, and not by its name later: the name may lead elsewhere by then
        let before = umask(if group.is_some() { A_GROUPS } else { ONLY_OURS });
        let made = bind(&socket, &address);
        umask(before);
        made.map_err(failed)?;
        let is = place_of(&lstat(path).map_err(failed)?);
        // Held from here on: a failure below removes the name again
        let listener =
            Self { sockets: vec![socket], _bound: Some(Bound { path: path.to_owned(), is, _lock: lock }) };
        if let Some(group) = group {
            chownat(CWD, path, None, Some(Gid::from_raw(group)), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(failed)?;
        }
        for socket in &listener.sockets {
            listen(socket, BACKLOG).map_err(failed)?;
        }
        Ok(listener)
    }

    /// The sockets that systemd hands over, if it does: as descriptors from 3 on, or as standard input (`StandardInput=socket`).
    ///
    /// # Errors
    ///
    /// [`ServeError::Activation`].
    pub fn inherited(activation: Activation<'_>) -> Result<Option<Self>, ServeError> {
        let text = |value: Option<&OsStr>| value.and_then(OsStr::to_str).and_then(|text| text.parse().ok());
        let sockets = match (text(activation.pid), text(activation.count)) {
            // Somebody else's: a variable that was not taken away
            (Some(pid), Some(count)) if pid == getpid().as_raw_nonzero().get() => from_three_on(count)?,
            _ if listens(stdin()) => vec![fcntl_dupfd_cloexec(stdin(), FIRST).map_err(refused)?],
            _ => return Ok(None),
        };
        if !sockets.iter().all(listens) {
            return Err(ServeError::Activation { why: "one of them is no Unix stream socket that listens" });
        }
        for socket in &sockets {
            ioctl_fionbio(socket, true).map_err(refused)?;
        }
        Ok(Some(Self { sockets, _bound: None }))
    }

    /// All that listen.
    pub(super) fn sockets(&self) -> &[OwnedFd] {
        &self.sockets
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Only while the name is still ours
        if lstat(&self.path).is_ok_and(|stat| place_of(&stat) == self.is) {
            let _ = unlink(&self.path);
        }
    }
}

/// Takes over the descriptors from 3 on, by copies; the numbers are closed.
fn from_three_on(count: RawFd) -> Result<Vec<OwnedFd>, ServeError> {
    if !(1..=MOST).contains(&count) {
        return Err(ServeError::Activation { why: "LISTEN_FDS is not a number from 1 to 16" });
    }
    let numbers = FIRST..FIRST + count;
    let copies = numbers.clone().map(copy_inherited).collect::<Result<_, Errno>>();
    let copies = copies.map_err(|error| match error {
        Errno::BADF => ServeError::Activation { why: "there are fewer than LISTEN_FDS says" },
        other => refused(other),
    })?;
    for number in numbers {
        let _ = nix::unistd::close(number);
    }
    Ok(copies)
}

fn refused(error: Errno) -> ServeError {
    ServeError::os("take over systemd's socket")(error)
}

fn listens(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    socket_acceptconn(socket) == Ok(true)
        && socket_domain(socket) == Ok(AddressFamily::UNIX)
        && socket_type(socket) == Ok(SocketType::STREAM)
}

fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), ServeError> {
    let there = match lstat(path) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(|error| ServeError::bind(path, error))?,
    };
    if FileType::from_raw_mode(there.st_mode) != FileType::Socket {
        return Err(ServeError::NotASocket { path: path.to_owned() });
    }
    let probe = new_socket().map_err(|error| ServeError::bind(path, error))?;
    match connect(&probe, address) {
        Err(Errno::CONNREFUSED) => unlink(path).map_err(|error| ServeError::bind(path, error)),
        Err(Errno::NOENT) => Ok(()),
        // Whatever else it says, somebody has it
        _ => Err(ServeError::Answers { path: path.to_owned() }),
    }
}

fn new_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

fn place_of(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
