//! Descriptors and their names, from the worker to the supervisor, over a socket that keeps messages apart.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::model::EnvironmentFile;

const END: &str = "end";
const NOT_EXECUTABLE: &str = "not executable: ";
const NOT_FOUND: &str = "not found";
const READY: &str = "ready";
const SIGNAL: &str = "signal ";
const STOPPED: &str = "stopped";
const LONGEST_NAME: usize = 256;

/// A pair of connected sockets.
pub(super) fn socket_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Whether the other side is still there.
pub(super) fn is_connected(socket: impl AsFd) -> bool {
    let mut socket = [PollFd::new(&socket, PollFlags::empty())];
    let polled = poll(&mut socket, Some(&Timespec::default()));
    polled.is_ok() && !socket.iter().any(|socket| socket.revents().contains(PollFlags::HUP))
}

/// Sends one file.
pub(super) fn send(socket: impl AsFd, name: &str, file: impl AsFd) -> Result<(), Errno> {
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(socket, &[IoSlice::new(name.as_bytes())], &mut ancillary, SendFlags::empty()).map(|_| ())
}

/// Says that all files were sent: an end without it is a crash.
pub(super) fn send_end(socket: impl AsFd) -> Result<(), Errno> {
    say(socket, END)
}

/// What the first process of a namespace says to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The command may not be executed, for this reason.
    NotExecutable(String),
    /// There is no such command.
    NotFound,
    /// It ends when the supervisor does, from here on.
    Ready,
    /// A signal has ended the command.
    Signal(u8),
    /// The command was stopped.
    Stopped,
}

impl Word {
    fn text(&self) -> String {
        match self {
            Self::NotExecutable(reason) => format!("{NOT_EXECUTABLE}{reason}"),
            Self::NotFound => NOT_FOUND.to_owned(),
            Self::Ready => READY.to_owned(),
            Self::Signal(number) => format!("{SIGNAL}{number}"),
            Self::Stopped => STOPPED.to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            NOT_FOUND => Some(Self::NotFound),
            READY => Some(Self::Ready),
            STOPPED => Some(Self::Stopped),
            _ => text
                .strip_prefix(NOT_EXECUTABLE)
                .map(|reason| Self::NotExecutable(reason.to_owned()))
                .or_else(|| text.strip_prefix(SIGNAL)?.parse().ok().map(Self::Signal)),
        }
    }
}

/// Says it. Without a supervisor there is nobody to tell, and we are about to be killed.
pub(super) fn tell(socket: impl AsFd, word: &Word) {
    let _ = say(socket, &word.text());
}

/// What the other side says; nothing when it says nothing more. It waits unless there is something to read.
pub(super) fn hear(socket: &OwnedFd) -> Option<Word> {
    Word::parse(&receive(socket).ok()?.0)
}

/// Receives all files; `None` when the other side went away before its end.
pub(super) fn receive_all(socket: &OwnedFd) -> Result<Option<Vec<(String, OwnedFd)>>, Errno> {
    let mut files = Vec::new();
    loop {
        let (name, file) = receive(socket)?;
        match (name.as_str(), file) {
            (END, None) => return Ok(Some(files)),
            (_, None) => return Ok(None),
            (_, Some(file)) => files.push((name, file)),
        }
    }
}

/// Waits until the other side is closed.
pub(super) fn wait_for_end(socket: &OwnedFd) {
    while receive(socket).is_ok_and(|(word, file)| !word.is_empty() || file.is_some()) {}
}

/// Receives one file, whatever its name; `None` when the other side has gone away.
pub(super) fn receive_one(socket: &OwnedFd) -> Result<Option<OwnedFd>, Errno> {
    receive(socket).map(|(_, file)| file)
}

/// Which environment files those of `received` are.
pub(super) fn environment_files(received: &[(String, OwnedFd)]) -> impl Iterator<Item = EnvironmentFile> {
    received.iter().filter_map(|(name, _)| EnvironmentFile::named(name))
}

fn say(socket: impl AsFd, word: &str) -> Result<(), Errno> {
    let mut nothing = SendAncillaryBuffer::default();
    sendmsg(socket, &[IoSlice::new(word.as_bytes())], &mut nothing, SendFlags::empty()).map(|_| ())
}

fn receive(socket: &OwnedFd) -> Result<(String, Option<OwnedFd>), Errno> {
    let mut block = [0; LONGEST_NAME];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut block)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            // A worker that failed exits with our question unread, which is a reset, not an end
            Err(Errno::CONNRESET) => return Ok((String::new(), None)),
            other => break other?,
        }
    };
    let file = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        RecvAncillaryMessage::ScmCredentials(_) | _ => None,
    });
    let name = block.get(..received.bytes).unwrap_or_default();
    Ok((String::from_utf8_lossy(name).into_owned(), file))
}
