//! Descriptors and their names, from the worker to the supervisor, over a socket that keeps messages apart.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

const END: &str = "end";
const LONGEST_NAME: usize = 256;

/// A pair of connected sockets.
pub(super) fn socket_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Sends one file.
pub(super) fn send(socket: BorrowedFd<'_>, name: &str, file: &OwnedFd) -> Result<(), Errno> {
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(socket, &[IoSlice::new(name.as_bytes())], &mut ancillary, SendFlags::empty()).map(|_| ())
}

/// Says that all files were sent: an end without it is a crash.
pub(super) fn send_end(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut nothing = SendAncillaryBuffer::default();
    sendmsg(socket, &[IoSlice::new(END.as_bytes())], &mut nothing, SendFlags::empty()).map(|_| ())
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
