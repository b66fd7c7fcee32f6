//! The worker's whole life: it opens the one file that is asked for, picks the value, and writes it to the client itself.

use nix::sys::signal::SigSet;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_send_buffer_size, socket_send_buffer_size};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::admit::{AdmitError, Admitted};
use crate::fs::write_fd;
use crate::identity::{IdentityError, IdentitySet};
use crate::model::Site;
use crate::open::{OpenError, SelectError, Writing, find, open_one, select, site_of};
use crate::report::Hint;
use crate::secret::SecretBuffer;

use super::asked::Asked;
use super::protocol::{Status, parse_request};
use super::worker::{BARE, Found, GO, LONGEST_WORD, Word};

/// Of a socket's buffer left to the kernel's own.
const SPARE: usize = 16 * 1024;
/// systemd takes no larger credential (`CREDENTIALS_TOTAL_SIZE_MAX`).
const MOST_OF_SYSTEMD: usize = 1024 * 1024;

/// Why the worker has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The bundle is not to be believed, or not whole.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// The value is empty, which could not be told from a refusal.
    #[error("the value is empty")]
    Empty,
    /// There is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// systemd would not notice that it is cut.
    #[error(
        "the value is too large for a credential: {length} bytes do not fit into the socket's buffer at once"
    )]
    Large {
        /// How long it is.
        length: usize,
    },
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such value.
    #[error(transparent)]
    Select(#[from] SelectError),
}

impl Hint for AnswerError {
    fn hint(&self) -> String {
        match self {
            Self::Admit(error) => error.hint(),
            Self::Empty => String::from("a credential of systemd that is empty is one that was refused"),
            Self::Identity(error) => error.hint(),
            Self::Large { .. } => String::from(
                "load single values instead of the file; up to 1 MiB, net.core.wmem_max can be raised",
            ),
            Self::Open(error) => error.hint(),
            Self::Select(error) => error.hint(),
        }
    }
}

/// Finds what the listener asks for over `control`, tells it so, opens it at its word, tells it so, and at its word writes the answer to
/// `client`. The caller **must** exit then. False when the client did not get all of it.
pub fn answer(
    admit: impl FnOnce() -> Result<Admitted, AdmitError>,
    identify: impl FnOnce() -> Result<IdentitySet, IdentityError>,
    site: Option<&Site>,
    control: BorrowedFd<'_>,
    client: BorrowedFd<'_>,
) -> bool {
    // Those that the listener reads one by one were held back from us, too
    let _ = SigSet::all().thread_unblock();
    let Some((asked, is_bare)) = task(control) else { return false };
    let opened = open_at_a_word(&asked, admit, identify, site, control).and_then(|content| {
        let Some(content) = content else { return Ok(None) };
        if is_bare {
            prepare_bare(client, content.len())?;
        }
        Ok(Some(content))
    });
    let content = match opened {
        Ok(Some(content)) => content,
        Ok(None) => return false,
        Err(error) => {
            say(control, &Word::Failed { error: error.to_string(), hint: error.hint() });
            return false;
        }
    };
    say(control, &Word::Ready);
    if hear(control).as_deref() != Some(GO) {
        return false;
    }
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let head = if is_bare { Vec::new() } else { Status::Ok { length }.line() };
    write_public(client, &head).and_then(|()| write_fd(client, &content)).is_ok()
}

/// Nothing when the listener does not want it.
fn open_at_a_word(
    asked: &Asked,
    admit: impl FnOnce() -> Result<Admitted, AdmitError>,
    identify: impl FnOnce() -> Result<IdentitySet, IdentityError>,
    site: Option<&Site>,
    control: BorrowedFd<'_>,
) -> Result<Option<SecretBuffer>, AnswerError> {
    // The bundle before the identity: what can fail without a secret fails first
    let admitted = admit()?;
    let keys = identify()?;
    let site = site_of(admitted.bundle(), &keys, site)?;
    let (file, parameters) = match asked {
        Asked::File(file) => {
            let path = admitted.bundle().file_for(&site, *file);
            (*file, path.map(|path| admitted.bundle().parameters_of(path)).unwrap_or_default())
        }
        Asked::Value { path, file, .. } => {
            let found = find(admitted.bundle(), &site, path, *file)?;
            (found.file, found.parameters)
        }
    };
    let manifest = &admitted.bundle().manifest;
    say(
        control,
        &Word::Found(Found {
            vault: manifest.vault.clone(),
            generation: manifest.generation,
            file,
            parameters: parameters.iter().map(ToString::to_string).collect(),
            waived: admitted.waived().iter().map(|waived| waived.by.switch().to_owned()).collect(),
        }),
    );
    if hear(control).as_deref() != Some(GO) {
        return Ok(None);
    }
    let opened = open_one(&admitted, &site, file, &keys)?;
    drop(keys);
    match asked {
        Asked::File(_) => Ok(Some(opened.content)),
        Asked::Value { path, json, .. } => {
            let writing = if *json { Writing::Json } else { Writing::Text };
            Ok(Some(select(&opened, path, writing)?))
        }
    }
}

/// Sees to it that all of an answer goes into the socket at once: systemd takes what it got before an end for all there is, so that a
/// cut must not be.
fn prepare_bare(client: BorrowedFd<'_>, length: usize) -> Result<(), AnswerError> {
    if length == 0 {
        return Err(AnswerError::Empty);
    }
    // What the kernel keeps beside the bytes counts, too: never as much again
    let needed = length * 2 + SPARE;
    if socket_send_buffer_size(client).is_ok_and(|size| size < needed) {
        // It takes as much as net.core.wmem_max allows, and says nothing
        let _ = set_socket_send_buffer_size(client, needed);
    }
    let is_enough =
        length <= MOST_OF_SYSTEMD && socket_send_buffer_size(client).is_ok_and(|size| size >= needed);
    if is_enough { Ok(()) } else { Err(AnswerError::Large { length }) }
}

fn task(control: BorrowedFd<'_>) -> Option<(Asked, bool)> {
    let task = hear(control)?;
    let (kind, line) = task.split_first()?;
    let asked = parse_request(line.strip_suffix(b"\n")?).ok()?;
    Some((asked, *kind == BARE))
}

/// The next word of the listener; nothing when it is gone.
fn hear(control: BorrowedFd<'_>) -> Option<Vec<u8>> {
    let mut block = vec![0; LONGEST_WORD];
    let count = loop {
        match recv(control, &mut block, RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            other => break other.ok()?.0,
        }
    };
    block.truncate(count);
    (count > 0).then_some(block)
}

fn say(control: BorrowedFd<'_>, word: &Word) {
    // Where the listener is gone, our end says enough
    let _ = send(control, &word.to_bytes(), SendFlags::NOSIGNAL);
}

fn write_public(client: BorrowedFd<'_>, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(client, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
