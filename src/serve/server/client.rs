use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::report::Hint;
use crate::serve::asked::Asked;
use crate::serve::peer::Peer;
use crate::serve::policy::Granted;
use crate::serve::protocol::{LONGEST_REQUEST, Status};
use crate::serve::worker::{Found, Worker};

/// So many blocks too much are read, and no more.
const UNREAD: usize = 64;

/// One that is connected.
pub(super) struct Client {
    pub(super) socket: OwnedFd,
    pub(super) peer: Peer,
    /// When we no longer wait: for its request, for a worker, for its reading.
    pub(super) deadline: Instant,
    pub(super) stage: Stage,
}

/// How far it is.
pub(super) enum Stage {
    /// It has said so much.
    Asking(Vec<u8>),
    /// It is refused what it has asked for.
    Refused(Asked),
    /// It waits for a worker.
    Waiting(Granted),
    /// A worker opens the bundle for it, and may have found where to look.
    Opening(Granted, Worker, Option<Found>),
    /// The worker writes to it, and we no longer do.
    Answering(Worker),
}

/// What came of a look at what a client says.
pub(super) enum Heard {
    /// More will come.
    Part,
    /// This is the request.
    Line(Vec<u8>),
    /// It is longer than a request may be.
    TooLong,
    /// It has ended in the middle.
    Cut,
    /// It has gone without a word.
    Nothing,
}

/// Why a request is refused that is in order.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// There are too many.
    #[error("too many requests at once")]
    Busy,
    /// It ended in the middle.
    #[error("the request is cut")]
    Cut,
    /// The client did not wait.
    #[error("the client has gone")]
    Gone,
    /// The worker was killed.
    #[error("the process that opens the bundle was killed")]
    Killed,
    /// It took too long.
    #[error("the bundle was not opened in time")]
    Late,
    /// It never came.
    #[error("no request came in time")]
    Mute,
    /// The worker could not be started.
    #[error("no process could be started to open the bundle")]
    Start,
    /// The service ends.
    #[error("the service is about to end")]
    Stopping,
    /// It could not be written down.
    #[error("the request cannot be written down, so it is not answered")]
    Unrecorded,
    /// The worker has said why.
    #[error("{error}")]
    Worker { error: String, hint: String },
}

impl Hint for Trouble {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Busy | Self::Gone | Self::Late => "ask again a little later",
            Self::Cut | Self::Mute => "a request is one line of JSON, sent at once",
            Self::Killed => "is the host short of memory? `dmesg` says more",
            Self::Start => "the host has no process, or no memory, left: `dmesg` says more",
            Self::Stopping => "ask again when it is back",
            Self::Unrecorded => "whoever runs `dcn-vault serve` finds why in its log: is the disk full?",
            Self::Worker { hint, .. } => return hint.clone(),
        })
    }
}

impl Client {
    /// Reads what has come.
    pub(super) fn hear(&mut self) -> Heard {
        let Stage::Asking(said) = &mut self.stage else { return Heard::Part };
        let mut block = [0; LONGEST_REQUEST];
        let count = match recv(&self.socket, &mut block, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => return Heard::Part,
            Err(_) => 0,
            Ok((count, _)) => count,
        };
        if count == 0 {
            return if said.is_empty() { Heard::Nothing } else { Heard::Cut };
        }
        said.extend_from_slice(block.get(..count).unwrap_or_default());
        match said.iter().position(|byte| *byte == b'\n') {
            Some(end) if end < LONGEST_REQUEST => {
                said.truncate(end);
                Heard::Line(std::mem::take(said))
            }
            _ if said.len() >= LONGEST_REQUEST => Heard::TooLong,
            _ => Heard::Part,
        }
    }

    /// Says no. To systemd an end without a byte: it takes all bytes for the credential.
    pub(super) fn say_no(&self, why: &dyn Hint) {
        if self.peer.credential.is_none() {
            // An end with something unread is a reset, which takes our word with it
            let mut block = [0; LONGEST_REQUEST];
            for _ in 0..UNREAD {
                if !matches!(recv(&self.socket, &mut block, RecvFlags::DONTWAIT), Ok((1.., _))) {
                    break;
                }
            }
            // Its buffer has had nothing yet, so that it takes all of it; who does not read it has gone
            let _ =
                send(&self.socket, &Status::refused(why).line(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
    }

    pub(super) const fn asked(&self) -> Option<&Asked> {
        match &self.stage {
            Stage::Refused(asked) => Some(asked),
            Stage::Waiting(granted) | Stage::Opening(granted, ..) => Some(&granted.asked),
            Stage::Asking(_) | Stage::Answering(_) => None,
        }
    }
}
